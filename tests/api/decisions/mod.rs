//! Decisions over HTTP. One file per subject; this one sets up the partner, accesses and rules.

mod capabilities;
mod changes;
mod creation;
mod explanation;
mod partner_tokens;
mod preview;
mod requests;

use customer_integration::tokens::Claims;
use serde_json::{Value, json};

use crate::support::{Client, Engine, Response, TestApp, app::claims};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const VISIBILITY: &str = "/decisions/ticket-visibility";
const CREATION: &str = "/decisions/ticket-creation";
const PREVIEW: &str = "/decisions/exclusion-rule-preview";
const UNKNOWN_ID: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

/// K-1 with areas, and an access that sees all tickets of the partner.
struct Fixture {
    app: TestApp,
    ticket_system: Client,
    /// The id of the access.
    access: String,
}

impl Fixture {
    async fn start(engine: Engine) -> Self {
        let app = TestApp::with_active_partner(engine).await;
        app.editor()
            .put(&format!("{K1}/areas/A-2"), Value::Null)
            .await
            .is(201);
        let more = json!({"contact_id": "P-1", "role": "editor", "ticket_visibility": "partner"});
        let access = app.create_access("K-1", "a@b.example", more).await;
        let ticket_system = app.client_with_scope("decisions:read");
        Self {
            app,
            ticket_system,
            access,
        }
    }

    /// A fixture whose access can use boards, tags and queries, and has area A-2 hidden by a rule.
    async fn with_capabilities(engine: Engine) -> Self {
        let fixture = Self::start(engine).await;
        let editor = fixture.app.editor();
        let plan_board = format!("{K1}/plan-boards/B-1");
        fixture
            .app
            .erp()
            .put(&plan_board, Value::Null)
            .await
            .is(201);
        for tag in [
            json!({"name": "Überall"}),
            json!({"name": "Netz", "area_id": "A-2"}),
            json!({"name": "Geheim", "internal_only": true}),
        ] {
            editor.post(&format!("{K1}/tags"), tag).await.is(201);
        }
        let filter = has_tag("x");
        for query in [
            json!({"name": "Q1", "active": true, "columns": ["subject"], "filter": filter}),
            json!({"name": "Q2", "active": false, "columns": ["subject"], "filter": filter}),
        ] {
            editor.post(&format!("{K1}/queries"), query).await.is(201);
        }
        fixture
            .create_rule("R", condition("area", "in", "A-2"))
            .await;
        fixture
    }

    /// Creates an exclusion rule of K-1 and returns its id.
    async fn create_rule(&self, name: &str, filter: Value) -> String {
        let rule = json!({"name": name, "filter": filter});
        let created = self.app.editor().post(RULES, rule).await.is(201);
        created.json["id"].as_str().unwrap().to_owned()
    }

    /// Creates a global exclusion rule and returns its id.
    async fn create_global_rule(&self, name: &str, filter: Value) -> String {
        let rule = json!({"name": name, "filter": filter});
        let editor = self.app.global_rules_editor();
        let created = editor.post("/exclusion-rules", rule).await.is(201);
        created.json["id"].as_str().unwrap().to_owned()
    }

    fn access_path(&self) -> String {
        format!("{K1}/accesses/{}", self.access)
    }

    fn capabilities_path(&self) -> String {
        format!("{}/capabilities", self.access_path())
    }

    /// A client that may request decisions about one partner only.
    fn client_of_partner(&self, partner: &str) -> Client {
        self.app.client_with_claims(&Claims {
            business_partner_id: Some(partner.parse().unwrap()),
            ..claims("decisions:read integration:read")
        })
    }

    async fn get_if_none_match(&self, path: &str, etag: &str) -> Response {
        let request = self.ticket_system.request("GET", path);
        request.header("if-none-match", etag).send().await
    }

    async fn decide(&self, tickets: Value) -> Value {
        let body = json!({"access_id": self.access, "tickets": tickets});
        self.ticket_system.post(VISIBILITY, body).await.is(200).json
    }

    async fn decide_with_min_revision(&self, min_revision: Value) -> Response {
        let body = json!({
            "access_id": self.access,
            "min_revision": min_revision,
            "tickets": [ticket("1")],
        });
        self.ticket_system.post(VISIBILITY, body).await
    }

    async fn is_visible(&self, ticket: Value) -> bool {
        self.decide(json!([ticket])).await["decisions"][0]["visible"]
            .as_bool()
            .unwrap()
    }

    async fn revision(&self) -> Value {
        self.app.reader().get(K1).await.is(200).json["revision"].clone()
    }
}

/// A visible ticket with the required members only.
fn ticket(id: &str) -> Value {
    json!({
        "ticket_id": id,
        "business_partner_id": "K-1",
        "area_id": "A-1",
        "internal": false,
        "confidential": false,
    })
}

fn with_members(mut object: Value, members: Value) -> Value {
    object
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().cloned().unwrap());
    object
}

fn condition(field: &str, operator: &str, value: &str) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": [value]})
}

fn has_tag(name: &str) -> Value {
    condition("tag", "any_of", name)
}
