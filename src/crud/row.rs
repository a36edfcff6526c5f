//! The rows of elements, and their SQL: the same for every table, so it is written once.

use std::borrow::Cow;

use crate::{
    common::{Audit, Error, Result, ids::Id, page::PageKey},
    db::Conn,
};

/// How something is called, and by which texts it is found.
pub trait Named {
    fn name(&self) -> Cow<'_, str>;

    /// What a search looks through.
    fn searched(&self) -> Cow<'_, str> {
        self.name()
    }

    /// The place people gave it, where they can.
    fn position(&self) -> i64 {
        0
    }
}

/// A row: an id, an owner, what people decide (`Fields`), and what follows from these.
pub trait CrudRow: PageKey + Clone + Sized + 'static {
    /// Marks its ids.
    type IdKind: Copy + 'static;
    type Owner;
    type Fields: Named + Clone + PartialEq + 'static;

    fn new(id: Id<Self::IdKind>, owner: Self::Owner, fields: Self::Fields, audit: Audit) -> Self;

    fn id(&self) -> Id<Self::IdKind>;

    fn fields(&self) -> &Self::Fields;

    fn audit(&self) -> Audit;

    /// An owner's element; R9: every look-up begins with the owner.
    fn find(
        conn: &mut Conn,
        owner: &str,
        id: Id<Self::IdKind>,
    ) -> impl Future<Output = Result<Option<Self>>>;

    /// How many elements an owner has.
    fn count(conn: &mut Conn, owner: &str) -> impl Future<Output = Result<i64>>;

    /// Writes a new row. The outer error is a failure, the inner one names a UNIQUE constraint that is in the way.
    fn insert(&self, conn: &mut Conn) -> impl Future<Output = Result<Result<(), String>>>;

    /// Overwrites the row; errors as in [`CrudRow::insert`].
    fn update(&self, conn: &mut Conn) -> impl Future<Output = Result<Result<(), String>>>;

    fn delete(&self, conn: &mut Conn) -> impl Future<Output = Result<()>>;
}

/// Tells a violated UNIQUE constraint from a failure.
pub(crate) fn unique(outcome: diesel::QueryResult<usize>) -> Result<Result<(), String>> {
    match outcome {
        Ok(0) => Err(Error::Internal(anyhow::anyhow!("no row was written"))),
        Ok(_) => Ok(Ok(())),
        Err(error) => match crate::db::unique_violation::constraint(&error) {
            Some(constraint) => Ok(Err(constraint)),
            None => Err(error.into()),
        },
    }
}

/// Declares the row of a table, and implements [`CrudRow`] for it.
///
/// `crud_row!(TagRow of OfTag in tags, fields: TagFields, owner: business_partner_id (business_partner_id: BusinessPartnerId), unique:
/// name_key)`: the column that queries begin with, the column and type written for it, and where there is one the column of the
/// case-folded name. A macro, because diesel's generic bounds over tables and two engines do not fit a readable function.
macro_rules! crud_row {
    (
        $Row:ident of $IdKind:ident in $table:ident, fields: $Fields:ty,
        owner: $key:ident ($owner:ident: $Owner:ty) $(, unique: $name_key:ident)?
    ) => {
        /// A row as stored.
        #[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable, diesel::AsChangeset)]
        #[diesel(table_name = $table)]
        pub struct $Row {
            pub id: $crate::common::ids::Id<$IdKind>,
            pub $owner: $Owner,
            #[diesel(embed)]
            pub fields: $Fields,
            $($name_key: String,)?
            sort_key: String,
            search_key: String,
            version: i64,
            created_at: $crate::common::timestamp::Timestamp,
            updated_at: $crate::common::timestamp::Timestamp,
            created_by: String,
            updated_by: String,
        }

        impl $crate::crud::CrudRow for $Row {
            type IdKind = $IdKind;
            type Owner = $Owner;
            type Fields = $Fields;

            fn new(
                id: $crate::common::ids::Id<$IdKind>,
                $owner: $Owner,
                fields: $Fields,
                audit: $crate::common::Audit,
            ) -> Self {
                use $crate::{crud::Named as _, common::normalize};
                let $crate::common::Audit { version, created_at, updated_at, created_by, updated_by } = audit;
                $(let $name_key = normalize::fold_case(&fields.name());)?
                let (sort_key, search_key) = (normalize::sort_key(&fields.name()), normalize::fold(&fields.searched()));
                Self {
                    id, $owner, fields, $($name_key,)? sort_key, search_key, version, created_at, updated_at, created_by,
                    updated_by,
                }
            }

            fn id(&self) -> $crate::common::ids::Id<$IdKind> {
                self.id
            }

            fn fields(&self) -> &$Fields {
                &self.fields
            }

            fn audit(&self) -> $crate::common::Audit {
                $crate::common::Audit {
                    version: self.version,
                    created_at: self.created_at,
                    updated_at: self.updated_at,
                    created_by: self.created_by.clone(),
                    updated_by: self.updated_by.clone(),
                }
            }

            async fn find(
                conn: &mut $crate::db::Conn,
                owner: &str,
                id: $crate::common::ids::Id<$IdKind>,
            ) -> $crate::common::Result<Option<Self>> {
                Ok($crate::db::with_conn!(conn, |c| $table::table
                    .filter($table::$key.eq(owner))
                    .filter($table::id.eq(id))
                    .select(Self::as_select())
                    .first(c))
                .optional()?)
            }

            async fn count(conn: &mut $crate::db::Conn, owner: &str) -> $crate::common::Result<i64> {
                Ok($crate::db::with_conn!(conn, |c| $table::table
                    .filter($table::$key.eq(owner))
                    .select(diesel::dsl::count_star())
                    .first(c))?)
            }

            async fn insert(&self, conn: &mut $crate::db::Conn) -> $crate::common::Result<Result<(), String>> {
                let outcome = $crate::db::with_conn!(conn, |c| diesel::insert_into($table::table).values(self).execute(c));
                $crate::crud::unique(outcome)
            }

            async fn update(&self, conn: &mut $crate::db::Conn) -> $crate::common::Result<Result<(), String>> {
                let outcome = $crate::db::with_conn!(conn, |c| diesel::update($table::table.find(self.id)).set(self).execute(c));
                $crate::crud::unique(outcome)
            }

            async fn delete(&self, conn: &mut $crate::db::Conn) -> $crate::common::Result<()> {
                $crate::db::with_conn!(conn, |c| diesel::delete($table::table.find(self.id)).execute(c))?;
                Ok(())
            }
        }

        impl $crate::common::page::PageKey for $Row {
            fn sort_key(&self) -> &str {
                &self.sort_key
            }

            fn created_at(&self) -> $crate::common::timestamp::Timestamp {
                self.created_at
            }

            fn key_id(&self) -> String {
                self.id.to_string()
            }

            fn number(&self) -> i64 {
                $crate::crud::Named::position(&self.fields)
            }
        }
    };
}
pub(crate) use crud_row;
