//! Describes a change to users.

use serde_json::Value;

use super::{Action, dto::ResourceKind};
use crate::i18n::{self, Lang};

/// The name in a recorded state of a resource, if it has one.
pub(super) fn name(state: &Value) -> Option<String> {
    let partner = state.get("business_partner").unwrap_or(state);
    if let Some(name) = partner.get("name").and_then(Value::as_str) {
        return Some(name.to_owned());
    }
    let first_name = state.get("first_name")?.as_str()?;
    let last_name = state.get("last_name")?.as_str()?;
    Some(format!("{first_name} {last_name}"))
}

/// A change as text: what happened to which resource.
pub(super) fn message(
    lang: Lang,
    action: Action,
    resource: ResourceKind,
    name: Option<&str>,
) -> String {
    let label = i18n::label(lang, "history_resource", resource.into());
    let resource_with_name = match name {
        Some(name) => {
            let name = i18n::quoted(lang, name);
            let args = [("resource", label.into()), ("name", name.into())];
            i18n::message(lang, "history-subject", args)
        }
        None => label,
    };
    let kind = if is_grant(resource) { "grant" } else { "other" };
    let args = [
        ("resource", resource_with_name.into()),
        ("kind", kind.into()),
    ];
    i18n::message(lang, &format!("history-{}", <&str>::from(action)), args)
}

/// Whether creating the resource grants a catalog entry to a partner.
fn is_grant(resource: ResourceKind) -> bool {
    matches!(
        resource,
        ResourceKind::Area | ResourceKind::TicketType | ResourceKind::PlanBoard
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strum::IntoEnumIterator as _;

    use super::*;

    #[rstest::rstest]
    #[case::grant(
        Action::Deleted,
        ResourceKind::Area,
        Some("Netz"),
        "Freischaltung entzogen: Bereich „Netz“.",
        "Grant revoked: Area “Netz”."
    )]
    #[case::created(
        Action::Created,
        ResourceKind::Tag,
        Some("VPN"),
        "Tag „VPN“ angelegt.",
        "Tag “VPN” created."
    )]
    #[case::without_name(
        Action::Updated,
        ResourceKind::QueryOrder,
        None,
        "Reihenfolge der Ticket Board Abfragen geändert.",
        "Order of the ticket board queries changed."
    )]
    fn message_names_action_and_resource(
        #[case] action: Action,
        #[case] resource: ResourceKind,
        #[case] name: Option<&str>,
        #[case] de: &str,
        #[case] en: &str,
    ) {
        assert_eq!(message(Lang::De, action, resource, name), de);
        assert_eq!(message(Lang::En, action, resource, name), en);
    }

    #[test]
    fn every_action_has_a_message_in_every_language() {
        for lang in Lang::iter() {
            for action in [Action::Created, Action::Updated, Action::Deleted] {
                let text = message(lang, action, ResourceKind::Area, Some("x"));
                assert!(text.ends_with('.'), "{lang:?}: {text}");
            }
        }
    }

    #[test]
    fn name_is_found_in_every_kind_of_state() {
        let access = json!({"first_name": "Änne", "last_name": "Schäfer"});
        assert_eq!(name(&access).as_deref(), Some("Änne Schäfer"));
        assert_eq!(name(&json!({"name": "VPN"})).as_deref(), Some("VPN"));
        let integration = json!({"business_partner": {"name": "Muster"}});
        assert_eq!(name(&integration).as_deref(), Some("Muster"));
        assert_eq!(name(&json!({"query_ids": []})), None);
    }
}
