//! Decisions over HTTP: right, explained, in the caller's language, and told to whom they may be told.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Client, Engine, Engine::*, TestApp, app::claims};

const K1: &str = "/customer-integrations/K-1";
const RULES: &str = "/customer-integrations/K-1/exclusion-rules";

/// K-1 with areas and an access that sees all tickets of the partner.
struct Stage {
    app: TestApp,
    /// The ticket system.
    system: Client,
    access: String,
}

impl Stage {
    async fn set(engine: Engine) -> Option<Self> {
        let app = TestApp::ready(engine).await?;
        app.editor()
            .put(&format!("{K1}/areas/A-2"), Value::Null)
            .await
            .is(201);
        let more = json!({"contact_id": "P-1", "role": "editor", "ticket_visibility": "partner"});
        let access = app.access("K-1", "a@b.example", more).await;
        let system = app.with_scope("decisions:read");
        Some(Self {
            app,
            system,
            access,
        })
    }

    async fn ask(&self, tickets: Value, explain: bool) -> Value {
        let question = json!({"access_id": self.access, "explain": explain, "tickets": tickets});
        self.system
            .post("/decisions/ticket-visibility", question)
            .await
            .is(200)
            .json
    }

    async fn sees(&self, ticket: Value) -> bool {
        self.ask(json!([ticket]), false).await["decisions"][0]["visible"]
            .as_bool()
            .unwrap()
    }
}

fn ticket(id: &str) -> Value {
    json!({"ticket_id": id, "business_partner_id": "K-1", "area_id": "A-1", "internal": false, "confidential": false})
}

fn with(mut ticket: Value, facts: Value) -> Value {
    ticket
        .as_object_mut()
        .unwrap()
        .extend(facts.as_object().cloned().unwrap());
    ticket
}

fn has_tag(name: &str) -> Value {
    json!({"type": "condition", "field": "tag", "operator": "any_of", "values": [name]})
}

#[rstest]
#[actix_web::test]
async fn a_batch_is_answered_in_order_and_wrong_tickets_do_not_fail_it(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let rule = json!({"name": "Personal", "filter": has_tag("Personal")});
    stage.app.editor().post(RULES, rule).await.is(201);
    let tickets = json!([
        with(ticket("1"), json!({"tags": []})),
        with(ticket("2"), json!({"tags": ["x", "PERSONAL"]})),
        ticket("3"),
        with(ticket("4"), json!({"status": "shut"})),
        {"ticket_id": "5"},
        17,
        with(ticket("7"), json!({"area_id": "A-3", "tags": null})),
        with(ticket("8"), json!({"internal": true, "tags": null})),
        with(ticket("9"), json!({"confidential": true, "main_contact_id": "P-1", "tags": null})),
        with(ticket("10"), json!({"business_partner_id": "K-2", "tags": null})),
        ticket(&"x".repeat(300)),
    ]);
    let answer = stage.ask(tickets, false).await;
    let told: Vec<_> = answer["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            assert!(it.get("steps").is_none());
            let error = it
                .get("error")
                .map(|error| format!("{} {}", error["pointer"], error["code"]).replace('"', ""));
            (
                it["ticket_id"].as_str().unwrap_or_default().to_owned(),
                it["visible"] == true,
                error.unwrap_or_default(),
            )
        })
        .collect();
    let truncate_untrusted = format!("{}…", "x".repeat(200));
    let expected = [
        ("1", true, ""),
        ("2", false, ""),
        ("3", false, ""),
        ("4", false, "/tickets/3/status unknown_value"),
        ("5", false, "/tickets/4/business_partner_id required"),
        ("", false, "/tickets/5 wrong_type"),
        ("7", false, ""),
        ("8", false, ""),
        ("9", true, ""),
        ("10", false, ""),
        (&truncate_untrusted, false, "/tickets/10/ticket_id too_long"),
    ];
    assert_eq!(
        told,
        expected.map(|(id, visible, error)| (id.to_owned(), visible, error.to_owned()))
    );
    assert_eq!(
        answer["revision"],
        stage.app.reader().get(K1).await.json["revision"]
    );
}

#[actix_web::test]
async fn a_question_may_come_in_pieces() {
    let Some(stage) = Stage::set(Sqlite).await else {
        return;
    };
    let ask = async |pieces: usize| {
        let question = json!({"access_email": "A@B.example", "tickets": [ticket("1")]}).to_string();
        let length = question.len().div_ceil(pieces);
        let pieces: Vec<_> = question
            .into_bytes()
            .chunks(length)
            .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
            .collect();
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        let asked = stage
            .system
            .request("POST", "/decisions/ticket-visibility")
            .raw("application/json", body);
        asked.send().await.is(200)
    };
    for pieces in [1, 2, 7] {
        assert_eq!(
            ask(pieces).await.json["decisions"],
            json!([{"ticket_id": "1", "visible": true}])
        );
    }
}

#[rstest]
#[actix_web::test]
async fn an_explanation_names_what_decides_in_the_callers_language(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let editor = stage.app.editor();
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
    let global = stage
        .app
        .ruler()
        .post(
            "/exclusion-rules",
            json!({"name": "Eilig", "filter": urgent}),
        )
        .await
        .is(201)
        .json;
    let asked = with(ticket("1"), json!({"tags": ["personal"], "area_id": "A-3"}));
    let question = json!({"access_email": "A@B.example", "explain": true, "tickets": [asked]});
    let ask = async |lang: &str| {
        let request = stage
            .system
            .request("POST", "/decisions/ticket-visibility")
            .json(question.clone());
        request.header("accept-language", lang).send().await.is(200)
    };
    let german = ask("de").await;
    assert_eq!(
        (
            german.header("content-language"),
            german.header("cache-control")
        ),
        ("de", "no-store")
    );
    let steps = german.json["decisions"][0]["steps"]
        .as_array()
        .unwrap()
        .clone();
    let codes: Vec<_> = steps
        .iter()
        .map(|it| format!("{} {}", it["code"], it["outcome"]).replace('"', ""))
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
    // every link leads to something that can be read, but for the area that is not granted
    let reader = stage.app.reader();
    for step in &steps {
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
    let english = ask("en").await.json["decisions"][0]["steps"].clone();
    assert_eq!(
        english[8]["detail"],
        "The exclusion rule “Personal 'x'” hides the ticket."
    );
}

#[rstest]
#[actix_web::test]
async fn explanations_are_for_staff(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let limited = |partner: &str| {
        let all = claims("decisions:read integration:read");
        let only = Some(partner.parse().unwrap());
        stage
            .app
            .with_claims(&customer_integration::tokens::Claims {
                business_partner_id: only,
                ..all
            })
    };
    let question = json!({"access_id": stage.access, "explain": true, "tickets": [ticket("1")]});
    let own = limited("K-1")
        .post("/decisions/ticket-visibility", question.clone())
        .await
        .is(200);
    assert_eq!(
        own.json["decisions"],
        json!([{"ticket_id": "1", "visible": true}])
    );
    let creation = json!({"access_id": stage.access, "area_id": "A-3", "ticket_type_id": "T-1"});
    let own = limited("K-1")
        .post("/decisions/ticket-creation", creation.clone())
        .await
        .is(200);
    assert_eq!(
        (&own.json["allowed"], &own.json["reasons"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(
        stage
            .system
            .post("/decisions/ticket-creation", creation.clone())
            .await
            .json["reasons"][0]["code"],
        "area_not_granted"
    );
    // another partner's access is as unknown as none
    let strip =
        |answer: crate::support::Answer| answer.text.replace(answer.header("x-request-id"), "REQ");
    let foreign = limited("K-2")
        .post("/decisions/ticket-visibility", question)
        .await
        .is_problem(422, "unknown_access");
    let nobody =
        json!({"access_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60", "tickets": [ticket("1")]});
    let unknown = limited("K-2")
        .post("/decisions/ticket-visibility", nobody)
        .await
        .is_problem(422, "unknown_access");
    assert_eq!(strip(foreign), strip(unknown));
    limited("K-2")
        .post("/decisions/ticket-creation", creation)
        .await
        .is_problem(422, "unknown_access");
}

#[rstest]
#[actix_web::test]
async fn whatever_changes_counts_for_the_next_question(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let (editor, erp, ruler) = (stage.app.editor(), stage.app.erp(), stage.app.ruler());
    let asked = || with(ticket("1"), json!({"tags": ["Personal"], "urgency": "low"}));
    let access = format!("{K1}/accesses/{}", stage.access);
    let area = |active: bool| json!({"name": "Bereich 1", "color": "#00aaff", "active": active});
    let partner =
        |active: bool| json!({"name": "Partner 1", "search_name": "P1", "active": active});
    assert!(stage.sees(asked()).await);
    let rule = editor
        .post(RULES, json!({"name": "R", "filter": has_tag("personal")}))
        .await
        .is(201)
        .json;
    assert!(!stage.sees(asked()).await);
    let rule = format!("{RULES}/{}", rule["id"].as_str().unwrap());
    for (active, visible) in [(false, true), (true, false)] {
        editor.patch(&rule, json!({"active": active})).await.is(200);
        assert_eq!(stage.sees(asked()).await, visible);
    }
    editor.delete(&rule).await.is(204);
    assert!(stage.sees(asked()).await);
    let global = ruler
        .post(
            "/exclusion-rules",
            json!({"name": "G", "filter": has_tag("personal")}),
        )
        .await
        .is(201)
        .json;
    assert!(!stage.sees(asked()).await);
    ruler
        .delete(&format!(
            "/exclusion-rules/{}",
            global["id"].as_str().unwrap()
        ))
        .await
        .is(204);
    assert!(stage.sees(asked()).await);
    for (active, visible) in [(false, false), (true, true)] {
        erp.put("/catalog/areas/A-1", area(active)).await.is(200);
        assert_eq!(stage.sees(asked()).await, visible, "area");
    }
    for (active, visible) in [(false, false), (true, true)] {
        erp.put("/catalog/business-partners/K-1", partner(active))
            .await
            .is(200);
        assert_eq!(stage.sees(asked()).await, visible, "partner");
    }
    for (active, visible) in [(false, false), (true, true)] {
        editor
            .patch(&access, json!({"active": active}))
            .await
            .is(200);
        assert_eq!(stage.sees(asked()).await, visible, "access");
    }
    for (active, visible) in [(false, false), (true, true)] {
        editor.patch(K1, json!({"active": active})).await.is(200);
        assert_eq!(stage.sees(asked()).await, visible, "integration");
    }
    editor.delete(&format!("{K1}/areas/A-1")).await.is(204);
    assert!(!stage.sees(asked()).await);
}

#[rstest]
#[actix_web::test]
async fn a_login_is_whose_it_is_now(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let editor = stage.app.editor();
    stage.app.make_ready("K-2").await;
    let other = stage
        .app
        .access(
            "K-2",
            "c@d.example",
            json!({"ticket_visibility": "partner"}),
        )
        .await;
    let ask = async |email: &str| {
        let question = json!({"access_email": email, "tickets": [ticket("1")]});
        stage
            .system
            .post("/decisions/ticket-visibility", question)
            .await
    };
    assert_eq!(
        ask("a@b.example").await.is(200).json["decisions"][0]["visible"],
        true
    );
    assert_eq!(
        ask("c@d.example").await.is(200).json["decisions"][0]["visible"],
        false
    );
    editor
        .patch(
            &format!("{K1}/accesses/{}", stage.access),
            json!({"email": "e@f.example"}),
        )
        .await
        .is(200);
    ask("a@b.example").await.is_problem(422, "unknown_access");
    editor
        .patch(
            &format!("/customer-integrations/K-2/accesses/{other}"),
            json!({"email": "a@b.example"}),
        )
        .await
        .is(200);
    assert_eq!(
        ask("a@b.example").await.is(200).json["decisions"][0]["visible"],
        false
    );
    assert_eq!(
        ask("e@f.example").await.is(200).json["decisions"][0]["visible"],
        true
    );
    ask("c@d.example").await.is_problem(422, "unknown_access");
}

#[rstest]
#[actix_web::test]
async fn creation_is_decided_with_all_reasons_and_approval(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let ask = async |area: &str, ticket_type: &str| {
        let question =
            json!({"access_email": "a@b.example", "area_id": area, "ticket_type_id": ticket_type});
        stage
            .system
            .post("/decisions/ticket-creation", question)
            .await
            .is(200)
            .json
    };
    let allowed = ask("A-1", "T-1").await;
    assert_eq!(
        (
            &allowed["allowed"],
            &allowed["approval_required"],
            &allowed["reasons"]
        ),
        (&json!(true), &json!(false), &json!([]))
    );
    stage
        .app
        .editor()
        .put(
            &format!("{K1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(200);
    assert_eq!(ask("A-1", "T-1").await["approval_required"], true);
    let start = json!({"name": "Bereich 2", "color": "#00aaff", "start_ticket_types": ["T-2"]});
    stage
        .app
        .erp()
        .put("/catalog/areas/A-2", start)
        .await
        .is(200);
    let refused = ask("A-2", "T-1").await;
    assert_eq!(
        (&refused["allowed"], &refused["approval_required"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        refused["reasons"][0],
        json!({"code": "ticket_type_not_startable", "detail": "Tickets of the type “Art 1” cannot be opened in this area."})
    );
    let codes: Vec<_> = ask("nowhere", "nothing").await["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].clone())
        .collect();
    assert_eq!(codes, ["area_not_granted", "ticket_type_not_granted"]);
    let ahead = json!({"access_id": stage.access, "area_id": "A-1", "ticket_type_id": "T-1", "min_revision": 1000});
    stage
        .system
        .post("/decisions/ticket-creation", ahead)
        .await
        .is_problem(409, "revision_not_reached");
    let revision = stage.app.reader().get(K1).await.json["revision"].clone();
    let there =
        json!({"access_id": stage.access, "min_revision": revision, "tickets": [ticket("1")]});
    stage
        .system
        .post("/decisions/ticket-visibility", there)
        .await
        .is(200);
    let negative = json!({"access_id": stage.access, "min_revision": -1, "tickets": [ticket("1")]});
    stage
        .system
        .post("/decisions/ticket-visibility", negative)
        .await
        .is_problem(422, "validation_failed");
}

#[rstest]
#[actix_web::test]
async fn capabilities_are_one_answer_that_is_kept_until_something_changes(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let (editor, erp) = (stage.app.editor(), stage.app.erp());
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
        let query =
            json!({"name": name, "active": active, "columns": ["subject"], "filter": has_tag("x")});
        editor.post(&format!("{K1}/queries"), query).await.is(201);
    }
    let hides = json!({"type": "condition", "field": "area", "operator": "in", "values": ["A-2"]});
    editor
        .post(RULES, json!({"name": "R", "filter": hides}))
        .await
        .is(201);
    let path = format!("{K1}/accesses/{}/capabilities", stage.access);
    let first = stage.system.get(&path).await.is(200);
    let types = json!([{"ticket_type_id": "T-1", "name": "Art 1", "approval_required": false}]);
    let area = |n: u8, view: bool| json!({"area_id": format!("A-{n}"), "name": format!("Bereich {n}"), "view": view, "create": true, "ticket_types": types});
    assert_eq!(first.json["areas"], json!([area(1, true), area(2, false)]));
    let names = |answer: &Value, list: &str| -> Vec<Value> {
        answer[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["name"].clone())
            .collect()
    };
    assert_eq!(names(&first.json, "tags"), ["Netz", "Überall"]);
    assert_eq!(names(&first.json, "queries"), ["Q1"]);
    assert_eq!(names(&first.json, "plan_boards"), ["Board"]);
    assert_eq!(
        (&first.json["effective"], &first.json["access_id"]),
        (&json!(true), &json!(stage.access))
    );
    // kept, also while something changes that does not concern the access
    let again = async |tag: &str| {
        stage
            .system
            .request("GET", &path)
            .header("if-none-match", tag)
            .send()
            .await
    };
    again(&first.etag()).await.is(304);
    let other = json!({"name": "Anderer", "color": "#000000"});
    erp.put("/catalog/areas/A-9", other).await.is(201);
    again(&first.etag()).await.is(304);
    again(&first.etag()).await.is(304);
    // gone with the area, back with it
    let retired = |active: bool| json!({"name": "Bereich 2", "color": "#00aaff", "active": active});
    erp.put("/catalog/areas/A-2", retired(false)).await.is(200);
    let less = again(&first.etag()).await.is(200);
    assert_eq!(
        (
            names(&less.json, "tags"),
            less.json["areas"].as_array().unwrap().len()
        ),
        (vec![json!("Überall")], 1)
    );
    erp.put("/catalog/areas/A-2", retired(true)).await.is(200);
    again(&first.etag()).await.is(304);
    // without effect there is nothing to do
    editor
        .patch(
            &format!("{K1}/accesses/{}", stage.access),
            json!({"active": false}),
        )
        .await
        .is(200);
    let none = again(&first.etag()).await.is(200).json;
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
    // R9
    stage
        .system
        .get(&path.replace("K-1", "K-2"))
        .await
        .is_problem(404, "not_found");
    stage
        .system
        .request("GET", &path.replace("K-1", "K-2"))
        .header("if-none-match", "\"x\"")
        .send()
        .await
        .is_problem(404, "not_found");
}

#[rstest]
#[actix_web::test]
async fn a_preview_tells_what_would_change_for_whom_and_saves_nothing(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let editor = stage.app.editor();
    let own = stage
        .app
        .access(
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
    let before = stage.app.reader().get(K1).await.json;
    let tickets = json!([
        with(ticket("alt"), json!({"tags": ["alt"], "main_contact_id": "P-2"})),
        with(ticket("neu"), json!({"tags": ["neu"], "main_contact_id": "P-9", "created_by_access_id": null})),
        with(ticket("leer"), json!({"tags": null, "main_contact_id": "P-2"})),
        ticket("offen"),
        {"ticket_id": "falsch"},
    ]);
    let ask = async |more: Value| {
        let mut question =
            json!({"business_partner_id": "K-1", "filter": has_tag("neu"), "tickets": tickets});
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        editor
            .post("/decisions/exclusion-rule-preview", question)
            .await
    };
    let ids = |affected: &Value| -> Vec<String> {
        let ids: Vec<_> = affected["ticket_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(affected["count"], ids.len());
        ids
    };
    let told = |answer: &Value| -> Vec<_> {
        let accesses = answer["accesses"].as_array().unwrap().iter();
        accesses
            .map(|it| {
                (
                    it["name"].as_str().unwrap().to_owned(),
                    ids(&it["newly_hidden"]),
                    ids(&it["newly_visible"]),
                    ids(&it["unchanged"]),
                )
            })
            .collect()
    };
    let owned = |row: (&str, &[&str], &[&str], &[&str])| {
        let of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        (row.0.to_owned(), of(row.1), of(row.2), of(row.3))
    };
    // a new rule
    let new = ask(json!({})).await.is(200).json;
    assert_eq!(
        (&new["matching"], &new["undetermined"]),
        (&json!(["neu"]), &json!(["offen"]))
    );
    assert_eq!(
        told(&new),
        [
            owned(("Ute Aal", &[], &[], &["alt", "neu", "leer", "offen"])),
            owned(("Änne Schäfer", &["neu"], &[], &["alt", "leer", "offen"]))
        ]
    );
    assert_eq!(
        (
            &new["newly_hidden"],
            &new["newly_visible"],
            &new["unchanged"],
            &new["accesses_left_out"]
        ),
        (&json!(1), &json!(0), &json!(7), &json!(0))
    );
    assert_eq!(
        (
            &new["errors"][0]["ticket_id"],
            &new["errors"][0]["error"]["pointer"]
        ),
        (&json!("falsch"), &json!("/tickets/4/business_partner_id"))
    );
    // in place of the one there is
    let instead = ask(json!({"rule_id": rule["id"]})).await.is(200).json;
    assert_eq!(
        told(&instead),
        [
            owned(("Ute Aal", &[], &["alt"], &["neu", "leer", "offen"])),
            owned(("Änne Schäfer", &["neu"], &["alt"], &["leer", "offen"]))
        ]
    );
    // turned off
    let off = ask(json!({"rule_id": rule["id"], "active": false, "access_ids": [own]}))
        .await
        .is(200)
        .json;
    assert_eq!(
        told(&off),
        [owned(("Ute Aal", &[], &["alt"], &["neu", "leer", "offen"]))]
    );
    // global
    let global = ask(json!({"business_partner_id": null})).await.is(200).json;
    assert_eq!(told(&global), told(&new));
    // an access whose partner has none of the tickets
    stage.app.make_ready("K-2").await;
    let foreign = stage
        .app
        .access(
            "K-2",
            "e@f.example",
            json!({"first_name": "Ida", "last_name": "Ost"}),
        )
        .await;
    let global = ask(json!({"business_partner_id": null, "access_ids": [foreign]}))
        .await
        .is(200)
        .json;
    assert_eq!(
        told(&global),
        [owned((
            "Ida Ost",
            &[],
            &[],
            &["alt", "neu", "leer", "offen"]
        ))]
    );
    // what is wrong
    ask(json!({"rule_id": "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"}))
        .await
        .is_problem(422, "unknown_reference");
    ask(json!({"rule_id": rule["id"], "business_partner_id": null}))
        .await
        .is_problem(422, "unknown_reference");
    ask(json!({"business_partner_id": "K-9"}))
        .await
        .is_problem(422, "unknown_reference");
    ask(json!({"access_ids": ["019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"]}))
        .await
        .is_problem(422, "unknown_access");
    let filter =
        json!({"type": "condition", "field": "area", "operator": "in", "values": ["nowhere"]});
    let wrong = ask(json!({"filter": filter}))
        .await
        .is_problem(422, "unknown_reference");
    assert_eq!(wrong.errors(), ["/filter/values/0 unknown_reference"]);
    let is_self =
        json!({"type": "condition", "field": "main_contact", "operator": "is_self", "values": []});
    assert_eq!(
        ask(json!({"filter": is_self}))
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/filter/operator unknown_value"]
    );
    let limited = stage.app.editor_of("K-2");
    let question = |partner: Value| json!({"business_partner_id": partner, "filter": has_tag("neu"), "tickets": [ticket("1")]});
    limited
        .post("/decisions/exclusion-rule-preview", question(Value::Null))
        .await
        .is_problem(403, "partner_restricted");
    limited
        .post("/decisions/exclusion-rule-preview", question(json!("K-1")))
        .await
        .is_problem(422, "unknown_reference");
    limited
        .post("/decisions/exclusion-rule-preview", question(json!("K-2")))
        .await
        .is(200);
    assert_eq!(stage.app.reader().get(K1).await.json, before);
}

#[rstest]
#[actix_web::test]
async fn what_is_wrong_with_a_question_is_told_at_its_place(#[values(Sqlite)] engine: Engine) {
    let Some(stage) = Stage::set(engine).await else {
        return;
    };
    let ask = async |question: Value| {
        stage
            .system
            .post("/decisions/ticket-visibility", question)
            .await
    };
    assert_eq!(
        ask(json!({}))
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/access_id exactly_one", "/tickets required"]
    );
    let many = json!({"access_id": stage.access, "tickets": vec![ticket("1"); 1001]});
    assert_eq!(
        ask(many)
            .await
            .is_problem(422, "validation_failed")
            .errors(),
        ["/tickets too_many_values"]
    );
    let most = json!({"access_id": stage.access, "tickets": vec![ticket("1"); 1000]});
    assert_eq!(
        ask(most).await.is(200).json["decisions"]
            .as_array()
            .unwrap()
            .len(),
        1000
    );
    ask(json!({"ticket": []}))
        .await
        .is_problem(400, "unknown_member");
    let request = stage.system.request("POST", "/decisions/ticket-visibility");
    request
        .raw("application/json", vec![b' '; 4 * 1024 * 1024 + 1])
        .send()
        .await
        .is_problem(413, "body_too_large");
    let request = stage.system.request("POST", "/decisions/ticket-visibility");
    request
        .raw("application/json", "{")
        .send()
        .await
        .is_problem(400, "malformed_json");
    let request = stage.system.request("POST", "/decisions/ticket-visibility");
    request
        .raw("text/plain", "{}")
        .send()
        .await
        .is_problem(415, "unsupported_media_type");
}
