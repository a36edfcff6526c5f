//! Elements: the things of our own that a list holds – accesses, tags, queries, exclusion rules.
//!
//! They have ids of ours, are created by POST and changed by merge patches, and their lists are paged alike. A room says what
//! people decide about its element (`Facts`), which rules that must obey, and how it is shown ([`Element`]); [`stored`] writes its
//! SQL, [`service`] does the rest, once. Where the elements live – below a partner, or global – is their [`Home`].

pub mod routes;
pub mod service;
mod stored;

pub use stored::{Described, Stored};
pub(crate) use stored::{stored, unique};

use crate::{
    db::{Aggregate, Conn, Db, Tx},
    integration::Current,
    kernel::{Resource, Result, change::EntityTag, page::PageRequest},
    texts::Lang,
};

/// The root below which elements are kept, and which every write to them locks.
pub trait Home: Aggregate<Locked: Clone> + 'static {
    /// Whose elements they are.
    type Owner: Clone;

    /// The owner's key, with which every query begins.
    fn key(&self) -> &str;

    fn owner(&self) -> Self::Owner;

    /// Where the root stands now; not found if there is none.
    fn standing(&self, conn: &mut Conn) -> impl Future<Output = Result<Self::Locked>>;

    /// The tag of everything that can be read below a root that stands so.
    fn tag(standing: &Self::Locked) -> EntityTag;

    /// That tag, of a moment that is not before this call; not found if there is no such root.
    fn tag_now(&self, db: &Db, current: &Current) -> impl Future<Output = Result<EntityTag>>;
}

/// What one sort of element adds to what all have in common. `Self` is how the API shows it.
pub trait Element<H: Home>: Resource + Sized + 'static {
    type Row: Stored<Owner: From<H::Owner>>;

    /// The body of its POST.
    type Create: Clone + Into<<Self::Row as Stored>::Facts> + 'static;

    /// The body of its PATCH.
    type Patch: Clone + Amend<<Self::Row as Stored>::Facts> + 'static;

    /// The filters of its list.
    type Filter;

    /// Most of them that one owner may have.
    const MAX: i64;

    /// Whether it is shown in words of the caller's language.
    const WORDED: bool = false;

    /// Applies the rules to what somebody decided, and completes it. `stored` is what it is to replace.
    fn settle(
        tx: &mut Tx<'_, H::Locked>,
        home: &H,
        stored: Option<&Self::Row>,
        facts: &mut <Self::Row as Stored>::Facts,
    ) -> impl Future<Output = Result<()>>;

    /// The refusal of what violates a UNIQUE constraint (R7).
    fn duplicate(constraint: &str) -> crate::kernel::Error;

    /// What else is written with a row.
    fn written(_tx: &mut Tx<'_, H::Locked>, _row: &Self::Row) -> impl Future<Output = Result<()>> {
        std::future::ready(Ok(()))
    }

    /// The rows of a page.
    fn page(
        conn: &mut Conn,
        home: &H,
        filter: &Self::Filter,
        page: &PageRequest,
    ) -> impl Future<Output = Result<Vec<Self::Row>>>;

    /// The elements as the API shows them; one query for all of them at most. `at` is where their home stands, if that has been
    /// looked up already.
    fn show(
        conn: &mut Conn,
        home: &H,
        at: Option<&H::Locked>,
        rows: Vec<Self::Row>,
    ) -> impl Future<Output = Result<Vec<Self>>>;

    /// The element as shown to a caller of this language.
    #[must_use]
    fn worded(self, _lang: Lang) -> Self {
        self
    }
}

/// A merge patch of `F`.
pub trait Amend<F> {
    /// Overwrites what the patch names.
    fn amend(self, facts: &mut F);
}
