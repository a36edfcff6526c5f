//! An identity provider: it has keys, signs with them, and publishes them as a JWK set that tests can change and break.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, web};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::{Value, json};

/// A key, and what is published of it.
#[derive(Clone)]
pub struct SigningKey {
    pub algorithm: Algorithm,
    pub kid: String,
    pub jwk: Value,
    key: EncodingKey,
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn pem(der: &[u8]) -> Vec<u8> {
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    )
    .into_bytes()
}

impl SigningKey {
    /// A new key.
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        let (mut jwk, key) = match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => {
                let pair = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
                let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let jwk = json!({"kty": "RSA", "n": text(n.big_endian_without_leading_zero()), "e": text(e.big_endian_without_leading_zero())});
                (jwk, EncodingKey::from_rsa_pem(&pem(der.as_ref())).unwrap())
            }
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                let der = pair.to_pkcs8v1().unwrap();
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let jwk = json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)});
                (jwk, EncodingKey::from_ec_pem(&pem(der.as_ref())).unwrap())
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let der = pair.to_pkcs8v1().unwrap();
                let jwk =
                    json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())});
                (jwk, EncodingKey::from_ed_pem(&pem(der.as_ref())).unwrap())
            }
            other => panic!("no key for {other:?}"),
        };
        jwk["kid"] = kid.into();
        jwk["alg"] = json!(algorithm);
        Self {
            algorithm,
            kid: kid.to_owned(),
            jwk,
            key,
        }
    }

    /// A token.
    pub fn sign(&self, claims: &impl Serialize) -> String {
        let header = Header {
            typ: Some("at+jwt".into()),
            kid: Some(self.kid.clone()),
            ..Header::new(self.algorithm)
        };
        self.sign_as(&header, claims)
    }

    /// A token with any header.
    pub fn sign_as(&self, header: &Header, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }
}

/// What an endpoint answers.
#[derive(Clone)]
pub enum Answer {
    Keys(Vec<SigningKey>),
    Broken(u16, String),
    Redirect(String),
}

/// A published JWK set.
pub struct Issuer {
    pub url: String,
    answer: Arc<Mutex<Answer>>,
    fetched: Arc<AtomicUsize>,
    handle: ServerHandle,
}

impl Issuer {
    /// Serves on a free port until it is dropped.
    pub fn start(answer: Answer) -> Self {
        let (answer, fetched) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (told, counted) = (
            web::Data::from(Arc::clone(&answer)),
            web::Data::from(Arc::clone(&fetched)),
        );
        let keys = |told: web::Data<Mutex<Answer>>, counted: web::Data<AtomicUsize>| async move {
            counted.fetch_add(1, Ordering::SeqCst);
            match told.lock().unwrap().clone() {
                Answer::Keys(keys) => HttpResponse::Ok().json(set(&keys)),
                Answer::Broken(status, body) => {
                    HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(body)
                }
                Answer::Redirect(to) => HttpResponse::Found()
                    .insert_header(("location", to))
                    .finish(),
            }
        };
        let app = move || {
            App::new()
                .app_data(told.clone())
                .app_data(counted.clone())
                .route("/keys", web::get().to(keys))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            url,
            answer,
            fetched,
            handle,
        }
    }

    /// Answers something else from now on.
    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// How often the keys were fetched.
    pub fn fetched(&self) -> usize {
        self.fetched.load(Ordering::SeqCst)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// A JWK set.
pub fn set(keys: &[SigningKey]) -> Value {
    json!({"keys": keys.iter().map(|key| &key.jwk).collect::<Vec<_>>()})
}

/// One key of each algorithm that a JWK set may have, by name.
pub fn one_of_each() -> BTreeMap<&'static str, SigningKey> {
    [
        ("rs", Algorithm::RS256),
        ("ps", Algorithm::PS256),
        ("es", Algorithm::ES256),
        ("ed", Algorithm::EdDSA),
    ]
    .map(|(kid, algorithm)| (kid, SigningKey::new(algorithm, kid)))
    .into()
}
