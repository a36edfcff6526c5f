//! Rejected tokens and their problem responses, never a 500.

use crate::engines::both_engines;
use customer_integration::tokens::{self, Audience, Claims, TokenSettings};
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::support::{
    Client, Engine, Response, TestApp,
    app::{AUDIENCE, ISSUER, claims, tokens},
};

const PATH: &str = "/customer-integrations/K-1";

fn now() -> i64 {
    customer_integration::common::timestamp::Timestamp::now().unix_micros() / 1_000_000
}

fn valid_claims() -> Claims {
    claims("integration:read")
}

/// Signs claims, valid or not, with an HMAC algorithm and key.
fn sign_with(algorithm: jsonwebtoken::Algorithm, claims: &Value, key: &[u8]) -> String {
    let header = jsonwebtoken::Header {
        typ: Some("at+jwt".to_owned()),
        ..jsonwebtoken::Header::new(algorithm)
    };
    jsonwebtoken::encode(
        &header,
        claims,
        &jsonwebtoken::EncodingKey::from_secret(key),
    )
    .unwrap()
}

fn key() -> Vec<u8> {
    crate::support::app::SECRET.as_bytes().to_vec()
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

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_token_returns_401_with_reason(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let sign = |claims: &Claims| {
        sign_with(
            jsonwebtoken::Algorithm::HS256,
            &serde_json::to_value(claims).unwrap(),
            &key(),
        )
    };
    get_with_token(&app, &sign(&valid_claims())).await.is(200);
    // Each token has one defect.
    for (reason, claims) in [
        (
            "The token is not valid yet.",
            Claims {
                nbf: Some(now() + 90),
                ..valid_claims()
            },
        ),
        (
            "The token's issuer is not trusted.",
            Claims {
                iss: "https://evil.example".into(),
                ..valid_claims()
            },
        ),
        (
            "The token was issued for another audience.",
            Claims {
                aud: Audience::One("other".into()),
                ..valid_claims()
            },
        ),
        (
            "The token was issued for another audience.",
            Claims {
                aud: Audience::Several(vec!["other".into()]),
                ..valid_claims()
            },
        ),
        (
            "The token's claim sub is invalid.",
            Claims {
                sub: String::new(),
                ..valid_claims()
            },
        ),
    ] {
        let refused = get_with_token(&app, &sign(&claims))
            .await
            .is_problem(401, "invalid_token");
        assert!(
            refused.json["detail"].as_str().unwrap().contains(reason),
            "{reason}: {}",
            refused.text
        );
        assert_eq!(
            refused.header("www-authenticate"),
            challenge(
                &app,
                &format!(r#", error="invalid_token", error_description="{reason}""#)
            )
        );
    }
    let several = Claims {
        aud: Audience::Several(vec!["other".into(), AUDIENCE.to_owned()]),
        ..valid_claims()
    };
    get_with_token(&app, &sign(&several)).await.is(200);
    get_with_token(
        &app,
        &sign(&Claims {
            exp: now() - 30,
            ..valid_claims()
        }),
    )
    .await
    .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn missing_or_malformed_claim_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let valid = serde_json::to_value(valid_claims()).unwrap();
    get_with_token(
        &app,
        &sign_with(jsonwebtoken::Algorithm::HS256, &valid, &key()),
    )
    .await
    .is(200);
    for name in ["iss", "aud", "exp", "sub"] {
        let mut claims = valid.clone();
        claims.as_object_mut().unwrap().remove(name);
        get_with_token(
            &app,
            &sign_with(jsonwebtoken::Algorithm::HS256, &claims, &key()),
        )
        .await
        .is_problem(401, "invalid_token");
    }
    for (name, value) in [
        ("exp", json!("tomorrow")),
        ("nbf", json!("yesterday")),
        ("aud", json!(7)),
        ("scope", json!(7)),
        ("scope", json!(["integration:read", 7])),
        ("business_partner_id", Value::Null),
        ("business_partner_id", json!("")),
        ("business_partner_id", json!("K 1")),
    ] {
        let mut claims = valid.clone();
        claims[name] = value;
        get_with_token(
            &app,
            &sign_with(jsonwebtoken::Algorithm::HS256, &claims, &key()),
        )
        .await
        .is_problem(401, "invalid_token");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn wrong_algorithm_or_key_returns_401(engine: Engine) {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let app = TestApp::with_catalog(engine).await;
    let valid = serde_json::to_value(valid_claims()).unwrap();
    for algorithm in [
        jsonwebtoken::Algorithm::HS384,
        jsonwebtoken::Algorithm::HS512,
    ] {
        get_with_token(&app, &sign_with(algorithm, &valid, &key()))
            .await
            .is_problem(401, "invalid_token");
    }
    get_with_token(
        &app,
        &sign_with(
            jsonwebtoken::Algorithm::HS256,
            &valid,
            b"another key that is long enough too",
        ),
    )
    .await
    .is_problem(401, "invalid_token");
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = sign_with(jsonwebtoken::Algorithm::HS256, &valid, &key());
    let signature = token.rsplit('.').next().unwrap();
    for algorithm in ["none", "None", "NONE", "RS256", "nonsense"] {
        for signature in ["", signature] {
            let token = format!(
                "{}.{}.{signature}",
                encode(&json!({"alg": algorithm, "typ": "at+jwt"})),
                encode(&valid)
            );
            get_with_token(&app, &token)
                .await
                .is_problem(401, "invalid_token");
        }
    }
    // The claims of one token with the signature of another.
    let mut elevated = valid.clone();
    elevated["scope"] = json!("integration:read catalog:write");
    let header = token.split('.').next().unwrap();
    get_with_token(&app, &format!("{header}.{}.{signature}", encode(&elevated)))
        .await
        .is_problem(401, "invalid_token");
    let other_key = TokenSettings::hs256(ISSUER, AUDIENCE, "the key of somebody else, 32 bytes");
    get_with_token(
        &app,
        &tokens::sign(&other_key, &claims("integration:read")).unwrap(),
    )
    .await
    .is_problem(401, "invalid_token");
}

#[apply(both_engines)]
#[actix_web::test]
async fn missing_or_malformed_token_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let missing = app
        .anonymous()
        .get(PATH)
        .await
        .is_problem(401, "missing_token");
    assert_eq!(missing.header("www-authenticate"), challenge(&app, ""));
    for malformed in [
        "x",
        "a.b",
        "a.b.c",
        "....",
        "%%%.%%%.%%%",
        &"x".repeat(16 * 1024),
    ] {
        get_with_token(&app, malformed)
            .await
            .is_problem(401, "invalid_token");
    }
    let token = tokens::sign(&tokens(), &valid_claims()).unwrap();
    let with_header = async |value: &str| {
        app.anonymous()
            .request("GET", PATH)
            .header("authorization", value)
            .send()
            .await
    };
    with_header(&format!("bearer {token}")).await.is(200);
    with_header("Basic dXNlcjpwYXNz")
        .await
        .is_problem(401, "missing_token");
    for value in ["", "Bearer", &token, "Bearer "] {
        assert_eq!(with_header(value).await.status, 401, "{value}");
    }
    let request_with_two_tokens = app
        .anonymous()
        .request("GET", PATH)
        .header("authorization", &format!("Bearer {token}"));
    request_with_two_tokens
        .header("authorization", &format!("Bearer {token}"))
        .send()
        .await
        .is_problem(401, "invalid_token");
}

#[apply(both_engines)]
#[actix_web::test]
async fn missing_scope_returns_403_and_foreign_partner_404(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    for scope in [
        "",
        "integration:write",
        "integration:readx",
        "xintegration:read",
        "integration:read,catalog:read",
    ] {
        let refused = app
            .client_with_scope(scope)
            .get(PATH)
            .await
            .is_problem(403, "insufficient_scope");
        let challenge = refused.header("www-authenticate");
        assert!(
            challenge.contains(r#"error="insufficient_scope", scope="integration:read""#),
            "{challenge}"
        );
    }
    let foreign = app.editor_of("K-2");
    let other_partner = foreign.get(PATH).await.is_problem(404, "not_found");
    let missing_partner = foreign
        .get("/customer-integrations/K-99")
        .await
        .is_problem(404, "not_found");
    let normalize = |response: &Response| {
        response
            .text
            .replace(response.header("x-request-id"), "REQ")
            .replace("K-99", "K-1")
    };
    assert_eq!(normalize(&other_partner), normalize(&missing_partner));
    foreign
        .patch(PATH, json!({"active": false}))
        .await
        .is_problem(404, "not_found");
    app.editor_of("K-1")
        .patch(PATH, json!({"active": false}))
        .await
        .is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn invalid_subject_or_client_returns_401(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let text_of_length = |length| "ä".repeat(length);
    let write = claims("integration:write");
    for invalid in [
        String::new(),
        "a\0b".to_owned(),
        "a\u{1b}[31m".to_owned(),
        "a\u{85}".to_owned(),
        text_of_length(256),
    ] {
        for claims in [
            Claims {
                sub: invalid.clone(),
                ..write.clone()
            },
            Claims {
                client_id: Some(invalid.clone()),
                ..write.clone()
            },
        ] {
            let refused = app
                .client_with_claims(&claims)
                .patch(PATH, json!({"active": true}))
                .await;
            refused.is_problem(401, "invalid_token");
        }
    }
    let longest = Claims {
        sub: text_of_length(255),
        client_id: Some(text_of_length(255)),
        ..write.clone()
    };
    let patched = app
        .client_with_claims(&longest)
        .patch(PATH, json!({"active": true}))
        .await
        .is(200);
    assert_eq!(patched.json["updated_by"], text_of_length(255));
    app.client_with_claims(&Claims {
        client_id: None,
        ..write
    })
    .patch(PATH, json!({"active": false}))
    .await
    .is(200);
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
        let mut claims = serde_json::to_value(valid_claims()).unwrap();
        claims["cnf"] = confirmation;
        let token = sign_with(jsonwebtoken::Algorithm::HS256, &claims, &key());
        get_with_token(&app, &token)
            .await
            .is_problem(401, "invalid_token");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn numeric_date_may_have_a_fraction(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let valid = now() + 600;
    let past = now() - 600;
    for (exp, nbf, status) in [
        (format!("{valid}.5"), format!("{past}.25"), 200),
        (format!("{valid}.0"), format!("{past}e0"), 200),
        (format!("{past}.5"), format!("{past}.25"), 401),
        (format!("{valid}.5"), format!("{valid}.25"), 401),
    ] {
        let mut claims = serde_json::to_value(valid_claims()).unwrap();
        claims["exp"] = serde_json::from_str(&exp).unwrap();
        claims["nbf"] = serde_json::from_str(&nbf).unwrap();
        let token = sign_with(jsonwebtoken::Algorithm::HS256, &claims, &key());
        assert_eq!(
            get_with_token(&app, &token).await.status,
            status,
            "{exp} {nbf}"
        );
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn subject_is_normalized_or_refused(engine: Engine) {
    let app = TestApp::with_catalog(engine).await;
    let decomposed = Claims {
        sub: "Ju\u{308}rgen".to_owned(),
        ..claims("integration:write")
    };
    let updated = app
        .client_with_claims(&decomposed)
        .patch(PATH, json!({"active": true}))
        .await
        .is(200);
    assert_eq!(updated.json["updated_by"], "J\u{fc}rgen");
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
        let invisible = Claims {
            sub: sub.to_owned(),
            ..valid_claims()
        };
        app.client_with_claims(&invisible)
            .get(PATH)
            .await
            .is_problem(401, "invalid_token");
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
    let mut claims = serde_json::to_value(valid_claims()).unwrap();
    claims["scope"] = json!(["openid", "integration:read"]);
    let token = sign_with(jsonwebtoken::Algorithm::HS256, &claims, &key());
    get_with_token(&app, &token).await.is(200);
}
