//! Requests of other origins.

use crate::support::{Engine::*, TestApp};

const ALLOWED_ORIGIN: &str = "https://portal.example";

async fn send_preflight(app: &TestApp, origin: &str) -> reqwest::Response {
    let url = format!("{}/api/v1/customer-integrations/K-1", app.origin);
    reqwest::Client::new()
        .request(reqwest::Method::OPTIONS, url)
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header(
            "access-control-request-headers",
            "authorization,if-match,content-type",
        )
        .send()
        .await
        .unwrap()
}

#[actix_web::test]
async fn cors_preflight_allows_configured_origins_only() {
    let app = TestApp::with_active_partner(Sqlite).await;

    let allowed = send_preflight(&app, ALLOWED_ORIGIN).await;
    let refused = send_preflight(&app, "https://evil.example").await;

    assert_eq!(allowed.status(), 200);
    assert_eq!(
        allowed.headers()["access-control-allow-origin"],
        ALLOWED_ORIGIN
    );
    let allow_origin = refused.headers().get("access-control-allow-origin");
    assert_eq!(allow_origin, None);
}

#[actix_web::test]
async fn cors_exposes_headers_and_problems() {
    let app = TestApp::with_active_partner(Sqlite).await;
    let get = async |path: &str| {
        let client = app.reader();
        let request = client.request("GET", path);
        request.header("origin", ALLOWED_ORIGIN).send().await
    };

    let read = get("/customer-integrations/K-1").await.is(200);
    let exposed = read.header("access-control-expose-headers").to_lowercase();
    for header in ["etag", "location", "x-request-id"] {
        assert!(exposed.contains(header), "{exposed}");
    }

    let problem = get("/customer-integrations/K-99").await.is(404);
    assert_eq!(
        problem.header("access-control-allow-origin"),
        ALLOWED_ORIGIN
    );
}

#[actix_web::test]
async fn cors_without_allowed_origins_sends_no_cors_headers() {
    let app = TestApp::with_settings(|config| config.cors_allowed_origins.clear()).await;
    let send = async |method: &str| {
        let client = app.erp();
        let request = client.request(method, "/catalog/areas");
        request
            .header("origin", ALLOWED_ORIGIN)
            .header("access-control-request-method", "PUT")
            .send()
            .await
    };

    let preflight = send("OPTIONS").await.is(204);
    let read = send("GET").await.is(200);

    for response in [preflight, read] {
        assert_eq!(response.header("access-control-allow-origin"), "");
        assert!(!response.header("vary").to_lowercase().contains("origin"));
    }
}
