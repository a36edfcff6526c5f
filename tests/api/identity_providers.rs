//! Identity providers: keys found by the issuer alone, names of claims, and the metadata of the
//! protected resource.

use std::{
    collections::{BTreeMap, HashMap},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, dev::ServerHandle, web};
use customer_integration::tokens::{
    ClaimNames, IssuerSettings, IssuerUrl, KeySource, Scope, TokenSettings,
};
use jsonwebtoken::Algorithm;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    Client, TestApp,
    app::{AUDIENCE, claims},
    issuer::{SigningKey, jwk_set, serve},
    raw_http::wait_until,
};

const OAUTH: &str = "/.well-known/oauth-authorization-server/realms/erp";
const OPENID: &str = "/realms/erp/.well-known/openid-configuration";
const KEYS: &str = "/certs";

/// A document of the provider.
#[derive(Clone)]
enum Document {
    Json(Value),
    /// The response is never sent.
    Hangs,
}

/// An identity provider that publishes documents by path.
struct Provider {
    origin: String,
    documents: Arc<Mutex<HashMap<String, Document>>>,
    handle: ServerHandle,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let documents = Arc::new(Mutex::new(HashMap::new()));
        let data = web::Data::from(Arc::clone(&documents));
        let handle = serve(listener, move |app| {
            app.app_data(data.clone())
                .default_service(web::to(serve_document));
        });
        Self {
            origin,
            documents,
            handle,
        }
    }

    fn issuer(&self) -> String {
        format!("{}/realms/erp", self.origin)
    }

    fn publish(&self, path: &str, document: Document) {
        self.documents
            .lock()
            .unwrap()
            .insert(path.to_owned(), document);
    }

    /// Publishes the metadata of `issuer`, with the keys of this provider.
    fn publish_metadata(&self, path: &str, issuer: &str) {
        let jwks_uri = format!("{}{KEYS}", self.origin);
        let metadata = json!({"issuer": issuer, "jwks_uri": jwks_uri, "more": true});
        self.publish(path, Document::Json(metadata));
    }

    fn publish_keys(&self, keys: &[SigningKey]) {
        self.publish(KEYS, Document::Json(jwk_set(keys)));
    }

    /// Starts a service that trusts this provider and reads its keys often.
    async fn start_service(&self, claim_names: ClaimNames) -> TestApp {
        let issuer = IssuerSettings {
            issuer: self.issuer(),
            audience: AUDIENCE.to_owned(),
            keys: KeySource::Metadata(IssuerUrl::parse(&self.issuer()).unwrap()),
            claim_names,
        };
        let tokens = TokenSettings {
            refresh_interval: Duration::from_millis(50),
            min_refresh_interval: Duration::from_millis(50),
            ..TokenSettings::new(vec![issuer])
        };
        TestApp::with_settings(|config| config.tokens = tokens).await
    }

    /// The claims of a token of this provider.
    fn claims(&self, scope: &str) -> Value {
        let mut claims = serde_json::to_value(claims(scope)).unwrap();
        claims["iss"] = self.issuer().into();
        claims
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn serve_document(
    request: HttpRequest,
    documents: web::Data<Mutex<HashMap<String, Document>>>,
) -> HttpResponse {
    let document = documents.lock().unwrap().get(request.path()).cloned();
    match document {
        Some(Document::Json(json)) => HttpResponse::Ok().json(json),
        Some(Document::Hangs) => std::future::pending().await,
        None => HttpResponse::NotFound().finish(),
    }
}

async fn is_ready(app: &TestApp) -> bool {
    app.anonymous().get("//health/ready").await.status == 200
}

async fn status(app: &TestApp, token: String) -> u16 {
    let client = Client::new(&app.origin, Some(token));
    client.get("/customer-integrations").await.status
}

#[rstest]
#[case::oauth(OAUTH)]
#[case::openid(OPENID)]
#[actix_web::test]
async fn keys_are_found_by_the_issuer_alone(#[case] path: &str) {
    let key = SigningKey::new(Algorithm::ES256, "a");
    let provider = Provider::start();
    provider.publish_metadata(path, &provider.issuer());
    provider.publish_keys(std::slice::from_ref(&key));
    let app = provider.start_service(ClaimNames::default()).await;
    wait_until("readiness", async || is_ready(&app).await).await;
    let token = || key.sign(&provider.claims("integration:read"));
    assert_eq!(status(&app, token()).await, 200);

    // The keys move, and the old ones are withdrawn.
    let moved = SigningKey::new(Algorithm::ES256, "b");
    provider.publish(
        "/moved",
        Document::Json(jwk_set(std::slice::from_ref(&moved))),
    );
    let metadata = json!({
        "issuer": provider.issuer(), "jwks_uri": format!("{}/moved", provider.origin)
    });
    provider.publish(path, Document::Json(metadata));
    let new_token = moved.sign(&provider.claims("integration:read"));
    wait_until("the new key", async || {
        status(&app, new_token.clone()).await == 200
    })
    .await;
    assert_eq!(status(&app, token()).await, 401);
}

#[actix_web::test]
async fn metadata_of_another_issuer_is_not_used() {
    let key = SigningKey::new(Algorithm::ES256, "a");
    let provider = Provider::start();
    provider.publish_keys(std::slice::from_ref(&key));
    for path in [OAUTH, OPENID] {
        provider.publish_metadata(path, &provider.origin);
    }
    let app = provider.start_service(ClaimNames::default()).await;
    let token = key.sign(&provider.claims("integration:read"));
    assert_eq!(status(&app, token.clone()).await, 503);
    assert!(!is_ready(&app).await);

    provider.publish_metadata(OPENID, &provider.issuer());
    wait_until("readiness", async || is_ready(&app).await).await;
    assert_eq!(status(&app, token).await, 200);
}

#[actix_web::test]
async fn hanging_metadata_delays_neither_known_keys_nor_the_second_document() {
    let key = SigningKey::new(Algorithm::ES256, "a");
    let provider = Provider::start();
    provider.publish_keys(std::slice::from_ref(&key));
    provider.publish(OAUTH, Document::Hangs);
    provider.publish_metadata(OPENID, &provider.issuer());
    let app = provider.start_service(ClaimNames::default()).await;
    wait_until("readiness", async || is_ready(&app).await).await;
    let token = || key.sign(&provider.claims("integration:read"));
    assert_eq!(status(&app, token()).await, 200);

    provider.publish(OPENID, Document::Hangs);
    let started = std::time::Instant::now();
    assert_eq!(status(&app, token()).await, 200);
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[actix_web::test]
async fn claims_are_read_by_their_configured_names() {
    let key = SigningKey::new(Algorithm::ES256, "a");
    let provider = Provider::start();
    provider.publish_metadata(OPENID, &provider.issuer());
    provider.publish_keys(std::slice::from_ref(&key));
    let names = ClaimNames {
        subject: "oid".to_owned(),
        client: "azp".to_owned(),
        business_partner: "ext.partner".to_owned(),
        scopes: vec!["scp".to_owned()],
        roles: Some("realm_access.roles".to_owned()),
        role_scopes: BTreeMap::from([("auditor".to_owned(), vec![Scope::AuditRead])]),
    };
    let app = provider.start_service(names).await;
    wait_until("readiness", async || is_ready(&app).await).await;
    let mut claims = provider.claims("catalog:write");
    for (name, value) in [
        ("oid", json!("anna")),
        ("azp", json!("portal")),
        ("ext", json!({"partner": "K-1"})),
        ("scp", json!(["integration:read"])),
        ("realm_access", json!({"roles": ["auditor", "other"]})),
    ] {
        claims[name] = value;
    }
    let client = Client::new(&app.origin, Some(key.sign(&claims)));
    let me = client.get("/me").await.is(200);
    assert_eq!(me.json["subject"], "anna");
    assert_eq!(me.json["client"], "portal");
    assert_eq!(me.json["business_partner_id"], "K-1");
    assert_eq!(me.json["scopes"], json!(["integration:read", "audit:read"]));
    claims["ext"] = json!({"partner": null});
    let client = Client::new(&app.origin, Some(key.sign(&claims)));
    let rejected = client.get("/me").await.is_problem(401, "invalid_token");
    let detail = rejected.json["detail"].as_str().unwrap();
    assert!(detail.contains("ext.partner"), "{detail}");
}

#[actix_web::test]
async fn metadata_names_the_authorization_servers() {
    let app = TestApp::with_settings(|_| {}).await;
    let metadata = app
        .anonymous()
        .get("//.well-known/oauth-protected-resource")
        .await
        .is(200);
    assert_eq!(metadata.json["resource"], app.origin);
    assert_eq!(
        metadata.json["authorization_servers"],
        json!([crate::support::app::ISSUER])
    );
    assert_eq!(metadata.json["bearer_methods_supported"], json!(["header"]));
    let scopes = metadata.json["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("integration:read")), "{scopes:?}");
    let challenge = app.anonymous().get("/me").await.is(401);
    assert_eq!(
        challenge.header("www-authenticate"),
        format!(
            r#"Bearer realm="customer-integration", resource_metadata="{}/.well-known/oauth-protected-resource""#,
            app.origin
        )
    );
}

#[actix_web::test]
async fn public_url_replaces_the_host_of_the_request() {
    let app = TestApp::with_settings(|config| {
        config.public_url = Some("https://ci.example/api/".parse().unwrap());
    })
    .await;
    let metadata = app
        .anonymous()
        .get("//.well-known/oauth-protected-resource")
        .await
        .is(200);
    assert_eq!(metadata.json["resource"], "https://ci.example/api");
    let refused = app
        .client_with_scope("")
        .get("/catalog/areas")
        .await
        .is(403);
    assert!(refused.header("www-authenticate").ends_with(
        r#"resource_metadata="https://ci.example/api/.well-known/oauth-protected-resource""#
    ));
}

#[rstest]
#[case::forwarded("https", "portal.example", "https://portal.example")]
#[case::unknown_scheme("gopher", "portal.example", "http://portal.example")]
#[actix_web::test]
async fn url_of_the_request_is_used_behind_a_proxy(
    #[case] scheme: &str,
    #[case] host: &str,
    #[case] expected: &str,
) {
    let app = TestApp::with_settings(|_| {}).await;
    let request = app
        .anonymous()
        .request("GET", "//.well-known/oauth-protected-resource")
        .header("x-forwarded-proto", scheme)
        .header("x-forwarded-host", host);
    assert_eq!(request.send().await.is(200).json["resource"], expected);
}

#[actix_web::test]
async fn host_with_other_characters_is_not_repeated() {
    let app = TestApp::with_settings(|_| {}).await;
    let with_host = |path: &str| {
        let request = app.anonymous().request("GET", path);
        request.header("x-forwarded-host", r#"a", error="x"#)
    };
    let challenge = with_host("/me").send().await.is(401);
    assert_eq!(
        challenge.header("www-authenticate"),
        r#"Bearer realm="customer-integration""#
    );
    with_host("//.well-known/oauth-protected-resource")
        .send()
        .await
        .is_problem(400, "bad_request");
}
