//! One response reports all errors of a request: of parsing, validation, references and rules.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, Response, TestApp},
};

const K1: &str = "/customer-integrations/K-1";

/// The errors of a problem, sorted.
fn sorted_errors(response: &Response) -> Vec<String> {
    let mut errors = response.errors();
    errors.sort();
    errors
}

fn in_values(field: &str, values: &[&str]) -> Value {
    json!({"type": "condition", "field": field, "operator": "in", "values": values})
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_reports_invalid_members_rules_and_conflicts_together(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let taken = json!({"contact_id": "P-1"});
    app.create_access("K-1", "a@b.example", taken).await;
    let before = app.history_counts(Some("K-1")).await;

    let body = json!({
        "first_name": "", "last_name": "B\u{0}", "email": "nobody", "language": "fr",
        "role": "observer", "approver": true, "contact_id": "P-1"
    });
    let response = app.editor().post(&format!("{K1}/accesses"), body).await;

    assert_eq!(
        sorted_errors(&response.is_problem(422, "validation_failed")),
        [
            "/approver approver_role",
            "/contact_id duplicate_contact",
            "/email invalid_email",
            "/first_name required",
            "/language unknown_value",
            "/last_name control_character",
        ]
    );
    assert_eq!(app.history_counts(Some("K-1")).await, before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn patched_access_reports_rules_of_the_merged_result(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let approver = json!({"role": "editor", "approver": true});
    let id = app.create_access("K-1", "a@b.example", approver).await;
    app.create_access("K-1", "taken@b.example", json!({})).await;
    let path = format!("{K1}/accesses/{id}");

    let conflicts = json!({"role": "observer", "email": "taken@b.example"});
    let response = app.editor().patch(&path, conflicts).await;
    assert_eq!(
        sorted_errors(&response.is_problem(422, "approver_role")),
        ["/approver approver_role", "/email duplicate_email"]
    );

    // without a valid role, nothing is known about the approver
    let response = app.editor().patch(&path, json!({"role": "boss"})).await;
    assert_eq!(
        response.is_problem(422, "validation_failed").errors(),
        ["/role unknown_value"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn duplicate_email_among_other_errors_names_the_access(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;

    let body = json!({"first_name": "", "last_name": "B", "email": "a@b.example"});
    let response = app.editor().post(&format!("{K1}/accesses"), body).await;

    let problem = response.is_problem(422, "validation_failed");
    assert_eq!(
        sorted_errors(&problem),
        ["/email duplicate_email", "/first_name required"]
    );
    assert_eq!(problem.json["references"][0]["id"], id);
}

#[apply(both_engines)]
#[actix_web::test]
async fn filter_reports_invalid_values_and_unknown_references_together(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let filter = json!({"type": "all", "filters": [
        in_values("area", &["A-1", "A-9", "-"]),
        in_values("status", &["shut", "open", "closed?"]),
        {"type": "none", "filters": [in_values("ticket_type", &["T-9"]), {"type": "maybe"}]},
        {"type": "condition", "field": "area", "operator": "around", "values": ["A-8"]}
    ]});
    let filter_errors = [
        "/filter/filters/0/values/1 unknown_reference",
        "/filter/filters/0/values/2 invalid_id",
        "/filter/filters/1/values/0 unknown_value",
        "/filter/filters/1/values/2 unknown_value",
        "/filter/filters/2/filters/0/values/0 unknown_reference",
        "/filter/filters/2/filters/1/type unknown_value",
        "/filter/filters/3/operator unknown_value",
        "/filter/filters/3/values/0 unknown_reference",
    ];

    let rule = json!({"name": "Regel", "filter": filter});
    let response = app
        .editor()
        .post(&format!("{K1}/exclusion-rules"), rule)
        .await;
    assert_eq!(
        sorted_errors(&response.is_problem(422, "validation_failed")),
        filter_errors
    );

    let query = json!({
        "name": "", "position": -1, "filter": filter,
        "columns": ["area", "color", "area", "size"],
        "sort": [{"field": "tag", "direction": "up"}, {"field": "urgency"}]
    });
    let response = app.editor().post(&format!("{K1}/queries"), query).await;
    let mut expected = vec![
        "/columns/1 unknown_value",
        "/columns/2 duplicate_value",
        "/columns/3 unknown_value",
        "/name required",
        "/position out_of_range",
        "/sort/0/direction unknown_value",
        "/sort/0/field unknown_value",
    ];
    expected.splice(3..3, filter_errors);
    assert_eq!(
        sorted_errors(&response.is_problem(422, "validation_failed")),
        expected
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn wrong_types_and_unknown_members_are_reported_with_everything_else(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let query = json!({
        "name": 5, "colour": "red", "active": "yes", "position": 1.5, "columns": ["area", 1],
        "sort": {"field": "urgency"}, "description": "a\u{0}",
        "filter": {"type": "all", "filters": [
            in_values("area", &["A-9"]),
            {"type": "condition", "field": "status", "operator": "in", "values": ["open", 1, null]},
            7
        ]}
    });

    let response = app.editor().post(&format!("{K1}/queries"), query).await;

    assert_eq!(
        sorted_errors(&response.is_problem(400, "wrong_type")),
        [
            "/active wrong_type",
            "/colour unknown_member",
            "/columns/1 wrong_type",
            "/description control_character",
            "/filter/filters/0/values/0 unknown_reference",
            "/filter/filters/1/values/1 wrong_type",
            "/filter/filters/1/values/2 wrong_type",
            "/filter/filters/2 wrong_type",
            "/name wrong_type",
            "/position wrong_type",
            "/sort wrong_type",
        ]
    );
    assert_eq!(
        app.editor().get_all(&format!("{K1}/queries")).await.len(),
        0
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn tag_reports_invalid_name_and_area_that_is_not_granted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let tags = format!("{K1}/tags");
    let tag = app
        .editor()
        .post(&tags, json!({"name": "VPN"}))
        .await
        .is(201);
    let path = format!("{tags}/{}", tag.json["id"].as_str().unwrap());
    let invalid = json!({"name": " ", "area_id": "A-2", "internal_only": null});

    for response in [
        app.editor().post(&tags, invalid.clone()).await,
        app.editor().patch(&path, invalid).await,
    ] {
        assert_eq!(
            sorted_errors(&response.is_problem(400, "wrong_type")),
            [
                "/area_id area_not_granted",
                "/internal_only wrong_type",
                "/name required",
            ]
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn renamed_tag_in_use_reports_its_other_errors(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let tag = editor
        .post(&format!("{K1}/tags"), json!({"name": "VPN"}))
        .await;
    let path = format!("{K1}/tags/{}", tag.json["id"].as_str().unwrap());
    let filter =
        json!({"type": "condition", "field": "tag", "operator": "any_of", "values": ["VPN"]});
    let rule = json!({"name": "Regel", "filter": filter});
    let rule = editor
        .post(&format!("{K1}/exclusion-rules"), rule)
        .await
        .is(201);

    let response = editor
        .patch(&path, json!({"name": "LAN", "area_id": "A-2"}))
        .await;

    let problem = response.is_problem(422, "area_not_granted");
    assert_eq!(
        sorted_errors(&problem),
        ["/area_id area_not_granted", "/name tag_in_use"]
    );
    assert_eq!(problem.json["references"][0]["id"], rule.json["id"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_area_reports_invalid_members_and_unknown_ticket_types(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let area = json!({
        "name": "", "color": "red", "active": 1,
        "start_ticket_types": ["T-1", "T-9", "a\u{0}", "T-1", 4]
    });

    let response = app.erp().put("/catalog/areas/A-7", area).await;

    assert_eq!(
        sorted_errors(&response.is_problem(400, "wrong_type")),
        [
            "/active wrong_type",
            "/color invalid_color",
            "/name required",
            "/start_ticket_types/1 unknown_reference",
            "/start_ticket_types/2 invalid_id",
            "/start_ticket_types/3 duplicate_value",
            "/start_ticket_types/4 wrong_type",
        ]
    );
    app.erp().get("/catalog/areas/A-7").await.is(404);
}

#[apply(both_engines)]
#[actix_web::test]
async fn grant_reports_invalid_body_and_unknown_entry(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();

    let body = json!({"approval_required": "yes", "approval": true});
    let response = editor.put(&format!("{K1}/ticket-types/T-9"), body).await;
    assert_eq!(
        sorted_errors(&response.is_problem(400, "wrong_type")),
        [
            "/approval unknown_member",
            "/approval_required wrong_type",
            "ticket_type_id unknown_reference",
        ]
    );

    let response = editor.put(&format!("{K1}/areas/A-9"), Value::Null).await;
    assert_eq!(
        response.is_problem(422, "unknown_reference").errors(),
        ["area_id unknown_reference"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn order_reports_invalid_repeated_and_unknown_ids_together(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let query = json!({
        "name": "Abfrage", "columns": ["area"], "filter": in_values("status", &["open"])
    });
    let query = app
        .editor()
        .post(&format!("{K1}/queries"), query)
        .await
        .is(201);
    let id = query.json["id"].as_str().unwrap();
    let unknown = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

    let body = json!({"query_ids": [id, "x", unknown, id, 3]});
    let response = app.editor().put(&format!("{K1}/queries/order"), body).await;

    assert_eq!(
        sorted_errors(&response.is_problem(400, "wrong_type")),
        [
            "/query_ids/1 invalid_id",
            "/query_ids/2 unknown_reference",
            "/query_ids/3 duplicate_value",
            "/query_ids/4 wrong_type",
        ]
    );
    let body = json!({"query_ids": [id, "x"]});
    let response = app.editor().put(&format!("{K1}/queries/order"), body).await;
    assert_eq!(
        response.is_problem(422, "validation_failed").errors(),
        ["/query_ids/1 invalid_id"]
    );
}

/// The errors of a body take precedence over all reasons that do not concern its members.
#[apply(both_engines)]
#[actix_web::test]
async fn invalid_body_is_reported_before_missing_resource_and_failed_precondition(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let editor = app.editor();
    let invalid = json!({"first_name": ""});
    let missing = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

    // inactive, then unknown partner, then unknown access
    let accesses = |partner: &str| format!("/customer-integrations/{partner}/accesses");
    let response = editor.post(&accesses("K-2"), invalid.clone()).await;
    response.is_problem(422, "validation_failed");
    let response = editor.post(&accesses("K-9"), invalid.clone()).await;
    response.is_problem(422, "validation_failed");
    let path = format!("{}/{missing}", accesses("K-2"));
    let response = editor.patch(&path, invalid.clone()).await;
    response.is_problem(422, "validation_failed");
    let stale = app.erp();
    let stale = stale.request("PUT", "/catalog/areas/A-1");
    let stale = stale.header("if-match", "\"9\"").json(json!({"name": ""}));
    let problem = stale.send().await.is_problem(422, "validation_failed");
    assert_eq!(problem.errors(), ["/color required", "/name required"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn oversized_lists_do_not_reach_the_database(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let ids: Vec<_> = (0..100_000).map(|n| format!("T{n}")).collect();
    let area = json!({"name": "A", "color": "#ffffff", "start_ticket_types": ids});

    let response = app.erp().put("/catalog/areas/A-7", area).await;

    assert_eq!(
        response.is_problem(422, "validation_failed").errors(),
        ["/start_ticket_types too_many_values"]
    );
}
