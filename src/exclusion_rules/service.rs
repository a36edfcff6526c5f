//! The rules of exclusion rules, of both owners.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    ExclusionRule, GlobalRules, RuleOwner,
    dto::{
        ExclusionRuleCreate, ExclusionRuleListQuery, ExclusionRulePatch,
        GlobalExclusionRuleListQuery, RuleScope,
    },
    repo::{self, RuleFields, RuleRow},
};
use crate::{
    accesses::filter_references,
    common::{
        Code, Rejections, Result,
        ids::{BusinessPartnerId, RuleId},
        merge_patch,
        page::{PageRequest, Rows},
    },
    crud::{
        ActiveCounts, ApplyPatch, CrudResource, CrudRow as _, Owner as _, Parent, UniqueConstraint,
    },
    db::{Conn, Tx, sql_types::Jsonb},
    i18n::Lang,
    integration::ConfigurationLock,
    ticket_filter::{
        self, Names,
        parse::RuleFilter,
        references::{self, FilterOwner},
        summary,
    },
};

pub use super::repo::list_applying;

/// The numbers of rules that apply to a partner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// The partner's rules.
    pub own: ActiveCounts,
    pub global: ActiveCounts,
}

/// A parent of exclusion rules, with the filters of its list.
pub trait RuleParent: Parent<Owner: Into<RuleOwner>> {
    type Filter;

    /// The owners whose rules are listed, and whether only active or only inactive ones are.
    fn list_scope(&self, filter: &Self::Filter) -> (Vec<RuleOwner>, Option<bool>);
}

impl RuleParent for ConfigurationLock {
    type Filter = ExclusionRuleListQuery;

    fn list_scope(&self, filter: &ExclusionRuleListQuery) -> (Vec<RuleOwner>, Option<bool>) {
        let mut owners = vec![RuleOwner::Partner(self.0.clone())];
        if filter.include_global {
            owners.push(RuleOwner::Global);
        }
        (owners, filter.active)
    }
}

impl RuleParent for GlobalRules {
    type Filter = GlobalExclusionRuleListQuery;

    fn list_scope(&self, filter: &GlobalExclusionRuleListQuery) -> (Vec<RuleOwner>, Option<bool>) {
        (vec![RuleOwner::Global], filter.active)
    }
}

impl<P: RuleParent> CrudResource<P> for ExclusionRule
where
    RuleOwner: From<P::Owner>,
{
    type Row = RuleRow;
    type Create = ExclusionRuleCreate;
    type Patch = ExclusionRulePatch;
    type Filter = P::Filter;

    const MAX: i64 = 500;
    const UNIQUE: &'static [UniqueConstraint] = &[UniqueConstraint {
        constraint: "exclusion_rules_owner_name_key_key",
        pointer: "/name",
        code: Code::DuplicateName,
    }];
    const LOCALIZED: bool = true;
    const LARGE: bool = true;

    async fn new_fields(
        _: &mut Tx<'_, P::Locked>,
        _: &P,
        body: ExclusionRuleCreate,
    ) -> Result<RuleFields> {
        Ok(RuleFields {
            name: body.name.into(),
            description: body.description.map(Into::into),
            active: body.active,
            filter: Jsonb(body.filter.into_filter()),
        })
    }

    /// Checks the references of the filter (`docs/domain.md#r8`).
    async fn check_rules(
        tx: &mut Tx<'_, P::Locked>,
        parent: &P,
        stored: Option<&RuleRow>,
        fields: &RuleFields,
        rejections: &mut Rejections,
    ) -> Result<()> {
        let partner: Option<BusinessPartnerId> = RuleOwner::from(parent.owner()).into();
        let before = stored.map(|stored| &stored.fields.filter.0);
        let references =
            filter_references::check(tx.conn, partner.as_ref(), before, &fields.filter.0).await;
        rejections.collect(references)?;
        Ok(())
    }

    async fn after_write(tx: &mut Tx<'_, P::Locked>, row: &RuleRow) -> Result<()> {
        references::replace_references(tx.conn, FilterOwner::Rule(row.id), &row.fields.filter.0)
            .await
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &P,
        filter: &P::Filter,
        page: &PageRequest,
    ) -> Result<Rows<RuleRow>> {
        let (owners, active) = parent.list_scope(filter);
        repo::list(conn, &owners, active, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        parent: &P,
        _: Option<&P::Locked>,
        rows: Vec<RuleRow>,
    ) -> Result<Vec<Self>> {
        let owners = rows.iter().map(|row| FilterOwner::Rule(row.id));
        let entries = references::names_of(conn, owners).await?;
        let accesses = match RuleOwner::from(parent.owner()) {
            RuleOwner::Partner(partner) => {
                let own = rows.iter().filter(|row| row.business_partner_id.is_some());
                let filters = own.map(|row| &row.fields.filter.0);
                filter_references::names_in(conn, &partner, filters).await?
            }
            RuleOwner::Global => BTreeMap::new(),
        };
        let of_global_rules = Arc::new(entries.clone());
        let of_own_rules = Arc::new(entries.with_accesses(accesses));
        let views = rows.into_iter().map(|row| {
            let names = match row.business_partner_id {
                Some(_) => &of_own_rules,
                None => &of_global_rules,
            };
            let names = Arc::clone(names);
            view(row, names)
        });
        Ok(views.collect())
    }

    fn approximate_bytes(&self) -> usize {
        ticket_filter::approximate_bytes(&self.filter)
    }

    fn localize(mut self, lang: Lang) -> Self {
        self.summary = Some((lang, summary(&self.filter, &self.names, lang)));
        self
    }
}

impl ApplyPatch<RuleFields> for ExclusionRulePatch {
    fn apply_to(self, fields: &mut RuleFields) {
        let Self {
            name,
            description,
            active,
            filter,
        } = self;
        merge_patch::assign(&mut fields.name, name);
        merge_patch::assign(
            &mut fields.description,
            description.map(|text| text.map(Into::into)),
        );
        merge_patch::assign(&mut fields.active, active);
        merge_patch::assign(&mut fields.filter.0, filter.map(RuleFilter::into_filter));
    }
}

fn view(row: RuleRow, names: Arc<Names>) -> ExclusionRule {
    let audit = row.audit();
    let RuleFields {
        name,
        description,
        active,
        filter: Jsonb(filter),
    } = row.fields;
    ExclusionRule {
        id: row.id,
        scope: if row.business_partner_id.is_some() {
            RuleScope::Partner
        } else {
            RuleScope::Global
        },
        business_partner_id: row.business_partner_id,
        name,
        description,
        active,
        names,
        filter,
        summary: None,
        audit,
    }
}

/// How many rules apply to a partner: its own and the global ones.
pub async fn counts(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<RuleCounts> {
    let own = RuleOwner::Partner(partner.clone());
    let mut counts = RuleCounts::default();
    for (owner, active, count) in repo::counts(conn, &[own, RuleOwner::Global]).await? {
        let counts = if owner == RuleOwner::Global.key() {
            &mut counts.global
        } else {
            &mut counts.own
        };
        counts.add(active, count);
    }
    Ok(counts)
}

/// Whether an owner has this rule, active or not.
pub async fn exists(conn: &mut Conn, owner: &RuleOwner, id: RuleId) -> Result<bool> {
    Ok(RuleRow::find(conn, owner, id).await?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(false, &[RuleOwner::Partner("K-1".parse().unwrap())])]
    #[case(true, &[RuleOwner::Partner("K-1".parse().unwrap()), RuleOwner::Global])]
    fn partner_list_includes_global_rules_only_on_request(
        #[case] include_global: bool,
        #[case] expected: &[RuleOwner],
    ) {
        let parent = ConfigurationLock("K-1".parse().unwrap());
        let filter = ExclusionRuleListQuery {
            active: None,
            include_global,
        };
        let (owners, _) = parent.list_scope(&filter);
        assert_eq!(owners, expected);
    }
}
