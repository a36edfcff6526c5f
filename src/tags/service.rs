//! The rules of tags.

use super::{
    Tag,
    dto::{TagCreate, TagListQuery, TagPatch},
    repo::{self, TagFields, TagRow},
};
use crate::{
    catalog::Area,
    common::{
        Code, Error, FieldError, Resource as _, Result,
        error::Reference,
        ids::{AreaId, BusinessPartnerId, TagId},
        merge_patch,
        page::{PageRequest, Rows},
    },
    crud::{ApplyPatch, CrudResource, CrudRow as _, UniqueConstraint},
    db::{Conn, Tx},
    grants,
    integration::{ConfigurationLock, IntegrationState},
};

pub use super::repo::list_visible;

/// Maximum number of tags listed by `area_in_use`.
const MAX_REFERENCES: i64 = 20;

impl CrudResource<ConfigurationLock> for Tag {
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
        _: &ConfigurationLock,
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
        parent: &ConfigurationLock,
        stored: Option<&TagRow>,
        fields: &TagFields,
    ) -> Result<()> {
        let Some(area) = &fields.area_id else {
            return Ok(());
        };
        if stored.is_some_and(|stored| stored.fields.area_id.as_ref() == Some(area)) {
            return Ok(());
        }
        let granted = grants::service::is_granted::<Area>(tx.conn, &parent.0, area).await?;
        ensure_area_granted(area, granted)
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        filter: &TagListQuery,
        page: &PageRequest,
    ) -> Result<Rows<TagRow>> {
        repo::list(conn, &parent.0, filter, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        _: Option<&IntegrationState>,
        rows: Vec<TagRow>,
    ) -> Result<Vec<Self>> {
        let any_bound = rows.iter().any(|row| row.fields.area_id.is_some());
        let retired_areas = if any_bound {
            grants::service::retired::<Area>(conn, &parent.0).await?
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
