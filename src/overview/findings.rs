//! Readiness: whether the configuration is complete, and what is missing
//! (`docs/domain.md#readiness`). Derived by [`super::readiness`], never stored.

use serde::Serialize;
use utoipa::ToSchema;

use crate::i18n::{self, Lang, message};

/// Code of a blocker or a warning.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FindingCode {
    /// The integration is inactive.
    Inactive,
    /// The ERP has retired the business partner.
    BusinessPartnerInactive,
    /// No granted area is available.
    NoArea,
    /// No granted ticket type is available.
    NoTicketType,
    /// No access is active.
    NoActiveAccess,
    /// No available ticket type may be opened in an available area.
    NoStartableTicketType,
    /// A ticket type requires approval, but no active access is an approver. A dispatcher may still
    /// release tickets.
    ApprovalWithoutApprover,
    /// Exclusion rules, of the partner or global, hide every ticket of an available area.
    AreaFullyExcluded,
    /// A grant, an active query or an active rule of the partner references an entry that the ERP
    /// has retired. The reference has no effect until the entry returns.
    RetiredReference,
    /// An active query or an active rule of the partner names a text that is no tag of the partner.
    TagNotOffered,
    /// An active query names an internal tag. It is therefore not offered to accesses.
    InternalTagInQuery,
}

/// A catalog entry, a query or a rule to which a finding refers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingReference {
    /// `area`, `ticket_type`, `plan_board`, `query` or `exclusion_rule`.
    #[schema(example = "area", max_length = 32)]
    pub kind: &'static str,
    /// Id of the resource.
    #[schema(example = "netz", max_length = 64)]
    pub id: String,
    /// Name of the resource.
    #[schema(example = "Netzwerk", max_length = 200)]
    pub name: String,
}

/// A blocker or a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    pub code: FindingCode,
    /// The finding as text in the language of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, max_length = 2000)]
    message: Option<String>,
    /// What it refers to, if anything.
    pub references: Vec<FindingReference>,
}

impl Finding {
    /// A finding without a message; see [`Readiness::localize`].
    pub fn new(code: FindingCode, references: Vec<FindingReference>) -> Self {
        Self {
            code,
            message: None,
            references,
        }
    }

    /// The text of a finding, with the names of the first references.
    fn localized_message(&self, lang: Lang) -> String {
        let names = self.references.iter().map(|reference| &*reference.name);
        let args = [
            ("count", self.references.len().into()),
            ("names", i18n::list_quoted(lang, names).into()),
        ];
        message(lang, &format!("finding-{}", <&str>::from(self.code)), args)
    }
}

/// Whether the configuration suffices to see and to create tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// The integration and the partner are active, at least one access is active, and at least one
    /// granted area is available: tickets can be seen.
    pub usable: bool,
    /// The integration is usable, and at least one active access can create tickets.
    pub can_create_tickets: bool,
    /// Problems that prevent the creation of tickets.
    #[schema(max_items = 10)]
    pub blockers: Vec<Finding>,
    /// Problems that should be reviewed.
    #[schema(max_items = 10)]
    pub warnings: Vec<Finding>,
}

impl Readiness {
    /// Adds the messages of all findings.
    pub fn localize(&mut self, lang: Lang) {
        for finding in self.blockers.iter_mut().chain(&mut self.warnings) {
            finding.message = Some(finding.localized_message(lang));
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    fn reference(name: &str) -> FindingReference {
        FindingReference {
            kind: "area",
            id: name.to_lowercase(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn every_finding_has_a_message_in_every_language() {
        for (lang, code) in
            Lang::iter().flat_map(|lang| FindingCode::iter().map(move |code| (lang, code)))
        {
            let text = Finding::new(code, vec![reference("Netzwerk")]).localized_message(lang);
            assert!(text.ends_with('.'), "{lang:?}: {text}");
        }
    }

    #[test]
    fn message_contains_the_first_names() {
        let names = ["A", "B", "C", "D", "E", "F", "G"];
        let one = Finding::new(FindingCode::AreaFullyExcluded, vec![reference("A")]);
        let all = Finding::new(FindingCode::AreaFullyExcluded, names.map(reference).into());
        assert_eq!(
            one.localized_message(Lang::De),
            "Ausschlussregeln verbergen alle Tickets des Bereichs „A“."
        );
        assert_eq!(
            all.localized_message(Lang::En),
            "Exclusion rules hide all tickets of the areas “A”, “B”, “C”, “D”, “E”, and 2 more."
        );
    }
}
