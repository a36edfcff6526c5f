//! Accesses and their rules: R2, R6, R7, R10.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

const ACCESSES: &str = "/customer-integrations/K-1/accesses";

#[rstest]
#[actix_web::test]
async fn an_access_is_created_with_defaults_and_read_back(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else { return };
    let body = json!({"first_name": " Änne ", "last_name": "Schäfer", "email": "Aenne@Muster.Example"});
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
    assert_eq!((read.json.clone(), read.etag()), (created.json.clone(), created.etag()));
}
