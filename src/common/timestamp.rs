//! Points in time in UTC, as JSON strings and as columns.

use std::{fmt, ops::Deref, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::common::{
    error::{Code, FieldError},
    lenient_enum::LenientEnum,
    text::SelfCheck,
};

/// A point in time that can be stored in a column. The value is that of the policy crate, which does
/// not depend on diesel.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[serde(transparent)]
#[diesel(sql_type = crate::common::sql::UtcTimestamp)]
pub struct Timestamp(ticket_policy::Timestamp);

impl Timestamp {
    /// The current time.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().into())
    }

    /// See [`ticket_policy::Timestamp::from_unix_micros`].
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        ticket_policy::Timestamp::from_unix_micros(micros).map(Self)
    }

    /// From seconds since 1970, saturating at the latest time.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self(ticket_policy::Timestamp::UNIX_EPOCH.plus_seconds(seconds))
    }

    /// See [`ticket_policy::Timestamp::parse`].
    pub fn parse(text: &str) -> Option<Self> {
        ticket_policy::Timestamp::parse(text).map(Self)
    }

    /// Adds seconds, saturating at the latest time.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.plus_seconds(seconds))
    }
}

impl Deref for Timestamp {
    type Target = ticket_policy::Timestamp;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<Timestamp> for ticket_policy::Timestamp {
    fn from(time: Timestamp) -> Self {
        time.0
    }
}

impl FromStr for Timestamp {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text).ok_or_else(|| FieldError::new("", Code::InvalidTime))
    }
}

impl SelfCheck for LenientEnum<Timestamp> {
    fn check(&self) -> Result<(), FieldError> {
        match self.known() {
            Some(_) => Ok(()),
            None => Err(FieldError::new("", Code::InvalidTime)),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
