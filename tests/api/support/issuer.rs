//! An identity provider with signing keys and a JWKS endpoint whose response tests can change.

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

/// A private key and its public JWK.
#[derive(Clone)]
pub struct SigningKey {
    pub algorithm: Algorithm,
    pub kid: String,
    pub jwk: Value,
    key: EncodingKey,
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The PEM encoding of a PKCS #8 key.
fn pem(der: &[u8]) -> Vec<u8> {
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    )
    .into_bytes()
}

impl SigningKey {
    /// Generates a key pair. Panics if the algorithm is not supported.
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        let (mut jwk, key) = match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => {
                let pair = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
                let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
                let n = pair.public_key().modulus();
                let e = pair.public_key().exponent();
                let jwk = json!({
                    "kty": "RSA",
                    "n": base64url(n.big_endian_without_leading_zero()),
                    "e": base64url(e.big_endian_without_leading_zero()),
                });
                (jwk, EncodingKey::from_rsa_pem(&pem(der.as_ref())).unwrap())
            }
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                let der = pair.to_pkcs8v1().unwrap();
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let jwk =
                    json!({"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)});
                (jwk, EncodingKey::from_ec_pem(&pem(der.as_ref())).unwrap())
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let der = pair.to_pkcs8v1().unwrap();
                let x = base64url(pair.public_key().as_ref());
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
                (jwk, EncodingKey::from_ed_pem(&pem(der.as_ref())).unwrap())
            }
            other => panic!("unsupported algorithm {other:?}"),
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

    /// Signs a token with the header of an access token (RFC 9068 section 2.1).
    pub fn sign(&self, claims: &impl Serialize) -> String {
        let header = Header {
            typ: Some("at+jwt".into()),
            kid: Some(self.kid.clone()),
            ..Header::new(self.algorithm)
        };
        self.sign_with_header(&header, claims)
    }

    /// Signs a token with the given header.
    pub fn sign_with_header(&self, header: &Header, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }
}

/// The response of the JWKS endpoint.
#[derive(Clone)]
pub enum JwksResponse {
    Keys(Vec<SigningKey>),
    /// A status and a body.
    Raw(u16, String),
    /// A redirect to a URL.
    Redirect(String),
    /// Never responds.
    Pending,
}

/// A JWKS endpoint.
pub struct Issuer {
    pub url: String,
    response: Arc<Mutex<JwksResponse>>,
    request_count: Arc<AtomicUsize>,
    handle: ServerHandle,
}

impl Issuer {
    /// Starts an endpoint on a free port. It stops when dropped.
    pub fn start(response: JwksResponse) -> Self {
        let response = Arc::new(Mutex::new(response));
        let request_count = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let response_data = web::Data::from(Arc::clone(&response));
        let request_count_data = web::Data::from(Arc::clone(&request_count));
        let handle = serve(listener, move |app| {
            app.app_data(response_data.clone())
                .app_data(request_count_data.clone())
                .route("/keys", web::get().to(serve_keys));
        });
        Self {
            url,
            response,
            request_count,
            handle,
        }
    }

    /// Changes the response to all later requests.
    pub fn respond_with(&self, response: JwksResponse) {
        *self.response.lock().unwrap() = response;
    }

    /// The number of requests so far.
    pub fn request_count(&self) -> usize {
        self.request_count.load(Ordering::SeqCst)
    }
}

async fn serve_keys(
    response: web::Data<Mutex<JwksResponse>>,
    request_count: web::Data<AtomicUsize>,
) -> HttpResponse {
    request_count.fetch_add(1, Ordering::SeqCst);
    let response = response.lock().unwrap().clone();
    match response {
        JwksResponse::Keys(keys) => HttpResponse::Ok().json(jwk_set(&keys)),
        JwksResponse::Raw(status, body) => {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(body)
        }
        JwksResponse::Redirect(location) => HttpResponse::Found()
            .insert_header(("location", location))
            .finish(),
        JwksResponse::Pending => std::future::pending().await,
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The JWK set of some keys (RFC 7517 section 5).
pub fn jwk_set(keys: &[SigningKey]) -> Value {
    json!({"keys": keys.iter().map(|key| &key.jwk).collect::<Vec<_>>()})
}

/// One key of each algorithm that the service accepts, by key id.
pub fn one_key_per_algorithm() -> BTreeMap<&'static str, SigningKey> {
    [
        ("rs", Algorithm::RS256),
        ("ps", Algorithm::PS256),
        ("es", Algorithm::ES256),
        ("ed", Algorithm::EdDSA),
    ]
    .map(|(kid, algorithm)| (kid, SigningKey::new(algorithm, kid)))
    .into()
}

/// Starts a server with one worker.
pub fn serve(
    listener: TcpListener,
    configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> ServerHandle {
    let app = move || App::new().configure(configure.clone());
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    handle
}
