//! Values of tickets that no rule can name.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp},
};

const RULES: &str = "/customer-integrations/K-1/exclusion-rules";

fn ticket(id: usize, more: Value) -> Value {
    let mut ticket = json!({"ticket_id": id.to_string(), "business_partner_id": "K-1",
        "area_id": "A-1", "internal": false, "confidential": false, "released": false});
    let members = more.as_object().cloned().unwrap();
    ticket.as_object_mut().unwrap().extend(members);
    ticket
}

async fn start(engine: Engine) -> TestApp {
    let app = TestApp::with_active_partner(engine).await;
    let more = json!({"role": "editor", "approver": true, "ticket_visibility": "partner"});
    app.create_access("K-1", "a@b.example", more).await;
    app
}

/// A value for each optional attribute that no rule can name, with the code of its warning.
fn unnameable_values() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("ticket_type_id", json!("Störung"), "invalid_id"),
        ("main_contact_id", json!("Müller, A."), "invalid_id"),
        ("created_by_access_id", json!("4711"), "invalid_id"),
        ("entry_channel", json!("E Mail"), "invalid_id"),
        ("project_id", json!("PRJ/2026/17"), "invalid_id"),
        ("service_contract_id", json!("x".repeat(65)), "invalid_id"),
        ("subject", json!("x".repeat(1001)), "too_long"),
        ("reference_number", json!("x".repeat(1001)), "too_long"),
        ("tags", json!(["VPN", "x".repeat(201)]), "too_long"),
        ("tags", json!(vec!["x"; 1001]), "too_many_values"),
    ]
}

/// A rule about an attribute that is false for all known values of these tests.
fn rule_about(member: &str, access: &str) -> Value {
    let condition = |field: &str, operator: &str, value: &str| json!({"type": "condition", "field": field, "operator": operator, "values": [value]});
    match member {
        "ticket_type_id" => condition("ticket_type", "in", "T-2"),
        "main_contact_id" => condition("main_contact", "in", "P-9"),
        "created_by_access_id" => condition("created_by", "in", access),
        "entry_channel" => condition("entry_channel", "in", "phone"),
        "project_id" => condition("project", "in", "P-9"),
        "service_contract_id" => condition("service_contract", "in", "S-9"),
        "tags" => condition("tag", "any_of", "Personal"),
        text => condition(text, "contains", "Gehalt"),
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn unnameable_values_hide_a_ticket_only_from_rules_about_them(engine: Engine) {
    let app = start(engine).await;
    let access = app.create_access("K-1", "c@d.example", json!({})).await;
    let system = app.client_with_scope("decisions:read");
    let values = unnameable_values();
    let tickets: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(index, (member, value, _))| ticket(index, json!({*member: value})))
        .collect();
    let body = json!({"access_email": "a@b.example", "explain": true, "tickets": tickets});
    let decide = async || {
        system
            .post("/decisions/ticket-visibility", body.clone())
            .await
            .is(200)
    };

    let response = decide().await.json;
    for (index, (member, _, code)) in values.iter().enumerate() {
        assert_eq!(response["decisions"][index]["visible"], true, "{member}");
        let warning = &response["warnings"][index];
        assert_eq!(warning["pointer"], format!("/tickets/{index}/{member}"));
        assert_eq!(warning["code"], *code);
    }
    assert_eq!(response["warnings"].as_array().unwrap().len(), values.len());

    for (index, (member, ..)) in values.iter().enumerate() {
        let rule = json!({"name": "R", "filter": rule_about(member, &access)});
        let created = app.editor().post(RULES, rule).await.is(201);
        let response = decide().await.json;
        for (other, (other_member, ..)) in values.iter().enumerate() {
            let is_about = member == other_member;
            let steps = response["decisions"][other]["steps"].as_array().unwrap();
            let undetermined = steps
                .iter()
                .any(|step| step["code"] == "excluded_by_rule_undetermined");
            assert!(
                undetermined || !is_about,
                "{member} of ticket {index} is unknown"
            );
        }
        let id = created.json["id"].as_str().unwrap();
        app.editor().delete(&format!("{RULES}/{id}")).await.is(204);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn unnameable_main_contact_does_not_open_confidential_ticket(engine: Engine) {
    let app = start(engine).await;
    let more = json!({"contact_id": "P-1"});
    app.create_access("K-1", "own@b.example", more).await;
    let system = app.client_with_scope("decisions:read");
    let confidential = json!({"confidential": true, "main_contact_id": "P 1"});
    let own = json!({"main_contact_id": "P 1", "created_by_access_id": "x"});
    let tickets = json!([ticket(1, confidential), ticket(2, own)]);
    let body = json!({"access_email": "own@b.example", "tickets": tickets});

    let response = system
        .post("/decisions/ticket-visibility", body)
        .await
        .is(200)
        .json;

    for decision in response["decisions"].as_array().unwrap() {
        assert_eq!(decision["visible"], false);
        assert_eq!(decision.get("error"), None);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn approval_and_preview_return_warnings(engine: Engine) {
    let app = start(engine).await;
    let reader = app.client_with_scope("decisions:read integration:read");
    let unnameable = || ticket(1, json!({"project_id": "PRJ/2026/17"}));

    let body = json!({"access_email": "a@b.example", "ticket": unnameable()});
    let approval = reader
        .post("/decisions/ticket-approval", body)
        .await
        .is(200)
        .json;
    assert_eq!(approval["allowed"], true);
    assert_eq!(approval["warnings"][0]["pointer"], "/ticket/project_id");

    let filter = rule_about("project_id", "");
    let body = json!({"business_partner_id": "K-1", "filter": filter, "tickets": [unnameable()]});
    let preview = reader
        .post("/decisions/exclusion-rule-preview", body)
        .await
        .is(200)
        .json;
    assert_eq!(preview["undetermined"], json!(["1"]));
    assert_eq!(preview["errors"], json!([]));
    assert_eq!(preview["warnings"][0]["pointer"], "/tickets/0/project_id");
}

#[apply(both_engines)]
#[actix_web::test]
async fn warnings_are_limited_and_localized(engine: Engine) {
    let app = start(engine).await;
    let system = app.client_with_scope("decisions:read");
    let tickets: Vec<_> = (0..150)
        .map(|id| ticket(id, json!({"project_id": "a/b", "entry_channel": "E Mail"})))
        .collect();
    let body = json!({"access_email": "a@b.example", "tickets": tickets});
    let request = system.request("POST", "/decisions/ticket-visibility");
    let response = request
        .header("accept-language", "de")
        .json(body)
        .send()
        .await;

    let warnings = &response.is(200).json["warnings"];
    assert_eq!(warnings.as_array().unwrap().len(), 200);
    assert_eq!(
        warnings[199],
        json!({"pointer": "/tickets/99/project_id", "code": "invalid_id", "detail":
            "Eine ID besteht aus 1 bis 64 Zeichen: Buchstaben A bis Z und a bis z, Ziffern und die \
             Zeichen . _ ~ -. Sie beginnt mit einem Buchstaben oder einer Ziffer."})
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn catalog_id_with_other_characters_is_rejected_with_its_format(engine: Engine) {
    let app = start(engine).await;
    let area = json!({"name": "Netz", "color": "#00aaff", "start_ticket_types": ["Stör ung"]});
    let problem = app.erp().put("/catalog/areas/A-1", area).await;

    let problem = problem.is_problem(422, "validation_failed");
    assert_eq!(problem.errors(), ["/start_ticket_types/0 invalid_id"]);
    assert_eq!(
        problem.json["errors"][0]["detail"],
        "An id consists of 1 to 64 characters: letters A to Z and a to z, digits, and the \
         characters . _ ~ -. It begins with a letter or a digit."
    );
}
