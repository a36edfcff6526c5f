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
        page::PageRequest,
    },
    crud::{ApplyPatch, CrudResource, CrudRow as _},
    db::{Conn, Tx},
    grants,
    integration::{ConfigurationLock, IntegrationState},
};

/// Most tags that a refusal names.
const MAX_NAMED: i64 = 20;

impl CrudResource<ConfigurationLock> for Tag {
    type Row = TagRow;
    type Create = TagCreate;
    type Patch = TagPatch;
    type Filter = TagListQuery;

    const MAX: i64 = 20_000;

    async fn apply_rules(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &ConfigurationLock,
        stored: Option<&TagRow>,
        fields: &mut TagFields,
    ) -> Result<()> {
        let area = fields
            .area_id
            .as_ref()
            .filter(|area| stored.is_none_or(|it| it.fields.area_id.as_ref() != Some(area)));
        let Some(area) = area else { return Ok(()) };
        area_granted(
            area,
            grants::service::is_granted::<Area>(tx.conn, &parent.0, area).await?,
        )
    }

    fn duplicate(constraint: &str) -> Error {
        duplicate(constraint)
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        filter: &TagListQuery,
        page: &PageRequest,
    ) -> Result<Vec<TagRow>> {
        repo::list(conn, &parent.0, filter, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        _: Option<&IntegrationState>,
        rows: Vec<TagRow>,
    ) -> Result<Vec<Self>> {
        let bound = rows.iter().any(|row| row.fields.area_id.is_some());
        let retired = if bound {
            grants::service::retired::<Area>(conn, &parent.0).await?
        } else {
            Vec::new()
        };
        Ok(rows.into_iter().map(|row| view(row, &retired)).collect())
    }
}

impl From<TagCreate> for TagFields {
    fn from(body: TagCreate) -> Self {
        Self {
            name: body.name.into(),
            description: body.description.map(Into::into),
            area_id: body.area_id,
            internal_only: body.internal_only,
        }
    }
}

impl ApplyPatch<TagFields> for TagPatch {
    fn apply_to(self, fields: &mut TagFields) {
        merge_patch::assign(&mut fields.name, self.name);
        merge_patch::assign(
            &mut fields.description,
            self.description.map(|text| text.map(Into::into)),
        );
        merge_patch::assign(&mut fields.area_id, self.area_id);
        merge_patch::assign(&mut fields.internal_only, self.internal_only);
    }
}

fn view(row: TagRow, retired: &[AreaId]) -> Tag {
    let audit = row.audit();
    let TagRow {
        id,
        business_partner_id,
        fields:
            TagFields {
                name,
                description,
                area_id,
                internal_only,
            },
        ..
    } = row;
    let available = area_id.as_ref().is_none_or(|area| !retired.contains(area));
    Tag {
        id,
        business_partner_id,
        name,
        description,
        area_id,
        internal_only,
        available,
        audit,
    }
}

/// Refuses to take back an area that tags are bound to (R4).
pub async fn ensure_area_unused(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    area: &AreaId,
) -> Result<()> {
    let (first, all) = repo::bound_to(conn, partner, area, MAX_NAMED).await?;
    unbound(first, all)
}

/// The tags that accesses may use, those of retired areas included, in their order: id, name and area of each.
pub async fn list_visible(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<(TagId, String, Option<AreaId>)>> {
    repo::list_visible(conn, partner).await
}

/// How many tags a partner has.
pub async fn count(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<i64> {
    TagRow::count(conn, partner.as_str()).await
}

/// R4: an area that a tag is bound to cannot be removed.
fn unbound(first: Vec<(TagId, String)>, all: i64) -> Result<()> {
    if first.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = first.iter().map(|(_, name)| name.as_str()).collect();
    let names = names.join(", ");
    let reference = |(id, name): (TagId, String)| Reference {
        kind: Tag::KIND,
        id: id.to_string(),
        name,
    };
    let references = first.into_iter().map(reference).collect();
    Err(Error::client(Code::AreaInUse)
        .with("count", all)
        .with("names", names)
        .with_references(references))
}

/// R5: a tag's area must be granted.
fn area_granted(area: &AreaId, granted: bool) -> Result<()> {
    if granted {
        Ok(())
    } else {
        Err(Error::from_field(
            FieldError::new("/area_id", Code::AreaNotGranted).with("id", area),
        ))
    }
}

/// R7: a tag's name exists once per partner and area, whatever its case.
fn duplicate(constraint: &str) -> Error {
    match constraint {
        "tags_business_partner_id_area_scope_name_key_key" => {
            Error::from_field(FieldError::new("/name", Code::DuplicateName))
        }
        other => Error::Internal(anyhow::anyhow!("unexpected violation of {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_an_area_in_use_stays_and_the_tags_are_named() {
        assert!(unbound(vec![], 0).is_ok());
        let id = TagId::generate();
        let Err(Error::Client(refusal)) = unbound(vec![(id, "VPN".to_owned())], 30) else {
            panic!()
        };
        assert_eq!(refusal.code, Code::AreaInUse);
        assert_eq!(
            refusal.references,
            [Reference {
                kind: "tag",
                id: id.to_string(),
                name: "VPN".to_owned()
            }]
        );
    }

    #[test]
    fn r5_a_tags_area_must_be_granted() {
        let area = "netz".parse().unwrap();
        assert!(area_granted(&area, true).is_ok());
        assert_eq!(
            area_granted(&area, false).unwrap_err().code(),
            Code::AreaNotGranted
        );
    }

    #[test]
    fn r7_a_violated_constraint_names_the_field() {
        let constraint = "tags_business_partner_id_area_scope_name_key_key";
        assert_eq!(duplicate(constraint).code(), Code::DuplicateName);
        assert_eq!(duplicate("tags_pkey").code(), Code::InternalError);
    }

    #[test]
    fn a_patch_keeps_what_it_does_not_name_and_null_clears() {
        let fields = TagFields {
            name: "VPN".into(),
            description: Some("d".into()),
            area_id: Some("netz".parse().unwrap()),
            internal_only: false,
        };
        let patched = |patch: serde_json::Value| {
            let mut fields = fields.clone();
            serde_json::from_value::<TagPatch>(patch)
                .unwrap()
                .apply_to(&mut fields);
            fields
        };
        assert_eq!(patched(serde_json::json!({})), fields);
        let cleared = patched(serde_json::json!({"description": null, "area_id": null}));
        assert_eq!(
            cleared,
            TagFields {
                description: None,
                area_id: None,
                ..fields.clone()
            }
        );
    }
}
