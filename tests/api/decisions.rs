//! Decisions over HTTP: results, explanations, capabilities, rule previews and errors.

use crate::engines::both_engines;
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Client, Engine, Engine::*, Response, TestApp, app::claims};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";

/// K-1 with areas and an access that sees all tickets of the partner.
struct Fixture {
    app: TestApp,
    /// The ticket system.
    system: Client,
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
        let system = app.client_with_scope("decisions:read");
        Self {
            app,
            system,
            access,
        }
    }

    /// A fixture whose access can use boards, tags and queries, and has one area hidden by a rule.
    async fn with_capabilities(engine: Engine) -> Self {
        let fixture = Self::start(engine).await;
        let editor = fixture.app.editor();
        let erp = fixture.app.erp();
        erp.put(&format!("{K1}/plan-boards/B-1"), Value::Null)
            .await
            .is(201);
        for tag in [
            json!({"name": "Überall"}),
            json!({"name": "Netz", "area_id": "A-2"}),
            json!({"name": "Geheim", "internal_only": true}),
        ] {
            editor.post(&format!("{K1}/tags"), tag).await.is(201);
        }
        for (name, active) in [("Q1", true), ("Q2", false)] {
            let query = json!({"name": name, "active": active, "columns": ["subject"], "filter": has_tag("x")});
            editor.post(&format!("{K1}/queries"), query).await.is(201);
        }
        let hides =
            json!({"type": "condition", "field": "area", "operator": "in", "values": ["A-2"]});
        editor
            .post(RULES, json!({"name": "R", "filter": hides}))
            .await
            .is(201);
        fixture
    }

    fn capabilities_path(&self) -> String {
        format!("{K1}/accesses/{}/capabilities", self.access)
    }

    async fn get_if_none_match(&self, path: &str, etag: &str) -> Response {
        let request = self.system.request("GET", path);
        request.header("if-none-match", etag).send().await
    }

    async fn decide(&self, tickets: Value, explain: bool) -> Value {
        let request_body =
            json!({"access_id": self.access, "explain": explain, "tickets": tickets});
        self.system
            .post("/decisions/ticket-visibility", request_body)
            .await
            .is(200)
            .json
    }

    async fn is_visible(&self, ticket: Value) -> bool {
        self.decide(json!([ticket]), false).await["decisions"][0]["visible"]
            .as_bool()
            .unwrap()
    }
}

fn ticket(id: &str) -> Value {
    json!({"ticket_id": id, "business_partner_id": "K-1", "area_id": "A-1", "internal": false, "confidential": false})
}

fn with_members(mut ticket: Value, members: Value) -> Value {
    ticket
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().cloned().unwrap());
    ticket
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

fn has_tag(name: &str) -> Value {
    json!({"type": "condition", "field": "tag", "operator": "any_of", "values": [name]})
}

/// The expected decision for a ticket. `error` is a pointer and a code, or empty.
struct Expected<'a> {
    id: &'a str,
    visible: bool,
    error: &'a str,
}

#[apply(both_engines)]
#[actix_web::test]
async fn batch_with_invalid_tickets_returns_decisions_in_order(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let rule = json!({"name": "Personal", "filter": has_tag("Personal")});
    fixture.app.editor().post(RULES, rule).await.is(201);
    let tickets = json!([
        with_members(ticket("1"), json!({"tags": []})),
        with_members(ticket("2"), json!({"tags": ["x", "PERSONAL"]})),
        ticket("3"),
        with_members(ticket("4"), json!({"status": "shut"})),
        {"ticket_id": "5"},
        17,
        with_members(ticket("7"), json!({"area_id": "A-3", "tags": null})),
        with_members(ticket("8"), json!({"internal": true, "tags": null})),
        with_members(ticket("9"), json!({"confidential": true, "main_contact_id": "P-1", "tags": null})),
        with_members(ticket("10"), json!({"business_partner_id": "K-2", "tags": null})),
        ticket(&"x".repeat(300)),
    ]);
    let response = fixture.decide(tickets, false).await;
    let decisions = response["decisions"].as_array().unwrap();
    let truncated_id = format!("{}…", "x".repeat(200));
    let expected = [
        Expected {
            id: "1",
            visible: true,
            error: "",
        },
        Expected {
            id: "2",
            visible: false,
            error: "",
        },
        Expected {
            id: "3",
            visible: false,
            error: "",
        },
        Expected {
            id: "4",
            visible: false,
            error: "/tickets/3/status unknown_value",
        },
        Expected {
            id: "5",
            visible: false,
            error: "/tickets/4/business_partner_id required",
        },
        Expected {
            id: "",
            visible: false,
            error: "/tickets/5 wrong_type",
        },
        Expected {
            id: "7",
            visible: false,
            error: "",
        },
        Expected {
            id: "8",
            visible: false,
            error: "",
        },
        Expected {
            id: "9",
            visible: true,
            error: "",
        },
        Expected {
            id: "10",
            visible: false,
            error: "",
        },
        Expected {
            id: &truncated_id,
            visible: false,
            error: "/tickets/10/ticket_id too_long",
        },
    ];
    assert_eq!(decisions.len(), expected.len());
    for (decision, expected) in decisions.iter().zip(expected) {
        assert!(decision.get("steps").is_none());
        let error = decision.get("error").map_or_else(String::new, |error| {
            format!("{} {}", error["pointer"], error["code"]).replace('"', "")
        });
        let id = decision["ticket_id"].as_str().unwrap_or_default();
        assert_eq!(id, expected.id);
        assert_eq!(decision["visible"] == true, expected.visible, "ticket {id}");
        assert_eq!(error, expected.error, "ticket {id}");
    }
    assert_eq!(
        response["revision"],
        fixture.app.reader().get(K1).await.json["revision"]
    );
}

#[actix_web::test]
async fn chunked_request_body_is_accepted() {
    let fixture = Fixture::start(Sqlite).await;
    let decide = async |pieces: usize| {
        let request_body =
            json!({"access_email": "A@B.example", "tickets": [ticket("1")]}).to_string();
        let length = request_body.len().div_ceil(pieces);
        let pieces: Vec<_> = request_body
            .into_bytes()
            .chunks(length)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect();
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        let request = fixture
            .system
            .request("POST", "/decisions/ticket-visibility")
            .raw("application/json", body);
        request.send().await.is(200)
    };
    for pieces in [1, 2, 7] {
        assert_eq!(
            decide(pieces).await.json["decisions"],
            json!([{"ticket_id": "1", "visible": true}])
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_lists_sources_in_request_language(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    let rule = editor
        .post(
            RULES,
            json!({"name": "Personal „x“", "filter": has_tag("Personal")}),
        )
        .await
        .is(201)
        .json;
    let urgent =
        json!({"type": "condition", "field": "urgency", "operator": "in", "values": ["high"]});
    let global = fixture
        .app
        .global_rules_editor()
        .post(
            "/exclusion-rules",
            json!({"name": "Eilig", "filter": urgent}),
        )
        .await
        .is(201)
        .json;
    let hidden_ticket = with_members(ticket("1"), json!({"tags": ["personal"], "area_id": "A-3"}));
    let request_body =
        json!({"access_email": "A@B.example", "explain": true, "tickets": [hidden_ticket]});
    let decide = async |lang: &str| {
        let request = fixture
            .system
            .request("POST", "/decisions/ticket-visibility")
            .json(request_body.clone());
        request.header("accept-language", lang).send().await.is(200)
    };
    let german = decide("de").await;
    assert_eq!(german.header("content-language"), "de");
    assert_eq!(german.header("cache-control"), "no-store");
    let steps = german.json["decisions"][0]["steps"]
        .as_array()
        .unwrap()
        .clone();
    let codes: Vec<_> = steps
        .iter()
        .map(|step| format!("{} {}", step["code"], step["outcome"]).replace('"', ""))
        .collect();
    let expected = [
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
    ];
    assert_eq!(codes, expected);
    let id = rule["id"].as_str().unwrap();
    let source = json!({"kind": "exclusion_rule", "id": id, "name": "Personal „x“", "href": format!("/api/v1{RULES}/{id}")});
    assert_eq!(steps[8]["sources"], json!([source]));
    assert_eq!(
        steps[8]["detail"],
        "Die Ausschlussregel „Personal 'x'“ verbirgt das Ticket."
    );
    assert_eq!(
        steps[6]["detail"],
        "Der Bereich „A-3“ ist nicht freigeschaltet."
    );
    let global_id = global["id"].as_str().unwrap();
    assert_eq!(
        steps[7]["sources"][0]["href"],
        format!("/api/v1/exclusion-rules/{global_id}")
    );
    assert_links_resolve(&fixture, &steps).await;
    let english = decide("en").await.json["decisions"][0]["steps"].clone();
    assert_eq!(
        english[8]["detail"],
        "The exclusion rule “Personal 'x'” hides the ticket."
    );
}

/// Every link is readable, except that of the area that is not granted.
async fn assert_links_resolve(fixture: &Fixture, steps: &[Value]) {
    let reader = fixture.app.reader();
    for step in steps {
        for source in step["sources"].as_array().unwrap() {
            let path = source["href"]
                .as_str()
                .unwrap()
                .strip_prefix("/api/v1")
                .unwrap();
            reader
                .get(path)
                .await
                .is(if step["code"] == "area_not_granted" {
                    404
                } else {
                    200
                });
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_with_partner_token_is_omitted(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let limited = |partner: &str| {
        let all = claims("decisions:read integration:read");
        let only = Some(partner.parse().unwrap());
        fixture
            .app
            .client_with_claims(&customer_integration::tokens::Claims {
                business_partner_id: only,
                ..all
            })
    };
    let request_body =
        json!({"access_id": fixture.access, "explain": true, "tickets": [ticket("1")]});
    let own = limited("K-1")
        .post("/decisions/ticket-visibility", request_body.clone())
        .await
        .is(200);
    assert_eq!(
        own.json["decisions"],
        json!([{"ticket_id": "1", "visible": true}])
    );
    let creation = json!({"access_id": fixture.access, "area_id": "A-3", "ticket_type_id": "T-1"});
    let own = limited("K-1")
        .post("/decisions/ticket-creation", creation.clone())
        .await
        .is(200);
    assert_eq!(own.json["allowed"], false);
    assert_eq!(own.json["reasons"], json!([]));
    assert_eq!(
        fixture
            .system
            .post("/decisions/ticket-creation", creation.clone())
            .await
            .json["reasons"][0]["code"],
        "area_not_granted"
    );
    // The access of another partner is reported exactly like a missing one.
    let without_request_id = |response: Response| {
        response
            .text
            .replace(response.header("x-request-id"), "REQ")
    };
    let foreign = limited("K-2")
        .post("/decisions/ticket-visibility", request_body)
        .await
        .is_problem(422, "unknown_access");
    let nobody =
        json!({"access_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "tickets": [ticket("1")]});
    let unknown = limited("K-2")
        .post("/decisions/ticket-visibility", nobody)
        .await
        .is_problem(422, "unknown_access");
    assert_eq!(without_request_id(foreign), without_request_id(unknown));
    limited("K-2")
        .post("/decisions/ticket-creation", creation)
        .await
        .is_problem(422, "unknown_access");
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_change_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    let ruler = fixture.app.global_rules_editor();
    let tagged_ticket =
        || with_members(ticket("1"), json!({"tags": ["Personal"], "urgency": "low"}));
    assert!(fixture.is_visible(tagged_ticket()).await);
    let rule = editor
        .post(RULES, json!({"name": "R", "filter": has_tag("personal")}))
        .await
        .is(201)
        .json;
    assert!(!fixture.is_visible(tagged_ticket()).await);
    let rule = format!("{RULES}/{}", rule["id"].as_str().unwrap());
    for (active, visible) in [(false, true), (true, false)] {
        editor.patch(&rule, json!({"active": active})).await.is(200);
        assert_eq!(fixture.is_visible(tagged_ticket()).await, visible);
    }
    editor.delete(&rule).await.is(204);
    assert!(fixture.is_visible(tagged_ticket()).await);
    let global = ruler
        .post(
            "/exclusion-rules",
            json!({"name": "G", "filter": has_tag("personal")}),
        )
        .await
        .is(201)
        .json;
    assert!(!fixture.is_visible(tagged_ticket()).await);
    ruler
        .delete(&format!(
            "/exclusion-rules/{}",
            global["id"].as_str().unwrap()
        ))
        .await
        .is(204);
    assert!(fixture.is_visible(tagged_ticket()).await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn activity_change_affects_next_decision(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    let erp = fixture.app.erp();
    let tagged_ticket =
        || with_members(ticket("1"), json!({"tags": ["Personal"], "urgency": "low"}));
    let access = format!("{K1}/accesses/{}", fixture.access);
    let area = |active: bool| json!({"name": "Bereich 1", "color": "#00aaff", "active": active});
    let partner =
        |active: bool| json!({"name": "Partner 1", "search_name": "P1", "active": active});
    assert!(fixture.is_visible(tagged_ticket()).await);
    for (active, visible) in [(false, false), (true, true)] {
        erp.put("/catalog/areas/A-1", area(active)).await.is(200);
        assert_eq!(fixture.is_visible(tagged_ticket()).await, visible, "area");
    }
    for (active, visible) in [(false, false), (true, true)] {
        erp.put("/catalog/business-partners/K-1", partner(active))
            .await
            .is(200);
        assert_eq!(
            fixture.is_visible(tagged_ticket()).await,
            visible,
            "partner"
        );
    }
    for (active, visible) in [(false, false), (true, true)] {
        editor
            .patch(&access, json!({"active": active}))
            .await
            .is(200);
        assert_eq!(fixture.is_visible(tagged_ticket()).await, visible, "access");
    }
    for (active, visible) in [(false, false), (true, true)] {
        editor.patch(K1, json!({"active": active})).await.is(200);
        assert_eq!(
            fixture.is_visible(tagged_ticket()).await,
            visible,
            "integration"
        );
    }
    editor.delete(&format!("{K1}/areas/A-1")).await.is(204);
    assert!(!fixture.is_visible(tagged_ticket()).await);
}

#[apply(both_engines)]
#[actix_web::test]
async fn changed_email_resolves_to_current_access(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let editor = fixture.app.editor();
    fixture.app.activate_partner("K-2").await;
    let other = fixture
        .app
        .create_access(
            "K-2",
            "c@d.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let decide = async |email: &str| {
        let request_body = json!({"access_email": email, "tickets": [ticket("1")]});
        fixture
            .system
            .post("/decisions/ticket-visibility", request_body)
            .await
    };
    assert_eq!(
        decide("a@b.example").await.is(200).json["decisions"][0]["visible"],
        true
    );
    assert_eq!(
        decide("c@d.example").await.is(200).json["decisions"][0]["visible"],
        false
    );
    editor
        .patch(
            &format!("{K1}/accesses/{}", fixture.access),
            json!({"email": "e@f.example"}),
        )
        .await
        .is(200);
    decide("a@b.example")
        .await
        .is_problem(422, "unknown_access");
    editor
        .patch(
            &format!("/customer-integrations/K-2/accesses/{other}"),
            json!({"email": "a@b.example"}),
        )
        .await
        .is(200);
    assert_eq!(
        decide("a@b.example").await.is(200).json["decisions"][0]["visible"],
        false
    );
    assert_eq!(
        decide("e@f.example").await.is(200).json["decisions"][0]["visible"],
        true
    );
    decide("c@d.example")
        .await
        .is_problem(422, "unknown_access");
}

#[apply(both_engines)]
#[actix_web::test]
async fn creation_decision_lists_all_reasons_and_approval(engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let decide = async |area: &str, ticket_type: &str| {
        let request_body =
            json!({"access_email": "a@b.example", "area_id": area, "ticket_type_id": ticket_type});
        fixture
            .system
            .post("/decisions/ticket-creation", request_body)
            .await
            .is(200)
            .json
    };
    let allowed = decide("A-1", "T-1").await;
    assert_eq!(allowed["allowed"], true);
    assert_eq!(allowed["approval_required"], false);
    assert_eq!(allowed["reasons"], json!([]));
    fixture
        .app
        .editor()
        .put(
            &format!("{K1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(200);
    assert_eq!(decide("A-1", "T-1").await["approval_required"], true);
    let start = json!({"name": "Bereich 2", "color": "#00aaff", "start_ticket_types": ["T-2"]});
    fixture
        .app
        .erp()
        .put("/catalog/areas/A-2", start)
        .await
        .is(200);
    let refused = decide("A-2", "T-1").await;
    assert_eq!(refused["allowed"], false);
    assert_eq!(refused["approval_required"], false);
    assert_eq!(
        refused["reasons"][0],
        json!({"code": "ticket_type_not_startable", "detail": "Tickets of the type “Art 1” cannot be opened in this area."})
    );
    let codes: Vec<_> = decide("nowhere", "nothing").await["reasons"]
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
    let ahead = json!({"access_id": fixture.access, "area_id": "A-1", "ticket_type_id": "T-1", "min_revision": 1000});
    fixture
        .system
        .post("/decisions/ticket-creation", ahead)
        .await
        .is_problem(409, "revision_not_reached");
    let revision = fixture.app.reader().get(K1).await.json["revision"].clone();
    let reached =
        json!({"access_id": fixture.access, "min_revision": revision, "tickets": [ticket("1")]});
    fixture
        .system
        .post("/decisions/ticket-visibility", reached)
        .await
        .is(200);
    let negative =
        json!({"access_id": fixture.access, "min_revision": -1, "tickets": [ticket("1")]});
    fixture
        .system
        .post("/decisions/ticket-visibility", negative)
        .await
        .is_problem(422, "validation_failed");
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_list_visible_areas_tags_queries_and_boards(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let first = fixture.system.get(&path).await.is(200);
    let types = json!([{"ticket_type_id": "T-1", "name": "Art 1", "approval_required": false}]);
    let area = |n: u8, view: bool| json!({"area_id": format!("A-{n}"), "name": format!("Bereich {n}"), "view": view, "create": true, "ticket_types": types});
    assert_eq!(first.json["areas"], json!([area(1, true), area(2, false)]));
    assert_eq!(names_of(&first.json, "tags"), ["Netz", "Überall"]);
    assert_eq!(names_of(&first.json, "queries"), ["Q1"]);
    assert_eq!(names_of(&first.json, "plan_boards"), ["Board"]);
    assert_eq!(first.json["effective"], true);
    assert_eq!(first.json["access_id"], json!(fixture.access));
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_return_304_until_the_result_changes(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let first = fixture.system.get(&path).await.is(200);
    let erp = fixture.app.erp();
    // Changes that do not concern the access do not change the ETag.
    fixture
        .get_if_none_match(&path, &first.etag())
        .await
        .is(304);
    let other = json!({"name": "Anderer", "color": "#000000"});
    erp.put("/catalog/areas/A-9", other).await.is(201);
    fixture
        .get_if_none_match(&path, &first.etag())
        .await
        .is(304);
    fixture
        .get_if_none_match(&path, &first.etag())
        .await
        .is(304);
    // A retired area is removed together with its tags, and returns when reactivated.
    let retired = |active: bool| json!({"name": "Bereich 2", "color": "#00aaff", "active": active});
    erp.put("/catalog/areas/A-2", retired(false)).await.is(200);
    let less = fixture
        .get_if_none_match(&path, &first.etag())
        .await
        .is(200);
    assert_eq!(names_of(&less.json, "tags"), vec![json!("Überall")]);
    assert_eq!(less.json["areas"].as_array().unwrap().len(), 1);
    erp.put("/catalog/areas/A-2", retired(true)).await.is(200);
    fixture
        .get_if_none_match(&path, &first.etag())
        .await
        .is(304);
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_of_ineffective_access_are_empty(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    let first = fixture.system.get(&path).await.is(200);
    let editor = fixture.app.editor();
    editor
        .patch(
            &format!("{K1}/accesses/{}", fixture.access),
            json!({"active": false}),
        )
        .await
        .is(200);
    let none = fixture
        .get_if_none_match(&path, &first.etag())
        .await
        .is(200)
        .json;
    assert_eq!(none["effective"], false);
    let idle = |area: &Value| {
        area["view"] == false && area["create"] == false && area["ticket_types"] == json!([])
    };
    assert!(none["areas"].as_array().unwrap().iter().all(idle));
    assert!(
        ["tags", "queries", "plan_boards"]
            .iter()
            .all(|list| none[list] == json!([]))
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn capabilities_of_access_under_other_partner_return_404(engine: Engine) {
    let fixture = Fixture::with_capabilities(engine).await;
    let path = fixture.capabilities_path();
    fixture
        .system
        .get(&path.replace("K-1", "K-2"))
        .await
        .is_problem(404, "not_found");
    fixture
        .system
        .request("GET", &path.replace("K-1", "K-2"))
        .header("if-none-match", "\"x\"")
        .send()
        .await
        .is_problem(404, "not_found");
}

/// A partner with two accesses and a rule, and tickets to preview changes of the rule.
struct PreviewSetup {
    fixture: Fixture,
    editor: Client,
    /// An access that sees only its own tickets.
    access: String,
    rule: Value,
    tickets: Value,
}

impl PreviewSetup {
    async fn start(engine: Engine) -> Self {
        let fixture = Fixture::start(engine).await;
        let editor = fixture.app.editor();
        let access = fixture
            .app
            .create_access(
                "K-1",
                "own@b.example",
                json!({"contact_id": "P-2", "first_name": "Ute", "last_name": "Aal"}),
            )
            .await;
        let rule = editor
            .post(RULES, json!({"name": "R", "filter": has_tag("alt")}))
            .await
            .is(201)
            .json;
        let tickets = json!([
            with_members(ticket("alt"), json!({"tags": ["alt"], "main_contact_id": "P-2"})),
            with_members(ticket("neu"), json!({"tags": ["neu"], "main_contact_id": "P-9", "created_by_access_id": null})),
            with_members(ticket("leer"), json!({"tags": null, "main_contact_id": "P-2"})),
            ticket("offen"),
            {"ticket_id": "falsch"},
        ]);
        Self {
            fixture,
            editor,
            access,
            rule,
            tickets,
        }
    }

    /// Previews a rule for the tag `neu`. `members` overrides members of the request.
    async fn preview(&self, members: Value) -> Response {
        let request_body = json!({"business_partner_id": "K-1", "filter": has_tag("neu"), "tickets": self.tickets});
        self.editor
            .post(
                "/decisions/exclusion-rule-preview",
                with_members(request_body, members),
            )
            .await
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
    let accesses = preview["accesses"].as_array().unwrap().iter();
    accesses
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
async fn rule_preview_lists_changes_per_access_and_saves_nothing(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    let before = setup.fixture.app.reader().get(K1).await.json;
    // A new rule.
    let created = setup.preview(json!({})).await.is(200).json;
    assert_eq!(created["matching"], json!(["neu"]));
    assert_eq!(created["undetermined"], json!(["offen"]));
    assert_eq!(
        access_previews(&created),
        [
            AccessPreview::new("Ute Aal", &[], &[], &["alt", "neu", "leer", "offen"]),
            AccessPreview::new("Änne Schäfer", &["neu"], &[], &["alt", "leer", "offen"])
        ]
    );
    assert_eq!(created["newly_hidden"], 1);
    assert_eq!(created["newly_visible"], 0);
    assert_eq!(created["unchanged"], 7);
    assert_eq!(created["accesses_left_out"], 0);
    assert_eq!(created["errors"][0]["ticket_id"], "falsch");
    assert_eq!(
        created["errors"][0]["error"]["pointer"],
        "/tickets/4/business_partner_id"
    );
    // A changed rule.
    let replaced = setup
        .preview(json!({"rule_id": setup.rule["id"]}))
        .await
        .is(200)
        .json;
    assert_eq!(
        access_previews(&replaced),
        [
            AccessPreview::new("Ute Aal", &[], &["alt"], &["neu", "leer", "offen"]),
            AccessPreview::new("Änne Schäfer", &["neu"], &["alt"], &["leer", "offen"])
        ]
    );
    // A deactivated rule.
    let deactivated = setup
        .preview(
            json!({"rule_id": setup.rule["id"], "active": false, "access_ids": [setup.access]}),
        )
        .await
        .is(200)
        .json;
    assert_eq!(
        access_previews(&deactivated),
        [AccessPreview::new(
            "Ute Aal",
            &[],
            &["alt"],
            &["neu", "leer", "offen"]
        )]
    );
    assert_eq!(setup.fixture.app.reader().get(K1).await.json, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn global_rule_preview_covers_all_partners(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    let before = setup.fixture.app.reader().get(K1).await.json;
    let created = setup.preview(json!({})).await.is(200).json;
    let global = setup
        .preview(json!({"business_partner_id": null}))
        .await
        .is(200)
        .json;
    assert_eq!(access_previews(&global), access_previews(&created));
    // An access of a partner that has none of the tickets.
    setup.fixture.app.activate_partner("K-2").await;
    let foreign = setup
        .fixture
        .app
        .create_access(
            "K-2",
            "e@f.example",
            json!({"first_name": "Ida", "last_name": "Ost"}),
        )
        .await;
    let global = setup
        .preview(json!({"business_partner_id": null, "access_ids": [foreign]}))
        .await
        .is(200)
        .json;
    assert_eq!(
        access_previews(&global),
        [AccessPreview::new(
            "Ida Ost",
            &[],
            &[],
            &["alt", "neu", "leer", "offen"]
        )]
    );
    assert_eq!(setup.fixture.app.reader().get(K1).await.json, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_rule_preview_returns_422(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    let before = setup.fixture.app.reader().get(K1).await.json;
    setup
        .preview(json!({"rule_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"}))
        .await
        .is_problem(422, "unknown_reference");
    setup
        .preview(json!({"rule_id": setup.rule["id"], "business_partner_id": null}))
        .await
        .is_problem(422, "unknown_reference");
    setup
        .preview(json!({"business_partner_id": "K-9"}))
        .await
        .is_problem(422, "unknown_reference");
    setup
        .preview(json!({"access_ids": ["019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"]}))
        .await
        .is_problem(422, "unknown_access");
    let filter =
        json!({"type": "condition", "field": "area", "operator": "in", "values": ["nowhere"]});
    let wrong = setup
        .preview(json!({"filter": filter}))
        .await
        .is_problem(422, "unknown_reference");
    assert_eq!(wrong.errors(), ["/filter/values/0 unknown_reference"]);
    let is_self =
        json!({"type": "condition", "field": "main_contact", "operator": "is_self", "values": []});
    assert_eq!(
        setup
            .preview(json!({"filter": is_self}))
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/filter/operator unknown_value"]
    );
    assert_eq!(setup.fixture.app.reader().get(K1).await.json, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn rule_preview_with_partner_token_is_limited_to_its_partner(engine: Engine) {
    let setup = PreviewSetup::start(engine).await;
    setup.fixture.app.activate_partner("K-2").await;
    let before = setup.fixture.app.reader().get(K1).await.json;
    let limited = setup.fixture.app.editor_of("K-2");
    let request_body = |partner: Value| json!({"business_partner_id": partner, "filter": has_tag("neu"), "tickets": [ticket("1")]});
    limited
        .post(
            "/decisions/exclusion-rule-preview",
            request_body(Value::Null),
        )
        .await
        .is_problem(403, "partner_restricted");
    limited
        .post(
            "/decisions/exclusion-rule-preview",
            request_body(json!("K-1")),
        )
        .await
        .is_problem(422, "unknown_reference");
    limited
        .post(
            "/decisions/exclusion-rule-preview",
            request_body(json!("K-2")),
        )
        .await
        .is(200);
    assert_eq!(setup.fixture.app.reader().get(K1).await.json, before);
}

#[rstest]
#[actix_web::test]
async fn invalid_decision_request_returns_problem_with_pointers(#[values(Sqlite)] engine: Engine) {
    let fixture = Fixture::start(engine).await;
    let decide = async |request_body: Value| {
        fixture
            .system
            .post("/decisions/ticket-visibility", request_body)
            .await
    };
    assert_eq!(
        decide(json!({}))
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/access_id exactly_one", "/tickets required"]
    );
    let many = json!({"access_id": fixture.access, "tickets": vec![ticket("1"); 1001]});
    assert_eq!(
        decide(many)
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/tickets too_many_values"]
    );
    let most = json!({"access_id": fixture.access, "tickets": vec![ticket("1"); 1000]});
    assert_eq!(
        decide(most).await.is(200).json["decisions"]
            .as_array()
            .unwrap()
            .len(),
        1000
    );
    decide(json!({"ticket": []}))
        .await
        .is_problem(400, "unknown_member");
    let request = fixture
        .system
        .request("POST", "/decisions/ticket-visibility");
    request
        .raw("application/json", vec![b' '; 4 * 1024 * 1024 + 1])
        .send()
        .await
        .is_problem(413, "body_too_large");
    let request = fixture
        .system
        .request("POST", "/decisions/ticket-visibility");
    request
        .raw("application/json", "{")
        .send()
        .await
        .is_problem(400, "malformed_json");
    let request = fixture
        .system
        .request("POST", "/decisions/ticket-visibility");
    request
        .raw("text/plain", "{}")
        .send()
        .await
        .is_problem(415, "unsupported_media_type");
}
