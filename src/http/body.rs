//! Request bodies.
//!
//! [`Body`] is how handlers get a body: read completely, limited in size, and validated.
//!
//! A body that does not parse as documented (not JSON, an unknown member, a wrong type) is a 400.
//! A body with invalid values is a 422. Both report *all* field errors, each with its JSON pointer,
//! together with those of rules and references: an invalid body is a [`Draft`] with errors.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    body::{BoxBody, SizedStream},
    dev::Payload,
    error::PayloadError,
    http::{Method, header},
    web::{Bytes, BytesMut, Data},
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{Either, LocalBoxFuture},
    poll, stream,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::error::Category;
use tokio::time::timeout;
use validator::Validate;

use super::{
    app_context::AppContext,
    field_errors::validation_errors,
    lenient_json::{self, Failure, Parsed},
    request_slot::RequestSlot,
};
use crate::common::{Code, Draft, Error, FieldError, Rejections, Result, draft::append_validation};

/// Maximum size of a body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// An abandoned request body.
///
/// actix waits indefinitely for the rest of a chunked body whose payload was dropped, in order to
/// reuse the connection. So the response holds the payload, and actix closes the connection once
/// the response is sent.
pub(super) struct HeldPayload(Payload);

impl HeldPayload {
    /// A response body that holds the payload until it is sent.
    pub(super) fn held_by(self, content: Vec<u8>) -> BoxBody {
        let length = content.len() as u64;
        let mut content = Some(Bytes::from(content));
        let stream = stream::poll_fn(move |_| {
            let _held = &self.0;
            Poll::Ready(content.take().map(Ok::<_, Infallible>))
        });
        BoxBody::new(SizedStream::new(length, stream))
    }
}

/// Extracts a required body.
pub struct Body<T>(pub Draft<T>);

/// Extracts the bytes of a required body of at most `MAX` bytes, for handlers that parse them
/// with [`parse_json`] and [`reject_if_any`].
pub struct RawBody<const MAX: usize>(pub Bytes);

/// Extracts an optional body; `None` if it is absent.
pub struct OptionalBody<T>(pub Option<Draft<T>>);

/// A chunk of a body as it arrives.
type Chunk = std::result::Result<Bytes, PayloadError>;

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
    /// Ready immediately for most bodies, which arrive together with their headers.
    type Future = Either<Ready<Result<Self>>, LocalBoxFuture<'static, Result<Self>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        if let Err(error) = require_json(request) {
            return Either::Left(ready(Err(error)));
        }
        if RequestSlot::of(request).is_some_and(|slot| !slot.has_subject()) {
            let request = request.clone();
            let all = async move { receive(&request, None, payload, MAX).await.map(Self) };
            return Either::Right(all.boxed_local());
        }
        match payload.next().now_or_never().flatten() {
            Some(Ok(all)) if all.len() <= MAX && content_length(request) == Some(all.len()) => {
                Either::Left(ready(reserve(request, all.len()).map(|()| Self(all))))
            }
            first => {
                let request = request.clone();
                let rest = async move { receive(&request, first, payload, MAX).await.map(Self) };
                Either::Right(rest.boxed_local())
            }
        }
    }
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for OptionalBody<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let bytes = receive(&request, None, payload, MAX_BODY).await?;
            if bytes.is_empty() {
                return Ok(Self(None));
            }
            require_json(&request)?;
            parse(&bytes).map(|body| Self(Some(body)))
        })
    }
}

/// Requires uncompressed JSON, for PATCH also as merge patch. Compressed bodies are rejected,
/// because a small one could decompress to a huge one.
fn require_json(request: &HttpRequest) -> Result<()> {
    let is_patch = request.method() == Method::PATCH;
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_json = is_media_type(content_type, "application/json")
        || is_patch && is_media_type(content_type, "application/merge-patch+json");
    let is_uncompressed = request
        .headers()
        .get_all(header::CONTENT_ENCODING)
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_uncompressed && is_json {
        return Ok(());
    }
    let merge_patch = if is_patch { "yes" } else { "no" };
    Err(Error::client(Code::UnsupportedMediaType).with("merge_patch", merge_patch))
}

/// Whether a `Content-Type` is a media type, ignoring its parameters.
fn is_media_type(content_type: &str, media_type: &str) -> bool {
    content_type.eq_ignore_ascii_case(media_type)
        || content_type
            .split_once(';')
            .is_some_and(|(essence, _)| essence.trim_end().eq_ignore_ascii_case(media_type))
}

/// Receives the rest of a body after its `first` chunk. Fails if it is too large or, because actix
/// has no timeout for bodies, too slow.
///
/// Reads nothing before the token is verified, and occupies no slot while it waits for the client.
async fn receive(
    request: &HttpRequest,
    first: Option<Chunk>,
    mut payload: Payload,
    max: usize,
) -> Result<Bytes> {
    let Some(slot) = RequestSlot::of(request) else {
        return collect(request, first, &mut payload, max).await;
    };
    slot.subject_entered().await;
    let limit = request
        .app_data::<Data<AppContext>>()
        .map_or(Duration::MAX, |app| app.body_timeout);
    let received = {
        let mut collected = pin!(collect(request, first, &mut payload, max));
        match poll!(&mut collected) {
            Poll::Ready(received) => Ok(received),
            Poll::Pending => timeout(limit, slot.released_while(collected)).await,
        }
    };
    received.unwrap_or_else(|_| {
        request.extensions_mut().insert(HeldPayload(payload));
        Err(Error::client(Code::RequestTimeout).with("seconds", limit.as_secs_f64()))
    })
}

/// Reserves memory for received bytes of a body. See [`RequestSlot::reserve`].
fn reserve(request: &HttpRequest, bytes: usize) -> Result<()> {
    RequestSlot::of(request).map_or(Ok(()), |slot| slot.reserve(bytes))
}

async fn collect(
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
        reserve(request, chunk.len())?;
        if content_length == Some(chunk.len()) {
            // The whole body in one chunk needs no copy.
            return Ok(chunk);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// The value of `Content-Length`, in bytes.
fn content_length(request: &HttpRequest) -> Option<usize> {
    request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn parse<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<Draft<T>> {
    let Parsed {
        value,
        mut field_errors,
    } = parse_json::<T>(bytes)?;
    if let Err(errors) = value.validate() {
        append_validation(&mut field_errors, validation_errors(&errors));
    }
    Draft::new(value, field_errors)
}

/// Deserializes a body without validating it.
///
/// # Errors
///
/// 400 if it is not JSON, or if invalid members leave no value.
pub fn parse_json<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<Parsed<T>> {
    lenient_json::deserialize(bytes).map_err(|failure| match failure {
        Failure::Malformed(error) => malformed(bytes, &error),
        Failure::Invalid(field_errors) => rejected(field_errors),
    })
}

fn malformed(bytes: &[u8], error: &serde_json::Error) -> Error {
    let reason = match error.classify() {
        _ if bytes.is_empty() => "empty",
        Category::Eof => "incomplete",
        _ => "syntax",
    };
    Error::client(Code::MalformedJson)
        .with("reason", reason)
        .with("line", error.line())
        .with("column", error.column())
}

/// The error of a body with these field errors.
fn rejected(field_errors: Vec<FieldError>) -> Error {
    match reject_if_any(field_errors) {
        Err(error) => error,
        Ok(()) => Error::client(Code::BadRequest),
    }
}

/// Fails if there are any field errors. If one of them means that the body does not parse, it
/// decides the code of the problem.
pub fn reject_if_any(field_errors: Vec<FieldError>) -> Result<()> {
    Rejections::of_body(field_errors).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::{
        ids::{ContactId, TicketTypeId},
        lenient_enum::LenientEnum,
        text::{Text, check},
        unique_vec::UniqueVec,
    };

    #[derive(Clone, Copy, Default, serde::Serialize, strum::EnumString, strum::VariantNames)]
    #[strum(serialize_all = "snake_case")]
    enum Role {
        #[default]
        Observer,
    }

    /// A body with one member of each kind.
    #[derive(Default, Deserialize, Validate)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        #[validate(custom(function = check))]
        contact_id: Option<ContactId>,
        #[validate(custom(function = check))]
        first_name: Text<1, 100>,
        #[validate(custom(function = check))]
        last_name: Text<1, 100>,
        #[serde(default = "LenientEnum::default_choice")]
        #[validate(custom(function = check))]
        role: LenientEnum<Role>,
        approver: bool,
        #[validate(nested)]
        ticket_types: UniqueVec<TicketTypeId, 0, 500>,
    }

    /// The code of a rejected body, and its field errors.
    fn rejection(json: &str) -> (Code, Vec<(String, Code)>) {
        let parsed = parse::<Sample>(json.as_bytes());
        let Err(Error::Client(error)) = parsed.and_then(Draft::into_valid).map(drop) else {
            panic!("{json} was accepted")
        };
        let field_errors = error.field_errors.into_iter();
        let field_errors = field_errors.map(|error| (error.pointer, error.code));
        (error.code, field_errors.collect())
    }

    #[test]
    fn all_invalid_fields_are_reported_together() {
        let (code, field_errors) =
            rejection(r#"{"role": "boss", "contact_id": "-", "last_name": "a\u0000"}"#);
        assert_eq!(code, Code::ValidationFailed);
        let expected = [
            ("/contact_id", Code::InvalidId),
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
    #[case::empty("", Code::MalformedJson, None)]
    #[case::truncated("{", Code::MalformedJson, None)]
    #[case::trailing("{} {}", Code::MalformedJson, None)]
    #[case::lone_surrogate(r#"{"last_name": "\ud800"}"#, Code::MalformedJson, None)]
    #[case::array("[]", Code::WrongType, Some(""))]
    #[case::padded_array(" [true]", Code::WrongType, Some(""))]
    #[case::unknown_member(r#"{"name": 1}"#, Code::UnknownMember, Some("/name"))]
    #[case::escaped_member(r#"{"a/b~": 1}"#, Code::UnknownMember, Some("/a~1b~0"))]
    #[case::message_in_member(
        r#"{"a`b at line 1 column 2, expected c": 1}"#,
        Code::UnknownMember,
        Some("/a`b at line 1 column 2, expected c")
    )]
    #[case::wrong_type(r#"{"approver": "yes"}"#, Code::WrongType, Some("/approver"))]
    #[case::null(r#"{"last_name": null}"#, Code::WrongType, Some("/last_name"))]
    #[case::duplicate(
        r#"{"last_name": "a@b", "last_name": "c@d"}"#,
        Code::WrongType,
        Some("/last_name")
    )]
    fn unreadable_body_is_rejected_with_pointer(
        #[case] json: &str,
        #[case] expected: Code,
        #[case] pointer: Option<&str>,
    ) {
        let (code, field_errors) = rejection(json);
        assert_eq!(code, expected);
        let first = field_errors.first().map(|(pointer, _)| pointer.as_str());
        assert_eq!(first, pointer);
    }

    #[test]
    fn wrong_types_and_invalid_values_are_reported_together() {
        let (code, field_errors) = rejection(
            r#"{"color": 1, "last_name": "", "approver": 0, "role": 5, "ticket_types": ["-", 1]}"#,
        );
        assert_eq!(code, Code::UnknownMember);
        let expected = [
            ("/color", Code::UnknownMember),
            ("/approver", Code::WrongType),
            ("/role", Code::WrongType),
            ("/ticket_types/1", Code::WrongType),
            ("/first_name", Code::Required),
            ("/last_name", Code::Required),
            ("/ticket_types/0", Code::InvalidId),
        ];
        assert_eq!(
            field_errors,
            expected.map(|(pointer, code)| (pointer.to_owned(), code))
        );
    }

    #[test]
    fn deeply_nested_body_is_rejected() {
        let deep = format!("{{\"last_name\": {}", "[".repeat(100_000));
        let (code, _) = rejection(&deep);
        assert!(matches!(code, Code::MalformedJson | Code::WrongType));
    }

    #[rstest::rstest]
    #[case::invalid_id(r#"["a", "-", "b"]"#, "/ticket_types/1", Code::InvalidId)]
    #[case::duplicate(r#"["a", "b", "a"]"#, "/ticket_types/2", Code::DuplicateValue)]
    fn list_errors_point_to_the_item(#[case] ids: &str, #[case] pointer: &str, #[case] code: Code) {
        let json = format!(r#"{{"first_name": "a", "last_name": "b", "ticket_types": {ids}}}"#);
        let (_, field_errors) = rejection(&json);
        assert_eq!(field_errors, [(pointer.to_owned(), code)]);
    }
}
