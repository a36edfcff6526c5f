//! The problems of the document: which ones follow from the shape of an operation, and an example of each.

use serde_json::{Map, Value, json};
use strum::IntoEnumIterator as _;

use super::operations::response_headers;
use crate::{
    common::{Code, error::MessageArg},
    http::problem::{self, MEDIA_TYPE},
    i18n::{self, Lang},
};

/// The problems an operation can answer with, by status.
pub(super) fn of_operation(
    path: &str,
    method: &str,
    operation: &Map<String, Value>,
    own: Vec<Code>,
) -> Vec<(String, Vec<Code>)> {
    let (single, has_body) = (path.ends_with('}'), operation.contains_key("requestBody"));
    let lists = operation
        .get("operationId")
        .and_then(Value::as_str)
        .is_some_and(|id| id.starts_with("list_"));
    let mut codes = vec![
        Code::InvalidParameter,
        Code::UnknownParameter,
        Code::MissingToken,
        Code::InvalidToken,
        Code::InsufficientScope,
        Code::UriTooLong,
        Code::HeadersTooLarge,
        Code::TooManyRequests,
        Code::InternalError,
        Code::Unavailable,
        Code::Overloaded,
    ];
    if method != "get" && !path.contains("/decisions/") {
        codes.push(Code::StorageFull);
    }
    let catalog_put = path.contains("/catalog/") && method == "put";
    if path.contains('{') && !catalog_put
        || path.ends_with("/catalog/areas")
        || path.ends_with("/ticket-types")
        || path.ends_with("/plan-boards")
    {
        codes.push(Code::NotFound);
    }
    if lists && path != "/api/v1/ticket-fields" {
        codes.push(Code::InvalidCursor);
    }
    if has_body || method == "put" {
        codes.extend([
            Code::BadRequest,
            Code::MalformedJson,
            Code::UnknownMember,
            Code::WrongType,
        ]);
        codes.extend([
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::RequestTimeout,
        ]);
    }
    if has_body {
        codes.push(Code::ValidationFailed);
    }
    if method != "get" && single {
        codes.push(Code::PreconditionFailed);
    }
    codes.extend(own);
    let mut by_status = std::collections::BTreeMap::<String, Vec<Code>>::new();
    for code in codes {
        by_status
            .entry(code.status().as_str().to_owned())
            .or_default()
            .push(code);
    }
    by_status.into_iter().collect()
}

pub(super) fn response(codes: &[Code]) -> Value {
    let status = codes
        .first()
        .map_or_else(Default::default, |code| code.status());
    let names: &[&str] = match status.as_u16() {
        401 => &["WWW-Authenticate"],
        403 => &["Scope-WWW-Authenticate"],
        412 => &["Current-ETag"],
        415 => &["Accept-Encoding"],
        429 => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        503 | 507 => &["Retry-After"],
        _ => &[],
    };
    let listed: Vec<_> = codes
        .iter()
        .map(|code| format!("`{}`", code.as_str()))
        .collect();
    let examples = codes.iter().map(|code| {
        let name = code.as_str();
        (
            name.to_owned(),
            json!({"$ref": format!("#/components/examples/{name}")}),
        )
    });
    json!({
        "description": format!("{}: {}.", status.canonical_reason().unwrap_or("Problem"), listed.join(", ")),
        "headers": response_headers(names),
        "content": {MEDIA_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": examples.collect::<Map<_, _>>()
        }}
    })
}

/// A problem of each code as a German caller would see it, for the responses of `paths` that refer to it.
pub(super) fn examples(paths: &str) -> Value {
    let codes = Code::iter()
        .filter(|code| paths.contains(&format!("#/components/examples/{}\"", code.as_str())));
    let examples = codes.map(|code| {
        let (title, _) = i18n::problem_text(Lang::De, code, &[]);
        (
            code.as_str().to_owned(),
            json!({"summary": title, "value": example_problem(code)}),
        )
    });
    examples.collect::<Map<_, _>>().into()
}

/// The request that the examples are about.
const REQUEST: &str = "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60";

/// What the texts of the examples mention.
fn example_facts() -> Vec<MessageArg> {
    let facts = [
        ("reason", "expired"),
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
        ("request_id", REQUEST),
    ];
    facts
        .map(|(name, value)| (name.into(), value.to_owned()))
        .into()
}

fn example_problem(code: Code) -> Value {
    let facts = example_facts();
    let (title, detail) = i18n::problem_text(Lang::De, code, &facts);
    let field = match code {
        Code::ValidationFailed => Some(("/name", Code::Required)),
        Code::DuplicateEmail => Some(("/email", code)),
        Code::DuplicateContact => Some(("/contact_id", code)),
        Code::IntegrationIncomplete => Some(("/active", Code::NoArea)),
        Code::ApproverRole => Some(("/approver", code)),
        Code::DuplicateName => Some(("/name", code)),
        Code::AreaNotGranted => Some(("/area_id", code)),
        Code::UnknownAccess => Some(("/access_email", code)),
        Code::UnknownReference => Some(("/filter/filters/2/values/0", code)),
        _ => None,
    };
    let errors: Vec<_> = field
        .map(|(pointer, code)| {
            json!({"pointer": pointer, "code": code.as_str(), "detail": i18n::problem_text(Lang::De, code, &facts).1})
        })
        .into_iter()
        .collect();
    let references = match code {
        Code::AreaInUse => json!([{"kind": "tag", "id": REQUEST, "name": "VPN"}]),
        _ => json!([]),
    };
    json!({"type": problem::uri(code), "title": title, "status": code.status().as_u16(), "detail": detail,
        "instance": "/api/v1/customer-integrations/K-1001", "code": code.as_str(), "request_id": REQUEST, "errors": errors,
        "references": references})
}
