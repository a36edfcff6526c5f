//! Lists over many partners are cached: they are as current as their requests, and a token limited
//! to a partner never gets the page of another token.

use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::engines::all_engines;
use crate::support::{Client, Engine, TestApp};

const WRITES: usize = 20;

/// The member `name` of the items of a list.
async fn members(client: &Client, path: &str, name: &str) -> Vec<Value> {
    let response = client.get(path).await.is(200);
    let items = response.json["items"].as_array().unwrap();
    items.iter().map(|item| item[name].clone()).collect()
}

/// Another instance with the same database, if the engine allows one.
async fn second_instance(app: &TestApp, engine: Engine) -> Option<TestApp> {
    if engine == Engine::Sqlite {
        None
    } else {
        Some(app.start_second_instance().await)
    }
}

#[apply(all_engines)]
#[actix_web::test]
async fn list_of_all_accesses_is_current_after_each_write(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let access = app.create_access("K-1", "a@b.example", json!({})).await;
    let path = format!("/customer-integrations/K-1/accesses/{access}");
    let other = second_instance(&app, engine).await;
    let reader = other.as_ref().unwrap_or(&app).reader();
    for number in 0..WRITES {
        let name = format!("Name {number}");
        let patch = json!({"last_name": name});
        app.editor().patch(&path, patch).await.is(200);
        for _ in 0..2 {
            let names = members(&reader, "/accesses", "last_name").await;
            assert_eq!(names, [json!(name)]);
        }
    }
}

#[apply(all_engines)]
#[actix_web::test]
async fn list_of_integrations_is_current_after_each_write(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let other = second_instance(&app, engine).await;
    let reader = other.as_ref().unwrap_or(&app).reader();
    for number in 0..WRITES {
        let active = number % 2 == 1;
        let patch = json!({"active": active});
        app.editor()
            .patch("/customer-integrations/K-2", patch)
            .await
            .is(200);
        for _ in 0..2 {
            let path = "/customer-integrations?sort=name";
            let states = members(&reader, path, "active").await;
            assert_eq!(states, [json!(true), json!(active)]);
        }
    }
}

#[apply(all_engines)]
#[actix_web::test]
async fn lists_of_catalog_are_current_after_each_write(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let other = second_instance(&app, engine).await;
    let reader = other.as_ref().unwrap_or(&app).reader();
    for number in 0..WRITES {
        let name = format!("Bereich {number}");
        let area = json!({"name": name, "color": "#00aaff"});
        app.erp().put("/catalog/areas/A-3", area).await.is(200);
        for path in [
            "/catalog/areas?ids=A-3",
            "/catalog/areas?ids=A-3&include_usage=true",
        ] {
            let names = members(&reader, path, "name").await;
            assert_eq!(names, [json!(name)], "{path}");
        }
    }
}

#[apply(all_engines)]
#[actix_web::test]
async fn limited_token_gets_its_own_page(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    app.activate_partner("K-2").await;
    app.create_access("K-1", "a@b.example", json!({})).await;
    app.create_access("K-2", "c@d.example", json!({})).await;
    let limited = [app.editor_of("K-1"), app.editor_of("K-2")];
    // the second round gets cached pages
    for _ in 0..2 {
        for list in [
            "/accesses",
            "/customer-integrations",
            "/catalog/business-partners",
        ] {
            assert_eq!(
                members(&app.editor(), list, "version").await.len(),
                2,
                "{list}"
            );
            for (client, partner) in limited.iter().zip(["K-1", "K-2"]) {
                let response = client.get(list).await.is(200);
                let items = response.json["items"].as_array().unwrap();
                assert_eq!(items.len(), 1, "{list}");
                assert!(items[0].to_string().contains(partner), "{list}");
            }
        }
    }
}
