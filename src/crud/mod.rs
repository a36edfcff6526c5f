//! Elements: the things of our own that a list holds – accesses, tags, queries, exclusion rules.
//!
//! They have ids of ours, are created by POST and changed by merge patches, and their lists are paged alike. A room says what
//! people decide about its element (`Fields`), which rules that must obey, and how it is view ([`CrudResource`]); [`stored`] writes its
//! SQL, [`service`] does the rest, once. Where the elements live – below a partner, or global – is their [`Parent`].

pub mod handlers;
mod row;
pub mod service;

pub use row::{CrudRow, Named};
pub(crate) use row::{crud_row, unique};

use crate::{
    common::{Resource, Result, change::EntityTag, page::PageRequest},
    db::{Aggregate, Conn, Db, RevisionLookup, Tx},
    i18n::Lang,
};

/// The root below which elements are kept, and which every write to them locks.
pub trait Parent: Aggregate<Locked: Clone> + 'static {
    /// Whose elements they are.
    type Owner: Clone;

    /// The owner's key, with which every query begins.
    fn key(&self) -> &str;

    fn owner(&self) -> Self::Owner;

    /// Where the root stands now; not found if there is none.
    fn load_state(&self, conn: &mut Conn) -> impl Future<Output = Result<Self::Locked>>;

    /// The tag of everything that can be read below a root that stands so.
    fn tag(state: &Self::Locked) -> EntityTag;

    /// That tag, of a moment that is not before this call; not found if there is no such root.
    fn current_etag(
        &self,
        db: &Db,
        current: &RevisionLookup,
    ) -> impl Future<Output = Result<EntityTag>>;
}

/// What one sort of element adds to what all have in common. `Self` is how the API shows it.
pub trait CrudResource<H: Parent>: Resource + Sized + 'static {
    type Row: CrudRow<Owner: From<H::Owner>>;

    /// The body of its POST.
    type Create: Clone + Into<<Self::Row as CrudRow>::Fields> + 'static;

    /// The body of its PATCH.
    type Patch: Clone + ApplyPatch<<Self::Row as CrudRow>::Fields> + 'static;

    /// The filters of its list.
    type Filter;

    /// Most of them that one owner may have.
    const MAX: i64;

    /// Whether it is view in words of the caller's language.
    const LOCALIZED: bool = false;

    /// Applies the rules to what somebody decided, and completes it. `stored` is what it is to replace.
    fn apply_rules(
        tx: &mut Tx<'_, H::Locked>,
        parent: &H,
        stored: Option<&Self::Row>,
        fields: &mut <Self::Row as CrudRow>::Fields,
    ) -> impl Future<Output = Result<()>>;

    /// The refusal of what violates a UNIQUE constraint (R7).
    fn duplicate(constraint: &str) -> crate::common::Error;

    /// What else is written with a row.
    fn after_write(
        _tx: &mut Tx<'_, H::Locked>,
        _row: &Self::Row,
    ) -> impl Future<Output = Result<()>> {
        std::future::ready(Ok(()))
    }

    /// The rows of a page.
    fn load_page(
        conn: &mut Conn,
        parent: &H,
        filter: &Self::Filter,
        page: &PageRequest,
    ) -> impl Future<Output = Result<Vec<Self::Row>>>;

    /// The elements as the API shows them; one query for all of them at most. `at` is where their parent stands, if that has been
    /// looked up already.
    fn to_views(
        conn: &mut Conn,
        parent: &H,
        at: Option<&H::Locked>,
        rows: Vec<Self::Row>,
    ) -> impl Future<Output = Result<Vec<Self>>>;

    /// The element as view to a caller of this language.
    #[must_use]
    fn localize(self, _lang: Lang) -> Self {
        self
    }
}

/// A merge patch of `F`.
pub trait ApplyPatch<F> {
    /// Overwrites what the patch names.
    fn apply_to(self, fields: &mut F);
}
