//! Response headers, shared as components.

use serde_json::{Map, Value, json};

/// Headers that every response can have.
const COMMON: [&str; 2] = ["X-Request-Id", "Access-Control-Allow-Origin"];

/// Components that describe the same header for another response. The prefix is not part of the
/// header's name.
const VARIANT_PREFIXES: [&str; 2] = ["Current-", "Scope-"];

/// References to the headers of a response: those named by their component, and the common ones.
pub(super) fn of_response(components: &[&str]) -> Value {
    let mut headers = Map::new();
    for component in components.iter().chain(&COMMON) {
        let name = VARIANT_PREFIXES
            .iter()
            .find_map(|prefix| component.strip_prefix(prefix))
            .unwrap_or(component);
        let reference = json!({"$ref": format!("#/components/headers/{component}")});
        headers.insert(name.to_owned(), reference);
    }
    headers.into()
}

/// All header components.
pub(super) fn components() -> Value {
    json!({
        "Access-Control-Allow-Origin": optional(
            "The origin of the request, if the service is configured to allow it.",
            1000,
            "https://portal.example",
        ),
        "ETag": required(
            "ETag of the response, for `If-Match` and `If-None-Match`.",
            200,
            "\"3\"",
        ),
        "Current-ETag": optional("Current ETag of the resource, if it exists.", 200, "\"4\""),
        "Content-Language": required(
            "Language of the localized text in the response, selected by `Accept-Language`.",
            2,
            "de",
        ),
        "Link": optional(
            "The next page, with relation `next` (RFC 8288); absent on the last page.",
            12_000,
            "</api/v1/customer-integrations/K-1001/tags?cursor=eyJsIjoi>; rel=\"next\"",
        ),
        "Location": required(
            "Path of the new resource.",
            300,
            "/api/v1/customer-integrations/K-1001/areas/netz",
        ),
        "X-Request-Id": required(
            "Id of the request; also written to the service's log.",
            128,
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60",
        ),
        "WWW-Authenticate": required(
            "Authentication challenge (RFC 6750) with the URL of the metadata (RFC 9728).",
            1000,
            "Bearer realm=\"customer-integration\", error=\"invalid_token\"",
        ),
        "Scope-WWW-Authenticate": optional(
            "Authentication challenge with the missing scope; absent if no scope would help.",
            1000,
            "Bearer realm=\"customer-integration\", error=\"insufficient_scope\", \
                scope=\"integration:write\"",
        ),
        "Accept-Encoding": optional("Accepted content codings of request bodies.", 100, "identity"),
        "Accept-Patch": optional(
            "Accepted media types of the body, if the method is PATCH (RFC 5789).",
            100,
            "application/merge-patch+json, application/json",
        ),
        "Retry-After": required("Seconds to wait before retrying.", 10, "1"),
        "RateLimit": optional(
            "Remaining quota, if the rate limit is exceeded (draft-ietf-httpapi-ratelimit-headers).",
            100,
            "\"subject\";r=0;t=1",
        ),
        "RateLimit-Policy": optional(
            "Quota policy: number of requests (`q`) per window in seconds (`w`).",
            100,
            "\"subject\";q=20;w=2",
        )
    })
}

fn required(description: &str, max_length: u32, example: &str) -> Value {
    header(description, true, max_length, example)
}

fn optional(description: &str, max_length: u32, example: &str) -> Value {
    header(description, false, max_length, example)
}

fn header(description: &str, required: bool, max_length: u32, example: &str) -> Value {
    json!({
        "description": description,
        "required": required,
        "schema": {"type": "string", "maxLength": max_length},
        "example": example
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variant_component_is_referenced_under_header_name() {
        let headers = of_response(&["Current-ETag"]);
        assert_eq!(headers["ETag"]["$ref"], "#/components/headers/Current-ETag");
        assert!(headers.get("X-Request-Id").is_some());
    }
}
