//! The role matrix: every documented operation, called by each role for its own partner, for
//! another partner and for an unknown partner. The table is written by hand. The tests fail if an
//! operation has no row or requires another scope than its row.

use std::collections::BTreeSet;

use customer_integration::tokens::Claims;
use serde_json::{Value, json};

use crate::support::{
    Client, Engine, Response, TestApp,
    app::{Ids, claims, filter},
    document::{OPERATIONS, Operation},
};

/// A kind of client with the scopes that the identity provider grants it.
struct Role {
    name: &'static str,
    scopes: &'static str,
}

impl Role {
    fn has_scope(&self, scope: &str) -> bool {
        scope.is_empty() || self.scopes.split(' ').any(|granted| granted == scope)
    }
}

const ROLES: [Role; 6] = [
    Role {
        name: "reader",
        scopes: "integration:read catalog:read",
    },
    Role {
        name: "editor",
        scopes: "integration:read integration:write catalog:read",
    },
    Role {
        name: "global rules editor",
        scopes: "integration:read integration:write global-rules:write",
    },
    Role {
        name: "erp",
        scopes: "catalog:read catalog:write",
    },
    Role {
        name: "ticket system",
        scopes: "decisions:read",
    },
    Role {
        name: "auditor",
        scopes: "audit:read",
    },
];

/// How an operation treats a token that has its scope but is limited to one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LimitedAccess {
    /// The path names the partner. Other partners are not found.
    OwnPath,
    /// The body names an access. Accesses of other partners are unknown.
    OwnAccess,
    /// The body names the partner. Other partners are unknown.
    OwnBody,
    /// Allowed. Lists contain only items that the partner may see.
    Allowed,
    /// The path names an entry. Entries that are not shared with the partner are not found.
    OwnShare,
    /// Forbidden, because the operation concerns data shared by all partners.
    Forbidden,
}

use LimitedAccess::*;

struct Row {
    operation: &'static str,
    scope: &'static str,
    limited_access: LimitedAccess,
}

const fn row(operation: &'static str, scope: &'static str, limited_access: LimitedAccess) -> Row {
    Row {
        operation,
        scope,
        limited_access,
    }
}

const TABLE: &[Row] = &[
    row("decide_ticket_visibility", "decisions:read", OwnAccess),
    row("decide_ticket_creation", "decisions:read", OwnAccess),
    row("decide_ticket_approval", "decisions:read", OwnAccess),
    row("preview_exclusion_rule", "integration:read", OwnBody),
    row("list_customer_integrations", "integration:read", Allowed),
    row("get_customer_integration", "integration:read", OwnPath),
    row("update_customer_integration", "integration:write", OwnPath),
    row("list_accesses", "integration:read", OwnPath),
    row("create_access", "integration:write", OwnPath),
    row("get_access", "integration:read", OwnPath),
    row("update_access", "integration:write", OwnPath),
    row("get_access_capabilities", "decisions:read", OwnPath),
    row("list_all_accesses", "integration:read", Allowed),
    row("list_areas", "integration:read", OwnPath),
    row("get_area", "integration:read", OwnPath),
    row("put_area", "integration:write", OwnPath),
    row("delete_area", "integration:write", OwnPath),
    row("list_ticket_types", "integration:read", OwnPath),
    row("get_ticket_type", "integration:read", OwnPath),
    row("put_ticket_type", "integration:write", OwnPath),
    row("delete_ticket_type", "integration:write", OwnPath),
    row("list_plan_boards", "integration:read", OwnPath),
    row("get_plan_board", "integration:read", OwnPath),
    row("put_plan_board", "catalog:write", OwnPath),
    row("delete_plan_board", "catalog:write", OwnPath),
    row("list_tags", "integration:read", OwnPath),
    row("create_tag", "integration:write", OwnPath),
    row("get_tag", "integration:read", OwnPath),
    row("update_tag", "integration:write", OwnPath),
    row("delete_tag", "integration:write", OwnPath),
    row("list_queries", "integration:read", OwnPath),
    row("create_query", "integration:write", OwnPath),
    row("put_query_order", "integration:write", OwnPath),
    row("get_query", "integration:read", OwnPath),
    row("update_query", "integration:write", OwnPath),
    row("delete_query", "integration:write", OwnPath),
    row("list_exclusion_rules", "integration:read", OwnPath),
    row("create_exclusion_rule", "integration:write", OwnPath),
    row("get_exclusion_rule", "integration:read", OwnPath),
    row("update_exclusion_rule", "integration:write", OwnPath),
    row("delete_exclusion_rule", "integration:write", OwnPath),
    row("get_labels", "integration:read", Allowed),
    row("list_history", "audit:read", OwnPath),
    row("list_system_history", "audit:read", Forbidden),
    row("list_global_exclusion_rules", "integration:read", Forbidden),
    row(
        "create_global_exclusion_rule",
        "global-rules:write",
        Forbidden,
    ),
    row("get_global_exclusion_rule", "integration:read", Forbidden),
    row(
        "update_global_exclusion_rule",
        "global-rules:write",
        Forbidden,
    ),
    row(
        "delete_global_exclusion_rule",
        "global-rules:write",
        Forbidden,
    ),
    row("list_catalog_business_partners", "catalog:read", Allowed),
    row("get_catalog_business_partner", "catalog:read", OwnPath),
    row("put_catalog_business_partner", "catalog:write", Forbidden),
    row("list_catalog_areas", "catalog:read", Allowed),
    row("get_catalog_area", "catalog:read", Allowed),
    row("put_catalog_area", "catalog:write", Forbidden),
    row("list_catalog_ticket_types", "catalog:read", Allowed),
    row("get_catalog_ticket_type", "catalog:read", Allowed),
    row("put_catalog_ticket_type", "catalog:write", Forbidden),
    row("list_catalog_plan_boards", "catalog:read", Allowed),
    row("get_catalog_plan_board", "catalog:read", OwnShare),
    row("put_catalog_plan_board", "catalog:write", Forbidden),
    row("list_ticket_fields", "integration:read", Allowed),
    row("get_me", "", Allowed),
];

/// The partner of the request, relative to the partner that the token is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Own,
    Foreign,
    Unknown,
}

impl Target {
    fn requested_partner(self) -> &'static str {
        match self {
            Self::Own | Self::Foreign => "K-1",
            Self::Unknown => "K-9",
        }
    }

    /// The partner that the token is limited to.
    fn token_partner(self) -> &'static str {
        match self {
            Self::Own => "K-1",
            Self::Foreign | Self::Unknown => "K-2",
        }
    }
}

impl LimitedAccess {
    /// The problem code for a partner that does not exist, if the operation names one.
    fn unknown_partner_code(self) -> Option<&'static str> {
        match self {
            OwnPath => Some("not_found"),
            OwnAccess => Some("unknown_access"),
            OwnBody => Some("unknown_reference"),
            Allowed | Forbidden | OwnShare => None,
        }
    }

    /// The problem code for a token that has the scope, or `None` if the call is allowed.
    fn expected_code(self, is_limited: bool, target: Target) -> Option<&'static str> {
        match (self, is_limited, target) {
            (Forbidden, true, _) => Some("partner_restricted"),
            (OwnShare, true, Target::Foreign | Target::Unknown) => Some("not_found"),
            // a foreign partner cannot be distinguished from an unknown one
            (_, true, Target::Foreign | Target::Unknown) | (_, false, Target::Unknown) => {
                self.unknown_partner_code()
            }
            _ => None,
        }
    }
}

const UNKNOWN_ACCESS: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

/// Calls an operation. Deletions are sent with a stale ETag, so that the resource still exists for
/// the next call.
async fn call(client: &Client, operation: &Operation, ids: &Ids, partner: &str) -> Response {
    let access = if partner == "K-9" {
        UNKNOWN_ACCESS
    } else {
        &ids.access
    };
    let ticket = json!({
        "ticket_id": "1",
        "business_partner_id": "K-1",
        "area_id": "A-1",
        "internal": false,
        "confidential": false,
    });
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
        "decide_ticket_approval" => Some(json!({"access_id": access, "ticket": ticket})),
        "preview_exclusion_rule" => {
            Some(json!({"business_partner_id": partner, "filter": filter(), "tickets": [ticket]}))
        }
        // the ticket types of the example do not exist
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
        .map(|operation| (operation.id.as_str(), operation.scope.as_str()))
        .collect();
    let listed: BTreeSet<_> = TABLE.iter().map(|row| (row.operation, row.scope)).collect();

    assert_eq!(listed, documented);
}

#[test]
fn every_scope_is_granted_to_a_role() {
    let granted: BTreeSet<_> = ROLES
        .iter()
        .flat_map(|role| role.scopes.split(' '))
        .collect();
    let required: BTreeSet<_> = TABLE
        .iter()
        .map(|row| row.scope)
        .filter(|scope| !scope.is_empty())
        .collect();

    assert_eq!(granted, required);
}

/// One cell of the matrix.
struct Cell<'a> {
    row: &'a Row,
    role: &'a Role,
    target: Target,
    is_limited: bool,
}

impl Cell<'_> {
    /// The code of the expected problem, or `None` if the call is allowed.
    fn expected_code(&self) -> Option<&'static str> {
        if self.role.has_scope(self.row.scope) {
            self.row
                .limited_access
                .expected_code(self.is_limited, self.target)
        } else {
            Some("insufficient_scope")
        }
    }

    fn client(&self, app: &TestApp) -> Client {
        if !self.is_limited {
            return app.client_with_scope(self.role.scopes);
        }
        app.client_with_claims(&Claims {
            business_partner_id: Some(self.target.token_partner().parse().unwrap()),
            ..claims(self.role.scopes)
        })
    }

    fn assert_response(&self, response: &Response) {
        let context = format!(
            "{} as {}, {:?}, limited: {}: {}",
            self.row.operation, self.role.name, self.target, self.is_limited, response.text
        );
        if let Some(code) = self.expected_code() {
            assert_eq!(response.json["code"], Value::from(code), "{context}");
        } else {
            let is_refused = matches!(response.status, 401 | 403 | 404 | 500..);
            assert!(!is_refused, "{context}");
            assert_ne!(response.json["code"], "unknown_access", "{context}");
        }
    }
}

fn cells() -> Vec<Cell<'static>> {
    let mut cells = Vec::new();
    for row in TABLE {
        for role in &ROLES {
            for target in [Target::Own, Target::Foreign, Target::Unknown] {
                for is_limited in [false, true] {
                    cells.push(Cell {
                        row,
                        role,
                        target,
                        is_limited,
                    });
                }
            }
        }
    }
    cells
}

#[test]
fn matrix_contains_allowed_and_refused_calls() {
    let cells = cells();
    let allowed = cells
        .iter()
        .filter(|cell| cell.expected_code().is_none())
        .count();
    let refused = cells.len() - allowed;

    assert_eq!(cells.len(), TABLE.len() * ROLES.len() * 6);
    assert!(allowed > 300, "{allowed} calls are allowed");
    assert!(refused > 1000, "{refused} calls are refused");
}

#[actix_web::test]
async fn role_matrix_is_enforced() {
    let app = TestApp::with_active_partner(Engine::Sqlite).await;
    let ids = app.create_one_of_each().await;

    for cell in cells() {
        let operation = OPERATIONS
            .iter()
            .find(|operation| operation.id == cell.row.operation)
            .unwrap();
        let client = cell.client(&app);
        let partner = cell.target.requested_partner();
        let response = call(&client, operation, &ids, partner).await;
        cell.assert_response(&response);
    }
}
