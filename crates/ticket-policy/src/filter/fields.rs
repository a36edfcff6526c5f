//! The table of ticket fields, operators and value kinds (`docs/domain.md`). It is the only
//! one: filter validation, `GET /ticket-fields` and the filter summaries all read it.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use strum::VariantNames as _;

use super::enums::{TicketClosure, TicketLevel, TicketStatus};

/// The values of a flag: set and not set.
pub const FLAGS: [&str; 2] = ["true", "false"];
/// Maximum number of values of one condition.
pub const MAX_VALUES: usize = 100;

/// A field of a ticket. `internal` is not a field: internal tickets are always hidden.
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
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumIter,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// How a field is compared.
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
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumIter,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// What kind of values a condition takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// Id of an area in the catalog.
    AreaId,
    /// Id of a ticket type in the catalog.
    TicketTypeId,
    /// One of the values that the field lists.
    Word,
    /// Name of a tag, 1 to 100 characters, case-insensitive.
    TagName,
    /// `true` or `false`.
    Boolean,
    /// Id of a contact in the ERP.
    ContactId,
    /// Id of an access.
    AccessId,
    /// Any other id in the ERP.
    ErpId,
    /// 1 to 200 characters, case-insensitive.
    Text,
    /// A point in time (RFC 3339).
    Time,
    /// A positive duration (ISO 8601, such as `P30D`).
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
    /// The name of the field in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of its values. Some operators override it, see [`Operator::value_kind`].
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

    /// The operators that apply to it.
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

    /// The values it can have, if they are a closed set; otherwise empty.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Status => TicketStatus::VARIANTS,
            Self::Closure => TicketClosure::VARIANTS,
            Self::Urgency | Self::Impact => TicketLevel::VARIANTS,
            Self::Released | Self::Confidential => &FLAGS,
            _ => &[],
        }
    }

    /// Whether a ticket board can be sorted by it. Tags cannot: a ticket has several, in no order.
    pub fn is_sortable(self) -> bool {
        self != Self::Tag
    }
}

impl Operator {
    /// The name of the operator in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of its values for a field whose values are of `kind`.
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

    /// Whether it refers to the viewer. Exclusion rules have none, so only queries may use it.
    pub fn needs_viewer(self) -> bool {
        self == Self::IsSelf
    }
}
