//! The table of domain.md section 5: which facts of a ticket can be asked for, how, and with which values. It validates filters,
//! is published by `GET /ticket-fields`, and words the summaries; there is no second one.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use strum::VariantNames as _;
use utoipa::ToSchema;

use super::enums::{TicketClosure, TicketLevel, TicketStatus};
use crate::catalog::EntryKind;

/// The words of a flag: set, and not set.
pub const FLAGS: [&str; 2] = ["true", "false"];
/// Most values of one condition.
pub const MAX_VALUES: usize = 100;

/// A fact of a ticket. `internal` is no field: internal tickets are always hidden.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumIter,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Field {
    Area,
    TicketType,
    Status,
    Closure,
    Urgency,
    Impact,
    Tag,
    Released,
    Confidential,
    MainContact,
    CreatedBy,
    EntryChannel,
    Project,
    ServiceContract,
    Subject,
    ReferenceNumber,
    CreatedAt,
}

/// How a fact is compared.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumIter,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Operator {
    In,
    NotIn,
    AnyOf,
    AllOf,
    NoneOf,
    Is,
    IsSelf,
    Contains,
    Equals,
    Before,
    After,
    OlderThan,
    NewerThan,
}

/// What the values of a condition are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Id of an area of the catalogue.
    AreaId,
    /// Id of a ticket type of the catalogue.
    TicketTypeId,
    /// One of the words that the field lists.
    Word,
    /// Name of a tag, 1 to 100 characters; case does not matter.
    TagName,
    /// `true` or `false`.
    Boolean,
    /// The ERP's id of a contact.
    ContactId,
    /// Id of an access.
    AccessId,
    /// An id of the ERP.
    ErpId,
    /// 1 to 200 characters; case does not matter.
    Text,
    /// A point in time, RFC 3339.
    Time,
    /// A positive duration, ISO 8601 (`P30D`).
    Duration,
    /// No values.
    Nothing,
}

const SET: &[Operator] = &[Operator::In, Operator::NotIn];
const PERSON: &[Operator] = &[Operator::In, Operator::NotIn, Operator::IsSelf];
const TAGS: &[Operator] = &[Operator::AnyOf, Operator::AllOf, Operator::NoneOf];
const FLAG: &[Operator] = &[Operator::Is];
const TEXT: &[Operator] = &[Operator::Contains, Operator::Equals];
const TIME: &[Operator] = &[
    Operator::Before,
    Operator::After,
    Operator::OlderThan,
    Operator::NewerThan,
];

impl Field {
    /// The field's word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What its values are, where the operator does not say otherwise.
    pub fn value_kind(self) -> ValueKind {
        match self {
            Self::Area => ValueKind::AreaId,
            Self::TicketType => ValueKind::TicketTypeId,
            Self::Status | Self::Closure | Self::Urgency | Self::Impact => ValueKind::Word,
            Self::Tag => ValueKind::TagName,
            Self::Released | Self::Confidential => ValueKind::Boolean,
            Self::MainContact => ValueKind::ContactId,
            Self::CreatedBy => ValueKind::AccessId,
            Self::EntryChannel | Self::Project | Self::ServiceContract => ValueKind::ErpId,
            Self::Subject | Self::ReferenceNumber => ValueKind::Text,
            Self::CreatedAt => ValueKind::Time,
        }
    }

    /// How it can be compared.
    pub fn operators(self) -> &'static [Operator] {
        match self.value_kind() {
            ValueKind::ContactId | ValueKind::AccessId => PERSON,
            ValueKind::TagName => TAGS,
            ValueKind::Boolean => FLAG,
            ValueKind::Text => TEXT,
            ValueKind::Time => TIME,
            _ => SET,
        }
    }

    /// The words it can have; empty where its values are no words.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Status => TicketStatus::VARIANTS,
            Self::Closure => TicketClosure::VARIANTS,
            Self::Urgency | Self::Impact => TicketLevel::VARIANTS,
            Self::Released | Self::Confidential => &FLAGS,
            _ => &[],
        }
    }

    /// The kind of catalogue entries its values name.
    pub fn entry_kind(self) -> Option<EntryKind> {
        match self {
            Self::Area => Some(EntryKind::Area),
            Self::TicketType => Some(EntryKind::TicketType),
            _ => None,
        }
    }

    /// Whether a board can be ordered by it: a ticket has several tags, and they have no order.
    pub fn is_sortable(self) -> bool {
        self != Self::Tag
    }
}

impl Operator {
    /// The operator's word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What its values are, for a field of `kind`.
    pub fn value_kind(self, kind: ValueKind) -> ValueKind {
        match self {
            Self::IsSelf => ValueKind::Nothing,
            Self::OlderThan | Self::NewerThan => ValueKind::Duration,
            _ => kind,
        }
    }

    /// How many values it takes.
    pub fn arity(self) -> RangeInclusive<usize> {
        match self {
            Self::In | Self::NotIn | Self::AnyOf | Self::AllOf | Self::NoneOf => 1..=MAX_VALUES,
            Self::IsSelf => 0..=0,
            _ => 1..=1,
        }
    }

    /// Whether it speaks of the access that looks, so that it makes sense in queries only.
    pub fn needs_viewer(self) -> bool {
        self == Self::IsSelf
    }
}
