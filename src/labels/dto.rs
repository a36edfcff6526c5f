//! JSON of the labels, generated from the enumerations.

use serde::Serialize;
use strum::VariantNames;
use ticket_policy::{
    approval::ApprovalReason,
    creation::CreationReason,
    evaluator::{Outcome, Step},
    positions::PositionReason,
};
use utoipa::ToSchema;

use crate::{
    accesses::{Language, Role, TicketVisibility, dto::IneffectiveReason},
    catalog::dto::TicketTypeKind,
    common::Action,
    exclusion_rules::dto::RuleScope,
    history::dto::{AggregateKind, ResourceKind},
    i18n::{self, Lang},
    overview::FindingCode,
    queries::dto::Direction,
    ticket_filter::{TicketClosure, TicketLevel, TicketStatus},
};

/// A value of an enumeration with its label.
#[derive(Debug, Clone, Hash, Serialize, ToSchema)]
#[schema(example = json!({"value": "observer", "label": "Beobachter"}))]
pub struct Label {
    #[schema(max_length = 64)]
    pub value: &'static str,
    /// Label in the language of the request.
    #[schema(max_length = 200)]
    pub label: String,
}

impl Label {
    /// The labels of all values of an enumeration, in their order.
    fn all<T: VariantNames>(lang: Lang, enumeration: &str) -> Vec<Self> {
        let labels = T::VARIANTS.iter().map(|value| Self {
            value,
            label: i18n::label(lang, enumeration, value),
        });
        labels.collect()
    }
}

/// Declares the enumerations: the member of the response, which is also part of the ids of the
/// messages, and the type.
macro_rules! labels {
    ($($(#[$doc:meta])* $enumeration:ident: $Enum:ty,)+) => {
        /// The labels of all enumerations. Later versions may add enumerations and values.
        #[derive(Debug, Clone, Hash, Serialize, ToSchema)]
        #[schema(example = json!(Labels::new(Lang::De)))]
        pub struct Labels {
            $(
                $(#[$doc])*
                #[schema(max_items = 100)]
                pub $enumeration: Vec<Label>,
            )+
        }

        impl Labels {
            /// The labels in a language.
            pub fn new(lang: Lang) -> Self {
                Self {
                    $($enumeration: Label::all::<$Enum>(lang, stringify!($enumeration)),)+
                }
            }
        }
    };
}

labels! {
    /// `role` of an access.
    role: Role,
    /// `ticket_visibility` of an access.
    ticket_visibility: TicketVisibility,
    /// `language` of an access.
    language: Language,
    /// `ineffective_reasons` of an access.
    ineffective_reason: IneffectiveReason,
    /// `code` of a finding in `readiness`.
    finding_code: FindingCode,
    /// `scope` of an exclusion rule.
    rule_scope: RuleScope,
    /// `kind` of a ticket type.
    ticket_type_kind: TicketTypeKind,
    /// `status` of a ticket.
    ticket_status: TicketStatus,
    /// `closure` of a ticket.
    ticket_closure: TicketClosure,
    /// `urgency` and `impact` of a ticket.
    ticket_level: TicketLevel,
    /// `direction` of a sort key of a query.
    sort_direction: Direction,
    /// `code` of a step of a visibility decision.
    decision_step: Step,
    /// `outcome` of a step of a visibility decision.
    decision_outcome: Outcome,
    /// `code` of a reason against creating a ticket.
    creation_reason: CreationReason,
    /// `code` of a reason against releasing a ticket.
    approval_reason: ApprovalReason,
    /// `code` of a reason why positions are hidden.
    position_reason: PositionReason,
    /// `action` of a history entry.
    history_action: Action,
    /// `resource` of a history entry.
    history_resource: ResourceKind,
    /// `aggregate` of a history entry.
    history_aggregate: AggregateKind,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_value_has_a_label_in_every_language() {
        for lang in Lang::iter() {
            let labels = serde_json::to_value(Labels::new(lang)).unwrap();
            for (enumeration, values) in labels.as_object().unwrap() {
                for value in values.as_array().unwrap() {
                    let label = value["label"].as_str().unwrap();
                    // A missing message is replaced by its id.
                    assert!(!label.starts_with("label-"), "{lang:?}: {label}");
                    assert_ne!(value["value"], Value::Null, "{enumeration}");
                }
            }
        }
    }
}
