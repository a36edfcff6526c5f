//! The rules of tags.

use std::collections::HashSet;

use super::{
    Tag,
    dto::{References, TagCreate, TagListQuery, TagPatch, TagWriteQuery},
    repo::{self, TagFields, TagRow},
};
use crate::{
    catalog::Area,
    common::{
        Code, Error, FieldError, Resource as _, Result,
        error::Reference,
        etag::EntityTag,
        ids::{AreaId, BusinessPartnerId, TagId},
        merge_patch,
        normalize::fold_case,
        page::{PageRequest, Rows},
    },
    crud::{ApplyPatch, CrudResource, CrudRow as _, Parent, UniqueConstraint},
    db::{Aggregate, AggregateVersion, Conn, Db, RevisionLookup, Tx},
    exclusion_rules::{self, ExclusionRule, RuleOwner},
    grants,
    integration::{ConfigurationLock, IntegrationState},
    ticket_filter::tag_names,
};

pub use super::repo::list_visible;

/// Maximum number of tags listed by `area_in_use`.
const MAX_REFERENCES: i64 = 20;
/// Maximum number of rules listed by `tag_in_use`.
const MAX_LISTED: usize = 20;

/// The parent of a partner's tags.
#[derive(Debug, Clone)]
pub struct PartnerTags {
    integration: ConfigurationLock,
    /// Whether a tag that active rules name may be renamed or deleted.
    keep_references: bool,
}

impl PartnerTags {
    /// The tags of a partner. Those that active rules name cannot be renamed or deleted.
    pub fn new(partner: BusinessPartnerId) -> Self {
        Self {
            integration: ConfigurationLock(partner),
            keep_references: false,
        }
    }

    /// The same tags, for a write with these parameters.
    #[must_use]
    pub fn with(self, params: &TagWriteQuery) -> Self {
        Self {
            keep_references: params.references == Some(References::Keep),
            ..self
        }
    }

    fn partner(&self) -> &BusinessPartnerId {
        &self.integration.0
    }
}

impl Aggregate for PartnerTags {
    type Locked = IntegrationState;

    async fn lock(&self, conn: &mut Conn) -> Result<(IntegrationState, AggregateVersion)> {
        self.integration.lock(conn).await
    }
}

impl Parent for PartnerTags {
    type Owner = BusinessPartnerId;

    fn owner(&self) -> BusinessPartnerId {
        self.integration.owner()
    }

    async fn load_state(&self, conn: &mut Conn) -> Result<IntegrationState> {
        self.integration.load_state(conn).await
    }

    fn etag(state: &IntegrationState) -> EntityTag {
        ConfigurationLock::etag(state)
    }

    async fn current_etag(&self, db: &Db, current: &RevisionLookup) -> Result<EntityTag> {
        self.integration.current_etag(db, current).await
    }
}

impl CrudResource<PartnerTags> for Tag {
    type Row = TagRow;
    type Create = TagCreate;
    type Patch = TagPatch;
    type Filter = TagListQuery;

    const MAX: i64 = 20_000;
    const UNIQUE: &'static [UniqueConstraint] = &[UniqueConstraint {
        constraint: "tags_business_partner_id_area_scope_name_key_key",
        pointer: "/name",
        code: Code::DuplicateName,
    }];

    async fn new_fields(
        _: &mut Tx<'_, IntegrationState>,
        _: &PartnerTags,
        body: TagCreate,
    ) -> Result<TagFields> {
        Ok(TagFields {
            name: body.name.into(),
            description: body.description.map(Into::into),
            area_id: body.area_id,
            internal_only: body.internal_only,
        })
    }

    async fn apply_rules(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &PartnerTags,
        stored: Option<&TagRow>,
        fields: &TagFields,
    ) -> Result<()> {
        if let Some(stored) = stored
            && fold_case(&stored.fields.name) != fold_case(&fields.name)
        {
            ensure_not_named(tx.conn, parent, &stored.fields.name).await?;
        }
        let Some(area) = &fields.area_id else {
            return Ok(());
        };
        if stored.is_some_and(|stored| stored.fields.area_id.as_ref() == Some(area)) {
            return Ok(());
        }
        let granted = grants::is_granted::<Area>(tx.conn, parent.partner(), area).await?;
        ensure_area_granted(area, granted)
    }

    async fn ensure_deletable(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &PartnerTags,
        row: &TagRow,
    ) -> Result<()> {
        ensure_not_named(tx.conn, parent, &row.fields.name).await
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &PartnerTags,
        filter: &TagListQuery,
        page: &PageRequest,
    ) -> Result<Rows<TagRow>> {
        repo::list(conn, parent.partner(), filter, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        parent: &PartnerTags,
        _: Option<&IntegrationState>,
        rows: Vec<TagRow>,
    ) -> Result<Vec<Self>> {
        let any_bound = rows.iter().any(|row| row.fields.area_id.is_some());
        let retired_areas = if any_bound {
            grants::retired::<Area>(conn, parent.partner()).await?
        } else {
            Vec::new()
        };
        Ok(rows
            .into_iter()
            .map(|row| view(row, &retired_areas))
            .collect())
    }
}

impl ApplyPatch<TagFields> for TagPatch {
    fn apply_to(self, fields: &mut TagFields) {
        let Self {
            name,
            description,
            area_id,
            internal_only,
        } = self;
        merge_patch::assign(&mut fields.name, name);
        merge_patch::assign(
            &mut fields.description,
            description.map(|text| text.map(Into::into)),
        );
        merge_patch::assign(&mut fields.area_id, area_id);
        merge_patch::assign(&mut fields.internal_only, internal_only);
    }
}

fn view(row: TagRow, retired_areas: &[AreaId]) -> Tag {
    let audit = row.audit();
    let TagFields {
        name,
        description,
        area_id,
        internal_only,
    } = row.fields;
    let available = area_id
        .as_ref()
        .is_none_or(|area| !retired_areas.contains(area));
    Tag {
        id: row.id,
        business_partner_id: row.business_partner_id,
        name,
        description,
        area_id,
        internal_only,
        available,
        audit,
    }
}

/// Rejects the revocation of an area to which tags are bound (`docs/domain.md#r4`).
///
/// # Errors
///
/// 409 `area_in_use`, with references to the first tags.
pub async fn ensure_area_unused(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    area: &AreaId,
) -> Result<()> {
    let (first, total) = repo::bound_to(conn, partner, area, MAX_REFERENCES).await?;
    ensure_no_tags(first, total)
}

/// A tag that an active rule of the partner names cannot be renamed or deleted, because the rule
/// would no longer hide its tickets (`docs/domain.md#r11`).
async fn ensure_not_named(conn: &mut Conn, tags: &PartnerTags, name: &str) -> Result<()> {
    if tags.keep_references {
        return Ok(());
    }
    let name = fold_case(name);
    let owner = RuleOwner::Partner(tags.partner().clone());
    let rules = exclusion_rules::list_active(conn, &owner).await?;
    let naming = rules
        .into_iter()
        .filter(|(_, _, filter)| tag_names(filter).contains(&name))
        .map(|(id, name, _)| Reference {
            kind: ExclusionRule::KIND,
            id: id.to_string(),
            name,
        });
    ensure_no_rules(naming.collect())
}

fn ensure_no_rules(mut rules: Vec<Reference>) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let count = rules.len();
    rules.truncate(MAX_LISTED);
    let names: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
    Err(Error::client(Code::TagInUse)
        .with("count", count)
        .with("names", names.join(", "))
        .with_references(rules))
}

/// The names of a partner's tags, case-folded.
#[derive(Debug, Default)]
pub struct TagNames {
    /// Names of tags that are offered to accesses.
    visible: HashSet<String>,
    /// Names of internal tags.
    internal: HashSet<String>,
}

impl TagNames {
    /// Whether the partner has a tag of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.visible.contains(name) || self.internal.contains(name)
    }

    /// Whether only internal tags have this name, so that accesses must not see it.
    pub fn is_internal(&self, name: &str) -> bool {
        self.internal.contains(name) && !self.visible.contains(name)
    }
}

/// The names of all tags of a partner.
pub async fn names(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<TagNames> {
    let mut names = TagNames::default();
    for (name, internal_only) in repo::name_keys(conn, partner).await? {
        if internal_only {
            names.internal.insert(name);
        } else {
            names.visible.insert(name);
        }
    }
    Ok(names)
}

/// How many tags a partner has.
pub async fn count(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<i64> {
    TagRow::count(conn, partner).await
}

fn ensure_no_tags(first: Vec<(TagId, String)>, total: i64) -> Result<()> {
    if first.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = first.iter().map(|(_, name)| name.as_str()).collect();
    let names = names.join(", ");
    let references = first.into_iter().map(|(id, name)| Reference {
        kind: Tag::KIND,
        id: id.to_string(),
        name,
    });
    Err(Error::client(Code::AreaInUse)
        .with("count", total)
        .with("names", names)
        .with_references(references.collect()))
}

/// The area of a tag must be granted (`docs/domain.md#r5`).
fn ensure_area_granted(area: &AreaId, granted: bool) -> Result<()> {
    if granted {
        Ok(())
    } else {
        Err(Error::from_field(
            FieldError::new("/area_id", Code::AreaNotGranted).with("id", area),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_area_without_tags_can_be_revoked() {
        assert!(ensure_no_tags(vec![], 0).is_ok());
    }

    #[test]
    fn r4_area_in_use_is_rejected_with_its_tags() {
        let id = TagId::generate();
        let outcome = ensure_no_tags(vec![(id, "VPN".to_owned())], 30);
        let Err(Error::Client(error)) = outcome else {
            panic!("not a client error")
        };
        assert_eq!(error.code, Code::AreaInUse);
        let expected = Reference {
            kind: "tag",
            id: id.to_string(),
            name: "VPN".to_owned(),
        };
        assert_eq!(error.references, [expected]);
    }

    #[test]
    fn r5_tag_requires_granted_area() {
        let area = "netz".parse().unwrap();
        assert!(ensure_area_granted(&area, true).is_ok());
        let error = ensure_area_granted(&area, false).unwrap_err();
        assert_eq!(error.code(), Code::AreaNotGranted);
    }

    fn fields() -> TagFields {
        TagFields {
            name: "VPN".into(),
            description: Some("d".into()),
            area_id: Some("netz".parse().unwrap()),
            internal_only: false,
        }
    }

    fn patched(patch: serde_json::Value) -> TagFields {
        let mut fields = fields();
        serde_json::from_value::<TagPatch>(patch)
            .unwrap()
            .apply_to(&mut fields);
        fields
    }

    #[test]
    fn absent_members_of_patch_leave_fields_unchanged() {
        assert_eq!(patched(serde_json::json!({})), fields());
    }

    #[test]
    fn null_in_patch_clears_field() {
        let cleared = patched(serde_json::json!({"description": null, "area_id": null}));
        let expected = TagFields {
            description: None,
            area_id: None,
            ..fields()
        };
        assert_eq!(cleared, expected);
    }
}
