//! Accesses: rules R2, R6, R7 and R10.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Engine, TestApp};

const ACCESSES: &str = "/customer-integrations/K-1/accesses";

#[apply(both_engines)]
#[actix_web::test]
async fn access_is_created_with_defaults(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let body =
        json!({"first_name": " Änne ", "last_name": "Schäfer", "email": "Aenne@Muster.Example"});
    let created = app.editor().post(ACCESSES, body).await.is(201);
    let expected = json!({"business_partner_id": "K-1", "contact_id": null, "first_name": "Änne", "last_name": "Schäfer",
        "email": "aenne@muster.example", "language": "de", "role": "observer", "approver": false, "ticket_visibility": "own",
        "active": true, "effective": true, "ineffective_reasons": [], "version": 1, "created_by": "anna.admin",
        "updated_by": "anna.admin"});
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&created.json[name], value, "{name}");
    }
    let location = created.header("location").strip_prefix("/api/v1").unwrap();
    let read = app.reader().get(location).await.is(200);
    assert_eq!(read.json.clone(), created.json.clone());
    assert_eq!(read.etag(), created.etag());
}

#[apply(both_engines)]
#[actix_web::test]
async fn patch_leaves_missing_members_and_clears_null_members(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app
        .create_access(
            "K-1",
            "a@b.example",
            json!({"contact_id": "P-1", "role": "editor"}),
        )
        .await;
    let access = format!("{ACCESSES}/{id}");
    let changed = app
        .editor()
        .patch(
            &access,
            json!({"contact_id": null, "ticket_visibility": "partner"}),
        )
        .await
        .is(200);
    let json = &changed.json;
    assert_eq!(json["contact_id"], Value::Null);
    assert_eq!(json["role"], "editor");
    assert_eq!(json["version"], 2);
    let request = app.editor().request("PATCH", &access);
    let body = json!({"language": "en"}).to_string();
    let changed = request
        .raw("application/merge-patch+json; charset=utf-8", body)
        .send()
        .await
        .is(200);
    assert_eq!(changed.json["language"], "en");
}

#[apply(both_engines)]
#[actix_web::test]
async fn patch_without_changes_is_a_no_op(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app
        .create_access(
            "K-1",
            "a@b.example",
            json!({"role": "dispatcher", "approver": true}),
        )
        .await;
    let access = format!("{ACCESSES}/{id}");
    let before = app
        .editor()
        .patch(&access, json!({"active": false}))
        .await
        .is(200);
    let revision = app.reader().get("/customer-integrations/K-1").await.json["revision"].clone();
    let unchanged = app
        .editor()
        .patch(&access, json!({"active": false, "role": "dispatcher"}))
        .await
        .is(200);
    assert_eq!(unchanged.json, before.json);
    assert_eq!(
        app.reader().get("/customer-integrations/K-1").await.json["revision"],
        revision
    );
    let reactivated = app
        .editor()
        .patch(&access, json!({"active": true}))
        .await
        .is(200);
    assert_eq!(reactivated.json["approver"], true);
    assert_eq!(reactivated.json["role"], "dispatcher");
}

#[apply(both_engines)]
#[actix_web::test]
async fn active_access_without_area_or_ticket_type_returns_409(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let editor = app.editor();
    editor
        .patch("/customer-integrations/K-1", json!({"active": true}))
        .await
        .is(200);
    let body = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
    let refused = editor
        .post(ACCESSES, body.clone())
        .await
        .is_problem(409, "integration_incomplete");
    assert_eq!(
        refused.errors(),
        ["/active no_area", "/active no_ticket_type"]
    );
    editor
        .put("/customer-integrations/K-1/areas/A-1", Value::Null)
        .await
        .is(201);
    let refused = editor
        .post(ACCESSES, body.clone())
        .await
        .is_problem(409, "integration_incomplete");
    assert_eq!(refused.errors(), ["/active no_ticket_type"]);
    assert_eq!(
        editor.get_all(ACCESSES).await.len(),
        0,
        "a rejected access must not be stored"
    );

    let mut inactive = body.clone();
    inactive["active"] = json!(false);
    let created = editor.post(ACCESSES, inactive).await.is(201);
    assert_eq!(
        created.json["ineffective_reasons"],
        json!(["access_inactive"])
    );
    editor
        .put("/customer-integrations/K-1/ticket-types/T-1", Value::Null)
        .await
        .is(201);
    let id = created.json["id"].as_str().unwrap();
    editor
        .patch(&format!("{ACCESSES}/{id}"), json!({"active": true}))
        .await
        .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn approver_as_observer_returns_422(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let body =
        json!({"first_name": "A", "last_name": "B", "email": "a@b.example", "approver": true});
    let refused = editor
        .post(ACCESSES, body)
        .await
        .is_problem(422, "approver_role");
    assert_eq!(refused.errors(), ["/approver approver_role"]);
    let id = app
        .create_access("K-1", "a@b.example", json!({"role": "editor"}))
        .await;
    let access = format!("{ACCESSES}/{id}");
    editor
        .patch(&access, json!({"approver": true}))
        .await
        .is(200);
    // The merged resource is validated, whether the role or the flag changes.
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

#[apply(both_engines)]
#[actix_web::test]
async fn email_is_unique_globally_and_contact_per_partner(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let editor = app.editor();
    app.create_access("K-1", "a@b.example", json!({"contact_id": "P-1"}))
        .await;
    let other = app
        .create_access("K-2", "c@d.example", json!({"contact_id": "P-1"}))
        .await;
    let body = |email: &str, contact: &str| json!({"first_name": "A", "last_name": "B", "email": email, "contact_id": contact});
    for path in [ACCESSES, "/customer-integrations/K-2/accesses"] {
        let refused = editor
            .post(path, body("A@B.example", "P-9"))
            .await
            .is_problem(409, "duplicate_email");
        assert_eq!(refused.errors(), ["/email duplicate_email"]);
    }
    let refused = editor
        .post(ACCESSES, body("x@y.example", "P-1"))
        .await
        .is_problem(409, "duplicate_contact");
    assert_eq!(refused.errors(), ["/contact_id duplicate_contact"]);
    // A repeated creation returns the same two errors on both databases.
    let refused = editor
        .post(ACCESSES, body("a@b.example", "P-1"))
        .await
        .is_problem(409, "duplicate_email");
    assert_eq!(
        refused.errors(),
        ["/email duplicate_email", "/contact_id duplicate_contact"]
    );
    let other = format!("/customer-integrations/K-2/accesses/{other}");
    editor
        .patch(&other, json!({"email": "a@b.example"}))
        .await
        .is_problem(409, "duplicate_email");
    // An access does not conflict with its own values.
    editor
        .patch(&other, json!({"email": "i@j.example", "contact_id": "P-1"}))
        .await
        .is(200);
    // Any number of accesses can have no contact.
    app.create_access("K-1", "e@f.example", json!({})).await;
    app.create_access("K-1", "g@h.example", json!({})).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_of_inactive_integration_and_partner_is_ineffective(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let access = format!("{ACCESSES}/{id}");
    let effective = app.reader().get(&access).await.is(200);
    let partner = json!({"name": "Partner 1", "search_name": "P1", "active": false});
    app.erp()
        .put("/catalog/business-partners/K-1", partner)
        .await
        .is(200);
    app.editor()
        .patch("/customer-integrations/K-1", json!({"active": false}))
        .await
        .is(200);
    // The version is unchanged, but the representation and its ETag are not.
    let request = app
        .reader()
        .request("GET", &access)
        .header("if-none-match", &effective.etag());
    let ineffective = request.send().await.is(200);
    assert_eq!(ineffective.json["version"], effective.json["version"]);
    assert_eq!(ineffective.json["effective"], false);
    assert_eq!(
        ineffective.json["ineffective_reasons"],
        json!(["integration_inactive", "business_partner_inactive"])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn access_list_is_filtered_searched_and_sorted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    for (first, last, email, role) in [
        ("Zoe", "Öztürk", "zoe@b.example", "editor"),
        ("Anna", "Zander", "anna_z@b.example", "observer"),
        ("Bert", "Österreicher", "bert@b.example", "editor"),
        ("Carl", "Oswald", "100%@b.example", "dispatcher"),
    ] {
        app.create_access(
            "K-1",
            email,
            json!({"first_name": first, "last_name": last, "role": role}),
        )
        .await;
    }
    let reader = app.reader();
    let last_names = async |query: &str| {
        reader
            .get(&format!("{ACCESSES}?{query}"))
            .await
            .is(200)
            .items("/last_name")
    };
    assert_eq!(
        last_names("").await,
        ["Österreicher", "Oswald", "Öztürk", "Zander"]
    );
    assert_eq!(
        last_names("sort=-name").await,
        ["Zander", "Öztürk", "Oswald", "Österreicher"]
    );
    assert_eq!(
        last_names("sort=-created_at").await,
        ["Oswald", "Österreicher", "Zander", "Öztürk"]
    );
    assert_eq!(last_names("role=editor").await, ["Österreicher", "Öztürk"]);
    assert_eq!(last_names("q=ozturk").await, ["Öztürk"]);
    assert_eq!(last_names("q=OST%20bert").await, ["Österreicher"]);
    assert_eq!(
        last_names("q=%25").await,
        ["Oswald"],
        "a percent sign is no wildcard"
    );
    assert_eq!(
        last_names("q=a_z").await,
        ["Zander"],
        "an underscore is no wildcard"
    );
    assert_eq!(last_names("active=false").await, [""; 0]);
}
