//! Finding an access over all business partners, and the owner of a duplicate e-mail address.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Client, Engine, TestApp, app::claims},
};

const ACCESSES_OF_K2: &str = "/customer-integrations/K-2/accesses";

/// An app with an access of K-1 and two accesses of K-2, one of them inactive.
async fn app_with_accesses(engine: Engine) -> TestApp {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    let albers = json!({"contact_id": "P-1", "last_name": "Albers"});
    app.create_access("K-1", "c@b.example", albers).await;
    let maier = json!({"contact_id": "P-1", "last_name": "Maier"});
    app.create_access("K-2", "a@b.example", maier).await;
    let zimmer = json!({"last_name": "Zimmer", "active": false});
    app.create_access("K-2", "b@b.example", zimmer).await;
    app
}

/// Reads the list of all accesses with query parameters, checks the total and returns the last
/// names.
async fn list_last_names(app: &TestApp, parameters: &str) -> Vec<String> {
    let path = format!("/accesses?count=true&{parameters}");
    let page = app.reader().get(&path).await.is(200);
    let names = page.items("/last_name");
    assert_eq!(page.json["total_count"], names.len(), "{parameters}");
    names
}

#[apply(both_engines)]
#[actix_web::test]
async fn accesses_of_all_partners_are_sorted_by_name_or_email(engine: Engine) {
    let app = app_with_accesses(engine).await;

    assert_eq!(
        list_last_names(&app, "sort=name").await,
        ["Albers", "Maier", "Zimmer"]
    );
    assert_eq!(
        list_last_names(&app, "sort=-email").await,
        ["Albers", "Zimmer", "Maier"]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn accesses_of_all_partners_are_found_by_email_contact_and_name(engine: Engine) {
    let app = app_with_accesses(engine).await;

    assert_eq!(list_last_names(&app, "email=A@b.example").await, ["Maier"]);
    assert_eq!(
        list_last_names(&app, "contact_id=P-1").await,
        ["Albers", "Maier"]
    );
    assert_eq!(list_last_names(&app, "q=zimm").await, ["Zimmer"]);
    assert_eq!(
        list_last_names(&app, "active=true").await,
        ["Albers", "Maier"]
    );
    assert_eq!(
        list_last_names(&app, "email=a@b.example&contact_id=P-2").await,
        [""; 0]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn found_access_has_reasons_of_its_partner(engine: Engine) {
    let app = app_with_accesses(engine).await;
    app.editor()
        .patch("/customer-integrations/K-2", json!({"active": false}))
        .await
        .is(200);

    let found = app.reader().get("/accesses?email=a@b.example").await;

    assert_eq!(
        found.is(200).json["items"][0]["ineffective_reasons"],
        json!(["integration_inactive"])
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn accesses_with_partner_token_are_of_its_partner_only(engine: Engine) {
    let app = app_with_accesses(engine).await;

    let accesses = app.editor_of("K-1").get("/accesses").await.is(200);

    assert_eq!(accesses.items("/business_partner_id"), ["K-1"]);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_parameter_of_access_search_returns_400(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for parameter in ["email=nobody", "sort=role"] {
        let refused = app.reader().get(&format!("/accesses?{parameter}")).await;
        refused.is_problem(400, "invalid_parameter");
    }
}

/// Two partners, and an access of each.
struct DuplicateSetup {
    app: TestApp,
    /// The references to the access of K-1 and to its partner.
    references: Value,
    /// The path of the access of K-2.
    other_access: String,
}

impl DuplicateSetup {
    async fn start(engine: Engine) -> Self {
        let app = TestApp::with_active_partner(engine).await;
        app.activate_partner("K-2").await;
        let id = app.create_access("K-1", "a@b.example", json!({})).await;
        let other_id = app.create_access("K-2", "b@b.example", json!({})).await;
        Self {
            app,
            references: json!([
                {"kind": "access", "id": id, "name": "Änne Schäfer"},
                {"kind": "business_partner", "id": "K-1", "name": "Partner 1"},
            ]),
            other_access: format!("{ACCESSES_OF_K2}/{other_id}"),
        }
    }

    /// Asserts the references of a new and of a changed access of K-2 with the address of the
    /// access of K-1.
    async fn assert_references(&self, client: Client, expected: &Value) {
        let body = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});
        let created = client.post(ACCESSES_OF_K2, body).await;
        let patch = json!({"email": "A@b.example"});
        let changed = client.patch(&self.other_access, patch).await;

        for response in [created, changed] {
            let refused = response.is_problem(409, "duplicate_email");
            assert_eq!(&refused.json["references"], expected);
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn duplicate_email_names_access_of_other_partner(engine: Engine) {
    let setup = DuplicateSetup::start(engine).await;

    let editor = setup.app.editor();
    setup.assert_references(editor, &setup.references).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn duplicate_email_names_no_access_that_the_token_may_not_read(engine: Engine) {
    let setup = DuplicateSetup::start(engine).await;

    let of_other_partner = setup.app.editor_of("K-2");
    setup.assert_references(of_other_partner, &json!([])).await;
    let write_only = setup.app.client_with_claims(&claims("integration:write"));
    setup.assert_references(write_only, &json!([])).await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn duplicate_email_with_partner_token_names_own_access(engine: Engine) {
    let setup = DuplicateSetup::start(engine).await;
    let body = json!({"first_name": "A", "last_name": "B", "email": "a@b.example"});

    let refused = setup
        .app
        .editor_of("K-1")
        .post("/customer-integrations/K-1/accesses", body)
        .await;

    assert_eq!(
        refused.is_problem(409, "duplicate_email").json["references"],
        setup.references
    );
}
