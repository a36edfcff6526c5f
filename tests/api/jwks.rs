//! Tokens of issuers that publish their keys: which are accepted, and the effect of key changes.

use std::time::Duration;

use customer_integration::tokens::{Claims, IssuerSettings, KeySource, TokenSettings};
use jsonwebtoken::{Algorithm, Header};

use crate::support::{
    Client, Response, TestApp,
    app::{AUDIENCE, ISSUER, claims},
    issuer::{Issuer, JwksResponse, SigningKey, one_of_each, set},
    raw_http::wait_until,
};

const PATH: &str = "/customer-integrations";
/// Longer than any test takes: nothing is read again but on demand.
const NEVER: Duration = Duration::from_hours(1);
/// So short that a test can wait for it.
const SOON: Duration = Duration::from_millis(50);

fn from_url(issuer: &Issuer) -> IssuerSettings {
    let keys = KeySource::Url(issuer.url.parse().unwrap());
    IssuerSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys,
    }
}

async fn app(tokens: TokenSettings) -> TestApp {
    TestApp::with_settings(|config| config.tokens = tokens).await
}

async fn trusting(issuer: &Issuer, refresh: Duration, cooldown: Duration) -> TestApp {
    app(TokenSettings {
        refresh_interval: refresh,
        min_refresh_interval: cooldown,
        ..TokenSettings::new(vec![from_url(issuer)])
    })
    .await
}

async fn with(app: &TestApp, token: &str) -> Response {
    Client::new(&app.base, Some(token.to_owned()))
        .get(PATH)
        .await
}

fn good() -> Claims {
    claims("integration:read")
}

#[actix_web::test]
async fn each_algorithm_is_accepted_only_with_its_own_key() {
    let keys = one_of_each();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    std::fs::write(
        &file,
        set(&keys.values().cloned().collect::<Vec<_>>()).to_string(),
    )
    .unwrap();
    let keys_of = KeySource::File(file);
    let issuer = IssuerSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys: keys_of,
    };
    let app = app(TokenSettings::new(vec![issuer])).await;
    for (name, key) in &keys {
        with(&app, &key.sign(&good())).await.is(200);
        // the same kind of key, but somebody else's
        let forged = SigningKey::new(key.algorithm, name);
        with(&app, &forged.sign(&good()))
            .await
            .is_problem(401, "invalid_token");
        // another key's name
        for other in keys.keys().filter(|other| *other != name) {
            let header = Header {
                kid: Some((*other).to_owned()),
                typ: Some("at+jwt".into()),
                ..Header::new(key.algorithm)
            };
            with(&app, &key.sign_as(&header, &good()))
                .await
                .is_problem(401, "invalid_token");
        }
        // no name: any key may be meant
        let unnamed = Header {
            typ: Some("at+jwt".into()),
            ..Header::new(key.algorithm)
        };
        with(&app, &key.sign_as(&unnamed, &good())).await.is(200);
    }
    // a key that may do both is published for one of them
    let rsa = &keys["rs"];
    let header = Header {
        kid: Some("rs".into()),
        typ: Some("at+jwt".into()),
        ..Header::new(Algorithm::PS256)
    };
    with(&app, &rsa.sign_as(&header, &good()))
        .await
        .is_problem(401, "invalid_token");
}

#[actix_web::test]
async fn hmac_signed_with_public_key_returns_401() {
    let key = SigningKey::new(Algorithm::RS256, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let app = trusting(&issuer, NEVER, NEVER).await;
    with(&app, &key.sign(&good())).await.is(200);
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
            &good(),
            &jsonwebtoken::EncodingKey::from_secret(secret),
        )
        .unwrap();
        with(&app, &forged).await.is_problem(401, "invalid_token");
    }
}

#[actix_web::test]
async fn token_type_and_crit_header_are_checked() {
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
    let strict = trusting(&issuer, NEVER, NEVER).await;
    let lenient = TokenSettings {
        allowed_types: vec!["jwt".into()],
        ..TokenSettings::new(vec![from_url(&issuer)])
    };
    let lenient = app(lenient).await;
    let typed = |typ: Option<&str>| {
        key.sign_as(
            &Header {
                typ: typ.map(Into::into),
                kid: Some("a".into()),
                ..Header::new(key.algorithm)
            },
            &good(),
        )
    };
    for (typ, by_strict, by_lenient) in [
        (Some("at+jwt"), 200, 401),
        (Some("application/at+jwt"), 200, 401),
        (Some("AT+JWT"), 200, 401),
        (Some("JWT"), 401, 200),
        (None, 401, 200),
        (Some("dpop+jwt"), 401, 401),
        (Some(""), 401, 401),
    ] {
        let token = typed(typ);
        assert_eq!(with(&strict, &token).await.status, by_strict, "{typ:?}");
        assert_eq!(with(&lenient, &token).await.status, by_lenient, "{typ:?}");
    }
    let extended = Header {
        typ: Some("at+jwt".into()),
        kid: Some("a".into()),
        ..Header::new(key.algorithm)
    };
    for crit in [vec!["exp".to_owned()], vec![]] {
        let extended = Header {
            crit: Some(crit),
            ..extended.clone()
        };
        with(&strict, &key.sign_as(&extended, &good()))
            .await
            .is_problem(401, "invalid_token");
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
        ..from_url(&published[1])
    };
    let app = app(TokenSettings::new(vec![from_url(&published[0]), other])).await;
    let foreign = |audience: &str| Claims {
        iss: "https://other.example".into(),
        aud: customer_integration::tokens::Audience::One(audience.into()),
        ..good()
    };
    with(&app, &ours.sign(&good())).await.is(200);
    with(&app, &theirs.sign(&foreign("theirs"))).await.is(200);
    for token in [
        theirs.sign(&good()),
        ours.sign(&foreign("theirs")),
        theirs.sign(&foreign(AUDIENCE)),
    ] {
        with(&app, &token).await.is_problem(401, "invalid_token");
    }
    let nobody = Claims {
        iss: "https://nobody.example".into(),
        ..good()
    };
    with(&app, &ours.sign(&nobody))
        .await
        .is_problem(401, "invalid_token");
}

#[actix_web::test]
async fn new_key_is_accepted_at_once_and_withdrawn_key_is_rejected() {
    let a = SigningKey::new(Algorithm::ES256, "a");
    let b = SigningKey::new(Algorithm::ES256, "b");
    let issuer = Issuer::start(JwksResponse::Keys(vec![a.clone()]));
    let app = trusting(&issuer, SOON * 20, NEVER).await;
    let of_a = a.sign(&good());
    let of_b = b.sign(&good());
    with(&app, &of_a).await.is(200);
    issuer.respond_with(JwksResponse::Keys(vec![a.clone(), b.clone()]));
    with(&app, &of_b).await.is(200);
    with(&app, &of_a).await.is(200);
    issuer.respond_with(JwksResponse::Keys(vec![b]));
    // also the token that is remembered
    wait_until("the end of key a", async || {
        with(&app, &of_a).await.status == 401
    })
    .await;
    with(&app, &of_b).await.is(200);
}

#[actix_web::test]
async fn many_unknown_keys_cause_one_fetch() {
    let a = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![a.clone()]));
    let app = trusting(&issuer, NEVER, NEVER).await;
    with(&app, &a.sign(&good())).await.is(200);
    assert_eq!(issuer.fetched(), 1);
    let floods = (0..50).map(|n| {
        let token =
            SigningKey::new(Algorithm::EdDSA, &format!("../../etc/{n}' OR 1=1")).sign(&good());
        let app = &app;
        async move { with(app, &token).await.is_problem(401, "invalid_token") }
    });
    futures_util::future::join_all(floods).await;
    assert_eq!(issuer.fetched(), 2);
    with(&app, &a.sign(&good())).await.is(200);
}

#[actix_web::test]
async fn keys_remain_valid_while_endpoint_fails() {
    let a = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Keys(vec![a.clone()]));
    let elsewhere = Issuer::start(JwksResponse::Keys(vec![SigningKey::new(
        Algorithm::EdDSA,
        "b",
    )]));
    let app = trusting(&issuer, SOON, NEVER).await;
    let token = a.sign(&good());
    with(&app, &token).await.is(200);
    for broken in [
        JwksResponse::Broken(500, set(&[]).to_string()),
        JwksResponse::Broken(200, "no JSON".into()),
        JwksResponse::Broken(200, format!(r#"{{"keys": [{}]}}"#, " ".repeat(300_000))),
        JwksResponse::Redirect(elsewhere.url.clone()),
        JwksResponse::Redirect(issuer.url.clone()),
    ] {
        issuer.respond_with(broken);
        let before = issuer.fetched();
        wait_until("the next reading", async || issuer.fetched() > before + 1).await;
        with(&app, &token).await.is(200);
    }
    assert_eq!(elsewhere.fetched(), 0);
}

#[actix_web::test]
async fn requests_before_first_keys_return_503() {
    let a = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = Issuer::start(JwksResponse::Broken(503, String::new()));
    let app = trusting(&issuer, SOON, SOON).await;
    app.anonymous()
        .get("//health/ready")
        .await
        .is_problem(503, "unavailable");
    app.anonymous().get("//health/live").await.is(200);
    with(&app, &a.sign(&good()))
        .await
        .is_problem(503, "unavailable");
    issuer.respond_with(JwksResponse::Keys(vec![a.clone()]));
    wait_until("readiness", async || {
        app.anonymous().get("//health/ready").await.status == 200
    })
    .await;
    with(&app, &a.sign(&good())).await.is(200);
}

#[actix_web::test]
async fn set_without_usable_key_withdraws_all_keys() {
    let key = SigningKey::new(Algorithm::ES256, "a");
    let encryption_key = serde_json::json!({"keys": [{"kty": "RSA", "use": "enc"}]});
    for unusable in [set(&[]), encryption_key] {
        let issuer = Issuer::start(JwksResponse::Keys(vec![key.clone()]));
        let app = trusting(&issuer, SOON, NEVER).await;
        let token = key.sign(&good());
        with(&app, &token).await.is(200);
        issuer.respond_with(JwksResponse::Broken(200, unusable.to_string()));
        wait_until("the withdrawal of the key", async || {
            with(&app, &token).await.status == 401
        })
        .await;
        app.anonymous().get("//health/ready").await.is(200);
        issuer.respond_with(JwksResponse::Keys(vec![key.clone()]));
        wait_until("the return of the key", async || {
            with(&app, &token).await.status == 200
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
    let app = trusting(&issuer, NEVER, NEVER).await;
    for key in &keys {
        with(&app, &key.sign(&good())).await.is(200);
    }
    let unpublished = SigningKey::new(Algorithm::ES256, "0");
    with(&app, &unpublished.sign(&good()))
        .await
        .is_problem(401, "invalid_token");
}
