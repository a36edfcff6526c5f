//! Problem responses: which problems an operation can return, and an example of each.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde_json::{Map, Value, json};
use strum::IntoEnumIterator as _;

use super::{headers, operations::Shape};
use crate::{
    common::{Code, error::MessageArg},
    http::problem::{self, MEDIA_TYPE},
    i18n::{self, Lang},
};

/// Problems that every operation can return.
const COMMON: [Code; 13] = [
    Code::InvalidParameter,
    Code::UnknownParameter,
    Code::MissingToken,
    Code::InvalidToken,
    Code::TokenExpired,
    Code::InsufficientScope,
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::TooManyRequests,
    Code::TooManyConcurrentRequests,
    Code::InternalError,
    Code::Unavailable,
    Code::Overloaded,
];

/// Problems of reading a request body.
const BODY: [Code; 7] = [
    Code::BadRequest,
    Code::MalformedJson,
    Code::UnknownMember,
    Code::WrongType,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::RequestTimeout,
];

/// Removes the extension `x-problem-codes` from an operation and returns its codes.
///
/// # Errors
/// If a code does not exist.
pub(super) fn declared(operation: &mut Map<String, Value>) -> serde_json::Result<Vec<Code>> {
    let Some(codes) = operation.remove("x-problem-codes") else {
        return Ok(vec![]);
    };
    let codes: Vec<String> = serde_json::from_value(codes)?;
    let unknown = |code: &str| serde_json::Error::custom(format!("unknown problem code {code}"));
    codes
        .iter()
        .map(|code| code.parse().map_err(|_| unknown(code)))
        .collect()
}

/// The problems that an operation can return, by status: those that follow from its shape, and the
/// declared ones.
pub(super) fn by_status(shape: &Shape, declared: Vec<Code>) -> BTreeMap<String, Vec<Code>> {
    let mut codes = COMMON.to_vec();
    if !shape.needs_scope {
        codes.retain(|code| *code != Code::InsufficientScope);
    }
    if shape.is_write {
        codes.push(Code::StorageFull);
    }
    if shape.can_miss_resource {
        codes.push(Code::NotFound);
    }
    if shape.has_cursor {
        codes.push(Code::InvalidCursor);
    }
    if shape.reads_body {
        codes.extend(BODY);
    }
    if shape.has_body {
        codes.push(Code::ValidationFailed);
    }
    if !shape.is_get && shape.is_single {
        codes.push(Code::PreconditionFailed);
    }
    codes.extend(declared);
    let mut by_status = BTreeMap::<_, Vec<_>>::new();
    for code in codes {
        let status = code.status().as_str().to_owned();
        by_status.entry(status).or_default().push(code);
    }
    by_status
}

/// The problem responses of all operations, each stored once among the components.
#[derive(Default)]
pub(super) struct SharedResponses(Map<String, Value>);

impl SharedResponses {
    /// A reference to the response with these codes, which have the same status.
    ///
    /// # Errors
    /// If another response already has this name.
    pub(super) fn reference(&mut self, codes: &[Code]) -> serde_json::Result<Value> {
        let name = component_name(codes);
        let response = response(codes);
        let stored = self.0.entry(&name).or_insert_with(|| response.clone());
        if *stored != response {
            let error = format!("two responses are called {name}");
            return Err(serde_json::Error::custom(error));
        }
        Ok(json!({"$ref": format!("#/components/responses/{name}")}))
    }

    /// The component responses, sorted by name.
    pub(super) fn into_components(self) -> Value {
        let mut responses = self.0;
        responses.sort_keys();
        responses.into()
    }
}

/// The name of a problem response: its reason phrase and the codes that set it apart from the other
/// responses of its status, for example `ConflictIntegrationInactiveDuplicateName`.
fn component_name(codes: &[Code]) -> String {
    let phrase = reason(codes).split(' ').collect::<String>();
    codes.iter().fold(phrase, |name, code| match code {
        Code::MalformedJson => name + "Body",
        Code::NotFound | Code::PreconditionFailed | Code::StorageFull => name,
        code if COMMON.contains(code) || BODY.contains(code) => name,
        code => format!("{name}{code:?}"),
    })
}

fn reason(codes: &[Code]) -> &'static str {
    codes
        .first()
        .and_then(|code| code.status().canonical_reason())
        .unwrap_or("Problem")
}

fn response(codes: &[Code]) -> Value {
    let status = codes.first().map(|code| code.status().as_u16());
    let headers = match status {
        Some(401) => vec!["WWW-Authenticate"],
        Some(403) => vec!["Scope-WWW-Authenticate"],
        Some(412) => vec!["Current-ETag"],
        Some(415) => vec!["Accept-Encoding", "Accept-Patch"],
        Some(429) => vec!["Retry-After", "RateLimit", "RateLimit-Policy"],
        Some(503 | 507) => vec!["Retry-After"],
        _ => vec![],
    };
    let names: Vec<_> = codes
        .iter()
        .map(|code| format!("`{}`", code.as_str()))
        .collect();
    let mut examples = Map::new();
    for code in codes {
        let reference = json!({"$ref": format!("#/components/examples/{}", code.as_str())});
        examples.insert(code.as_str().to_owned(), reference);
    }
    json!({
        "description": format!("{}: {}.", reason(codes), names.join(", ")),
        "headers": headers::of_response(&headers),
        "content": {MEDIA_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": examples
        }}
    })
}

/// An example, in German, of each problem that the responses refer to.
pub(super) fn examples(responses: &SharedResponses) -> Value {
    let responses = json!(responses.0).to_string();
    let is_used = |code: &Code| responses.contains(&format!("/examples/{}\"", code.as_str()));
    let mut examples = Map::new();
    for code in Code::iter().filter(is_used) {
        let (title, _) = i18n::problem_text(Lang::De, code, &[]);
        let example = json!({"summary": title, "value": example_problem(code)});
        examples.insert(code.as_str().to_owned(), example);
    }
    examples.into()
}

/// The id of the request in the examples.
const REQUEST_ID: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e80";
/// The id of a tag in the examples.
const TAG_ID: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e64";
/// The id of an exclusion rule in the examples.
const RULE_ID: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e69";

/// Arguments of the messages in the examples.
fn example_args() -> Vec<MessageArg> {
    let args = [
        ("reason", "audience"),
        ("line", "1"),
        ("column", "14"),
        ("expected", "string"),
        ("member", "emial"),
        ("name", "farbe"),
        ("scope", "integration:write"),
        ("allowed", "GET"),
        ("active_accesses", "2"),
        ("count", "1"),
        ("names", "VPN"),
        ("max", "20000"),
        ("seconds", "15"),
        ("role", "observer"),
        ("id", "netz"),
        ("merge_patch", "no"),
        ("revision", "14"),
        ("request_id", REQUEST_ID),
    ];
    args.map(|(name, value)| (name.into(), value.to_owned()))
        .into()
}

fn example_problem(code: Code) -> Value {
    let args = example_args();
    let (title, detail) = i18n::problem_text(Lang::De, code, &args);
    let references = match code {
        Code::AreaInUse => json!([{"kind": "tag", "id": TAG_ID, "name": "VPN"}]),
        Code::TagInUse => json!([{"kind": "exclusion_rule", "id": RULE_ID, "name": "VPN"}]),
        _ => json!([]),
    };
    json!({
        "type": problem::uri(code),
        "title": title,
        "status": code.status().as_u16(),
        "detail": detail,
        "instance": "/api/v1/customer-integrations/K-1001",
        "code": code.as_str(),
        "request_id": REQUEST_ID,
        "errors": example_errors(code, &args),
        "references": references,
        "current": example_current(code)
    })
}

/// The current state of the resource in an example.
fn example_current(code: Code) -> Value {
    match code {
        Code::PreconditionFailed => json!({
            "version": 4,
            "updated_at": "2026-11-23T08:00:00.000000Z",
            "updated_by": "anna.admin",
            "updated_by_name": "Anna Admin"
        }),
        _ => Value::Null,
    }
}

/// The field errors of an example.
fn example_errors(problem: Code, args: &[MessageArg]) -> Value {
    let (pointer, code) = match problem {
        Code::ValidationFailed => ("/name", Code::Required),
        Code::DuplicateEmail => ("/email", problem),
        Code::DuplicateContact => ("/contact_id", problem),
        Code::IntegrationIncomplete => ("/active", Code::NoArea),
        Code::ApproverRole => ("/approver", problem),
        Code::DuplicateName => ("/name", problem),
        Code::AreaNotGranted => ("/area_id", problem),
        Code::UnknownAccess => ("/access_email", problem),
        Code::UnknownReference => ("/filter/filters/2/values/0", problem),
        _ => return json!([]),
    };
    let (_, detail) = i18n::problem_text(Lang::De, code, args);
    json!([{"pointer": pointer, "code": code.as_str(), "detail": detail}])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::common(&[Code::MissingToken, Code::InvalidToken], "Unauthorized")]
    #[case::of_shape(&[Code::NotFound], "NotFound")]
    #[case::body(&[Code::InvalidParameter, Code::MalformedJson], "BadRequestBody")]
    #[case::list(&[Code::InvalidParameter, Code::InvalidCursor], "BadRequestInvalidCursor")]
    #[case::declared(
        &[Code::IntegrationInactive, Code::DuplicateName],
        "ConflictIntegrationInactiveDuplicateName"
    )]
    fn response_name_lists_distinguishing_codes(#[case] codes: &[Code], #[case] name: &str) {
        assert_eq!(component_name(codes), name);
    }

    #[test]
    fn different_responses_with_one_name_are_refused() {
        let mut responses = SharedResponses::default();
        responses.reference(&[Code::MissingToken]).unwrap();
        assert!(responses.reference(&[Code::InvalidToken]).is_err());
    }

    #[test]
    fn unknown_declared_code_is_refused() {
        let declare = |codes: Value| Map::from_iter([("x-problem-codes".to_owned(), codes)]);
        let codes = declared(&mut declare(json!(["last_area"]))).unwrap();
        assert_eq!(codes, [Code::LastArea]);
        assert!(declared(&mut declare(json!(["lost_area"]))).is_err());
    }
}
