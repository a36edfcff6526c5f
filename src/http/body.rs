//! Bodies. [`Body`] is the only way in: what a handler gets has been read, bounded and judged.
//!
//! 400 means that the body cannot be read as what the document says (not JSON, an unknown member, a wrong type), 422 that it
//! was read and its contents are wrong; then *all* faults are told, each with its JSON pointer.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    body::{BoxBody, SizedStream},
    dev::Payload,
    error::PayloadError,
    http::{Method, header},
    web::{Bytes, BytesMut},
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{Either, LocalBoxFuture},
    stream,
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;
use validator::Validate;

use super::field_errors::{InputKind, deserialize_error, validation_errors};
use crate::common::{Code, Error, FieldError, Result, error::Kind, json_object::JsonObject};

/// Largest body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// How long a body may take to arrive in full, counted from when it is waited for: the largest one at 70 kB/s.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// [`BODY_TIMEOUT`] as data of the application, so that tests need not wait as long.
#[derive(Debug, Clone, Copy)]
pub struct BodyTimeout(pub Duration);

/// A body that was given up. Once nobody holds a chunked body any more, actix waits for the rest of it, for ever, to use the
/// connection again; so the answer holds it, and actix closes the connection when that is sent.
pub(super) struct HeldPayload(Payload);

impl HeldPayload {
    /// An answer that holds the body until it is sent.
    pub(super) fn held_by(self, answer: Vec<u8>) -> BoxBody {
        let (length, mut answer) = (answer.len() as u64, Some(Bytes::from(answer)));
        let stream = stream::poll_fn(move |_| {
            let _held = &self.0;
            Poll::Ready(answer.take().map(Ok::<_, Infallible>))
        });
        BoxBody::new(SizedStream::new(length, stream))
    }
}

/// A body that must be there.
pub struct Body<T>(pub T);

/// A body of at most `MAX` bytes that must be there, as it was sent: for those who read it themselves, with [`parse_json`] and
/// [`judged`].
pub struct RawBody<const MAX: usize>(pub Bytes);

/// A part of a body as it arrives.
type Chunk = std::result::Result<Bytes, PayloadError>;

/// A body that may be absent and then stands for the default.
pub struct OptionalBody<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = RawBody::<MAX_BODY>::from_request(request, payload);
        Box::pin(async move { parse(&raw.await?.0).map(Self) })
    }
}

impl<const MAX: usize> FromRequest for RawBody<MAX> {
    type Error = Error;
    /// Ready for most bodies, which came with their heads.
    type Future = Either<Ready<Result<Self>>, LocalBoxFuture<'static, Result<Self>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        if let Err(error) = must_be_json(request) {
            return Either::Left(ready(Err(error)));
        }
        match payload.next().now_or_never().flatten() {
            Some(Ok(all)) if all.len() <= MAX && content_length(request) == Some(all.len()) => {
                Either::Left(ready(Ok(Self(all))))
            }
            first => {
                let request = request.clone();
                Either::Right(
                    async move { collect(&request, first, payload, MAX).await.map(Self) }
                        .boxed_local(),
                )
            }
        }
    }
}

impl<T: DeserializeOwned + Validate + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, None, payload, MAX_BODY).await?;
            if bytes.is_empty() {
                return Ok(Self(T::default()));
            }
            must_be_json(&request)?;
            parse(&bytes).map(Self)
        })
    }
}

/// JSON, and for PATCH also by the name of the merge patch it is. It comes as it is: a compressed body could be small here and
/// huge once unpacked.
fn must_be_json(request: &HttpRequest) -> Result<()> {
    let patch = request.method() == Method::PATCH;
    let sent = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // most say no more than the name
    let is = |name: &str| {
        let named = |essence: &str| essence.eq_ignore_ascii_case(name);
        named(sent)
            || sent
                .split_once(';')
                .is_some_and(|(essence, _)| named(essence.trim_end()))
    };
    let mut codings = request.headers().get_all(header::CONTENT_ENCODING);
    let plain = codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain && (is("application/json") || patch && is("application/merge-patch+json")) {
        return Ok(());
    }
    Err(Error::client(Code::UnsupportedMediaType)
        .with("merge_patch", if patch { "yes" } else { "no" }))
}

/// The whole body, of which `first` came before, or a refusal when it is too large or too slow; actix itself would wait for it for
/// ever.
async fn collect(
    request: &HttpRequest,
    first: Option<Chunk>,
    mut payload: Payload,
    max: usize,
) -> Result<Bytes> {
    let limit = request
        .app_data::<BodyTimeout>()
        .map_or(BODY_TIMEOUT, |limit| limit.0);
    timeout(limit, receive(request, first, &mut payload, max))
        .await
        .unwrap_or_else(|_| {
            request.extensions_mut().insert(HeldPayload(payload));
            Err(Error::client(Code::RequestTimeout).with("seconds", limit.as_secs_f64()))
        })
}

/// How long a body says it is, in bytes.
fn content_length(request: &HttpRequest) -> Option<usize> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

async fn receive(
    request: &HttpRequest,
    first: Option<Chunk>,
    payload: &mut Payload,
    max: usize,
) -> Result<Bytes> {
    let too_large = || Error::client(Code::BodyTooLarge).with("max", max);
    let content_length = content_length(request);
    if content_length.is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::with_capacity(content_length.unwrap_or(0));
    let mut chunks = stream::iter(first).chain(payload);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Error::client(Code::BadRequest))?;
        if bytes.len() + chunk.len() > max {
            return Err(too_large());
        }
        if content_length == Some(chunk.len()) {
            // that is all, and needs no copy
            return Ok(chunk);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn parse<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T> {
    let body: T = parse_json(bytes)?;
    judged(
        body.validate()
            .map_err(|errors| validation_errors(&errors))
            .err()
            .unwrap_or_default(),
    )?;
    Ok(body)
}

/// Reads a body as what the document says it is, or tells where it is not. What it says is not judged.
pub fn parse_json<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T> {
    let malformed =
        |error: &serde_json::Error| Error::client(Code::MalformedJson).with("reason", error);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let JsonObject(body) = serde_path_to_error::deserialize::<_, JsonObject<T>>(&mut json)
        .map_err(|error| {
            if error.inner().is_data() {
                Error::from_field(deserialize_error(&error, InputKind::Body))
            } else {
                malformed(error.inner())
            }
        })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(body)
}

/// Refuses a body if anything is wrong with it. What does not have its shape cannot be read; that is told first, with everything
/// else that is wrong.
pub fn judged(field_errors: Vec<FieldError>) -> Result<()> {
    if field_errors.is_empty() {
        return Ok(());
    }
    let unreadable = field_errors
        .iter()
        .find(|field_error| field_error.code.kind() == Kind::Unreadable);
    let facts = unreadable
        .map(|field_error| field_error.args.clone())
        .unwrap_or_default();
    let code = unreadable.map_or(Code::ValidationFailed, |field_error| field_error.code);
    Err(Error::field_errors(code, field_errors).with_args(facts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accesses::dto::AccessCreate, catalog::dto::AreaPut};

    fn field_errors<T: DeserializeOwned + Validate>(json: &str) -> (Code, Vec<(String, Code)>) {
        let Err(Error::Client(refusal)) = parse::<T>(json.as_bytes()).map(|_| ()) else {
            panic!("{json} was taken")
        };
        (
            refusal.code,
            refusal
                .field_errors
                .into_iter()
                .map(|field_error| (field_error.pointer, field_error.code))
                .collect(),
        )
    }

    #[test]
    fn all_bad_fields_are_told_at_once() {
        let (code, field_errors) = field_errors::<AccessCreate>(
            r#"{"email": "x", "role": "boss", "contact_id": "-", "last_name": "a\u0000"}"#,
        );
        assert_eq!(code, Code::ValidationFailed);
        let expected = [
            ("/contact_id", Code::InvalidId),
            ("/email", Code::InvalidEmail),
            ("/first_name", Code::Required),
            ("/last_name", Code::ControlCharacter),
            ("/role", Code::UnknownValue),
        ];
        assert_eq!(
            field_errors,
            expected.map(|(pointer, code)| (pointer.to_owned(), code))
        );
    }

    #[rstest::rstest]
    #[case("", Code::MalformedJson, None)]
    #[case("{", Code::MalformedJson, None)]
    #[case("{} {}", Code::MalformedJson, None)]
    #[case(r#"{"email": "\ud800"}"#, Code::MalformedJson, None)]
    #[case("[]", Code::WrongType, Some(""))]
    #[case(" [true]", Code::WrongType, Some(""))]
    #[case(r#"{"mail": 1}"#, Code::UnknownMember, Some("/mail"))]
    #[case(r#"{"a/b~": 1}"#, Code::UnknownMember, Some("/a~1b~0"))]
    #[case(
        r#"{"a`b at line 1 column 2, expected c": 1}"#,
        Code::UnknownMember,
        Some("/a`b at line 1 column 2, expected c")
    )]
    #[case(r#"{"approver": "yes"}"#, Code::WrongType, Some("/approver"))]
    #[case(r#"{"email": null}"#, Code::WrongType, Some("/email"))]
    #[case(r#"{"email": "a@b", "email": "c@d"}"#, Code::WrongType, Some(""))]
    fn what_cannot_be_read_is_told_where(
        #[case] json: &str,
        #[case] code: Code,
        #[case] pointer: Option<&str>,
    ) {
        let (whole, field_errors) = field_errors::<AccessCreate>(json);
        assert_eq!(whole, code);
        assert_eq!(
            field_errors.first().map(|(pointer, _)| pointer.as_str()),
            pointer
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{{\"email\": {}", "[".repeat(100_000));
        assert!(matches!(
            field_errors::<AccessCreate>(&deep).0,
            Code::MalformedJson | Code::WrongType
        ));
    }

    #[test]
    fn faults_inside_a_list_are_told_by_index() {
        let json = r##"{"name": "x", "color": "#000000", "start_ticket_types": ["a", "-", "b"]}"##;
        assert_eq!(
            field_errors::<AreaPut>(json).1,
            [("/start_ticket_types/1".to_owned(), Code::InvalidId)]
        );
        let json = r##"{"name": "x", "color": "#000000", "start_ticket_types": ["a", "b", "a"]}"##;
        assert_eq!(
            field_errors::<AreaPut>(json).1,
            [("/start_ticket_types/2".to_owned(), Code::DuplicateValue)]
        );
    }
}
