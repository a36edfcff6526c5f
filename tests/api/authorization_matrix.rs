//! Every operation of the document × each role × own, foreign and unknown partners, from a table written by hand: an operation
//! without a row fails, and so does one that asks for another scope than its row.

use std::collections::BTreeSet;

use customer_integration::tokens::Claims;
use serde_json::{Value, json};

use crate::support::{
    Answer, Client, Engine, TestApp,
    app::{Ids, claims, filter},
    document::{OPERATIONS, Operation},
};

/// Those who call, with the scopes their identity provider gives them.
const ROLES: [(&str, &str); 6] = [
    ("reader", "integration:read catalog:read"),
    ("editor", "integration:read integration:write catalog:read"),
    (
        "ruler",
        "integration:read integration:write global-rules:write",
    ),
    ("erp", "catalog:read catalog:write"),
    ("ticket system", "decisions:read"),
    ("auditor", "audit:read"),
];

/// What a token that is limited to one partner may do with an operation, given the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limited {
    /// The path names the partner: its own is there, all others are not found.
    OwnOnly,
    /// The body names an access: those of other partners are unknown.
    OwnAccess,
    /// The body names the partner: another one is unknown.
    OwnBody,
    /// What is there for everybody, as far as it is the partner's business.
    Yes,
    /// What is shared is not theirs.
    Never,
}

use Limited::*;

const TABLE: [(&str, &str, Limited); 57] = [
    ("decide_ticket_visibility", "decisions:read", OwnAccess),
    ("decide_ticket_creation", "decisions:read", OwnAccess),
    ("preview_exclusion_rule", "integration:read", OwnBody),
    ("list_customer_integrations", "integration:read", Yes),
    ("get_customer_integration", "integration:read", OwnOnly),
    ("update_customer_integration", "integration:write", OwnOnly),
    ("list_accesses", "integration:read", OwnOnly),
    ("create_access", "integration:write", OwnOnly),
    ("get_access", "integration:read", OwnOnly),
    ("update_access", "integration:write", OwnOnly),
    ("get_access_capabilities", "decisions:read", OwnOnly),
    ("list_areas", "integration:read", OwnOnly),
    ("get_area", "integration:read", OwnOnly),
    ("put_area", "integration:write", OwnOnly),
    ("delete_area", "integration:write", OwnOnly),
    ("list_ticket_types", "integration:read", OwnOnly),
    ("get_ticket_type", "integration:read", OwnOnly),
    ("put_ticket_type", "integration:write", OwnOnly),
    ("delete_ticket_type", "integration:write", OwnOnly),
    ("list_plan_boards", "integration:read", OwnOnly),
    ("get_plan_board", "integration:read", OwnOnly),
    ("put_plan_board", "catalog:write", OwnOnly),
    ("delete_plan_board", "catalog:write", OwnOnly),
    ("list_tags", "integration:read", OwnOnly),
    ("create_tag", "integration:write", OwnOnly),
    ("get_tag", "integration:read", OwnOnly),
    ("update_tag", "integration:write", OwnOnly),
    ("delete_tag", "integration:write", OwnOnly),
    ("list_queries", "integration:read", OwnOnly),
    ("create_query", "integration:write", OwnOnly),
    ("get_query", "integration:read", OwnOnly),
    ("update_query", "integration:write", OwnOnly),
    ("delete_query", "integration:write", OwnOnly),
    ("list_exclusion_rules", "integration:read", OwnOnly),
    ("create_exclusion_rule", "integration:write", OwnOnly),
    ("get_exclusion_rule", "integration:read", OwnOnly),
    ("update_exclusion_rule", "integration:write", OwnOnly),
    ("delete_exclusion_rule", "integration:write", OwnOnly),
    ("list_history", "audit:read", OwnOnly),
    ("list_global_exclusion_rules", "integration:read", Never),
    ("create_global_exclusion_rule", "global-rules:write", Never),
    ("get_global_exclusion_rule", "integration:read", Never),
    ("update_global_exclusion_rule", "global-rules:write", Never),
    ("delete_global_exclusion_rule", "global-rules:write", Never),
    ("list_catalog_business_partners", "catalog:read", Yes),
    ("get_catalog_business_partner", "catalog:read", OwnOnly),
    ("put_catalog_business_partner", "catalog:write", Never),
    ("list_catalog_areas", "catalog:read", Yes),
    ("get_catalog_area", "catalog:read", Yes),
    ("put_catalog_area", "catalog:write", Never),
    ("list_catalog_ticket_types", "catalog:read", Yes),
    ("get_catalog_ticket_type", "catalog:read", Yes),
    ("put_catalog_ticket_type", "catalog:write", Never),
    ("list_catalog_plan_boards", "catalog:read", Yes),
    ("get_catalog_plan_board", "catalog:read", Yes),
    ("put_catalog_plan_board", "catalog:write", Never),
    ("list_ticket_fields", "integration:read", Yes),
];

/// Whose things are asked for, as a token limited to K-1 or K-2 sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Foreign,
    Unknown,
}

impl Whose {
    /// The partner asked for, and the one that a token is limited to.
    fn partners(self) -> (&'static str, &'static str) {
        match self {
            Self::Own => ("K-1", "K-1"),
            Self::Foreign => ("K-1", "K-2"),
            Self::Unknown => ("K-9", "K-2"),
        }
    }
}

impl Limited {
    /// What is answered for a partner that is not there, if the operation names one.
    fn unknown(self) -> Option<&'static str> {
        match self {
            OwnOnly => Some("not_found"),
            OwnAccess => Some("unknown_access"),
            OwnBody => Some("unknown_reference"),
            Yes | Never => None,
        }
    }

    /// The code to be answered to a token that has the scope; `None`: it is let in.
    fn expected(self, is_limited: bool, whose: Whose) -> Option<&'static str> {
        match (self, is_limited, whose) {
            (Never, true, _) => Some("partner_restricted"),
            // another's is the same as none
            (_, true, Whose::Foreign | Whose::Unknown) | (_, false, Whose::Unknown) => {
                self.unknown()
            }
            _ => None,
        }
    }
}

/// Calls an operation; one that deletes is to fail, so that there is something to delete for the next one.
async fn call(client: &Client, operation: &Operation, ids: &Ids, partner: &str) -> Answer {
    let access = if partner == "K-9" {
        "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"
    } else {
        &ids.access
    };
    let ticket = json!({"ticket_id": "1", "business_partner_id": "K-1", "area_id": "A-1", "internal": false, "confidential": false});
    let request = client.request(&operation.method, &ids.path(operation, partner));
    let example = operation
        .value
        .pointer("/requestBody/content/application~1json/example")
        .cloned();
    let body = match operation.id.as_str() {
        "decide_ticket_visibility" => Some(json!({"access_id": access, "tickets": [ticket]})),
        "decide_ticket_creation" => {
            Some(json!({"access_id": access, "area_id": "A-1", "ticket_type_id": "T-1"}))
        }
        "preview_exclusion_rule" => {
            Some(json!({"business_partner_id": partner, "filter": filter(), "tickets": [ticket]}))
        }
        // the example names ticket types of its own
        "put_catalog_area" => Some(json!({"name": "Area", "color": "#00aaff"})),
        _ => example,
    };
    let request = if operation.method == "DELETE" {
        request.header("if-match", "\"999\"")
    } else {
        request
    };
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

#[test]
fn every_operation_has_a_row_with_its_scope() {
    let documented: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|it| (it.id.as_str(), it.scope.as_str()))
        .collect();
    let listed: BTreeSet<_> = TABLE.iter().map(|(id, scope, _)| (*id, *scope)).collect();
    assert_eq!(listed, documented);
    let given: BTreeSet<_> = ROLES
        .iter()
        .flat_map(|(_, scopes)| scopes.split(' '))
        .collect();
    let asked: BTreeSet<_> = TABLE.iter().map(|(_, scope, _)| *scope).collect();
    assert_eq!(given, asked, "each scope is some role's");
}

#[actix_web::test]
async fn each_role_may_do_what_it_may_where_it_may() {
    let app = TestApp::ready(Engine::Sqlite).await.unwrap();
    let ids = app.furnish().await;
    let (mut let_in, mut kept_out) = (0, 0);
    for (id, scope, limited) in TABLE {
        let operation = OPERATIONS.iter().find(|it| it.id == id).unwrap();
        for (role, scopes) in ROLES {
            for whose in [Whose::Own, Whose::Foreign, Whose::Unknown] {
                let (asked, only) = whose.partners();
                let only = Claims {
                    business_partner_id: Some(only.parse().unwrap()),
                    ..claims(scopes)
                };
                for (client, is_limited) in [
                    (app.with_scope(scopes), false),
                    (app.with_claims(&only), true),
                ] {
                    let has_scope = scopes.split(' ').any(|it| it == scope);
                    let let_through = limited.expected(is_limited, whose);
                    let wanted = if has_scope {
                        let_through
                    } else {
                        Some("insufficient_scope")
                    };
                    let answer = call(&client, operation, &ids, asked).await;
                    let told = format!(
                        "{id} {role} {whose:?} limited: {is_limited}: {}",
                        answer.text
                    );
                    if let Some(code) = wanted {
                        assert_eq!(answer.json["code"], Value::from(code), "{told}");
                        kept_out += 1;
                    } else {
                        assert!(!matches!(answer.status, 401 | 403 | 404 | 500..), "{told}");
                        assert_ne!(answer.json["code"], "unknown_access", "{told}");
                        let_in += 1;
                    }
                }
            }
        }
    }
    assert_eq!(let_in + kept_out, TABLE.len() * ROLES.len() * 6);
    assert!(
        let_in > 300 && kept_out > 1000,
        "{let_in} were let in, {kept_out} kept out"
    );
}
