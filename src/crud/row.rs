//! Rows and their SQL, which is the same for every table.

use std::borrow::Cow;

use crate::{
    common::{
        Audit, Error, Result,
        ids::{BusinessPartnerId, Id},
        page::{PageKey, SortKey},
    },
    db::Conn,
};

/// The owner of a row.
pub trait Owner: Clone {
    /// The value of the column that every query filters by (`docs/domain.md#r9`).
    fn key(&self) -> &str;
}

impl Owner for BusinessPartnerId {
    fn key(&self) -> &str {
        self.as_str()
    }
}

/// Fields from which the sort keys and the search key of a row are derived.
pub trait Named {
    /// The name by which lists are sorted.
    fn name(&self) -> Cow<'_, str>;

    /// The text that a search matches.
    fn search_text(&self) -> Cow<'_, str> {
        self.name()
    }

    /// The value of a sort key that few resources have.
    fn text(&self, _key: SortKey) -> Cow<'_, str> {
        self.name()
    }

    /// The position assigned by users; 0 for resources without positions.
    fn position(&self) -> i64 {
        0
    }
}

/// A stored resource: id, owner, the fields that clients set, and columns derived from them.
pub trait CrudRow: PageKey + Clone + Sized + 'static {
    type IdKind: Copy + 'static;
    type Owner: Owner;
    type Fields: Named + Clone + PartialEq + 'static;

    fn new(id: Id<Self::IdKind>, owner: Self::Owner, fields: Self::Fields, audit: Audit) -> Self;

    fn id(&self) -> Id<Self::IdKind>;

    fn fields(&self) -> &Self::Fields;

    fn audit(&self) -> Audit;

    /// The row with this id, if it belongs to `owner`.
    fn find(
        conn: &mut Conn,
        owner: &Self::Owner,
        id: Id<Self::IdKind>,
    ) -> impl Future<Output = Result<Option<Self>>>;

    /// How many rows an owner has.
    fn count(conn: &mut Conn, owner: &Self::Owner) -> impl Future<Output = Result<i64>>;

    /// Inserts the row. The inner error is the name of the UNIQUE constraint that was violated.
    fn insert(&self, conn: &mut Conn) -> impl Future<Output = Result<Result<(), String>>>;

    /// Overwrites the row. Errors as in [`CrudRow::insert`].
    fn update(&self, conn: &mut Conn) -> impl Future<Output = Result<Result<(), String>>>;

    fn delete(&self, conn: &mut Conn) -> impl Future<Output = Result<()>>;
}

/// How many rows there are, and how many of them are active.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActiveCounts {
    pub all: i64,
    pub active: i64,
}

impl ActiveCounts {
    /// Adds `count` rows that are all active or all inactive.
    pub fn add(&mut self, active: bool, count: i64) {
        self.all += count;
        self.active += if active { count } else { 0 };
    }
}

/// Separates a violated UNIQUE constraint (the inner error is its name) from other failures.
pub(crate) fn write_outcome(outcome: diesel::QueryResult<usize>) -> Result<Result<(), String>> {
    match outcome {
        Ok(0) => Err(Error::Internal(anyhow::anyhow!("no row was written"))),
        Ok(_) => Ok(Ok(())),
        Err(error) => match crate::db::unique_violation::constraint(&error) {
            Some(constraint) => Ok(Err(constraint)),
            None => Err(error.into()),
        },
    }
}

/// Declares the row of a table and implements [`CrudRow`] for it.
///
/// A macro, because diesel's bounds for generic tables on two engines would be longer than the
/// code.
///
/// ```ignore
/// crud_row!(
///     TagRow in tags,                      // name of the row, table
///     id: TagIdKind,
///     owner: BusinessPartnerId,            // `CrudRow::Owner`
///     filter: business_partner_id,         // column that `Owner::key` is compared with
///     column: business_partner_id: BusinessPartnerId, // column written, converted from the owner
///     fields: TagFields,
///     name_key: name_key,                  // optional: column of the case-folded name
/// );
/// ```
macro_rules! crud_row {
    (
        $Row:ident in $table:ident,
        id: $IdKind:ident,
        owner: $Owner:ty,
        filter: $key:ident,
        column: $owner:ident: $Column:ty,
        fields: $Fields:ty,
        $(name_key: $name_key:ident,)?
    ) => {
        /// A stored row.
        #[derive(
            Debug,
            Clone,
            PartialEq,
            Eq,
            diesel::Queryable,
            diesel::Selectable,
            diesel::Insertable,
            diesel::AsChangeset,
        )]
        #[diesel(table_name = $table, treat_none_as_null = true)]
        pub struct $Row {
            pub id: $crate::common::ids::Id<$IdKind>,
            pub $owner: $Column,
            #[diesel(embed)]
            pub fields: $Fields,
            $($name_key: String,)?
            sort_key: String,
            search_key: String,
            version: i64,
            created_at: $crate::common::timestamp::Timestamp,
            updated_at: $crate::common::timestamp::Timestamp,
            created_by: String,
            created_by_name: Option<String>,
            updated_by: String,
            updated_by_name: Option<String>,
        }

        impl $crate::crud::CrudRow for $Row {
            type IdKind = $IdKind;
            type Owner = $Owner;
            type Fields = $Fields;

            fn new(
                id: $crate::common::ids::Id<$IdKind>,
                owner: $Owner,
                fields: $Fields,
                audit: $crate::common::Audit,
            ) -> Self {
                use $crate::{common::normalize, crud::Named as _};
                Self {
                    id,
                    $owner: owner.into(),
                    $($name_key: normalize::fold_case(&fields.name()),)?
                    sort_key: normalize::sort_key(&fields.name()),
                    search_key: normalize::search_key(&fields.search_text()),
                    fields,
                    version: audit.version,
                    created_at: audit.created_at,
                    updated_at: audit.updated_at,
                    created_by: audit.created_by,
                    created_by_name: audit.created_by_name,
                    updated_by: audit.updated_by,
                    updated_by_name: audit.updated_by_name,
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
                    created_by_name: self.created_by_name.clone(),
                    updated_by: self.updated_by.clone(),
                    updated_by_name: self.updated_by_name.clone(),
                }
            }

            async fn find(
                conn: &mut $crate::db::Conn,
                owner: &$Owner,
                id: $crate::common::ids::Id<$IdKind>,
            ) -> $crate::common::Result<Option<Self>> {
                use $crate::crud::Owner as _;
                Ok($crate::db::with_conn!(conn, |c| $table::table
                    .filter($table::$key.eq(owner.key()))
                    .filter($table::id.eq(id))
                    .select(Self::as_select())
                    .first(c))
                .optional()?)
            }

            async fn count(
                conn: &mut $crate::db::Conn,
                owner: &$Owner,
            ) -> $crate::common::Result<i64> {
                use $crate::crud::Owner as _;
                Ok($crate::db::with_conn!(conn, |c| $table::table
                    .filter($table::$key.eq(owner.key()))
                    .select(diesel::dsl::count_star())
                    .first(c))?)
            }

            async fn insert(
                &self,
                conn: &mut $crate::db::Conn,
            ) -> $crate::common::Result<Result<(), String>> {
                $crate::crud::write_outcome($crate::db::with_conn!(conn, |c| diesel::insert_into(
                    $table::table
                )
                .values(self)
                .execute(c)))
            }

            async fn update(
                &self,
                conn: &mut $crate::db::Conn,
            ) -> $crate::common::Result<Result<(), String>> {
                $crate::crud::write_outcome($crate::db::with_conn!(conn, |c| diesel::update(
                    $table::table.find(self.id)
                )
                .set(self)
                .execute(c)))
            }

            async fn delete(&self, conn: &mut $crate::db::Conn) -> $crate::common::Result<()> {
                $crate::db::with_conn!(conn, |c| diesel::delete($table::table.find(self.id))
                    .execute(c))?;
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

            fn updated_at(&self) -> $crate::common::timestamp::Timestamp {
                self.updated_at
            }

            fn key_id(&self) -> String {
                self.id.to_string()
            }

            fn text(&self, key: $crate::common::page::SortKey) -> std::borrow::Cow<'_, str> {
                $crate::crud::Named::text(&self.fields, key)
            }

            fn number(&self) -> i64 {
                $crate::crud::Named::position(&self.fields)
            }
        }
    };
}
pub(crate) use crud_row;
