//! Tokens signed with keys of a JWKS: accepted tokens, and the effect of key changes.

use std::{path::Path, time::Duration};

use customer_integration::tokens::{ClaimNames, Claims, IssuerSettings, KeySource, TokenSettings};
use jsonwebtoken::{Algorithm, Header};

use crate::support::{
    Client, Response, TestApp,
    app::{AUDIENCE, ISSUER, claims},
    issuer::{Issuer, JwksResponse, SigningKey, jwk_set, one_key_per_algorithm},
    raw_http::wait_until,
};

const PATH: &str = "/customer-integrations";
/// Longer than any test: keys are only fetched on demand.
const NEVER: Duration = Duration::from_hours(1);
/// Short enough for a test to wait for it.
const SOON: Duration = Duration::from_millis(50);

fn issuer_settings(issuer: &Issuer) -> IssuerSettings {
    let keys = KeySource::Url(issuer.url.parse().unwrap());
    IssuerSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys,
        claim_names: ClaimNames::default(),
    }
}

async fn start_with_tokens(tokens: TokenSettings) -> TestApp {
    TestApp::with_settings(|config| config.tokens = tokens).await
}

async fn start_with_issuer(
    issuer: &Issuer,
    refresh_interval: Duration,
    min_refresh_interval: Duration,
) -> TestApp {
    start_with_tokens(TokenSettings {
        refresh_interval,
        min_refresh_interval,
        ..TokenSettings::new(vec![issuer_settings(issuer)])
    })
    .await
}

async fn get_with_token(app: &TestApp, token: &str) -> Response {
    Client::new(&app.origin, Some(token.to_owned()))
        .get(PATH)
        .await
}

fn valid_claims() -> Claims {
    claims("integration:read")
}

/// A service that reads these keys from a file in the directory.
async fn start_with_key_file(directory: &Path, keys: Vec<SigningKey>) -> TestApp {
    let file = directory.join("keys.json");
    std::fs::write(&file, jwk_set(&keys).to_string()).unwrap();
    let issuer = IssuerSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys: KeySource::File(file),
        claim_names: ClaimNames::default(),
    };
    start_with_tokens(TokenSettings::new(vec![issuer])).await
}

/// A header with a key id.
fn header_with_kid(algorithm: Algorithm, kid: Option<&str>) -> Header {
    Header {
        kid: kid.map(ToOwned::to_owned),
        typ: Some("at+jwt".into()),
        ..Header::new(algorithm)
    }
}

#[actix_web::test]
async fn each_algorithm_is_accepted_with_its_own_key() {
    let directory = tempfile::tempdir().unwrap();
    let keys = one_key_per_algorithm();
    let app = start_with_key_file(directory.path(), keys.values().cloned().collect()).await;

    for key in keys.values() {
        get_with_token(&app, &key.sign(&valid_claims()))
            .await
            .is(200);
        // without a key id every key of the algorithm is tried
        let without_kid = header_with_kid(key.algorithm, None);
        let token = key.sign_with_header(&without_kid, &valid_claims());
        get_with_token(&app, &token).await.is(200);
    }
}

#[actix_web::test]
async fn token_signed_with_other_key_returns_401() {
    let directory = tempfile::tempdir().unwrap();
    let keys = one_key_per_algorithm();
    let app = start_with_key_file(directory.path(), keys.values().cloned().collect()).await;
    let assert_refused = async |token: String| {
        let refused = get_with_token(&app, &token).await;
        refused.is_problem(401, "invalid_token");
    };

    for (name, key) in &keys {
        let with_same_kid = SigningKey::new(key.algorithm, name);
        assert_refused(with_same_kid.sign(&valid_claims())).await;

        for other in keys.keys().filter(|other| *other != name) {
            let header = header_with_kid(key.algorithm, Some(other));
            assert_refused(key.sign_with_header(&header, &valid_claims())).await;
        }
    }
    // an RSA key is published for a single algorithm
    let header = header_with_kid(Algorithm::PS256, Some("rs"));
    assert_refused(keys["rs"].sign_with_header(&header, &valid_claims())).await;
}

#[actix_web::test]
async fn hmac_signed_with_public_key_returns_401() {
    let key = SigningKey::new(Algorithm::RS256, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let app = start_with_issuer(&issuer, NEVER, NEVER).await;
    get_with_token(&app, &key.sign(&valid_claims()))
        .await
        .is(200);
    let public = key.jwk.to_string();
    for secret in [
        public.as_bytes(),
        key.jwk["n"].as_str().unwrap().as_bytes(),
        b"",
    ] {
        let header = Header {
            kid: Some("a".into()),
            typ: Some("at+jwt".into()),
            ..Header::new(Algorithm::HS256)
        };
        let forged = jsonwebtoken::encode(
            &header,
            &valid_claims(),
            &jsonwebtoken::EncodingKey::from_secret(secret),
        )
        .unwrap();
        get_with_token(&app, &forged)
            .await
            .is_problem(401, "invalid_token");
    }
}

/// A header with a token type.
fn header_with_type(key: &SigningKey, typ: Option<&str>) -> Header {
    Header {
        typ: typ.map(Into::into),
        kid: Some("a".into()),
        ..Header::new(key.algorithm)
    }
}

async fn get_with_type(app: &TestApp, key: &SigningKey, typ: Option<&str>) -> Response {
    let header = header_with_type(key, typ);
    get_with_token(app, &key.sign_with_header(&header, &valid_claims())).await
}

#[actix_web::test]
async fn access_token_types_are_accepted_by_default() {
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let app = start_with_issuer(&issuer, NEVER, NEVER).await;
    let get = async |typ| get_with_type(&app, &key, typ).await;

    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        get(Some(typ)).await.is(200);
    }
    for typ in [Some("JWT"), None, Some("dpop+jwt"), Some("")] {
        get(typ).await.is(401);
    }
}

#[actix_web::test]
async fn only_configured_token_types_are_accepted() {
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let settings = TokenSettings {
        allowed_types: vec!["jwt".into()],
        ..TokenSettings::new(vec![issuer_settings(&issuer)])
    };
    let app = start_with_tokens(settings).await;
    let get = async |typ| get_with_type(&app, &key, typ).await;

    // a token without a type is a `jwt`
    for typ in [Some("JWT"), None] {
        get(typ).await.is(200);
    }
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT", "dpop+jwt", ""] {
        get(Some(typ)).await.is(401);
    }
}

#[actix_web::test]
async fn token_with_critical_header_returns_401() {
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let app = start_with_issuer(&issuer, NEVER, NEVER).await;

    for crit in [vec!["exp".to_owned()], vec![]] {
        let header = Header {
            crit: Some(crit),
            ..header_with_type(&key, Some("at+jwt"))
        };
        let token = key.sign_with_header(&header, &valid_claims());
        let refused = get_with_token(&app, &token).await;
        refused.is_problem(401, "invalid_token");
    }
}

#[actix_web::test]
async fn each_issuer_is_accepted_only_with_its_own_keys() {
    let ours = SigningKey::new(Algorithm::ES256, "k");
    let theirs = SigningKey::new(Algorithm::ES256, "k");
    let published =
        [&ours, &theirs].map(|key| Issuer::start(JwksResponse::Keys(vec![key.clone()])));
    let other = IssuerSettings {
        issuer: "https://other.example".into(),
        audience: "theirs".into(),
        ..issuer_settings(&published[1])
    };
    let app = start_with_tokens(TokenSettings::new(vec![
        issuer_settings(&published[0]),
        other,
    ]))
    .await;
    let foreign = |audience: &str| Claims {
        iss: "https://other.example".into(),
        aud: customer_integration::tokens::Audience::One(audience.into()),
        ..valid_claims()
    };
    get_with_token(&app, &ours.sign(&valid_claims()))
        .await
        .is(200);
    get_with_token(&app, &theirs.sign(&foreign("theirs")))
        .await
        .is(200);
    for token in [
        theirs.sign(&valid_claims()),
        ours.sign(&foreign("theirs")),
        theirs.sign(&foreign(AUDIENCE)),
    ] {
        get_with_token(&app, &token)
            .await
            .is_problem(401, "invalid_token");
    }
    let unknown_issuer = Claims {
        iss: "https://nobody.example".into(),
        ..valid_claims()
    };
    get_with_token(&app, &ours.sign(&unknown_issuer))
        .await
        .is_problem(401, "invalid_token");
}

#[actix_web::test]
async fn new_key_is_accepted_at_once_and_withdrawn_key_is_rejected() {
    let a = SigningKey::new(Algorithm::ES256, "a");
    let b = SigningKey::new(Algorithm::ES256, "b");
    let issuer = Issuer::start(JwksResponse::Keys(vec![a.clone()]));
    let app = start_with_issuer(&issuer, SOON * 20, NEVER).await;
    let token_a = a.sign(&valid_claims());
    let token_b = b.sign(&valid_claims());
    get_with_token(&app, &token_a).await.is(200);
    issuer.respond_with(JwksResponse::Keys(vec![a.clone(), b.clone()]));
    get_with_token(&app, &token_b).await.is(200);
    get_with_token(&app, &token_a).await.is(200);
    issuer.respond_with(JwksResponse::Keys(vec![b]));
    // even if the token is cached
    wait_until("rejection of key a", async || {
        get_with_token(&app, &token_a).await.status == 401
    })
    .await;
    get_with_token(&app, &token_b).await.is(200);
}

#[actix_web::test]
async fn many_unknown_keys_cause_one_fetch() {
    let a = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![a.clone()]));
    let app = start_with_issuer(&issuer, NEVER, NEVER).await;
    get_with_token(&app, &a.sign(&valid_claims())).await.is(200);
    assert_eq!(issuer.request_count(), 1);
    let requests = (0..50).map(|n| {
        let token = SigningKey::new(Algorithm::EdDSA, &format!("../../etc/{n}' OR 1=1"))
            .sign(&valid_claims());
        let app = &app;
        async move {
            get_with_token(app, &token)
                .await
                .is_problem(401, "invalid_token")
        }
    });
    futures_util::future::join_all(requests).await;
    assert_eq!(issuer.request_count(), 2);
    get_with_token(&app, &a.sign(&valid_claims())).await.is(200);
}

#[actix_web::test]
async fn keys_remain_valid_while_endpoint_fails() {
    let a = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![a.clone()]));
    let other_issuer = Issuer::start(JwksResponse::Keys(vec![SigningKey::new(
        Algorithm::EdDSA,
        "b",
    )]));
    let app = start_with_issuer(&issuer, SOON, NEVER).await;
    let token = a.sign(&valid_claims());
    get_with_token(&app, &token).await.is(200);
    for response in [
        JwksResponse::Raw(500, jwk_set(&[]).to_string()),
        JwksResponse::Raw(200, "no JSON".into()),
        JwksResponse::Raw(200, format!(r#"{{"keys": [{}]}}"#, " ".repeat(300_000))),
        JwksResponse::Redirect(other_issuer.url.clone()),
        JwksResponse::Redirect(issuer.url.clone()),
    ] {
        issuer.respond_with(response);
        let before = issuer.request_count();
        wait_until("another fetch", async || {
            issuer.request_count() > before + 1
        })
        .await;
        get_with_token(&app, &token).await.is(200);
    }
    assert_eq!(other_issuer.request_count(), 0);
}

#[actix_web::test]
async fn requests_before_first_keys_return_503() {
    let a = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Raw(503, String::new()));
    let app = start_with_issuer(&issuer, SOON, SOON).await;
    app.anonymous()
        .get("//health/ready")
        .await
        .is_problem(503, "unavailable");
    app.anonymous().get("//health/live").await.is(200);
    get_with_token(&app, &a.sign(&valid_claims()))
        .await
        .is_problem(503, "unavailable");
    issuer.respond_with(JwksResponse::Keys(vec![a.clone()]));
    wait_until("readiness", async || {
        app.anonymous().get("//health/ready").await.status == 200
    })
    .await;
    get_with_token(&app, &a.sign(&valid_claims())).await.is(200);
}

#[actix_web::test]
async fn set_without_usable_key_withdraws_all_keys() {
    let key = SigningKey::new(Algorithm::ES256, "a");
    let encryption_key = serde_json::json!({"keys": [{"kty": "RSA", "use": "enc"}]});
    for unusable in [jwk_set(&[]), encryption_key] {
        let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
        let app = start_with_issuer(&issuer, SOON, NEVER).await;
        let token = key.sign(&valid_claims());
        get_with_token(&app, &token).await.is(200);
        issuer.respond_with(JwksResponse::Raw(200, unusable.to_string()));
        wait_until("the withdrawal of the key", async || {
            get_with_token(&app, &token).await.status == 401
        })
        .await;
        app.anonymous().get("//health/ready").await.is(200);
        issuer.respond_with(JwksResponse::Keys(vec![key.clone()]));
        wait_until("the return of the key", async || {
            get_with_token(&app, &token).await.status == 200
        })
        .await;
    }
}

#[actix_web::test]
async fn each_of_64_keys_without_id_is_accepted() {
    let mut keys: Vec<_> = (0..64)
        .map(|number| SigningKey::new(Algorithm::ES256, &number.to_string()))
        .collect();
    for key in &mut keys {
        key.jwk.as_object_mut().unwrap().remove("kid");
    }
    let issuer = Issuer::start(JwksResponse::Keys(keys.clone()));
    let app = start_with_issuer(&issuer, NEVER, NEVER).await;
    for key in &keys {
        get_with_token(&app, &key.sign(&valid_claims()))
            .await
            .is(200);
    }
    let unpublished = SigningKey::new(Algorithm::ES256, "0");
    get_with_token(&app, &unpublished.sign(&valid_claims()))
        .await
        .is_problem(401, "invalid_token");
}
