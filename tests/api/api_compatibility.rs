//! Compares the OpenAPI document with that of the last release: a breaking change needs a new
//! version in the path or a declaration in the changelog. The other tests cover the comparison
//! itself: it finds every kind of breaking change and has no false positives.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::support::{
    api_compatibility::{Break, breaks, declared, undeclared},
    document::DOCUMENT,
};

fn read_file(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn released() -> Value {
    serde_json::from_str(&read_file("openapi/released.json")).unwrap()
}

#[test]
fn breaking_changes_since_last_release_are_declared() {
    let problems = undeclared(
        &breaks(&released(), &DOCUMENT),
        &declared(&read_file("CHANGELOG.md")),
    );
    assert!(
        problems.is_empty(),
        "Each breaking change needs a line \"- **Breaking:** `name` …\" in the section Unreleased \
         of CHANGELOG.md, or a new version in the path:\n{}",
        problems.join("\n")
    );
}

/// A document with one of each element that can break clients.
fn sample() -> Value {
    serde_json::from_str(include_str!("api_compatibility/sample.json")).unwrap()
}

const PATHS: &str = "/paths";
const LIST: &str = "/paths/~1api~1v1~1things/get";
const POST: &str = "/paths/~1api~1v1~1things/post";
const PUT: &str = "/paths/~1api~1v1~1things~1{thing_id}/put";
const DELETE: &str = "/paths/~1api~1v1~1things~1{thing_id}/delete";
const THING: &str = "/components/schemas/Thing/allOf/1";
const CREATE: &str = "/components/schemas/ThingCreate";
const SCHEMAS: &str = "/components/schemas";
const HEADERS: &str = "/components/headers";
const EXAMPLES: &str = "/components/examples";

/// A change of one value of the sample.
struct Edit {
    /// A JSON pointer. The segment `-` appends to an array.
    pointer: String,
    /// The new value, or `None` to remove the old one.
    value: Option<Value>,
}

fn set(base: &str, path: &str, value: impl Into<Value>) -> Edit {
    Edit {
        pointer: format!("{base}{path}"),
        value: Some(value.into()),
    }
}

fn remove(base: &str, path: &str) -> Edit {
    Edit {
        pointer: format!("{base}{path}"),
        value: None,
    }
}

impl Edit {
    /// Returns the edited sample.
    fn apply(self) -> Value {
        let mut document = sample();
        let (parent, name) = self.pointer.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        match (document.pointer_mut(parent).expect(parent), self.value) {
            (Value::Array(items), Some(value)) if name == "-" => items.push(value),
            (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value,
            (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
            (object, Some(value)) => object[&name] = value,
            (object, None) => {
                let removed = object.as_object_mut().unwrap().remove(&name);
                assert!(removed.is_some(), "{} does not exist", self.pointer);
            }
        }
        document
    }

    /// Asserts that the edit causes a breaking change whose description starts with `expected`.
    #[track_caller]
    fn is_reported_as(self, expected: &str) {
        let found = descriptions(&breaks(&sample(), &self.apply()));
        assert!(
            found.iter().any(|change| change.starts_with(expected)),
            "{found:#?}"
        );
    }

    #[track_caller]
    fn is_compatible(self) {
        assert_eq!(breaks(&sample(), &self.apply()), []);
    }
}

fn descriptions(breaks: &[Break]) -> Vec<String> {
    breaks.iter().map(ToString::to_string).collect()
}

fn note() -> Value {
    json!({"$ref": "#/components/schemas/Note"})
}

fn nullable_note() -> Value {
    json!({"oneOf": [note(), {"type": "null"}]})
}

#[test]
fn breaking_change_of_operation_is_reported() {
    remove(LIST, "").is_reported_as("`list_things`: operation removed: GET /api/v1/things");
    remove(DELETE, "").is_reported_as("`delete_thing`: operation removed");
    set(LIST, "/operationId", "get_things")
        .is_reported_as("`list_things`: operationId is now \"get_things\"");
    set(LIST, "/x-required-scopes/-", "more:read")
        .is_reported_as("`list_things`: scope added: more:read");
    set(LIST, "/x-required-scopes/0", "other:read")
        .is_reported_as("`list_things`: scope added: other:read");
}

#[test]
fn breaking_change_of_parameter_is_reported() {
    remove(LIST, "/parameters/0").is_reported_as("`list_things`: parameter removed: limit");
    set(LIST, "/parameters/0/in", "header")
        .is_reported_as("`list_things`: parameter removed: limit");
    set(LIST, "/parameters/0/required", true)
        .is_reported_as("`list_things`: parameter is required now: limit");
    set(
        LIST,
        "/parameters/-",
        json!({"name": "q", "in": "query", "required": true}),
    )
    .is_reported_as("`list_things`: required parameter added: \"q\"");
    set(LIST, "/parameters/0/schema/maximum", 100)
        .is_reported_as("`list_things`: limit, maximum 200 is now 100");
    set(LIST, "/parameters/0/schema/minimum", 2)
        .is_reported_as("`list_things`: limit, minimum 1 is now 2");
    set(LIST, "/parameters/0/schema/default", 20)
        .is_reported_as("`list_things`: limit, default 50 is now 20");
    set(LIST, "/parameters/0/schema/type", "string").is_reported_as("`list_things`: limit, type");
    remove(LIST, "/parameters/1/schema/enum/1")
        .is_reported_as("`list_things`: sort, value removed: -name");
}

#[test]
fn breaking_change_of_request_body_is_reported() {
    remove(PUT, "/requestBody").is_reported_as("`put_thing`: body removed");
    set(PUT, "/requestBody/required", true).is_reported_as("`put_thing`: body is required now");
    set(DELETE, "/requestBody", json!({"required": true}))
        .is_reported_as("`delete_thing`: required body added");
    remove(PUT, "/requestBody/content/application~1merge-patch+json")
        .is_reported_as("`put_thing`: body: media type removed");
}

#[test]
fn breaking_change_of_member_in_requests_is_reported() {
    set(CREATE, "/required/-", "size")
        .is_reported_as("`ThingCreate`: member is required now: /size");
    remove(CREATE, "/properties/size").is_reported_as("`ThingCreate`: member removed: /size");
    set(CREATE, "/properties/name/minLength", 2)
        .is_reported_as("`ThingCreate`: /name, minLength 1 is now 2, in requests");
    set(CREATE, "/properties/name/maxLength", 99)
        .is_reported_as("`ThingCreate`: /name, maxLength 100 is now 99, in requests");
    set(CREATE, "/properties/name/pattern", "^b").is_reported_as("`ThingCreate`: /name, pattern");
    set(CREATE, "/properties/tags/items/pattern", "^b")
        .is_reported_as("`ThingCreate`: /tags/*, pattern null is now \"^b\"");
    set(CREATE, "/properties/name/format", "email")
        .is_reported_as("`ThingCreate`: /name, format null is now \"email\"");
    set(CREATE, "/properties/name/enum", json!(["a"]))
        .is_reported_as("`ThingCreate`: /name, value removed: any");
    set(CREATE, "/properties/size/minimum", 0.5)
        .is_reported_as("`ThingCreate`: /size, minimum 0 is now 0.5");
    set(CREATE, "/properties/size/maximum", 9)
        .is_reported_as("`ThingCreate`: /size, maximum 10 is now 9");
    set(CREATE, "/properties/size/multipleOf", 2)
        .is_reported_as("`ThingCreate`: /size, multipleOf");
    set(CREATE, "/properties/size/type", "number")
        .is_reported_as("`ThingCreate`: null is refused now: /size");
    set(CREATE, "/properties/size/type/0", "integer").is_reported_as("`ThingCreate`: /size, type");
    set(CREATE, "/properties/note", note())
        .is_reported_as("`ThingCreate`: null is refused now: /note");
    set(CREATE, "/properties/tags/minItems", 2)
        .is_reported_as("`ThingCreate`: /tags, minItems 1 is now 2");
    set(CREATE, "/properties/tags/maxItems", 4)
        .is_reported_as("`ThingCreate`: /tags, maxItems 5 is now 4");
    set(CREATE, "/properties/tags/uniqueItems", true)
        .is_reported_as("`ThingCreate`: /tags, uniqueItems");
    set(CREATE, "/properties/tags/items/maxLength", 9)
        .is_reported_as("`ThingCreate`: /tags/*, maxLength 10 is now 9");
}

#[test]
fn breaking_change_of_schema_in_requests_is_reported() {
    remove(SCHEMAS, "/Kind/enum/0").is_reported_as("`Kind`: value removed: big, in requests");
    set(SCHEMAS, "/Note/additionalProperties", false)
        .is_reported_as("`Note`: unknown members are refused now, in requests");
    remove(SCHEMAS, "/Filter/oneOf/0")
        .is_reported_as("`Filter`: value removed: variant Group, in requests");
    remove(SCHEMAS, "/Filter/discriminator/mapping/is")
        .is_reported_as("`Filter`: value removed: is, in requests");
    set(SCHEMAS, "/Condition/properties/value/maxLength", 9)
        .is_reported_as("`Condition`: /value, maxLength 10 is now 9, in requests");
}

#[test]
fn breaking_change_of_response_is_reported() {
    remove(PUT, "/responses/201").is_reported_as("`put_thing`: status removed: 201");
    remove(PUT, "/responses/200/content/application~1json")
        .is_reported_as("`put_thing`: 200: media type removed");
    remove(POST, "/responses/201/headers/ETag")
        .is_reported_as("`create_thing`: 201 no longer has the header ETag");
    set(HEADERS, "/ETag/required", false)
        .is_reported_as("`create_thing`: 201 no longer has the header ETag");
    set(
        LIST,
        "/responses/200/content/application~1json/schema/maxItems",
        300,
    )
    .is_reported_as("`list_things`: 200, maxItems 200 is now 300, in responses");
    set(
        LIST,
        "/responses/200/content/application~1json/schema/type",
        "object",
    )
    .is_reported_as("`list_things`: 200, type");
}

#[test]
fn breaking_change_of_member_in_responses_is_reported() {
    remove(THING, "/properties/id").is_reported_as("`Thing`: member removed: /id");
    remove(THING, "/required/0").is_reported_as("`Thing`: member may be absent now: /id");
    remove(THING, "/properties/id/format")
        .is_reported_as("`Thing`: /id, format \"uuid\" is now null");
    set(THING, "/properties/id/type", "integer").is_reported_as("`Thing`: /id, type");
    set(THING, "/properties/id/type", json!(["string", "null"]))
        .is_reported_as("`Thing`: may be null now: /id");
    set(THING, "/properties/name/maxLength", 200)
        .is_reported_as("`Thing`: /name, maxLength 100 is now 200, in responses");
    remove(THING, "/properties/name/maxLength")
        .is_reported_as("`Thing`: /name, maxLength 100 is now null, in responses");
    remove(THING, "/properties/name/pattern").is_reported_as("`Thing`: /name, pattern");
    set(THING, "/properties/best_note", nullable_note())
        .is_reported_as("`Thing`: may be null now: /best_note");
}

#[test]
fn breaking_change_of_schema_in_responses_is_reported() {
    remove(SCHEMAS, "/Audit/properties/version")
        .is_reported_as("`Thing`: member removed: /version");
    set(SCHEMAS, "/Audit/properties/version/minimum", 0)
        .is_reported_as("`Thing`: /version, minimum 1 is now 0, in responses");
    set(SCHEMAS, "/Audit/properties/version/type", "number")
        .is_reported_as("`Thing`: /version, type");
    set(SCHEMAS, "/Kind/enum/-", "huge").is_reported_as("`Kind`: value added: huge, in responses");
    remove(SCHEMAS, "/Kind/enum").is_reported_as("`Kind`: value added: any, in responses");
    set(
        SCHEMAS,
        "/Filter/discriminator/mapping/any",
        "#/components/schemas/Group",
    )
    .is_reported_as("`Filter`: value added: any, in responses");
    remove(SCHEMAS, "/Problem/properties/code").is_reported_as("`Problem`: member removed: /code");
}

#[test]
fn removal_of_problem_code_is_reported() {
    remove(EXAMPLES, "/not_found").is_reported_as("`not_found`: code removed");
}

#[test]
fn compatible_change_of_operation_is_not_reported() {
    set(
        PATHS,
        "/~1api~1v1~1others",
        json!({"get": {"operationId": "list_others"}}),
    )
    .is_compatible();
    set(
        LIST,
        "/parameters/-",
        json!({"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 5}}),
    )
    .is_compatible();
    set(LIST, "/parameters/0/schema/maximum", 300).is_compatible();
    remove(LIST, "/parameters/0/schema/minimum").is_compatible();
    set(LIST, "/parameters/0/schema/type", "number").is_compatible();
    set(LIST, "/parameters/1/schema/enum/-", "created_at").is_compatible();
    remove(LIST, "/parameters/1/schema/enum").is_compatible();
    set(LIST, "/summary", "Lists things").is_compatible();
    remove(LIST, "/x-required-scopes/0").is_compatible();
    set(LIST, "/responses/404", json!({"description": "Not found"})).is_compatible();
    set(POST, "/requestBody/required", false).is_compatible();
    set(
        POST,
        "/requestBody/content/application~1merge-patch+json",
        json!({"schema": {}}),
    )
    .is_compatible();
    remove(POST, "/responses/422").is_compatible();
    set(
        POST,
        "/responses/201/headers/Location",
        json!({"required": true}),
    )
    .is_compatible();
    set(DELETE, "/requestBody", json!({"content": {}})).is_compatible();
}

#[test]
fn compatible_change_of_request_schema_is_not_reported() {
    set(CREATE, "/properties/color", json!({"type": "string"})).is_compatible();
    remove(CREATE, "/required/0").is_compatible();
    remove(CREATE, "/properties/name/minLength").is_compatible();
    set(CREATE, "/properties/name/maxLength", 101).is_compatible();
    remove(CREATE, "/properties/name/maxLength").is_compatible();
    remove(CREATE, "/properties/name/pattern").is_compatible();
    set(CREATE, "/properties/name/type", json!(["string", "null"])).is_compatible();
    set(CREATE, "/properties/name/description", "The name").is_compatible();
    set(CREATE, "/properties/best_note", nullable_note()).is_compatible();
    set(CREATE, "/properties/tags/maxItems", 6).is_compatible();
    set(CREATE, "/properties/tags/minItems", 0).is_compatible();
    set(CREATE, "/additionalProperties", true).is_compatible();
}

#[test]
fn compatible_change_of_response_schema_is_not_reported() {
    set(THING, "/properties/color", json!({"type": "string"})).is_compatible();
    set(THING, "/required/-", "best_note").is_compatible();
    set(THING, "/properties/name/maxLength", 99).is_compatible();
    set(THING, "/properties/name/minLength", 1).is_compatible();
    set(THING, "/properties/name/enum", json!(["a"])).is_compatible();
    set(THING, "/properties/note", note()).is_compatible();
    set(SCHEMAS, "/Audit/properties/version/maximum", 8).is_compatible();
    set(
        SCHEMAS,
        "/Problem/properties/hint",
        json!({"type": "string"}),
    )
    .is_compatible();
    set(SCHEMAS, "/Unused", json!({"type": "string"})).is_compatible();
    set(EXAMPLES, "/gone", json!({})).is_compatible();
}

/// The sample with `/api/v2` instead of `/api/v1`.
fn sample_of_next_version() -> Value {
    serde_json::from_str(&sample().to_string().replace("/api/v1/", "/api/v2/")).unwrap()
}

#[test]
fn replaced_version_is_compatible() {
    let mut next = sample_of_next_version();
    next["components"] = json!({});

    assert_eq!(breaks(&sample(), &next), []);
}

#[test]
fn removal_from_version_that_still_exists_is_reported() {
    let mut both_versions = sample_of_next_version();
    both_versions["paths"]["/api/v1/things"] = sample()["paths"]["/api/v1/things"].clone();

    let subjects: BTreeSet<_> = breaks(&sample(), &both_versions)
        .into_iter()
        .map(|change| change.subject)
        .collect();

    assert_eq!(
        subjects,
        ["delete_thing", "put_thing"].map(ToOwned::to_owned).into()
    );
}

/// The sample whose list refers to a problem response among the components.
fn sample_with_shared_problem() -> Value {
    let mut document = sample();
    let response = &mut document["paths"]["/api/v1/things"]["get"]["responses"]["400"];
    let reference = json!({"$ref": "#/components/responses/BadRequest"});
    let problem = std::mem::replace(response, reference);
    document["components"]["responses"]["BadRequest"] = problem;
    document
}

#[test]
fn shared_problem_response_equals_inline_response() {
    let shared = sample_with_shared_problem();

    assert_eq!(breaks(&sample(), &shared), []);
    assert_eq!(breaks(&shared, &sample()), []);
}

#[test]
fn removal_of_media_type_from_shared_problem_response_is_reported() {
    let mut shared = sample_with_shared_problem();
    shared["components"]["responses"]["BadRequest"]["content"] = json!({});

    assert_eq!(
        descriptions(&breaks(&sample(), &shared)),
        ["`list_things`: 400: media type removed: application/problem+json"]
    );
}

#[test]
fn document_compared_with_itself_has_no_breaking_changes() {
    assert_eq!(breaks(&sample(), &sample()), []);
    assert_eq!(breaks(&DOCUMENT, &DOCUMENT), []);
}

/// The JSON pointers of all operations of a document.
fn operation_pointers(document: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.replace('/', "~1");
        for method in item.as_object().unwrap().keys() {
            pointers.push(format!("/paths/{path}/{method}"));
        }
    }
    pointers
}

/// The JSON pointers of all members of the schemas of a document, except for nested members.
fn member_pointers(document: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    let mut add_members = |at: &str, schema: &Value| {
        for member in schema["properties"].as_object().into_iter().flatten() {
            pointers.push(format!("{at}/properties/{}", member.0));
        }
    };
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let at = format!("/components/schemas/{name}");
        add_members(&at, schema);
        for (index, part) in schema["allOf"].as_array().into_iter().flatten().enumerate() {
            add_members(&format!("{at}/allOf/{index}"), part);
        }
    }
    pointers
}

#[test]
fn removal_of_any_operation_or_member_of_the_real_document_is_reported() {
    let mut pointers = operation_pointers(&DOCUMENT);
    pointers.extend(member_pointers(&DOCUMENT));
    assert!(pointers.len() > 300, "{}", pointers.len());

    let mut document = DOCUMENT.clone();
    for pointer in &pointers {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        let parent_object = document.pointer_mut(parent).unwrap();
        let removed = parent_object.as_object_mut().unwrap().remove(&name);
        let removed = removed.expect(pointer);

        assert_ne!(breaks(&DOCUMENT, &document), [], "{pointer}");

        document.pointer_mut(parent).unwrap()[&name] = removed;
    }
}

#[test]
fn declarations_are_read_from_unreleased_section_only() {
    let changelog = "\
# Changelog

## [Unreleased] – 0.2.0

### Changed

- **Breaking:** `Thing` has no `id`.
- **Breaking:** the `list_things` of all
- Breaking: `Kind`

## [0.1.0]

- **Breaking:** `put_thing` is gone.
";

    assert_eq!(declared(changelog), ["Thing".to_owned()].into());
}

#[test]
fn changelog_must_declare_exactly_the_breaking_changes() {
    let changes = breaks(&sample(), &remove(THING, "/properties/id").apply());
    let declared = BTreeSet::from(["Thing".to_owned()]);

    assert_eq!(undeclared(&changes, &declared), [""; 0]);
    assert_eq!(
        undeclared(&changes, &BTreeSet::new()),
        ["`Thing`: member removed: /id"]
    );
    assert_eq!(
        undeclared(&[], &declared),
        ["`Thing` is declared but not broken"]
    );
}
