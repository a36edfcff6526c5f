//! The rows of elements, and their SQL: the same for every table, so it is written once.

use std::borrow::Cow;

use crate::{
    db::Conn,
    kernel::{Audit, Error, Result, ids::Id, page::Keyed},
};

/// How something is called, and by which texts it is found.
pub trait Described {
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

/// A row: an id, an owner, what people decide (`Facts`), and what follows from these.
pub trait Stored: Keyed + Clone + Sized + 'static {
    /// Marks its ids.
    type Mark: Copy + 'static;
    type Owner;
    type Facts: Described + Clone + PartialEq + 'static;

    fn new(id: Id<Self::Mark>, owner: Self::Owner, facts: Self::Facts, audit: Audit) -> Self;

    fn id(&self) -> Id<Self::Mark>;

    fn facts(&self) -> &Self::Facts;

    fn audit(&self) -> Audit;

    /// An owner's element; R9: every look-up begins with the owner.
    fn find(
        conn: &mut Conn,
        owner: &str,
        id: Id<Self::Mark>,
    ) -> impl Future<Output = Result<Option<Self>>>;

    /// How many elements an owner has.
    fn count(conn: &mut Conn, owner: &str) -> impl Future<Output = Result<i64>>;

    /// Writes a new row. The outer error is a failure, the inner one names a UNIQUE constraint that is in the way.
    fn insert(&self, conn: &mut Conn) -> impl Future<Output = Result<Result<(), String>>>;

    /// Overwrites the row; errors as in [`Stored::insert`].
    fn update(&self, conn: &mut Conn) -> impl Future<Output = Result<Result<(), String>>>;

    fn delete(&self, conn: &mut Conn) -> impl Future<Output = Result<()>>;
}

/// Tells a violated UNIQUE constraint from a failure.
pub(crate) fn unique(outcome: diesel::QueryResult<usize>) -> Result<Result<(), String>> {
    match outcome {
        Ok(0) => Err(Error::Internal(anyhow::anyhow!("no row was written"))),
        Ok(_) => Ok(Ok(())),
        Err(error) => match crate::db::violation::constraint(&error) {
            Some(constraint) => Ok(Err(constraint)),
            None => Err(error.into()),
        },
    }
}

/// Declares the row of a table, and implements [`Stored`] for it.
///
/// `stored!(TagRow of OfTag in tags, facts: TagFacts, owner: business_partner_id (business_partner_id: BusinessPartnerId), unique:
/// name_key)`: the column that queries begin with, the column and type written for it, and where there is one the column of the
/// case-folded name. A macro, because diesel's generic bounds over tables and two engines do not fit a readable function.
macro_rules! stored {
    (
        $Row:ident of $Mark:ident in $table:ident, facts: $Facts:ty,
        owner: $key:ident ($owner:ident: $Owner:ty) $(, unique: $name_key:ident)?
    ) => {
        /// A row as stored.
        #[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable, diesel::AsChangeset)]
        #[diesel(table_name = $table)]
        pub struct $Row {
            pub id: $crate::kernel::ids::Id<$Mark>,
            pub $owner: $Owner,
            #[diesel(embed)]
            pub facts: $Facts,
            $($name_key: String,)?
            sort_key: String,
            search_key: String,
            version: i64,
            created_at: $crate::kernel::time::Timestamp,
            updated_at: $crate::kernel::time::Timestamp,
            created_by: String,
            updated_by: String,
        }

        impl $crate::elements::Stored for $Row {
            type Mark = $Mark;
            type Owner = $Owner;
            type Facts = $Facts;

            fn new(
                id: $crate::kernel::ids::Id<$Mark>,
                $owner: $Owner,
                facts: $Facts,
                audit: $crate::kernel::Audit,
            ) -> Self {
                use $crate::{elements::Described as _, kernel::fold};
                let $crate::kernel::Audit { version, created_at, updated_at, created_by, updated_by } = audit;
                $(let $name_key = fold::fold_case(&facts.name());)?
                let (sort_key, search_key) = (fold::sort_key(&facts.name()), fold::fold(&facts.searched()));
                Self {
                    id, $owner, facts, $($name_key,)? sort_key, search_key, version, created_at, updated_at, created_by,
                    updated_by,
                }
            }

            fn id(&self) -> $crate::kernel::ids::Id<$Mark> {
                self.id
            }

            fn facts(&self) -> &$Facts {
                &self.facts
            }

            fn audit(&self) -> $crate::kernel::Audit {
                $crate::kernel::Audit {
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
                id: $crate::kernel::ids::Id<$Mark>,
            ) -> $crate::kernel::Result<Option<Self>> {
                Ok($crate::db::on!(conn, |c| $table::table
                    .filter($table::$key.eq(owner))
                    .filter($table::id.eq(id))
                    .select(Self::as_select())
                    .first(c))
                .optional()?)
            }

            async fn count(conn: &mut $crate::db::Conn, owner: &str) -> $crate::kernel::Result<i64> {
                Ok($crate::db::on!(conn, |c| $table::table
                    .filter($table::$key.eq(owner))
                    .select(diesel::dsl::count_star())
                    .first(c))?)
            }

            async fn insert(&self, conn: &mut $crate::db::Conn) -> $crate::kernel::Result<Result<(), String>> {
                let outcome = $crate::db::on!(conn, |c| diesel::insert_into($table::table).values(self).execute(c));
                $crate::elements::unique(outcome)
            }

            async fn update(&self, conn: &mut $crate::db::Conn) -> $crate::kernel::Result<Result<(), String>> {
                let outcome = $crate::db::on!(conn, |c| diesel::update($table::table.find(self.id)).set(self).execute(c));
                $crate::elements::unique(outcome)
            }

            async fn delete(&self, conn: &mut $crate::db::Conn) -> $crate::kernel::Result<()> {
                $crate::db::on!(conn, |c| diesel::delete($table::table.find(self.id)).execute(c))?;
                Ok(())
            }
        }

        impl $crate::kernel::page::Keyed for $Row {
            fn sort_key(&self) -> &str {
                &self.sort_key
            }

            fn created_at(&self) -> $crate::kernel::time::Timestamp {
                self.created_at
            }

            fn key_id(&self) -> String {
                self.id.to_string()
            }

            fn number(&self) -> i64 {
                $crate::elements::Described::position(&self.facts)
            }
        }
    };
}
pub(crate) use stored;
