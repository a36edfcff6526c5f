//! Accesses: rules R2, R6, R7 and R10.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp},
};

const K1: &str = "/customer-integrations/K-1";
const ACCESSES: &str = "/customer-integrations/K-1/accesses";

fn access_path(id: &str) -> String {
    format!("{ACCESSES}/{id}")
}

/// The body of a new access with an email address.
fn access_body(email: &str) -> Value {
    json!({"first_name": "A", "last_name": "B", "email": email})
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_is_created_with_defaults(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body =
        json!({"first_name": " Änne ", "last_name": "Schäfer", "email": "Aenne@Muster.Example"});

    let created = app.editor().post(ACCESSES, body).await.is(201);

    let expected = json!({
        "business_partner_id": "K-1",
        "contact_id": null,
        "first_name": "Änne",
        "last_name": "Schäfer",
        "email": "aenne@muster.example",
        "language": "de",
        "role": "observer",
        "approver": false,
        "ticket_visibility": "own",
        "active": true,
        "effective": true,
        "ineffective_reasons": [],
        "version": 1,
        "created_by": "anna.admin",
        "updated_by": "anna.admin",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&created.json[name], value, "{name}");
    }

    let location = created.header("location").strip_prefix("/api/v1").unwrap();
    let read = app.reader().get(location).await.is(200);
    assert_eq!(read.json, created.json);
    assert_eq!(read.etag(), created.etag());
}

#[apply(both_engines)]
#[actix_web::test]
async fn patch_leaves_missing_members_and_clears_null_members(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let more = json!({"contact_id": "P-1", "role": "editor"});
    let access = access_path(&app.create_access("K-1", "a@b.example", more).await);

    let patch = json!({"contact_id": null, "ticket_visibility": "partner"});
    let patched = app.editor().patch(&access, patch).await.is(200).json;

    assert_eq!(patched["contact_id"], Value::Null);
    assert_eq!(patched["ticket_visibility"], "partner");
    assert_eq!(patched["role"], "editor");
    assert_eq!(patched["version"], 2);
}

#[apply(both_engines)]
#[actix_web::test]
async fn patch_with_merge_patch_media_type_is_accepted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let access = access_path(&app.create_access("K-1", "a@b.example", json!({})).await);

    let patched = app
        .editor()
        .request("PATCH", &access)
        .raw(
            "application/merge-patch+json; charset=utf-8",
            r#"{"language": "en"}"#,
        )
        .send()
        .await
        .is(200);

    assert_eq!(patched.json["language"], "en");
}

#[apply(both_engines)]
#[actix_web::test]
async fn patch_without_changes_is_a_no_op(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let revision = async || app.reader().get(K1).await.is(200).json["revision"].clone();
    let more = json!({"role": "dispatcher", "active": false});
    let access = access_path(&app.create_access("K-1", "a@b.example", more).await);
    let access_before = editor.get(&access).await.is(200).json;
    let revision_before = revision().await;

    let patch = json!({"active": false, "role": "dispatcher"});
    let patched = editor.patch(&access, patch).await.is(200);

    assert_eq!(patched.json, access_before);
    assert_eq!(revision().await, revision_before);
}

#[apply(both_engines)]
#[actix_web::test]
async fn reactivated_access_has_its_previous_settings(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let more = json!({"role": "dispatcher", "approver": true});
    let access = access_path(&app.create_access("K-1", "a@b.example", more).await);

    editor
        .patch(&access, json!({"active": false}))
        .await
        .is(200);
    let reactivated = editor.patch(&access, json!({"active": true})).await.is(200);

    assert_eq!(reactivated.json["approver"], true);
    assert_eq!(reactivated.json["role"], "dispatcher");
}

#[apply(both_engines)]
#[actix_web::test]
async fn active_access_without_area_or_ticket_type_returns_409(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let editor = app.editor();
    editor.patch(K1, json!({"active": true})).await.is(200);

    let without_both = editor.post(ACCESSES, access_body("a@b.example")).await;
    editor
        .put(&format!("{K1}/areas/A-1"), Value::Null)
        .await
        .is(201);
    let without_ticket_type = editor.post(ACCESSES, access_body("a@b.example")).await;

    assert_eq!(
        without_both
            .is_problem(409, "integration_incomplete")
            .errors(),
        ["/active no_area", "/active no_ticket_type"]
    );
    assert_eq!(
        without_ticket_type
            .is_problem(409, "integration_incomplete")
            .errors(),
        ["/active no_ticket_type"]
    );
    assert_eq!(
        editor.get_all(ACCESSES).await.len(),
        0,
        "a rejected access must not be stored"
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn inactive_access_can_be_activated_after_area_and_ticket_type_are_granted(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let editor = app.editor();
    editor.patch(K1, json!({"active": true})).await.is(200);

    let mut body = access_body("a@b.example");
    body["active"] = json!(false);
    let created = editor.post(ACCESSES, body).await.is(201).json;
    assert_eq!(created["ineffective_reasons"], json!(["access_inactive"]));

    for grant in ["areas/A-1", "ticket-types/T-1"] {
        editor
            .put(&format!("{K1}/{grant}"), Value::Null)
            .await
            .is(201);
    }
    let access = access_path(created["id"].as_str().unwrap());
    editor.patch(&access, json!({"active": true})).await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn new_approver_as_observer_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let mut body = access_body("a@b.example");
    body["approver"] = json!(true);

    let refused = app.editor().post(ACCESSES, body).await;

    assert_eq!(
        refused.is_problem(422, "approver_role").errors(),
        ["/approver approver_role"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn patch_that_results_in_approver_as_observer_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let more = json!({"role": "editor"});
    let access = access_path(&app.create_access("K-1", "a@b.example", more).await);
    editor
        .patch(&access, json!({"approver": true}))
        .await
        .is(200);

    // the merged resource is validated, whether the role or the flag changes
    editor
        .patch(&access, json!({"role": "observer"}))
        .await
        .is_problem(422, "approver_role");
    editor
        .patch(&access, json!({"role": "observer", "approver": false}))
        .await
        .is(200);
    editor
        .patch(&access, json!({"approver": true}))
        .await
        .is_problem(422, "approver_role");
    editor
        .patch(&access, json!({"role": "dispatcher", "approver": true}))
        .await
        .is(200);
}

/// An app with two accesses of different partners and the same contact id. Returns the path of the
/// second one.
async fn app_with_two_partners(engine: Engine) -> (TestApp, String) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let contact = json!({"contact_id": "P-1"});
    app.create_access("K-1", "a@b.example", contact.clone())
        .await;
    let id = app.create_access("K-2", "c@d.example", contact).await;
    (app, format!("/customer-integrations/K-2/accesses/{id}"))
}

fn access_body_with_contact(email: &str, contact: &str) -> Value {
    let mut body = access_body(email);
    body["contact_id"] = json!(contact);
    body
}

#[apply(both_engines)]
#[actix_web::test]
async fn email_of_another_access_of_any_partner_returns_409(engine: Engine) {
    let (app, second_access) = app_with_two_partners(engine).await;
    let editor = app.editor();

    for path in [ACCESSES, "/customer-integrations/K-2/accesses"] {
        let body = access_body_with_contact("A@B.example", "P-9");
        let refused = editor.post(path, body).await;
        assert_eq!(
            refused.is_problem(409, "duplicate_email").errors(),
            ["/email duplicate_email"]
        );
    }
    editor
        .patch(&second_access, json!({"email": "a@b.example"}))
        .await
        .is_problem(409, "duplicate_email");
}

#[apply(both_engines)]
#[actix_web::test]
async fn contact_of_another_access_of_the_partner_returns_409(engine: Engine) {
    let (app, _) = app_with_two_partners(engine).await;
    let editor = app.editor();

    let body = access_body_with_contact("x@y.example", "P-1");
    let refused = editor.post(ACCESSES, body).await;
    assert_eq!(
        refused.is_problem(409, "duplicate_contact").errors(),
        ["/contact_id duplicate_contact"]
    );

    // the engines check their unique indexes in different orders
    let body = access_body_with_contact("a@b.example", "P-1");
    let refused = editor.post(ACCESSES, body).await;
    assert_eq!(
        refused.is_problem(409, "duplicate_email").errors(),
        ["/email duplicate_email", "/contact_id duplicate_contact"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn patch_with_own_contact_is_accepted(engine: Engine) {
    let (app, second_access) = app_with_two_partners(engine).await;

    let patch = json!({"email": "i@j.example", "contact_id": "P-1"});
    let response = app.editor().patch(&second_access, patch).await;

    response.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn accesses_without_contact_do_not_conflict(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for email in ["e@f.example", "g@h.example"] {
        app.create_access("K-1", email, json!({})).await;
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_of_inactive_integration_and_partner_is_ineffective(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let access = access_path(&app.create_access("K-1", "a@b.example", json!({})).await);
    let effective = app.reader().get(&access).await.is(200);

    let partner = json!({"name": "Partner 1", "search_name": "P1", "active": false});
    app.erp()
        .put("/catalog/business-partners/K-1", partner)
        .await
        .is(200);
    app.editor()
        .patch(K1, json!({"active": false}))
        .await
        .is(200);

    // the version is unchanged, but the representation and its ETag are not
    let ineffective = app
        .reader()
        .request("GET", &access)
        .header("if-none-match", &effective.etag())
        .send()
        .await
        .is(200);
    assert_eq!(ineffective.json["version"], effective.json["version"]);
    assert_eq!(ineffective.json["effective"], false);
    assert_eq!(
        ineffective.json["ineffective_reasons"],
        json!(["integration_inactive", "business_partner_inactive"])
    );
}

/// An app with four accesses of K-1.
async fn app_with_accesses(engine: Engine) -> TestApp {
    let app = TestApp::with_active_partner(engine).await;
    let create = async |email: &str, first_name: &str, last_name: &str, role: &str| {
        let more = json!({"first_name": first_name, "last_name": last_name, "role": role});
        app.create_access("K-1", email, more).await;
    };
    create("zoe@b.example", "Zoe", "Öztürk", "editor").await;
    create("anna_z@b.example", "Anna", "Zander", "observer").await;
    create("bert@b.example", "Bert", "Österreicher", "editor").await;
    create("100%@b.example", "Carl", "Oswald", "dispatcher").await;
    app
}

/// Reads the list of accesses with query parameters and returns the last names.
async fn list_last_names(app: &TestApp, parameters: &str) -> Vec<String> {
    let path = format!("{ACCESSES}?{parameters}");
    app.reader().get(&path).await.is(200).items("/last_name")
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_list_is_sorted_by_name_or_creation(engine: Engine) {
    let app = app_with_accesses(engine).await;

    assert_eq!(
        list_last_names(&app, "").await,
        ["Österreicher", "Oswald", "Öztürk", "Zander"]
    );
    assert_eq!(
        list_last_names(&app, "sort=-name").await,
        ["Zander", "Öztürk", "Oswald", "Österreicher"]
    );
    assert_eq!(
        list_last_names(&app, "sort=-created_at").await,
        ["Oswald", "Österreicher", "Zander", "Öztürk"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_list_is_filtered_by_role_and_activity(engine: Engine) {
    let app = app_with_accesses(engine).await;

    assert_eq!(
        list_last_names(&app, "role=editor").await,
        ["Österreicher", "Öztürk"]
    );
    assert_eq!(list_last_names(&app, "active=false").await, [""; 0]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_search_matches_names_and_email_without_wildcards(engine: Engine) {
    let app = app_with_accesses(engine).await;

    assert_eq!(list_last_names(&app, "q=ozturk").await, ["Öztürk"]);
    assert_eq!(
        list_last_names(&app, "q=OST%20bert").await,
        ["Österreicher"]
    );
    assert_eq!(
        list_last_names(&app, "q=%25").await,
        ["Oswald"],
        "a percent sign is not a wildcard"
    );
    assert_eq!(
        list_last_names(&app, "q=a_z").await,
        ["Zander"],
        "an underscore is not a wildcard"
    );
}
