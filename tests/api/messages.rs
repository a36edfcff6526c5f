//! Texts in the caller's language: findings of the readiness, ineffective accesses, the history.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{Client, Engine, Response, TestApp};

const K1: &str = "/customer-integrations/K-1";

async fn send_in(
    client: &Client,
    method: &str,
    path: &str,
    language: &str,
    body: Value,
) -> Response {
    let request = client.request(method, path);
    let request = request.header("accept-language", language);
    if body.is_null() {
        request.send().await
    } else {
        request.json(body).send().await
    }
}

/// Reads a representation in both languages. Asserts that their ETags differ and are confirmed.
async fn get_in_both(client: &Client, path: &str) -> [Value; 2] {
    let mut bodies = Vec::new();
    let mut etags = Vec::new();
    for language in ["de", "en"] {
        let read = send_in(client, "GET", path, language, Value::Null).await;
        let read = read.is(200);
        assert_eq!(read.header("content-language"), language, "{path}");
        let request = client.request("GET", path);
        let request = request.header("accept-language", language);
        let unchanged = request.header("if-none-match", &read.etag());
        unchanged.send().await.is(304);
        etags.push(read.etag());
        bodies.push(read.json);
    }
    assert_ne!(etags[0], etags[1], "{path}");
    bodies.try_into().unwrap()
}

#[apply(both_engines)]
#[actix_web::test]
async fn findings_have_messages_and_names(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let rule = json!({"name": "R", "filter":
        {"type": "condition", "field": "area", "operator": "in", "values": ["A-1"]}});
    let editor = app.editor();
    editor
        .post(&format!("{K1}/exclusion-rules"), rule)
        .await
        .is(201);
    let [de, en] = get_in_both(&editor, K1).await;
    let finding = |message: &str| {
        json!({"code": "area_fully_excluded", "message": message,
            "references": [{"kind": "area", "id": "A-1", "name": "Bereich 1"}]})
    };
    assert_eq!(
        de["readiness"]["warnings"],
        json!([finding(
            "Ausschlussregeln verbergen alle Tickets des Bereichs „Bereich 1“."
        )])
    );
    assert_eq!(
        en["readiness"]["warnings"],
        json!([finding(
            "Exclusion rules hide all tickets of the area “Bereich 1”."
        )])
    );
    let inactive = json!({"active": false});
    let changed = send_in(&editor, "PATCH", K1, "de", inactive).await.is(200);
    assert_eq!(changed.header("content-language"), "de");
    assert_eq!(
        changed.json["readiness"]["blockers"][0]["message"],
        "Die Kundenintegration ist inaktiv."
    );
    let read = send_in(&editor, "GET", K1, "de", Value::Null).await;
    assert_eq!(read.etag(), changed.etag());
    // A write accepts the ETag of any language.
    let request = editor.request("PATCH", K1).json(json!({"active": true}));
    let request = request.header("accept-language", "en");
    request
        .header("if-match", &read.etag())
        .send()
        .await
        .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn ineffective_reasons_have_messages(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let editor = app.editor();
    let id = app
        .create_access("K-1", "a@b.example", json!({"active": false}))
        .await;
    editor.patch(K1, json!({"active": false})).await.is(200);
    let list = format!("{K1}/accesses");
    let reasons = json!(["integration_inactive", "access_inactive"]);
    let de = json!([
        "Die Kundenintegration ist inaktiv.",
        "Der Kundenzugang ist inaktiv."
    ]);
    let en = json!([
        "The customer integration is inactive.",
        "The access is inactive."
    ]);
    for path in [format!("{list}/{id}"), list, "/accesses".to_owned()] {
        let bodies = get_in_both(&editor, &path).await;
        for (body, messages) in bodies.iter().zip([&de, &en]) {
            let access = body.pointer("/items/0").unwrap_or(body);
            assert_eq!(access["ineffective_reasons"], reasons, "{path}");
            assert_eq!(access["ineffective_messages"], *messages, "{path}");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn history_entries_have_messages_and_names(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = app.create_one_of_each().await;
    let editor = app.editor();
    editor
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    editor.delete(&format!("{K1}/areas/A-2")).await.is(204);
    let order = json!({"query_ids": [ids.query]});
    editor
        .put(&format!("{K1}/queries/order"), order)
        .await
        .is(200);
    let auditor = app.client_with_scope("audit:read");
    for path in [
        format!("{K1}/history"),
        "/history?business_partner_id=K-1".to_owned(),
    ] {
        let [de, en] = get_in_both(&auditor, &path).await;
        let newest = |page: &Value, n: usize| {
            let entry = &page["items"][n];
            (entry["message"].clone(), entry["resource_name"].clone())
        };
        assert_eq!(
            newest(&de, 0),
            (
                json!("Freischaltung entzogen: Bereich „Bereich 2“."),
                json!("Bereich 2")
            )
        );
        assert_eq!(
            newest(&en, 1),
            (json!("Area “Bereich 2” granted."), json!("Bereich 2"))
        );
        let of_access = de["items"].as_array().unwrap().iter();
        let of_access = of_access
            .clone()
            .find(|entry| entry["resource"] == "access");
        let of_access = of_access.unwrap();
        assert_eq!(
            of_access["message"],
            "Kundenzugang „Änne Schäfer“ angelegt."
        );
        let states = [&of_access["before"], &of_access["after"]];
        assert!(
            states
                .iter()
                .all(|state| state.get("ineffective_messages").is_none())
        );
    }
}
