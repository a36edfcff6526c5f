//! Decisions over HTTP: results, explanations, capabilities, rule previews and errors.

use customer_integration::tokens::Claims;
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Client, Engine, Engine::*, Response, TestApp, app::claims},
};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";
const VISIBILITY: &str = "/decisions/ticket-visibility";
const CREATION: &str = "/decisions/ticket-creation";
const PREVIEW: &str = "/decisions/exclusion-rule-preview";
const UNKNOWN_ID: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

/// K-1 with areas A-1 and A-2, and an access that sees all tickets of the partner.
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

/// A visible ticket that the rules of these tests can hide.
fn tagged_ticket() -> Value {
    with_members(ticket("1"), json!({"tags": ["Personal"], "urgency": "low"}))
}

/// The names of the entries in a list of the capabilities.
fn names_of(capabilities: &Value, list: &str) -> Vec<Value> {
    capabilities[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].clone())
        .collect()
}

fn condition(field: &str, operator: &str, value: &str) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": [value]})
}

fn has_tag(name: &str) -> Value {
    condition("tag", "any_of", name)
}

/// The text of a response without its request id.
fn comparable_text(response: &Response) -> String {
    response
        .text
        .replace(response.header("x-request-id"), "REQUEST-ID")
}

/// A decision without an explanation.
#[derive(Debug, PartialEq)]
struct Decision {
    ticket_id: Option<String>,
    is_visible: bool,
    /// The pointer and the code of the error.
    error: Option<String>,
}

impl Decision {
    fn visible(ticket_id: &str) -> Self {
        Self {
            ticket_id: Some(ticket_id.to_owned()),
            is_visible: true,
            error: None,
        }
    }

    fn hidden(ticket_id: &str) -> Self {
        Self {
            is_visible: false,
            ..Self::visible(ticket_id)
        }
    }

    fn invalid(ticket_id: Option<&str>, error: &str) -> Self {
        Self {
            ticket_id: ticket_id.map(ToOwned::to_owned),
            is_visible: false,
            error: Some(error.to_owned()),
        }
    }

    fn from_json(decision: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        assert_eq!(decision.get("steps"), None);
        Self {
            ticket_id: text(&decision["ticket_id"]),
            is_visible: decision["visible"] == true,
            error: decision.get("error").map(|error| {
                let pointer = error["pointer"].as_str().unwrap();
                let code = error["code"].as_str().unwrap();
                format!("{pointer} {code}")
            }),
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn batch_with_invalid_tickets_returns_decisions_in_order(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    fixture.create_rule("Personal", has_tag("Personal")).await;
    let confidential = json!({"confidential": true, "main_contact_id": "P-1", "tags": null});
    let tickets = json!([
        with_members(ticket("1"), json!({"tags": []})),
        with_members(ticket("2"), json!({"tags": ["x", "PERSONAL"]})),
        ticket("3"),
        with_members(ticket("4"), json!({"status": "shut"})),
        {"ticket_id": "5"},
        17,
        with_members(ticket("7"), json!({"area_id": "A-3", "tags": null})),
        with_members(ticket("8"), json!({"internal": true, "tags": null})),
        with_members(ticket("9"), confidential),
        with_members(ticket("10"), json!({"business_partner_id": "K-2", "tags": null})),
        ticket(&"x".repeat(300)),
    ]);

    let response = fixture.decide(tickets).await;

    let truncated_id = format!("{}…", "x".repeat(200));
    let decisions: Vec<_> = response["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(Decision::from_json)
        .collect();
    assert_eq!(
        decisions,
        [
            Decision::visible("1"),
            Decision::hidden("2"),
            Decision::hidden("3"),
            Decision::invalid(Some("4"), "/tickets/3/status unknown_value"),
            Decision::invalid(Some("5"), "/tickets/4/business_partner_id required"),
            Decision::invalid(None, "/tickets/5 wrong_type"),
            Decision::hidden("7"),
            Decision::hidden("8"),
            Decision::visible("9"),
            Decision::hidden("10"),
            Decision::invalid(Some(&truncated_id), "/tickets/10/ticket_id too_long"),
        ]
    );
    assert_eq!(response["revision"], fixture.revision().await);
}

#[rstest]
#[actix_web::test]
async fn chunked_request_body_is_accepted(#[values(1, 2, 7)] chunk_count: usize) {
    let fixture = Fixture::start(Sqlite).await;
    let body = json!({"access_email": "A@B.example", "tickets": [ticket("1")]}).to_string();
    let chunk_length = body.len().div_ceil(chunk_count);
    let chunks: Vec<Result<_, std::io::Error>> = body
        .into_bytes()
        .chunks(chunk_length)
        .map(|chunk| Ok(chunk.to_vec()))
        .collect();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));

    let request = fixture.ticket_system.request("POST", VISIBILITY);
    let response = request.raw("application/json", stream).send().await;

    assert_eq!(
        response.is(200).json["decisions"],
        json!([{"ticket_id": "1", "visible": true, "hidden_positions": null}])
    );
}

/// A fixture with a rule and a global rule, and a ticket in an area that is not granted.
struct ExplanationSetup {
    fixture: Fixture,
    rule_id: String,
    global_rule_id: String,
}

impl ExplanationSetup {
    async fn start(engine: Engine) -> Self {
        let fixture = Fixture::start(engine).await;
        let urgent = condition("urgency", "in", "high");
        Self {
            rule_id: fixture
                .create_rule("Personal „x“", has_tag("Personal"))
                .await,
            global_rule_id: fixture.create_global_rule("Eilig", urgent).await,
            fixture,
        }
    }

    async fn explain(&self, language: &str) -> Response {
        let ticket = with_members(ticket("1"), json!({"tags": ["personal"], "area_id": "A-3"}));
        let body = json!({"access_email": "A@B.example", "explain": true, "tickets": [ticket]});
        let request = self.fixture.ticket_system.request("POST", VISIBILITY);
        let request = request.header("accept-language", language).json(body);
        request.send().await.is(200)
    }

    /// Returns the step with this code.
    async fn explain_step(&self, language: &str, code: &str) -> Value {
        let response = self.explain(language).await;
        let steps = response.json["decisions"][0]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["code"] == code);
        step.unwrap_or_else(|| panic!("no step {code}: {}", response.text))
            .clone()
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_lists_all_steps_in_order(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;

    let response = setup.explain("de").await;

    assert_eq!(response.header("content-language"), "de");
    assert_eq!(response.header("cache-control"), "no-store");
    let steps = response.json["decisions"][0]["steps"].as_array().unwrap();
    let outcomes: Vec<_> = steps
        .iter()
        .map(|step| format!("{} {}", step["code"], step["outcome"]).replace('"', ""))
        .collect();
    assert_eq!(
        outcomes,
        [
            "integration_inactive pass",
            "business_partner_inactive pass",
            "access_inactive pass",
            "other_business_partner pass",
            "ticket_internal pass",
            "ticket_confidential pass",
            "area_not_granted deny",
            "excluded_by_global_rule_undetermined undetermined",
            "excluded_by_rule deny",
            "not_own_ticket pass",
        ]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_is_in_the_requested_language(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;
    let detail = async |language, code| {
        let step = setup.explain_step(language, code).await;
        step["detail"].as_str().unwrap().to_owned()
    };

    assert_eq!(
        detail("de", "excluded_by_rule").await,
        "Die Ausschlussregel „Personal 'x'“ verbirgt das Ticket."
    );
    assert_eq!(
        detail("de", "area_not_granted").await,
        "Der Bereich „A-3“ ist nicht freigeschaltet."
    );
    assert_eq!(
        detail("en", "excluded_by_rule").await,
        "The exclusion rule “Personal 'x'” hides the ticket."
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_links_its_sources(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;

    let rule_step = setup.explain_step("de", "excluded_by_rule").await;
    let global_code = "excluded_by_global_rule_undetermined";
    let global_rule_step = setup.explain_step("de", global_code).await;

    let id = &setup.rule_id;
    let source = json!({
        "kind": "exclusion_rule",
        "id": id,
        "name": "Personal „x“",
        "href": format!("/api/v1{RULES}/{id}"),
    });
    assert_eq!(rule_step["sources"], json!([source]));
    assert_eq!(
        global_rule_step["sources"][0]["href"],
        format!("/api/v1/exclusion-rules/{}", setup.global_rule_id)
    );
}

/// Every link is readable, except for that of the area that is not granted.
#[apply(both_engines)]
#[actix_web::test]
async fn links_of_explanation_resolve(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;
    let reader = setup.fixture.app.reader();

    let response = setup.explain("en").await;

    let steps = response.json["decisions"][0]["steps"].as_array().unwrap();
    for step in steps {
        let is_granted = step["code"] != "area_not_granted";
        for source in step["sources"].as_array().unwrap() {
            let href = source["href"].as_str().unwrap();
            let path = href.strip_prefix("/api/v1").unwrap();
            let status = if is_granted { 200 } else { 404 };
            reader.get(path).await.is(status);
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_with_partner_token_is_omitted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let body = json!({"access_id": fixture.access, "explain": true, "tickets": [ticket("1")]});

    let response = fixture
        .client_of_partner("K-1")
        .post(VISIBILITY, body)
        .await;

    assert_eq!(
        response.is(200).json["decisions"],
        json!([{"ticket_id": "1", "visible": true, "hidden_positions": null}])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_reasons_with_partner_token_are_omitted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let body = json!({"access_id": fixture.access, "area_id": "A-3", "ticket_type_id": "T-1"});
    let limited_client = fixture.client_of_partner("K-1");

    let with_reasons = fixture.ticket_system.post(CREATION, body.clone()).await;
    let without_reasons = limited_client.post(CREATION, body).await.is(200);

    let reasons = &with_reasons.is(200).json["reasons"];
    assert_eq!(reasons[0]["code"], "area_not_granted");
    assert_eq!(without_reasons.json["allowed"], false);
    assert_eq!(without_reasons.json["reasons"], json!([]));
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_of_other_partner_with_partner_token_is_reported_as_unknown(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let client = fixture.client_of_partner("K-2");
    let decide = async |access: &str| {
        let body = json!({"access_id": access, "tickets": [ticket("1")]});
        client.post(VISIBILITY, body).await
    };

    let foreign = decide(&fixture.access).await;
    let unknown = decide(UNKNOWN_ID).await;
    assert_eq!(
        comparable_text(&foreign.is_problem(422, "unknown_access")),
        comparable_text(&unknown.is_problem(422, "unknown_access"))
    );

    let creation = json!({"access_id": fixture.access, "area_id": "A-3", "ticket_type_id": "T-1"});
    let foreign = client.post(CREATION, creation).await;
    foreign.is_problem(422, "unknown_access");
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_change_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    assert!(fixture.is_visible(tagged_ticket()).await);

    let id = fixture.create_rule("R", has_tag("personal")).await;
    assert!(!fixture.is_visible(tagged_ticket()).await);

    let rule = format!("{RULES}/{id}");
    editor.patch(&rule, json!({"active": false})).await.is(200);
    assert!(fixture.is_visible(tagged_ticket()).await);

    editor.patch(&rule, json!({"active": true})).await.is(200);
    assert!(!fixture.is_visible(tagged_ticket()).await);

    editor.delete(&rule).await.is(204);
    assert!(fixture.is_visible(tagged_ticket()).await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rule_change_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    assert!(fixture.is_visible(tagged_ticket()).await);

    let id = fixture.create_global_rule("G", has_tag("personal")).await;
    assert!(!fixture.is_visible(tagged_ticket()).await);

    let editor = fixture.app.global_rules_editor();
    editor
        .delete(&format!("/exclusion-rules/{id}"))
        .await
        .is(204);
    assert!(fixture.is_visible(tagged_ticket()).await);
}

/// Asserts that the ticket is visible exactly while a catalog entry is active.
async fn assert_entry_must_be_active(fixture: &Fixture, path: &str, entry: Value) {
    for active in [false, true] {
        let entry = with_members(entry.clone(), json!({"active": active}));
        fixture.app.erp().put(path, entry).await.is(200);
        assert_eq!(fixture.is_visible(tagged_ticket()).await, active);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_catalog_entry_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let area = json!({"name": "Bereich 1", "color": "#00aaff"});
    let partner = json!({"name": "Partner 1", "search_name": "P1"});
    assert!(fixture.is_visible(tagged_ticket()).await);

    assert_entry_must_be_active(&fixture, "/catalog/areas/A-1", area).await;
    assert_entry_must_be_active(&fixture, "/catalog/business-partners/K-1", partner).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn deactivation_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    assert!(fixture.is_visible(tagged_ticket()).await);

    for path in [&fixture.access_path(), K1] {
        for active in [false, true] {
            editor.patch(path, json!({"active": active})).await.is(200);
            assert_eq!(fixture.is_visible(tagged_ticket()).await, active, "{path}");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn revoked_area_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    assert!(fixture.is_visible(tagged_ticket()).await);

    let area = format!("{K1}/areas/A-1");
    fixture.app.editor().delete(&area).await.is(204);

    assert!(!fixture.is_visible(tagged_ticket()).await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn changed_email_resolves_to_current_access(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    fixture.app.activate_partner("K-2").await;
    let more = json!({"ticket_visibility": "partner"});
    let other_id = fixture.app.create_access("K-2", "c@d.example", more).await;
    let other_access = format!("/customer-integrations/K-2/accesses/{other_id}");
    let decide = async |email: &str| {
        let body = json!({"access_email": email, "tickets": [ticket("1")]});
        fixture.ticket_system.post(VISIBILITY, body).await
    };
    let is_visible_to =
        async |email: &str| decide(email).await.is(200).json["decisions"][0]["visible"] == true;
    assert!(is_visible_to("a@b.example").await);
    assert!(!is_visible_to("c@d.example").await);

    let new_email = json!({"email": "e@f.example"});
    editor
        .patch(&fixture.access_path(), new_email)
        .await
        .is(200);
    decide("a@b.example")
        .await
        .is_problem(422, "unknown_access");

    let freed_email = json!({"email": "a@b.example"});
    editor.patch(&other_access, freed_email).await.is(200);
    assert!(!is_visible_to("a@b.example").await);
    assert!(is_visible_to("e@f.example").await);
    decide("c@d.example")
        .await
        .is_problem(422, "unknown_access");
}

async fn decide_creation(fixture: &Fixture, area: &str, ticket_type: &str) -> Value {
    let body =
        json!({"access_email": "a@b.example", "area_id": area, "ticket_type_id": ticket_type});
    fixture
        .ticket_system
        .post(CREATION, body)
        .await
        .is(200)
        .json
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_decision_has_the_approval_of_the_ticket_type(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let without_approval = decide_creation(&fixture, "A-1", "T-1").await;
    let approval = json!({"approval_required": true});
    fixture
        .app
        .editor()
        .put(&format!("{K1}/ticket-types/T-1"), approval)
        .await
        .is(200);
    let with_approval = decide_creation(&fixture, "A-1", "T-1").await;

    assert_eq!(without_approval["allowed"], true);
    assert_eq!(without_approval["approval_required"], false);
    assert_eq!(without_approval["reasons"], json!([]));
    assert_eq!(with_approval["approval_required"], true);
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_with_unstartable_ticket_type_is_denied_without_approval(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    fixture
        .app
        .editor()
        .put(
            &format!("{K1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(200);
    let area = json!({"name": "Bereich 2", "color": "#00aaff", "start_ticket_types": ["T-2"]});
    let erp = fixture.app.erp();
    erp.put("/catalog/areas/A-2", area).await.is(200);

    let denied = decide_creation(&fixture, "A-2", "T-1").await;

    assert_eq!(denied["allowed"], false);
    assert_eq!(denied["approval_required"], false);
    assert_eq!(
        denied["reasons"][0],
        json!({
            "code": "ticket_type_not_startable",
            "detail": "Tickets of the type “Art 1” cannot be opened in this area.",
        })
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_decision_lists_all_reasons(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let denied = decide_creation(&fixture, "nowhere", "nothing").await;

    let codes: Vec<_> = denied["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].clone())
        .collect();
    assert_eq!(codes, ["area_not_granted", "ticket_type_not_granted"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn decision_with_unreached_min_revision_returns_409(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let body = json!({
        "access_id": fixture.access,
        "area_id": "A-1",
        "ticket_type_id": "T-1",
        "min_revision": 1000,
    });

    let response = fixture.ticket_system.post(CREATION, body).await;

    response.is_problem(409, "revision_not_reached");
}

#[apply(both_engines)]
#[actix_web::test]
async fn decision_with_reached_min_revision_is_returned(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let revision = fixture.revision().await;

    let response = fixture.decide_with_min_revision(revision).await;

    response.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn decision_with_negative_min_revision_returns_422(engine: Engine) {
    let fixture = Fixture::start(engine).await;

    let response = fixture.decide_with_min_revision(json!(-1)).await;

    response.is_problem(422, "validation_failed");
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_list_visible_areas_tags_queries_and_boards(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;

    let response = fixture
        .ticket_system
        .get(&fixture.capabilities_path())
        .await;

    let capabilities = response.is(200).json;
    let ticket_types =
        json!([{"ticket_type_id": "T-1", "name": "Art 1", "approval_required": false}]);
    let visible_area = json!({
        "area_id": "A-1",
        "name": "Bereich 1",
        "view": true,
        "create": true,
        "ticket_types": ticket_types,
    });
    let hidden_area = json!({
        "area_id": "A-2",
        "name": "Bereich 2",
        "view": false,
        "create": true,
        "ticket_types": ticket_types,
    });
    assert_eq!(capabilities["access_id"], json!(fixture.access));
    assert_eq!(capabilities["effective"], true);
    assert_eq!(capabilities["areas"], json!([visible_area, hidden_area]));
    assert_eq!(names_of(&capabilities, "tags"), ["Netz", "Überall"]);
    assert_eq!(names_of(&capabilities, "queries"), ["Q1"]);
    assert_eq!(names_of(&capabilities, "plan_boards"), ["Board"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_return_304_after_unrelated_change(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let etag = fixture.ticket_system.get(&path).await.is(200).etag();
    fixture.get_if_none_match(&path, &etag).await.is(304);

    let other_area = json!({"name": "Anderer", "color": "#000000"});
    let erp = fixture.app.erp();
    erp.put("/catalog/areas/A-9", other_area).await.is(201);

    // the second request is served from the cache
    for _ in 0..2 {
        fixture.get_if_none_match(&path, &etag).await.is(304);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn retired_area_and_its_tags_leave_capabilities_until_it_returns(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let etag = fixture.ticket_system.get(&path).await.is(200).etag();
    let put_area = async |active: bool| {
        let area = json!({"name": "Bereich 2", "color": "#00aaff", "active": active});
        let erp = fixture.app.erp();
        erp.put("/catalog/areas/A-2", area).await.is(200);
    };

    put_area(false).await;
    let reduced = fixture.get_if_none_match(&path, &etag).await.is(200);
    assert_eq!(names_of(&reduced.json, "tags"), ["Überall"]);
    assert_eq!(reduced.json["areas"].as_array().unwrap().len(), 1);

    put_area(true).await;
    fixture.get_if_none_match(&path, &etag).await.is(304);
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_of_ineffective_access_are_empty(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let etag = fixture.ticket_system.get(&path).await.is(200).etag();

    fixture
        .app
        .editor()
        .patch(&fixture.access_path(), json!({"active": false}))
        .await
        .is(200);

    let response = fixture.get_if_none_match(&path, &etag).await;
    let capabilities = response.is(200).json;
    assert_eq!(capabilities["effective"], false);
    for area in capabilities["areas"].as_array().unwrap() {
        assert_eq!(area["view"], false);
        assert_eq!(area["create"], false);
        assert_eq!(area["ticket_types"], json!([]));
    }
    for list in ["tags", "queries", "plan_boards"] {
        assert_eq!(capabilities[list], json!([]), "{list}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_of_access_under_other_partner_return_404(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path().replace("K-1", "K-2");

    let read = fixture.ticket_system.get(&path).await;
    let conditional_read = fixture.get_if_none_match(&path, "\"x\"").await;

    read.is_problem(404, "not_found");
    conditional_read.is_problem(404, "not_found");
}

/// A partner with two accesses and a rule, and tickets to preview changes of the rule.
struct PreviewSetup {
    fixture: Fixture,
    /// The id of an access that sees only its own tickets.
    access: String,
    /// The id of a rule for the tag `alt`.
    rule: String,
    tickets: Value,
}

impl PreviewSetup {
    async fn start(engine: Engine) -> Self {
        let fixture = Fixture::start(engine).await;
        let more = json!({"contact_id": "P-2", "first_name": "Ute", "last_name": "Aal"});
        let access = fixture
            .app
            .create_access("K-1", "own@b.example", more)
            .await;
        let rule = fixture.create_rule("R", has_tag("alt")).await;
        let old = json!({"tags": ["alt"], "main_contact_id": "P-2"});
        let new = json!({"tags": ["neu"], "main_contact_id": "P-9", "created_by_access_id": null});
        let untagged = json!({"tags": null, "main_contact_id": "P-2"});
        let tickets = json!([
            with_members(ticket("alt"), old),
            with_members(ticket("neu"), new),
            with_members(ticket("leer"), untagged),
            ticket("offen"),
            {"ticket_id": "falsch"},
        ]);
        Self {
            fixture,
            access,
            rule,
            tickets,
        }
    }

    /// Previews a rule for the tag `neu`. `members` overrides members of the request.
    async fn preview(&self, members: Value) -> Response {
        let body = json!({
            "business_partner_id": "K-1",
            "filter": has_tag("neu"),
            "tickets": self.tickets,
        });
        let editor = self.fixture.app.editor();
        editor.post(PREVIEW, with_members(body, members)).await
    }
}

/// The effect of a previewed rule on one access, as ticket ids.
#[derive(Debug, PartialEq)]
struct AccessPreview {
    name: String,
    newly_hidden: Vec<String>,
    newly_visible: Vec<String>,
    unchanged: Vec<String>,
}

impl AccessPreview {
    fn new(name: &str, newly_hidden: &[&str], newly_visible: &[&str], unchanged: &[&str]) -> Self {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Self {
            name: name.to_owned(),
            newly_hidden: owned(newly_hidden),
            newly_visible: owned(newly_visible),
            unchanged: owned(unchanged),
        }
    }
}

fn access_previews(preview: &Value) -> Vec<AccessPreview> {
    let ids = |affected: &Value| -> Vec<String> {
        let ids: Vec<_> = affected["ticket_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(affected["count"], ids.len());
        ids
    };
    let accesses = preview["accesses"].as_array().unwrap();
    accesses
        .iter()
        .map(|access| AccessPreview {
            name: access["name"].as_str().unwrap().to_owned(),
            newly_hidden: ids(&access["newly_hidden"]),
            newly_visible: ids(&access["newly_visible"]),
            unchanged: ids(&access["unchanged"]),
        })
        .collect()
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_new_rule_lists_hidden_tickets_per_access(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let preview = setup.preview(json!({})).await.is(200).json;

    assert_eq!(preview["matching"], json!(["neu"]));
    assert_eq!(preview["undetermined"], json!(["offen"]));
    assert_eq!(
        access_previews(&preview),
        [
            AccessPreview::new("Ute Aal", &[], &[], &["alt", "neu", "leer", "offen"]),
            AccessPreview::new("Änne Schäfer", &["neu"], &[], &["alt", "leer", "offen"])
        ]
    );
    assert_eq!(preview["newly_hidden"], 1);
    assert_eq!(preview["newly_visible"], 0);
    assert_eq!(preview["unchanged"], 7);
    assert_eq!(preview["accesses_left_out"], 0);
    let invalid_ticket = &preview["errors"][0];
    assert_eq!(invalid_ticket["ticket_id"], "falsch");
    assert_eq!(
        invalid_ticket["error"]["pointer"],
        "/tickets/4/business_partner_id"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_changed_rule_replaces_the_stored_rule(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let preview = setup.preview(json!({"rule_id": setup.rule})).await;

    assert_eq!(
        access_previews(&preview.is(200).json),
        [
            AccessPreview::new("Ute Aal", &[], &["alt"], &["neu", "leer", "offen"]),
            AccessPreview::new("Änne Schäfer", &["neu"], &["alt"], &["leer", "offen"])
        ]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_deactivated_rule_lists_visible_tickets_of_requested_accesses(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let preview = setup
        .preview(json!({"rule_id": setup.rule, "active": false, "access_ids": [setup.access]}))
        .await;

    assert_eq!(
        access_previews(&preview.is(200).json),
        [AccessPreview::new(
            "Ute Aal",
            &[],
            &["alt"],
            &["neu", "leer", "offen"]
        )]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_saves_nothing(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    let integration = async || setup.fixture.app.reader().get(K1).await.is(200).json;
    let before = integration().await;

    for members in [
        json!({}),
        json!({"rule_id": setup.rule}),
        json!({"rule_id": setup.rule, "active": false, "access_ids": [setup.access]}),
        json!({"business_partner_id": null}),
    ] {
        setup.preview(members).await.is(200);
    }
    setup
        .preview(json!({"access_ids": [UNKNOWN_ID]}))
        .await
        .is(422);

    assert_eq!(integration().await, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_of_global_rule_covers_accesses_of_all_partners(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    let app = &setup.fixture.app;
    let of_partner = setup.preview(json!({})).await.is(200).json;

    let global = setup.preview(json!({"business_partner_id": null})).await;
    assert_eq!(
        access_previews(&global.is(200).json),
        access_previews(&of_partner)
    );

    // an access of a partner that has none of the tickets
    app.activate_partner("K-2").await;
    let more = json!({"first_name": "Ida", "last_name": "Ost"});
    let other_access = app.create_access("K-2", "e@f.example", more).await;
    let global = setup
        .preview(json!({"business_partner_id": null, "access_ids": [other_access]}))
        .await;
    assert_eq!(
        access_previews(&global.is(200).json),
        [AccessPreview::new(
            "Ida Ost",
            &[],
            &[],
            &["alt", "neu", "leer", "offen"]
        )]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_with_unknown_reference_returns_422(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    for members in [
        json!({"rule_id": UNKNOWN_ID}),
        json!({"rule_id": setup.rule, "business_partner_id": null}),
        json!({"business_partner_id": "K-9"}),
    ] {
        let refused = setup.preview(members).await;
        refused.is_problem(422, "unknown_reference");
    }
    let refused = setup.preview(json!({"access_ids": [UNKNOWN_ID]})).await;
    refused.is_problem(422, "unknown_access");
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_with_invalid_filter_returns_422(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;

    let unknown_area = condition("area", "in", "nowhere");
    let refused = setup.preview(json!({"filter": unknown_area})).await;
    assert_eq!(
        refused.is_problem(422, "unknown_reference").errors(),
        ["/filter/values/0 unknown_reference"]
    );

    let is_self =
        json!({"type": "condition", "field": "main_contact", "operator": "is_self", "values": []});
    let refused = setup.preview(json!({"filter": is_self})).await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/filter/operator unknown_value"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn preview_with_partner_token_is_limited_to_its_partner(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    setup.fixture.app.activate_partner("K-2").await;
    let limited_client = setup.fixture.app.editor_of("K-2");
    let preview = async |partner: Value| {
        let body = json!({
            "business_partner_id": partner,
            "filter": has_tag("neu"),
            "tickets": [ticket("1")],
        });
        limited_client.post(PREVIEW, body).await
    };

    preview(Value::Null)
        .await
        .is_problem(403, "partner_restricted");
    preview(json!("K-1"))
        .await
        .is_problem(422, "unknown_reference");
    preview(json!("K-2")).await.is(200);
}

#[actix_web::test]
async fn empty_decision_request_returns_422_with_missing_members() {
    let fixture = Fixture::start(Sqlite).await;

    let refused = fixture.ticket_system.post(VISIBILITY, json!({})).await;

    assert_eq!(
        refused.is_problem(422, "validation_failed").errors(),
        ["/access_id exactly_one", "/tickets required"]
    );
}

#[actix_web::test]
async fn decision_request_with_1001_tickets_returns_422() {
    let fixture = Fixture::start(Sqlite).await;
    let decide = async |count: usize| {
        let body = json!({"access_id": fixture.access, "tickets": vec![ticket("1"); count]});
        fixture.ticket_system.post(VISIBILITY, body).await
    };

    let accepted = decide(1000).await.is(200);
    let refused = decide(1001).await.is_problem(422, "validation_failed");

    let decisions = accepted.json["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 1000);
    assert_eq!(refused.errors(), ["/tickets too_many_values"]);
}

#[rstest]
#[case::unknown_member("application/json", r#"{"ticket": []}"#, 400, "unknown_member")]
#[case::incomplete_json("application/json", "{", 400, "malformed_json")]
#[case::plain_text("text/plain", "{}", 415, "unsupported_media_type")]
#[case::more_than_4_mib("application/json", " ".repeat(4 * 1024 * 1024 + 1), 413, "body_too_large")]
#[actix_web::test]
async fn unreadable_decision_request_returns_problem(
    #[case] content_type: &str,
    #[case] body: impl Into<reqwest::Body>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let fixture = Fixture::start(Sqlite).await;

    let request = fixture.ticket_system.request("POST", VISIBILITY);
    let response = request.raw(content_type, body).send().await;

    response.is_problem(status, code);
}
