//! The rules of exclusion rules, in either parent.

use super::{
    ExclusionRule, GLOBAL, GlobalRules,
    dto::{
        ExclusionRuleCreate, ExclusionRuleListQuery, ExclusionRulePatch,
        GlobalExclusionRuleListQuery, RuleScope,
    },
    repo::{self, RuleFields, RuleRow},
};
use crate::{
    common::{
        Code, Error, FieldError, Result,
        ids::{BusinessPartnerId, RuleId},
        merge_patch,
        page::PageRequest,
    },
    crud::{ApplyPatch, CrudResource, CrudRow as _, Parent},
    db::{Conn, Tx, sql_types::Jsonb},
    i18n::Lang,
    integration::ConfigurationLock,
    ticket_filter::{
        Names, TicketFilter,
        parse::RuleFilter,
        references::{self, Owner},
        summary,
    },
};

/// A parent of rules, and what its list can be narrowed to.
pub trait RuleParent: Parent<Owner: Into<Option<BusinessPartnerId>>> {
    type Filter;

    /// The owners of the rules on a page, and whether these must be active.
    fn listed<'a>(&'a self, filter: &Self::Filter) -> (Vec<&'a str>, Option<bool>);
}

impl RuleParent for ConfigurationLock {
    type Filter = ExclusionRuleListQuery;

    fn listed<'a>(&'a self, filter: &ExclusionRuleListQuery) -> (Vec<&'a str>, Option<bool>) {
        let global = filter.include_global.then_some(GLOBAL);
        (
            [self.key()].into_iter().chain(global).collect(),
            filter.active,
        )
    }
}

impl RuleParent for GlobalRules {
    type Filter = GlobalExclusionRuleListQuery;

    fn listed<'a>(&'a self, filter: &GlobalExclusionRuleListQuery) -> (Vec<&'a str>, Option<bool>) {
        (vec![GLOBAL], filter.active)
    }
}

impl<H: RuleParent> CrudResource<H> for ExclusionRule
where
    Option<BusinessPartnerId>: From<H::Owner>,
{
    type Row = RuleRow;
    type Create = ExclusionRuleCreate;
    type Patch = ExclusionRulePatch;
    type Filter = H::Filter;

    const MAX: i64 = 500;
    const LOCALIZED: bool = true;

    async fn apply_rules(
        tx: &mut Tx<'_, H::Locked>,
        _home: &H,
        stored: Option<&RuleRow>,
        fields: &mut RuleFields,
    ) -> Result<()> {
        references::check_references(
            tx.conn,
            stored.map(|stored| &stored.fields.filter.0),
            &fields.filter.0,
        )
        .await
    }

    fn duplicate(constraint: &str) -> Error {
        duplicate(constraint)
    }

    async fn after_write(tx: &mut Tx<'_, H::Locked>, row: &RuleRow) -> Result<()> {
        references::replace_references(tx.conn, Owner::Rule(row.id), &row.fields.filter.0).await
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &H,
        filter: &H::Filter,
        page: &PageRequest,
    ) -> Result<Vec<RuleRow>> {
        let (owners, active) = parent.listed(filter);
        repo::list(conn, &owners, active, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        _: &H,
        _: Option<&H::Locked>,
        rows: Vec<RuleRow>,
    ) -> Result<Vec<Self>> {
        let names = references::names_of(conn, rows.iter().map(|row| Owner::Rule(row.id))).await?;
        Ok(rows.into_iter().map(|row| view(row, &names)).collect())
    }

    fn localize(mut self, lang: Lang) -> Self {
        self.summary = Some((lang, summary(&self.filter, &self.names, lang)));
        self
    }
}

impl From<ExclusionRuleCreate> for RuleFields {
    fn from(body: ExclusionRuleCreate) -> Self {
        Self {
            name: body.name.into(),
            description: body.description.map(Into::into),
            active: body.active,
            filter: Jsonb(body.filter.into_filter()),
        }
    }
}

impl ApplyPatch<RuleFields> for ExclusionRulePatch {
    fn apply_to(self, fields: &mut RuleFields) {
        merge_patch::assign(&mut fields.name, self.name);
        merge_patch::assign(
            &mut fields.description,
            self.description.map(|text| text.map(Into::into)),
        );
        merge_patch::assign(&mut fields.active, self.active);
        merge_patch::assign(
            &mut fields.filter.0,
            self.filter.map(RuleFilter::into_filter),
        );
    }
}

fn view(row: RuleRow, names: &Names) -> ExclusionRule {
    let audit = row.audit();
    let RuleRow {
        id,
        business_partner_id,
        fields:
            RuleFields {
                name,
                description,
                active,
                filter,
            },
        ..
    } = row;
    ExclusionRule {
        id,
        scope: if business_partner_id.is_some() {
            RuleScope::Partner
        } else {
            RuleScope::Global
        },
        business_partner_id,
        name,
        description,
        active,
        names: names.within(&filter.0),
        filter: filter.0,
        summary: None,
        audit,
    }
}

/// How many rules of its own a partner has.
pub async fn count(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<i64> {
    RuleRow::count(conn, partner.as_str()).await
}

/// The rules in force of a partner, or of all ([`GLOBAL`]), in their order: id, name and filter of each.
pub async fn list_active(
    conn: &mut Conn,
    owner: &str,
) -> Result<Vec<(RuleId, String, TicketFilter)>> {
    let rules = repo::list_active(conn, owner).await?;
    Ok(rules
        .into_iter()
        .map(|(id, name, Jsonb(filter))| (id, name, filter))
        .collect())
}

/// Whether a partner, or all ([`GLOBAL`]), have a rule, in force or not.
pub async fn exists(conn: &mut Conn, owner: &str, id: RuleId) -> Result<bool> {
    Ok(RuleRow::find(conn, owner, id).await?.is_some())
}

/// The filters of all rules in force for a partner that could exclude a whole area.
pub async fn filters_with_areas(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
) -> Result<Vec<TicketFilter>> {
    repo::filters_with_areas(conn, partner).await
}

/// R7: a rule's name exists once in its scope, whatever its case.
fn duplicate(constraint: &str) -> Error {
    match constraint {
        "exclusion_rules_owner_name_key_key" => {
            Error::from_field(FieldError::new("/name", Code::DuplicateName))
        }
        other => Error::Internal(anyhow::anyhow!("unexpected violation of {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r7_a_violated_constraint_names_the_field() {
        assert_eq!(
            duplicate("exclusion_rules_owner_name_key_key").code(),
            Code::DuplicateName
        );
        assert_eq!(
            duplicate("exclusion_rules_pkey").code(),
            Code::InternalError
        );
    }

    #[test]
    fn a_partners_list_holds_global_rules_only_when_asked_for() {
        let parent = ConfigurationLock("K-1".parse().unwrap());
        let of = |include_global| {
            parent
                .listed(&ExclusionRuleListQuery {
                    active: None,
                    include_global,
                })
                .0
        };
        assert_eq!((of(false), of(true)), (vec!["K-1"], vec!["K-1", ""]));
    }
}
