//! Readiness: is what is configured enough? Derived, never stored (domain.md section 7).

use serde::Serialize;
use utoipa::ToSchema;

use super::dto::Counts;
use crate::{
    accesses::AccessCounts, catalog::EntryKind, common::ids::TicketTypeId,
    decisions::rules::CompiledFilter, grants::GrantWithEntry,
};

/// Something that stands in the way, or should be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// The integration is inactive.
    Inactive,
    /// The ERP has retired the business partner.
    BusinessPartnerInactive,
    /// No area is granted that is available.
    NoArea,
    /// No ticket type is granted that is available.
    NoTicketType,
    /// No access is active.
    NoActiveAccess,
    /// Ticket types are granted, but none of them may start in a granted area.
    NoStartableTicketType,
    /// A ticket type needs approval and no active access is an approver; a dispatcher may release too.
    ApprovalWithoutApprover,
    /// Every ticket of a granted area is hidden by an exclusion rule, of the partner or global.
    AreaFullyExcluded,
    /// Something granted, or named by the filter of an active query or rule, has been retired by the ERP and has no effect until
    /// it returns.
    RetiredReference,
}

/// A catalogue entry that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingReference {
    /// `area`, `ticket_type` or `plan_board`.
    #[schema(example = "area", max_length = 32)]
    pub kind: &'static str,
    /// Its id in the ERP.
    #[schema(example = "netz", max_length = 64)]
    pub id: String,
}

/// One finding, with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    pub code: FindingCode,
    pub references: Vec<FindingReference>,
}

/// Whether the configuration is enough to see tickets and to create them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// Active, with an effective access and an available area: somebody can see tickets.
    pub usable: bool,
    /// Usable, and some effective access has something to create.
    pub can_create_tickets: bool,
    /// What stands in the way of creating tickets.
    #[schema(max_items = 10)]
    pub blockers: Vec<Finding>,
    /// What should be looked at.
    #[schema(max_items = 10)]
    pub warnings: Vec<Finding>,
}

/// Everything readiness is derived from.
pub(super) struct ReadinessInput<'a> {
    pub integration_active: bool,
    pub partner_active: bool,
    pub granted: &'a [GrantWithEntry],
    pub access_counts: &'a AccessCounts,
    pub settings: &'a Settings,
}

/// What tags, queries and rules contribute.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub tags: i64,
    pub queries: i64,
    pub exclusion_rules: i64,
    /// Retired entries that filters in force name.
    pub retired: Vec<(EntryKind, String)>,
    /// The filters of rules in force, global ones included, that could exclude a whole area; as decisions findings_of them.
    pub excluding: Vec<CompiledFilter>,
}

impl ReadinessInput<'_> {
    /// How much there is on each sub-tab.
    pub fn counts(&self) -> Counts {
        let of = |kind| {
            i64::try_from(
                self.granted
                    .iter()
                    .filter(|grant| grant.kind() == kind)
                    .count(),
            )
            .unwrap_or(i64::MAX)
        };
        Counts {
            accesses: self.access_counts.all,
            active_accesses: self.access_counts.active,
            areas: of(EntryKind::Area),
            ticket_types: of(EntryKind::TicketType),
            tags: self.settings.tags,
            queries: self.settings.queries,
            exclusion_rules: self.settings.exclusion_rules,
            plan_boards: of(EntryKind::PlanBoard),
        }
    }

    /// Judges the configuration.
    pub fn readiness(&self) -> Readiness {
        let areas: Vec<_> = self.available(EntryKind::Area).collect();
        let ticket_types: Vec<_> = self.available(EntryKind::TicketType).collect();
        let startable = ticket_types
            .iter()
            .any(|ticket_type| areas.iter().any(|area| may_start(area, ticket_type)));
        let list_active = self.integration_active && self.partner_active;
        let usable = list_active && self.access_counts.active > 0 && !areas.is_empty();
        let blockers = [
            (!self.integration_active, FindingCode::Inactive),
            (!self.partner_active, FindingCode::BusinessPartnerInactive),
            (areas.is_empty(), FindingCode::NoArea),
            (ticket_types.is_empty(), FindingCode::NoTicketType),
            (self.access_counts.active == 0, FindingCode::NoActiveAccess),
            (
                !ticket_types.is_empty() && !areas.is_empty() && !startable,
                FindingCode::NoStartableTicketType,
            ),
        ];
        Readiness {
            usable,
            can_create_tickets: usable && startable && self.access_counts.active_creators > 0,
            blockers: findings(blockers),
            warnings: self.warnings(&ticket_types),
        }
    }

    fn warnings(&self, ticket_types: &[&GrantWithEntry]) -> Vec<Finding> {
        let approval = ticket_types
            .iter()
            .any(|ticket_type| ticket_type.grant.approval_required);
        let mut warnings = findings([(
            approval && self.access_counts.active_approvers == 0,
            FindingCode::ApprovalWithoutApprover,
        )]);
        let excluded = self
            .available(EntryKind::Area)
            .filter(|area| self.is_excluded(&area.entry.id))
            .map(reference);
        warnings.extend(finding_about(
            FindingCode::AreaFullyExcluded,
            excluded.collect(),
        ));
        warnings.extend(finding_about(FindingCode::RetiredReference, self.retired()));
        warnings
    }

    /// What has been retired although it is granted, or named by a filter.
    fn retired(&self) -> Vec<FindingReference> {
        let mut retired: Vec<_> = self
            .granted
            .iter()
            .filter(|grant| !grant.entry.active)
            .map(reference)
            .collect();
        for (kind, id) in &self.settings.retired {
            let named = FindingReference {
                kind: (*kind).into(),
                id: id.clone(),
            };
            if !retired.contains(&named) {
                retired.push(named);
            }
        }
        retired
    }

    fn is_excluded(&self, area: &str) -> bool {
        self.settings
            .excluding
            .iter()
            .any(|filter| filter.covers(area))
    }

    fn available(&self, kind: EntryKind) -> impl Iterator<Item = &GrantWithEntry> {
        self.granted
            .iter()
            .filter(move |grant| grant.kind() == kind && grant.entry.active)
    }
}

fn findings<const N: usize>(found: [(bool, FindingCode); N]) -> Vec<Finding> {
    let there = found.into_iter().filter(|(there, _)| *there);
    there
        .map(|(_, code)| Finding {
            code,
            references: Vec::new(),
        })
        .collect()
}

fn finding_about(code: FindingCode, references: Vec<FindingReference>) -> Option<Finding> {
    (!references.is_empty()).then_some(Finding { code, references })
}

fn reference(grant: &GrantWithEntry) -> FindingReference {
    FindingReference {
        kind: grant.kind().into(),
        id: grant.entry.id.clone(),
    }
}

/// Whether tickets of a type may be opened in an area: its start list is absent (all) or names the type.
fn may_start(area: &GrantWithEntry, ticket_type: &GrantWithEntry) -> bool {
    let names = |ids: &[TicketTypeId]| ids.iter().any(|id| id.as_str() == ticket_type.entry.id);
    area.entry
        .start_ticket_types
        .as_ref()
        .is_none_or(|list| names(&list.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grants::test_support::granted;

    fn access_counts(active: i64, creators: i64, approvers: i64) -> AccessCounts {
        AccessCounts {
            all: 5,
            active,
            active_creators: creators,
            active_approvers: approvers,
        }
    }

    fn findings_of(granted: &[GrantWithEntry], access_counts: &AccessCounts) -> Readiness {
        findings_with(granted, access_counts, &Settings::default())
    }

    fn findings_with(
        granted: &[GrantWithEntry],
        access_counts: &AccessCounts,
        settings: &Settings,
    ) -> Readiness {
        ReadinessInput {
            integration_active: true,
            partner_active: true,
            granted,
            access_counts,
            settings,
        }
        .readiness()
    }

    fn codes(findings: &[Finding]) -> Vec<FindingCode> {
        findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_complete_configuration_is_usable_and_can_create() {
        let granted = [
            granted::area("a", true, None),
            granted::ticket_type("t", true, false),
        ];
        let readiness = findings_of(&granted, &access_counts(2, 1, 0));
        assert!(readiness.usable && readiness.can_create_tickets);
        assert_eq!(
            (codes(&readiness.blockers), codes(&readiness.warnings)),
            (vec![], vec![])
        );
    }

    #[test]
    fn an_empty_configuration_lacks_everything() {
        let (access_counts, settings) = (access_counts(0, 0, 0), Settings::default());
        let fields = ReadinessInput {
            integration_active: false,
            partner_active: false,
            granted: &[],
            access_counts: &access_counts,
            settings: &settings,
        };
        use FindingCode::*;
        let expected = [
            Inactive,
            BusinessPartnerInactive,
            NoArea,
            NoTicketType,
            NoActiveAccess,
        ];
        assert_eq!(codes(&fields.readiness().blockers), expected);
    }

    #[test]
    fn observers_see_but_do_not_create() {
        let granted = [
            granted::area("a", true, None),
            granted::ticket_type("t", true, false),
        ];
        let readiness = findings_of(&granted, &access_counts(1, 0, 0));
        assert!(readiness.usable && !readiness.can_create_tickets);
    }

    #[test]
    fn a_type_that_may_start_nowhere_blocks_creation_only() {
        let granted = [
            granted::area("a", true, Some(&["other"])),
            granted::ticket_type("t", true, false),
        ];
        let readiness = findings_of(&granted, &access_counts(1, 1, 0));
        assert!(readiness.usable && !readiness.can_create_tickets);
        assert_eq!(
            codes(&readiness.blockers),
            [FindingCode::NoStartableTicketType]
        );
    }

    #[test]
    fn retired_entries_have_no_effect_and_are_named() {
        let granted = [
            granted::area("a", false, None),
            granted::ticket_type("t", true, true),
        ];
        let readiness = findings_of(&granted, &access_counts(1, 1, 0));
        assert!(!readiness.usable);
        assert_eq!(codes(&readiness.blockers), [FindingCode::NoArea]);
        assert_eq!(
            codes(&readiness.warnings),
            [
                FindingCode::ApprovalWithoutApprover,
                FindingCode::RetiredReference
            ]
        );
        assert_eq!(
            readiness.warnings[1].references,
            [FindingReference {
                kind: "area",
                id: "a".into()
            }]
        );
    }

    #[test]
    fn retired_entries_that_filters_name_are_told_once() {
        let granted = [granted::area("a", false, None)];
        let retired = vec![
            (EntryKind::Area, "a".to_owned()),
            (EntryKind::TicketType, "t".to_owned()),
        ];
        let readiness = findings_with(
            &granted,
            &access_counts(1, 1, 1),
            &Settings {
                retired,
                ..Settings::default()
            },
        );
        let reference = |kind, id: &str| FindingReference {
            kind,
            id: id.into(),
        };
        assert_eq!(
            readiness.warnings[0].references,
            [reference("area", "a"), reference("ticket_type", "t")]
        );
    }

    #[rstest::rstest]
    #[case(serde_json::json!({"type": "condition", "field": "area", "operator": "in", "values": ["a"]}), true)]
    #[case(serde_json::json!({"type": "condition", "field": "area", "operator": "in", "values": ["b"]}), false)]
    #[case(serde_json::json!({"type": "condition", "field": "area", "operator": "not_in", "values": ["b"]}), true)]
    #[case(serde_json::json!({"type": "all", "filters": [
        {"type": "condition", "field": "area", "operator": "in", "values": ["a"]},
        {"type": "condition", "field": "status", "operator": "in", "values": ["closed"]}]}), false)]
    #[case(serde_json::json!({"type": "any", "filters": [
        {"type": "condition", "field": "status", "operator": "in", "values": ["closed"]},
        {"type": "none", "filters": [{"type": "condition", "field": "area", "operator": "not_in", "values": ["a"]}]}]}), true)]
    fn an_area_is_fully_excluded_by_a_rule_that_asks_for_nothing_else(
        #[case] filter: serde_json::Value,
        #[case] excluded: bool,
    ) {
        let granted = [
            granted::area("a", true, None),
            granted::ticket_type("t", true, false),
        ];
        let excluding = vec![CompiledFilter::new(
            &serde_json::from_value(filter).unwrap(),
        )];
        let readiness = findings_with(
            &granted,
            &access_counts(1, 1, 1),
            &Settings {
                excluding,
                ..Settings::default()
            },
        );
        let expected: &[FindingCode] = if excluded {
            &[FindingCode::AreaFullyExcluded]
        } else {
            &[]
        };
        assert_eq!(codes(&readiness.warnings), expected);
    }
}
