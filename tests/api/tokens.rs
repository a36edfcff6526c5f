//! Rejected tokens and their problem responses, never a 500.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use customer_integration::{
    common::timestamp::Timestamp,
    tokens::{self, Audience, Claims, TokenSettings},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::{
    engines::both_engines,
    support::{
        Client, Engine, Response, TestApp,
        app::{AUDIENCE, ISSUER, SECRET, claims, tokens},
    },
};

const PATH: &str = "/customer-integrations/K-1";

fn now() -> i64 {
    Timestamp::now().unix_micros() / 1_000_000
}

fn valid_claims() -> Claims {
    claims("integration:read")
}

fn valid_claims_as_json() -> Value {
    serde_json::to_value(valid_claims()).unwrap()
}

/// Signs claims, valid or not, as the service expects.
fn sign(claims: &Value) -> String {
    sign_with(Algorithm::HS256, claims, SECRET)
}

/// Signs claims, valid or not, with an HMAC algorithm and key.
fn sign_with(algorithm: Algorithm, claims: &Value, key: &str) -> String {
    let header = Header {
        typ: Some("at+jwt".to_owned()),
        ..Header::new(algorithm)
    };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

/// The challenge of a response with this error.
fn challenge(app: &TestApp, error: &str) -> String {
    let metadata = format!("{}/.well-known/oauth-protected-resource", app.origin);
    format!(r#"Bearer realm="customer-integration"{error}, resource_metadata="{metadata}""#)
}

async fn get_with_token(app: &TestApp, token: &str) -> Response {
    Client::new(&app.origin, Some(token.to_owned()))
        .get(PATH)
        .await
}

async fn get_with_claims(app: &TestApp, claims: &Claims) -> Response {
    get_with_token(app, &sign(&serde_json::to_value(claims).unwrap())).await
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_token_returns_401_with_reason(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let assert_refused = async |claims: Claims, reason: &str| {
        let response = get_with_claims(&app, &claims).await;
        let refused = response.is_problem(401, "invalid_token");
        let detail = refused.json["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{reason}: {detail}");
        assert_eq!(
            refused.header("www-authenticate"),
            challenge(
                &app,
                &format!(r#", error="invalid_token", error_description="{reason}""#)
            )
        );
    };

    let not_yet_valid = Claims {
        nbf: Some(now() + 90),
        ..valid_claims()
    };
    assert_refused(not_yet_valid, "The token is not valid yet.").await;
    let of_other_issuer = Claims {
        iss: "https://evil.example".into(),
        ..valid_claims()
    };
    assert_refused(of_other_issuer, "The token's issuer is not trusted.").await;
    for aud in [
        Audience::One("other".into()),
        Audience::Several(vec!["other".into()]),
    ] {
        let for_other_audience = Claims {
            aud,
            ..valid_claims()
        };
        let reason = "The token was issued for another audience.";
        assert_refused(for_other_audience, reason).await;
    }
    let without_subject = Claims {
        sub: String::new(),
        ..valid_claims()
    };
    assert_refused(without_subject, "The token's claim sub is invalid.").await;
}

#[apply(both_engines)]
#[actix_web::test]
async fn valid_token_is_accepted(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    get_with_claims(&app, &valid_claims()).await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn token_for_several_audiences_is_accepted(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let claims = Claims {
        aud: Audience::Several(vec!["other".into(), AUDIENCE.to_owned()]),
        ..valid_claims()
    };

    get_with_claims(&app, &claims).await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn token_that_expired_within_leeway_is_accepted(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let claims = Claims {
        exp: now() - 30,
        ..valid_claims()
    };

    get_with_claims(&app, &claims).await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn missing_claim_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    for name in ["iss", "aud", "exp", "sub"] {
        let mut claims = valid_claims_as_json();
        claims.as_object_mut().unwrap().remove(name);

        let refused = get_with_token(&app, &sign(&claims)).await;

        refused.is_problem(401, "invalid_token");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn malformed_claim_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let assert_refused = async |name: &str, value: Value| {
        let mut claims = valid_claims_as_json();
        claims[name] = value;
        let refused = get_with_token(&app, &sign(&claims)).await;
        refused.is_problem(401, "invalid_token");
    };

    assert_refused("exp", json!("tomorrow")).await;
    assert_refused("nbf", json!("yesterday")).await;
    assert_refused("aud", json!(7)).await;
    assert_refused("scope", json!(7)).await;
    assert_refused("scope", json!(["integration:read", 7])).await;
    for partner in [Value::Null, json!(""), json!("K 1")] {
        assert_refused("business_partner_id", partner).await;
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn other_hmac_algorithm_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = sign_with(algorithm, &valid_claims_as_json(), SECRET);
        let refused = get_with_token(&app, &token).await;
        refused.is_problem(401, "invalid_token");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn other_key_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let other_key = "another key that is long enough too";
    let other_settings = TokenSettings::hs256(ISSUER, AUDIENCE, other_key);

    for token in [
        sign_with(Algorithm::HS256, &valid_claims_as_json(), other_key),
        tokens::sign(&other_settings, &valid_claims()).unwrap(),
    ] {
        let refused = get_with_token(&app, &token).await;
        refused.is_problem(401, "invalid_token");
    }
}

/// A part of a token.
fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[apply(both_engines)]
#[actix_web::test]
async fn unsupported_algorithm_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let claims = valid_claims_as_json();
    let token = sign(&claims);
    let valid_signature = token.rsplit('.').next().unwrap();

    for algorithm in ["none", "None", "NONE", "RS256", "nonsense"] {
        let header = encode(&json!({"alg": algorithm, "typ": "at+jwt"}));
        for signature in ["", valid_signature] {
            let token = format!("{header}.{}.{signature}", encode(&claims));
            let refused = get_with_token(&app, &token).await;
            refused.is_problem(401, "invalid_token");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn signature_of_other_claims_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let token = sign(&valid_claims_as_json());
    let mut elevated_claims = valid_claims_as_json();
    elevated_claims["scope"] = json!("integration:read catalog:write");

    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token} does not have three parts")
    };
    let elevated = format!("{header}.{}.{signature}", encode(&elevated_claims));
    let refused = get_with_token(&app, &elevated).await;

    refused.is_problem(401, "invalid_token");
}

#[apply(both_engines)]
#[actix_web::test]
async fn missing_token_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    let response = app.anonymous().get(PATH).await;

    let refused = response.is_problem(401, "missing_token");
    assert_eq!(refused.header("www-authenticate"), challenge(&app, ""));
}

#[apply(both_engines)]
#[actix_web::test]
async fn malformed_token_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let long = "x".repeat(16 * 1024);

    for malformed in ["x", "a.b", "a.b.c", "....", "%%%.%%%.%%%", &long] {
        let refused = get_with_token(&app, malformed).await;
        refused.is_problem(401, "invalid_token");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn authorization_header_needs_one_bearer_token(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let token = tokens::sign(&tokens(), &valid_claims()).unwrap();
    let bearer = format!("Bearer {token}");
    let request = |authorization: &str| {
        let request = app.anonymous().request("GET", PATH);
        request.header("authorization", authorization)
    };

    let lowercase_scheme = format!("bearer {token}");
    request(&lowercase_scheme).send().await.is(200);
    let basic = request("Basic dXNlcjpwYXNz").send().await;
    basic.is_problem(401, "missing_token");
    for malformed in ["", "Bearer", &token, "Bearer "] {
        request(malformed).send().await.is(401);
    }
    let two_headers = request(&bearer).header("authorization", &bearer);
    let refused = two_headers.send().await;
    refused.is_problem(401, "invalid_token");
}

#[apply(both_engines)]
#[actix_web::test]
async fn missing_scope_returns_403(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    for scope in [
        "",
        "integration:write",
        "integration:readx",
        "xintegration:read",
        "integration:read,catalog:read",
    ] {
        let response = app.client_with_scope(scope).get(PATH).await;

        let refused = response.is_problem(403, "insufficient_scope");
        let challenge = refused.header("www-authenticate");
        assert!(
            challenge.contains(r#"error="insufficient_scope", scope="integration:read""#),
            "{challenge}"
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn other_partner_with_partner_token_returns_404_like_unknown_partner(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let client = app.editor_of("K-2");
    let comparable_text = |response: Response| {
        let response = response.is_problem(404, "not_found");
        let request_id = response.header("x-request-id");
        response
            .text
            .replace(request_id, "REQUEST-ID")
            .replace("K-99", "K-1")
    };

    let other = client.get(PATH).await;
    let unknown = client.get("/customer-integrations/K-99").await;
    let written = client.patch(PATH, json!({"active": false})).await;

    assert_eq!(comparable_text(other), comparable_text(unknown));
    written.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn own_partner_with_partner_token_is_accepted(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;

    let patch = json!({"active": false});
    let patched = app.editor_of("K-1").patch(PATH, patch).await;

    patched.is(200);
}

/// Changes the integration with these claims.
async fn patch_with_claims(app: &TestApp, claims: &Claims, active: bool) -> Response {
    app.client_with_claims(claims)
        .patch(PATH, json!({"active": active}))
        .await
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_subject_or_client_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    for invalid in [
        String::new(),
        "a\0b".to_owned(),
        "a\u{1b}[31m".to_owned(),
        "a\u{85}".to_owned(),
        "ä".repeat(256),
    ] {
        let invalid_subject = Claims {
            sub: invalid.clone(),
            ..claims("integration:write")
        };
        let invalid_client = Claims {
            client_id: Some(invalid),
            ..claims("integration:write")
        };
        for claims in [invalid_subject, invalid_client] {
            let refused = patch_with_claims(&app, &claims, true).await;
            refused.is_problem(401, "invalid_token");
        }
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn longest_subject_and_client_are_accepted(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let longest = "ä".repeat(255);
    let claims = Claims {
        sub: longest.clone(),
        client_id: Some(longest.clone()),
        ..claims("integration:write")
    };

    let patched = patch_with_claims(&app, &claims, true).await;

    assert_eq!(patched.is(200).json["updated_by"], longest);
}

#[apply(both_engines)]
#[actix_web::test]
async fn token_without_client_is_accepted(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let claims = Claims {
        client_id: None,
        ..claims("integration:write")
    };

    patch_with_claims(&app, &claims, true).await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn sender_constrained_token_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    for confirmation in [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({}),
        Value::Null,
    ] {
        let mut claims = valid_claims_as_json();
        claims["cnf"] = confirmation;
        let refused = get_with_token(&app, &sign(&claims)).await;
        refused.is_problem(401, "invalid_token");
    }
}

/// Uses a token whose times are JSON numbers, given as text.
async fn get_with_times(app: &TestApp, exp: String, nbf: String) -> Response {
    let mut claims = valid_claims_as_json();
    claims["exp"] = serde_json::from_str(&exp).unwrap();
    claims["nbf"] = serde_json::from_str(&nbf).unwrap();
    get_with_token(app, &sign(&claims)).await
}

#[apply(both_engines)]
#[actix_web::test]
async fn numeric_date_may_have_a_fraction(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let past = now() - 600;
    let future = now() + 600;

    let valid = get_with_times(&app, format!("{future}.5"), format!("{past}.25")).await;
    let integral = get_with_times(&app, format!("{future}.0"), format!("{past}e0")).await;
    let expired = get_with_times(&app, format!("{past}.5"), format!("{past}.25")).await;
    let not_yet_valid = get_with_times(&app, format!("{future}.5"), format!("{future}.25")).await;

    valid.is(200);
    integral.is(200);
    expired.is(401);
    not_yet_valid.is(401);
}

#[apply(both_engines)]
#[actix_web::test]
async fn subject_is_normalized(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let decomposed = Claims {
        sub: "Ju\u{308}rgen".to_owned(),
        ..claims("integration:write")
    };

    let updated = patch_with_claims(&app, &decomposed, true).await;

    assert_eq!(updated.is(200).json["updated_by"], "J\u{fc}rgen");
}

#[apply(both_engines)]
#[actix_web::test]
async fn subject_with_outer_spaces_or_invisible_characters_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;

    for sub in [
        " x",
        "x ",
        "\u{a0}x",
        "\u{200b}",
        "x\u{200b}",
        "x\u{202e}y",
        "x\u{2028}y",
        "x\u{feff}",
    ] {
        let claims = Claims {
            sub: sub.to_owned(),
            ..valid_claims()
        };
        let refused = app.client_with_claims(&claims).get(PATH).await;
        refused.is_problem(401, "invalid_token");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn expired_token_has_a_distinct_code(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let expired = Claims {
        exp: now() - 61,
        ..valid_claims()
    };
    let refused = app
        .client_with_claims(&expired)
        .get(PATH)
        .await
        .is_problem(401, "token_expired");
    assert_eq!(
        refused.header("www-authenticate"),
        challenge(
            &app,
            concat!(
                r#", error="invalid_token", error_description="#,
                r#""The token has expired. Get a new one from the identity provider.""#
            )
        )
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn scopes_may_be_an_array(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let mut claims = valid_claims_as_json();
    claims["scope"] = json!(["openid", "integration:read"]);
    let token = sign(&claims);
    get_with_token(&app, &token).await.is(200);
}
