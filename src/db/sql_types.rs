//! Columns that hold JSON or an enumeration. Ids and timestamps: [`crate::common::sql`].

use std::{io::Write as _, str::FromStr};

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
    sqlite::Sqlite,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::common::sql::Json;

/// The version byte that precedes `jsonb` in PostgreSQL's binary format.
const JSONB_VERSION: u8 = 1;

/// A value stored in a JSON column.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Json)]
pub struct Jsonb<T: 'static>(pub T);

impl<T: Serialize + std::fmt::Debug> ToSql<Json, Pg> for Jsonb<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: Serialize + std::fmt::Debug> ToSql<Json, Sqlite> for Jsonb<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned> FromSql<Json, Pg> for Jsonb<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [JSONB_VERSION, json @ ..] => Ok(Self(serde_json::from_slice(json)?)),
            _ => Err("unsupported jsonb version".into()),
        }
    }
}

impl<T: DeserializeOwned> FromSql<Json, Sqlite> for Jsonb<T> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

/// The JSON of a JSON column, unparsed: large values are parsed elsewhere, because statements run on
/// a worker.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow)]
pub struct RawJson(Vec<u8>);

impl RawJson {
    /// Parses the JSON.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.0)
    }
}

impl FromSql<Json, Pg> for RawJson {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [JSONB_VERSION, json @ ..] => Ok(Self(json.to_vec())),
            _ => Err("unsupported jsonb version".into()),
        }
    }
}

impl FromSql<Json, Sqlite> for RawJson {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(text.into_bytes()))
    }
}

/// An enumeration stored as text. A CHECK constraint lists the allowed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct EnumText<T: 'static>(pub T);

impl<T, DB: Backend> ToSql<Text, DB> for EnumText<T>
where
    T: Into<&'static str> + Copy + std::fmt::Debug,
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        let text: &'static str = self.0.into();
        text.to_sql(out)
    }
}

impl<T: FromStr, DB: Backend> FromSql<Text, DB> for EnumText<T>
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(value)?;
        text.parse()
            .map(Self)
            .map_err(|_| format!("unknown value: {text}").into())
    }
}
