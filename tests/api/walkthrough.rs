//! A partner from activation to an incomplete integration.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{Engine, TestApp},
};

#[apply(both_engines)]
#[actix_web::test]
async fn partner_without_areas_cannot_reactivate_access(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let editor = app.editor();
    let k1 = "/customer-integrations/K-1";
    let area = format!("{k1}/areas/A-1");

    editor
        .put(&area, Value::Null)
        .await
        .is_problem(409, "integration_inactive");
    editor.patch(k1, json!({"active": true})).await.is(200);
    editor.put(&area, Value::Null).await.is(201);
    editor
        .put(
            &format!("{k1}/ticket-types/T-1"),
            json!({"approval_required": true}),
        )
        .await
        .is(201);
    let id = app
        .create_access("K-1", "aenne@muster.example", json!({}))
        .await;
    let access = format!("{k1}/accesses/{id}");
    assert_eq!(
        editor.get(k1).await.is(200).json["readiness"]["usable"],
        true
    );

    editor.delete(&area).await.is_problem(409, "last_area");
    editor
        .patch(&access, json!({"active": false}))
        .await
        .is(200);
    editor.delete(&area).await.is(204);
    editor.get(&area).await.is_problem(404, "not_found");
    let refused = editor
        .patch(&access, json!({"active": true}))
        .await
        .is_problem(409, "integration_incomplete");
    assert_eq!(refused.errors(), ["/active no_area"]);
}
