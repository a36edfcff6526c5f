//! Finding an access over all business partners, and the owner of a duplicate e-mail address.

use crate::engines::both_engines;
use rstest_reuse::apply;
use serde_json::json;

use crate::support::{Engine, TestApp, app::claims};

#[apply(both_engines)]
#[actix_web::test]
async fn access_is_found_over_all_partners(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let contact = |id: &str, name: &str| json!({"contact_id": id, "last_name": name});
    app.create_access("K-1", "c@b.example", contact("P-1", "Albers"))
        .await;
    app.create_access("K-2", "a@b.example", contact("P-1", "Maier"))
        .await;
    let inactive = json!({"last_name": "Zimmer", "active": false});
    app.create_access("K-2", "b@b.example", inactive).await;
    app.editor()
        .patch("/customer-integrations/K-2", json!({"active": false}))
        .await
        .is(200);
    let reader = app.reader();
    for (filter, expected) in [
        ("sort=name", vec!["Albers", "Maier", "Zimmer"]),
        ("sort=-email", vec!["Albers", "Zimmer", "Maier"]),
        ("email=A@b.example", vec!["Maier"]),
        ("contact_id=P-1", vec!["Albers", "Maier"]),
        ("q=zimm", vec!["Zimmer"]),
        ("active=true", vec!["Albers", "Maier"]),
        ("email=a@b.example&contact_id=P-2", vec![]),
    ] {
        let page = reader
            .get(&format!("/accesses?count=true&{filter}"))
            .await
            .is(200);
        assert_eq!(page.items("/last_name"), expected, "{filter}");
        assert_eq!(page.json["total_count"], expected.len(), "{filter}");
    }
    let found = reader.get("/accesses?email=a@b.example").await.is(200);
    assert_eq!(
        found.json["items"][0]["ineffective_reasons"],
        json!(["integration_inactive"])
    );
    let limited = app.editor_of("K-1").get("/accesses").await.is(200);
    assert_eq!(limited.items("/business_partner_id"), ["K-1"]);
    reader
        .get("/accesses?email=nobody")
        .await
        .is_problem(400, "invalid_parameter");
    reader
        .get("/accesses?sort=role")
        .await
        .is_problem(400, "invalid_parameter");
}

#[apply(both_engines)]
#[actix_web::test]
async fn duplicate_email_names_access_only_to_tokens_that_may_read_it(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let id = app.create_access("K-1", "a@b.example", json!({})).await;
    let other = app.create_access("K-2", "b@b.example", json!({})).await;
    let body = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
    let references = json!([
        {"kind": "access", "id": id, "name": "Änne Schäfer"},
        {"kind": "business_partner", "id": "K-1", "name": "Partner 1"}
    ]);
    let accesses = "/customer-integrations/K-2/accesses";
    let write_only = app.client_with_claims(&claims("integration:write"));
    for (client, expected) in [
        (app.editor(), &references),
        (app.editor_of("K-2"), &json!([])),
        (write_only, &json!([])),
    ] {
        let refused = client.post(accesses, body.clone()).await;
        let refused = refused.is_problem(409, "duplicate_email");
        assert_eq!(&refused.json["references"], expected);
        let refused = client
            .patch(
                &format!("{accesses}/{other}"),
                json!({"email": "A@b.example"}),
            )
            .await;
        let refused = refused.is_problem(409, "duplicate_email");
        assert_eq!(&refused.json["references"], expected);
    }
    let own = app
        .editor_of("K-1")
        .post("/customer-integrations/K-1/accesses", body)
        .await
        .is_problem(409, "duplicate_email");
    assert_eq!(own.json["references"], references);
}
