//! The decision which positions of a ticket an access may see. No configuration influences it.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use serde::Serialize;
use strum::IntoEnumIterator as _;

use crate::{
    Attribute, JsonObject, Str,
    ticket::{Position, TicketAttributes},
};

/// Why a position is hidden.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    strum::IntoStaticStr,
    strum::EnumIter,
    strum::VariantNames,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PositionReason {
    /// The access may not see the ticket.
    TicketHidden,
    /// The position is internal.
    PositionInternal,
    /// It is unknown whether the position is internal.
    PositionInternalUndetermined,
}

impl PositionReason {
    fn applies_to(self, position: &Position<'_>, ticket_is_visible: bool) -> bool {
        match self {
            Self::TicketHidden => !ticket_is_visible,
            Self::PositionInternal => position.internal == Attribute::Known(true),
            Self::PositionInternalUndetermined => {
                matches!(position.internal, Attribute::Unknown | Attribute::Absent)
            }
        }
    }
}

/// Position ids, each once, in the order of the ticket.
pub type PositionIds<'t, 'b> = Vec<&'t Str<'b>>;

/// The positions of a ticket that an access may not see. An id that occurs several times is hidden
/// if any of its positions is. `None` if the positions are unknown.
pub fn hidden_positions<'t, 'b>(
    ticket: &'t TicketAttributes<'b>,
    ticket_is_visible: bool,
) -> Option<PositionIds<'t, 'b>> {
    match &ticket.positions {
        Attribute::Unknown => None,
        Attribute::Absent => Some(Vec::new()),
        Attribute::Known(positions) => Some(ids_of(positions, |position| {
            PositionReason::iter().any(|reason| reason.applies_to(position, ticket_is_visible))
        })),
    }
}

/// The reasons for which positions of a ticket are hidden, each with these positions. A position
/// may be hidden for several reasons.
pub fn reasons<'t, 'b>(
    ticket: &'t TicketAttributes<'b>,
    ticket_is_visible: bool,
) -> Vec<(PositionReason, PositionIds<'t, 'b>)> {
    let Attribute::Known(positions) = &ticket.positions else {
        return Vec::new();
    };
    PositionReason::iter()
        .map(|reason| {
            let applies = |position: &_| reason.applies_to(position, ticket_is_visible);
            (reason, ids_of(positions, applies))
        })
        .filter(|(_, ids)| !ids.is_empty())
        .collect()
}

fn ids_of<'t, 'b>(
    positions: &'t [JsonObject<Position<'b>>],
    includes: impl Fn(&Position<'b>) -> bool,
) -> PositionIds<'t, 'b> {
    let mut seen = HashSet::<&str, RandomState>::default();
    positions
        .iter()
        .map(|JsonObject(position)| position)
        .filter(|position| includes(position) && seen.insert(&position.position_id))
        .map(|position| &position.position_id)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PositionReason::*, *};

    /// A ticket with these positions; without the member if it is `None`.
    fn with_ticket<T>(
        positions: Option<Value>,
        inspect: impl FnOnce(&TicketAttributes<'_>) -> T,
    ) -> T {
        let mut ticket = json!({"ticket_id": "1", "business_partner_id": "K", "area_id": "a",
            "internal": false, "confidential": false});
        if let Some(positions) = positions {
            ticket["positions"] = positions;
        }
        let text = ticket.to_string();
        inspect(&serde_json::from_str(&text).unwrap())
    }

    fn hidden(positions: Option<Value>, ticket_is_visible: bool) -> Option<Vec<String>> {
        with_ticket(positions, |ticket| {
            let hidden = hidden_positions(ticket, ticket_is_visible)?;
            Some(hidden.iter().map(|id| id.to_string()).collect())
        })
    }

    fn positions() -> Value {
        json!([
            {"position_id": "plain", "internal": false},
            {"position_id": "internal", "internal": true},
            {"position_id": "null", "internal": null},
            {"position_id": "omitted"},
        ])
    }

    #[test]
    fn internal_positions_and_unknown_ones_are_hidden() {
        let expected = ["internal", "null", "omitted"].map(ToOwned::to_owned);
        assert_eq!(hidden(Some(positions()), true), Some(expected.into()));
    }

    #[test]
    fn all_positions_of_hidden_ticket_are_hidden() {
        let expected = ["plain", "internal", "null", "omitted"].map(ToOwned::to_owned);
        assert_eq!(hidden(Some(positions()), false), Some(expected.into()));
    }

    #[test]
    fn omitted_positions_are_unknown_and_null_means_none() {
        for ticket_is_visible in [false, true] {
            assert_eq!(hidden(None, ticket_is_visible), None);
            assert_eq!(hidden(Some(Value::Null), ticket_is_visible), Some(vec![]));
            assert_eq!(hidden(Some(json!([])), ticket_is_visible), Some(vec![]));
        }
    }

    #[test]
    fn repeated_id_is_hidden_if_any_of_its_positions_is() {
        let positions = json!([
            {"position_id": "1", "internal": false},
            {"position_id": "2", "internal": true},
            {"position_id": "1", "internal": true},
            {"position_id": "2"},
        ]);
        let expected = ["2", "1"].map(ToOwned::to_owned);
        assert_eq!(hidden(Some(positions), true), Some(expected.into()));
    }

    #[test]
    fn reasons_list_their_positions() {
        let reasons = |ticket_is_visible| {
            with_ticket(Some(positions()), |ticket| {
                let reasons = reasons(ticket, ticket_is_visible).into_iter();
                let counted = reasons.map(|(reason, ids)| (reason, ids.len()));
                counted.collect::<Vec<_>>()
            })
        };
        let of_visible_ticket = [(PositionInternal, 1), (PositionInternalUndetermined, 2)];
        assert_eq!(reasons(true), of_visible_ticket);
        let of_hidden_ticket = [&[(TicketHidden, 4)], &of_visible_ticket[..]].concat();
        assert_eq!(reasons(false), of_hidden_ticket);
    }

    #[test]
    fn position_as_array_is_rejected() {
        let ticket = r#"{"ticket_id": "1", "business_partner_id": "K", "area_id": "a",
            "internal": false, "confidential": false, "positions": [["1", false]]}"#;
        assert!(serde_json::from_str::<TicketAttributes<'_>>(ticket).is_err());
    }
}
