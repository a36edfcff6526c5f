//! Derives readiness from the configuration.

use std::collections::BTreeSet;

use ticket_policy::rules::CompiledFilter;

use super::findings::{Finding, FindingCode, FindingReference, Readiness};
use crate::{
    accesses::AccessCounts,
    catalog::EntryKind,
    common::Resource as _,
    grants::GrantWithEntry,
    queries::TicketQuery,
    tags::service::TagNames,
    ticket_filter::{TicketFilter, tag_names},
};

/// The configuration from which readiness is derived.
pub(super) struct ReadinessInput<'a> {
    pub integration_active: bool,
    pub partner_active: bool,
    pub granted: &'a [GrantWithEntry],
    pub access_counts: &'a AccessCounts,
    pub settings: &'a Settings,
}

/// The parts of queries and exclusion rules that affect readiness.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Retired entries that active filters of the partner reference: kind, id and name.
    pub retired: Vec<(EntryKind, String, String)>,
    /// The filters of active rules, global ones included, that could hide every ticket of an area.
    pub excluding: Vec<CompiledFilter>,
    /// Active queries and active rules of the partner that name tags.
    pub tag_users: Vec<TagUser>,
    /// The names of the partner's tags.
    pub tags: TagNames,
}

/// A query or a rule that names tags.
#[derive(Debug)]
pub(super) struct TagUser {
    reference: FindingReference,
    /// Case-folded.
    pub tag_names: BTreeSet<String>,
}

impl TagUser {
    /// The query or rule (`kind`) with this filter.
    pub fn new(kind: &'static str, id: impl ToString, name: &str, filter: &TicketFilter) -> Self {
        Self {
            reference: FindingReference {
                kind,
                id: id.to_string(),
                name: name.to_owned(),
            },
            tag_names: tag_names(filter),
        }
    }

    fn is_query(&self) -> bool {
        self.reference.kind == TicketQuery::KIND
    }
}

impl ReadinessInput<'_> {
    pub fn readiness(&self) -> Readiness {
        let areas: Vec<_> = self.available(EntryKind::Area).collect();
        let ticket_types: Vec<_> = self.available(EntryKind::TicketType).collect();
        let startable = ticket_types
            .iter()
            .any(|ticket_type| areas.iter().any(|area| may_start(area, ticket_type)));
        let usable = self.integration_active
            && self.partner_active
            && self.access_counts.active > 0
            && !areas.is_empty();
        let blockers = findings([
            (!self.integration_active, FindingCode::Inactive),
            (!self.partner_active, FindingCode::BusinessPartnerInactive),
            (areas.is_empty(), FindingCode::NoArea),
            (ticket_types.is_empty(), FindingCode::NoTicketType),
            (self.access_counts.active == 0, FindingCode::NoActiveAccess),
            (
                !ticket_types.is_empty() && !areas.is_empty() && !startable,
                FindingCode::NoStartableTicketType,
            ),
        ]);
        Readiness {
            usable,
            can_create_tickets: usable && startable && self.access_counts.active_creators > 0,
            blockers,
            warnings: self.warnings(&areas, &ticket_types),
        }
    }

    fn warnings(
        &self,
        areas: &[&GrantWithEntry],
        ticket_types: &[&GrantWithEntry],
    ) -> Vec<Finding> {
        let approval_required = ticket_types
            .iter()
            .any(|ticket_type| ticket_type.grant.approval_required);
        let mut warnings = findings([(
            approval_required && self.access_counts.active_approvers == 0,
            FindingCode::ApprovalWithoutApprover,
        )]);
        let excluded_areas = areas
            .iter()
            .filter(|area| self.is_fully_excluded(&area.entry.id))
            .map(|area| reference(area));
        warnings.extend(finding_about(
            FindingCode::AreaFullyExcluded,
            excluded_areas.collect(),
        ));
        warnings.extend(finding_about(
            FindingCode::RetiredReference,
            self.retired_references(),
        ));
        let tags = &self.settings.tags;
        warnings.extend(finding_about(
            FindingCode::TagNotOffered,
            self.tag_users(|_, name| !tags.contains(name)),
        ));
        warnings.extend(finding_about(
            FindingCode::InternalTagInQuery,
            self.tag_users(|user, name| user.is_query() && tags.is_internal(name)),
        ));
        warnings
    }

    /// The queries and rules that name a tag for which `applies`.
    fn tag_users(&self, applies: impl Fn(&TagUser, &str) -> bool) -> Vec<FindingReference> {
        self.settings
            .tag_users
            .iter()
            .filter(|user| user.tag_names.iter().any(|name| applies(user, name)))
            .map(|user| user.reference.clone())
            .collect()
    }

    /// Retired entries that are granted or referenced by a filter, without duplicates.
    fn retired_references(&self) -> Vec<FindingReference> {
        let mut retired: Vec<_> = self
            .granted
            .iter()
            .filter(|grant| !grant.entry.active)
            .map(reference)
            .collect();
        for (kind, id, name) in &self.settings.retired {
            let referenced = FindingReference {
                kind: (*kind).into(),
                id: id.clone(),
                name: name.clone(),
            };
            if !retired.contains(&referenced) {
                retired.push(referenced);
            }
        }
        retired
    }

    fn is_fully_excluded(&self, area: &str) -> bool {
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

/// The findings that apply, without references.
fn findings<const N: usize>(candidates: [(bool, FindingCode); N]) -> Vec<Finding> {
    candidates
        .into_iter()
        .filter(|(applies, _)| *applies)
        .map(|(_, code)| Finding::new(code, Vec::new()))
        .collect()
}

/// A finding that applies if there are references.
fn finding_about(code: FindingCode, references: Vec<FindingReference>) -> Option<Finding> {
    (!references.is_empty()).then(|| Finding::new(code, references))
}

fn reference(grant: &GrantWithEntry) -> FindingReference {
    FindingReference {
        kind: grant.kind().into(),
        id: grant.entry.id.clone(),
        name: grant.entry.name.clone(),
    }
}

/// Whether tickets of a type may be opened in an area: the area lists the type, or has no list.
fn may_start(area: &GrantWithEntry, ticket_type: &GrantWithEntry) -> bool {
    area.entry
        .start_ticket_types
        .as_ref()
        .is_none_or(|types| types.0.iter().any(|id| id.as_str() == ticket_type.entry.id))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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

    fn readiness(granted: &[GrantWithEntry], access_counts: &AccessCounts) -> Readiness {
        readiness_with(granted, access_counts, &Settings::default())
    }

    fn readiness_with(
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

    fn area_and_ticket_type() -> [GrantWithEntry; 2] {
        [
            granted::area("a", true, None),
            granted::ticket_type("t", true, false),
        ]
    }

    fn codes(findings: &[Finding]) -> Vec<FindingCode> {
        findings.iter().map(|finding| finding.code).collect()
    }

    /// The entries of the tests are named after their ids.
    fn reference_to(kind: &'static str, id: &str) -> FindingReference {
        FindingReference {
            kind,
            id: id.into(),
            name: id.into(),
        }
    }

    #[test]
    fn complete_configuration_is_usable_and_can_create() {
        let readiness = readiness(&area_and_ticket_type(), &access_counts(2, 1, 0));
        assert!(readiness.usable);
        assert!(readiness.can_create_tickets);
        assert_eq!(codes(&readiness.blockers), []);
        assert_eq!(codes(&readiness.warnings), []);
    }

    #[test]
    fn empty_configuration_has_all_blockers() {
        use FindingCode::*;
        let readiness = ReadinessInput {
            integration_active: false,
            partner_active: false,
            granted: &[],
            access_counts: &access_counts(0, 0, 0),
            settings: &Settings::default(),
        }
        .readiness();
        let expected = [
            Inactive,
            BusinessPartnerInactive,
            NoArea,
            NoTicketType,
            NoActiveAccess,
        ];
        assert_eq!(codes(&readiness.blockers), expected);
    }

    #[test]
    fn observers_see_but_cannot_create() {
        let readiness = readiness(&area_and_ticket_type(), &access_counts(1, 0, 0));
        assert!(readiness.usable);
        assert!(!readiness.can_create_tickets);
    }

    #[test]
    fn unstartable_ticket_type_blocks_creation_only() {
        let granted = [
            granted::area("a", true, Some(&["other"])),
            granted::ticket_type("t", true, false),
        ];
        let readiness = readiness(&granted, &access_counts(1, 1, 0));
        assert!(readiness.usable);
        assert!(!readiness.can_create_tickets);
        let expected = [FindingCode::NoStartableTicketType];
        assert_eq!(codes(&readiness.blockers), expected);
    }

    #[test]
    fn retired_grant_has_no_effect_and_is_reported() {
        let granted = [
            granted::area("a", false, None),
            granted::ticket_type("t", true, true),
        ];
        let readiness = readiness(&granted, &access_counts(1, 1, 0));
        assert!(!readiness.usable);
        assert_eq!(codes(&readiness.blockers), [FindingCode::NoArea]);
        let expected = [
            FindingCode::ApprovalWithoutApprover,
            FindingCode::RetiredReference,
        ];
        assert_eq!(codes(&readiness.warnings), expected);
        assert_eq!(
            readiness.warnings[1].references,
            [reference_to("area", "a")]
        );
    }

    #[test]
    fn retired_entry_that_is_granted_and_referenced_is_reported_once() {
        let settings = Settings {
            retired: vec![
                (EntryKind::Area, "a".to_owned(), "a".to_owned()),
                (EntryKind::TicketType, "t".to_owned(), "t".to_owned()),
            ],
            ..Settings::default()
        };
        let granted = [granted::area("a", false, None)];
        let readiness = readiness_with(&granted, &access_counts(1, 1, 1), &settings);
        assert_eq!(
            readiness.warnings[0].references,
            [reference_to("area", "a"), reference_to("ticket_type", "t")]
        );
    }

    fn condition(field: &str, operator: &str, value: &str) -> Value {
        json!({"type": "condition", "field": field, "operator": operator, "values": [value]})
    }

    #[rstest::rstest]
    #[case::area_in(condition("area", "in", "a"), true)]
    #[case::other_area_in(condition("area", "in", "b"), false)]
    #[case::other_area_not_in(condition("area", "not_in", "b"), true)]
    #[case::area_and_status(
        json!({"type": "all", "filters": [
            condition("area", "in", "a"), condition("status", "in", "closed")]}),
        false
    )]
    #[case::area_or_status(
        json!({"type": "any", "filters": [
            condition("status", "in", "closed"),
            {"type": "none", "filters": [condition("area", "not_in", "a")]}]}),
        true
    )]
    fn area_is_fully_excluded_by_filter_on_area_alone(
        #[case] filter: Value,
        #[case] expected: bool,
    ) {
        let filter = serde_json::from_value(filter).unwrap();
        let settings = Settings {
            excluding: vec![CompiledFilter::new(&filter)],
            ..Settings::default()
        };
        let granted = area_and_ticket_type();
        let readiness = readiness_with(&granted, &access_counts(1, 1, 1), &settings);
        let excluded = codes(&readiness.warnings).contains(&FindingCode::AreaFullyExcluded);
        assert_eq!(excluded, expected);
    }
}
