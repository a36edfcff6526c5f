//! Compares the OpenAPI document with that of the last release: a breaking change needs a new version
//! in the path or a declaration in the changelog. The other tests here cover the comparison itself,
//! `support::breaks`: it finds every kind of breaking change and has no false positives.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::support::{
    api_compatibility::{breaks, declared, undeclared},
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
        "Each breaking change needs a line \"- **Breaking:** `name` …\" in the section Unreleased of \
         CHANGELOG.md, or a new version in the path:\n{}",
        problems.join("\n")
    );
}

/// A document with one of each element that can break clients.
fn sample() -> Value {
    let problem = json!({"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
    let thing = json!({"schema": {"$ref": "#/components/schemas/Thing"}});
    let headers = json!({"ETag": {"$ref": "#/components/headers/ETag"}});
    json!({
        "paths": {
            "/api/v1/things": {
                "get": {
                    "operationId": "list_things", "x-required-scopes": ["things:read"],
                    "parameters": [
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 50, "maximum": 200, "minimum": 1}},
                        {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["name", "-name"]}}
                    ],
                    "responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "maxItems": 200,
                        "items": {"$ref": "#/components/schemas/Thing"}}}}}, "400": problem}
                },
                "post": {
                    "operationId": "create_thing", "x-required-scopes": ["things:write"],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingCreate"}}}},
                    "responses": {"201": {"headers": headers, "content": {"application/json": thing}}, "422": problem}
                }
            },
            "/api/v1/things/{thing_id}": {
                "put": {
                    "operationId": "put_thing", "x-required-scopes": ["things:write"],
                    "requestBody": {"content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/ThingCreate"}},
                        "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/ThingCreate"}}}},
                    "responses": {"200": {"content": {"application/json": thing}}, "201": {"content": {"application/json": thing}}}
                },
                "delete": {"operationId": "delete_thing", "x-required-scopes": ["things:write"], "responses": {"204": {}}}
            }
        },
        "components": {
            "headers": {"ETag": {"required": true}},
            "examples": {"not_found": {}},
            "schemas": {
                "Problem": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
                "Audit": {"type": "object", "required": ["version"], "properties": {"version": {"type": "integer", "minimum": 1, "maximum": 9}}},
                "Thing": {"allOf": [{"$ref": "#/components/schemas/Audit"}, {
                    "type": "object", "required": ["id", "name", "note", "kind", "filter"],
                    "properties": {
                        "id": {"type": "string", "format": "uuid"},
                        "name": {"type": "string", "maxLength": 100, "pattern": "^a"},
                        "note": {"oneOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]},
                        "best_note": {"$ref": "#/components/schemas/Note"},
                        "kind": {"$ref": "#/components/schemas/Kind"},
                        "filter": {"$ref": "#/components/schemas/Filter"}
                    }
                }]},
                "ThingCreate": {
                    "type": "object", "additionalProperties": false, "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^a"},
                        "note": {"oneOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]},
                        "best_note": {"$ref": "#/components/schemas/Note"},
                        "size": {"type": ["number", "null"], "minimum": 0, "maximum": 10},
                        "kind": {"$ref": "#/components/schemas/Kind"},
                        "tags": {"type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "string", "maxLength": 10}},
                        "filter": {"$ref": "#/components/schemas/Filter"}
                    }
                },
                "Note": {"type": "object", "properties": {"text": {"type": "string"}}},
                "Kind": {"type": "string", "enum": ["big", "small"]},
                "Filter": {
                    "oneOf": [{"$ref": "#/components/schemas/Group"}, {"$ref": "#/components/schemas/Condition"}],
                    "discriminator": {"propertyName": "type", "mapping": {"all": "#/components/schemas/Group", "is": "#/components/schemas/Condition"}}
                },
                "Group": {"type": "object", "required": ["type", "filters"], "properties": {
                    "type": {"type": "string", "enum": ["all"]},
                    "filters": {"type": "array", "items": {"$ref": "#/components/schemas/Filter"}}}},
                "Condition": {"type": "object", "required": ["type"], "properties": {
                    "type": {"type": "string", "enum": ["is"]}, "value": {"type": "string", "maxLength": 10}}}
            }
        }
    })
}

const LIST: &str = "/paths/~1api~1v1~1things/get";
const POST: &str = "/paths/~1api~1v1~1things/post";
const PUT: &str = "/paths/~1api~1v1~1things~1{thing_id}/put";
const THING: &str = "/components/schemas/Thing/allOf/1";
const CREATE: &str = "/components/schemas/ThingCreate";
const SCHEMAS: &str = "/components/schemas";

/// The sample with the value at `base` + `path` set to `value`, or removed if `value` is `null`. The path
/// segment `-` appends to an array.
fn changed(base: &str, path: &str, value: Value) -> Value {
    let mut document = sample();
    let pointer = format!("{base}{path}");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    match document
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{parent}"))
    {
        Value::Array(items) => match name.as_str() {
            "-" => items.push(value),
            index if value.is_null() => drop(items.remove(index.parse().unwrap())),
            index => items[index.parse::<usize>().unwrap()] = value,
        },
        Value::Object(members) if value.is_null() => {
            assert!(members.remove(&name).is_some(), "{pointer}");
        }
        parent => parent[&name] = value,
    }
    document
}

#[rstest::rstest]
// operations
#[case(LIST, "", json!(null), "`list_things`: operation removed: GET /api/v1/things")]
#[case("/paths/~1api~1v1~1things~1{thing_id}", "", json!(null), "`delete_thing`: operation removed")]
#[case(LIST, "/operationId", json!("get_things"), "`list_things`: operationId is now \"get_things\"")]
#[case(LIST, "/x-required-scopes/-", json!("more:read"), "`list_things`: scope added: more:read")]
#[case(LIST, "/x-required-scopes/0", json!("other:read"), "`list_things`: scope added: other:read")]
// parameters
#[case(LIST, "/parameters/0", json!(null), "`list_things`: parameter removed: limit")]
#[case(LIST, "/parameters/0/in", json!("header"), "`list_things`: parameter removed: limit")]
#[case(LIST, "/parameters/0/required", json!(true), "`list_things`: parameter is required now: limit")]
#[case(LIST, "/parameters/-", json!({"name": "q", "in": "query", "required": true}), "`list_things`: required parameter added: \"q\"")]
#[case(LIST, "/parameters/0/schema/maximum", json!(100), "`list_things`: limit, maximum 200 is now 100")]
#[case(LIST, "/parameters/0/schema/minimum", json!(2), "`list_things`: limit, minimum 1 is now 2")]
#[case(LIST, "/parameters/0/schema/default", json!(20), "`list_things`: limit, default 50 is now 20")]
#[case(LIST, "/parameters/0/schema/type", json!("string"), "`list_things`: limit, type")]
#[case(LIST, "/parameters/1/schema/enum/1", json!(null), "`list_things`: sort, value removed: -name")]
// bodies
#[case(PUT, "/requestBody", json!(null), "`put_thing`: body removed")]
#[case(PUT, "/requestBody/required", json!(true), "`put_thing`: body is required now")]
#[case("/paths/~1api~1v1~1things~1{thing_id}/delete", "/requestBody", json!({"required": true}), "`delete_thing`: required body added")]
#[case(PUT, "/requestBody/content/application~1merge-patch+json", json!(null), "`put_thing`: body: media type removed")]
#[case(CREATE, "/required/-", json!("size"), "`ThingCreate`: member is required now: /size")]
#[case(CREATE, "/properties/size", json!(null), "`ThingCreate`: member removed: /size")]
#[case(CREATE, "/properties/name/minLength", json!(2), "`ThingCreate`: /name, minLength 1 is now 2, in requests")]
#[case(CREATE, "/properties/name/maxLength", json!(99), "`ThingCreate`: /name, maxLength 100 is now 99, in requests")]
#[case(CREATE, "/properties/name/pattern", json!("^b"), "`ThingCreate`: /name, pattern")]
#[case(CREATE, "/properties/tags/items/pattern", json!("^b"), "`ThingCreate`: /tags/*, pattern null is now \"^b\"")]
#[case(CREATE, "/properties/name/format", json!("email"), "`ThingCreate`: /name, format null is now \"email\"")]
#[case(CREATE, "/properties/name/enum", json!(["a"]), "`ThingCreate`: /name, value removed: any")]
#[case(CREATE, "/properties/size/minimum", json!(0.5), "`ThingCreate`: /size, minimum 0 is now 0.5")]
#[case(CREATE, "/properties/size/maximum", json!(9), "`ThingCreate`: /size, maximum 10 is now 9")]
#[case(CREATE, "/properties/size/multipleOf", json!(2), "`ThingCreate`: /size, multipleOf")]
#[case(CREATE, "/properties/size/type", json!("number"), "`ThingCreate`: null is refused now: /size")]
#[case(CREATE, "/properties/size/type/0", json!("integer"), "`ThingCreate`: /size, type")]
#[case(CREATE, "/properties/note", json!({"$ref": "#/components/schemas/Note"}), "`ThingCreate`: null is refused now: /note")]
#[case(CREATE, "/properties/tags/minItems", json!(2), "`ThingCreate`: /tags, minItems 1 is now 2")]
#[case(CREATE, "/properties/tags/maxItems", json!(4), "`ThingCreate`: /tags, maxItems 5 is now 4")]
#[case(CREATE, "/properties/tags/uniqueItems", json!(true), "`ThingCreate`: /tags, uniqueItems")]
#[case(CREATE, "/properties/tags/items/maxLength", json!(9), "`ThingCreate`: /tags/*, maxLength 10 is now 9")]
#[case(SCHEMAS, "/Kind/enum/0", json!(null), "`Kind`: value removed: big, in requests")]
#[case(SCHEMAS, "/Note/additionalProperties", json!(false), "`Note`: unknown members are refused now, in requests")]
#[case(SCHEMAS, "/Filter/oneOf/0", json!(null), "`Filter`: value removed: variant Group, in requests")]
#[case(SCHEMAS, "/Filter/discriminator/mapping/is", json!(null), "`Filter`: value removed: is, in requests")]
#[case(SCHEMAS, "/Condition/properties/value/maxLength", json!(9), "`Condition`: /value, maxLength 10 is now 9, in requests")]
// responses
#[case(PUT, "/responses/201", json!(null), "`put_thing`: status removed: 201")]
#[case(PUT, "/responses/200/content/application~1json", json!(null), "`put_thing`: 200: media type removed")]
#[case(POST, "/responses/201/headers/ETag", json!(null), "`create_thing`: 201 no longer has the header ETag")]
#[case("/components/headers/ETag", "/required", json!(false), "`create_thing`: 201 no longer has the header ETag")]
#[case(LIST, "/responses/200/content/application~1json/schema/maxItems", json!(300), "`list_things`: 200, maxItems 200 is now 300, in responses")]
#[case(LIST, "/responses/200/content/application~1json/schema/type", json!("object"), "`list_things`: 200, type")]
#[case(THING, "/properties/id", json!(null), "`Thing`: member removed: /id")]
#[case(THING, "/required/0", json!(null), "`Thing`: member may be absent now: /id")]
#[case(THING, "/properties/id/format", json!(null), "`Thing`: /id, format \"uuid\" is now null")]
#[case(THING, "/properties/id/type", json!("integer"), "`Thing`: /id, type")]
#[case(THING, "/properties/id/type", json!(["string", "null"]), "`Thing`: may be null now: /id")]
#[case(THING, "/properties/name/maxLength", json!(200), "`Thing`: /name, maxLength 100 is now 200, in responses")]
#[case(THING, "/properties/name/maxLength", json!(null), "`Thing`: /name, maxLength 100 is now null, in responses")]
#[case(THING, "/properties/name/pattern", json!(null), "`Thing`: /name, pattern")]
#[case(THING, "/properties/best_note", json!({"oneOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]}), "`Thing`: may be null now: /best_note")]
#[case(SCHEMAS, "/Audit/properties/version", json!(null), "`Thing`: member removed: /version")]
#[case(SCHEMAS, "/Audit/properties/version/minimum", json!(0), "`Thing`: /version, minimum 1 is now 0, in responses")]
#[case(SCHEMAS, "/Audit/properties/version/type", json!("number"), "`Thing`: /version, type")]
#[case(SCHEMAS, "/Kind/enum/-", json!("huge"), "`Kind`: value added: huge, in responses")]
#[case(SCHEMAS, "/Kind/enum", json!(null), "`Kind`: value added: any, in responses")]
#[case(SCHEMAS, "/Filter/discriminator/mapping/any", json!("#/components/schemas/Group"), "`Filter`: value added: any, in responses")]
#[case(SCHEMAS, "/Problem/properties/code", json!(null), "`Problem`: member removed: /code")]
#[case("/components/examples", "/not_found", json!(null), "`not_found`: code removed")]
fn breaking_change_is_reported(
    #[case] base: &str,
    #[case] path: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let found: Vec<_> = breaks(&sample(), &changed(base, path, value))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        found.iter().any(|change| change.starts_with(expected)),
        "{found:#?}"
    );
}

#[rstest::rstest]
#[case("/paths", "/~1api~1v1~1others", json!({"get": {"operationId": "list_others"}}))]
#[case(LIST, "/parameters/-", json!({"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 5}}))]
#[case(LIST, "/parameters/0/schema/maximum", json!(300))]
#[case(LIST, "/parameters/0/schema/minimum", json!(null))]
#[case(LIST, "/parameters/0/schema/type", json!("number"))]
#[case(LIST, "/parameters/1/schema/enum/-", json!("created_at"))]
#[case(LIST, "/parameters/1/schema/enum", json!(null))]
#[case(LIST, "/summary", json!("Lists things"))]
#[case(LIST, "/x-required-scopes/0", json!(null))]
#[case(LIST, "/responses/404", json!({"description": "Not found"}))]
#[case(POST, "/requestBody/required", json!(false))]
#[case(POST, "/requestBody/content/application~1merge-patch+json", json!({"schema": {}}))]
#[case(POST, "/responses/422", json!(null))]
#[case(POST, "/responses/201/headers/Location", json!({"required": true}))]
#[case("/paths/~1api~1v1~1things~1{thing_id}/delete", "/requestBody", json!({"content": {}}))]
#[case(CREATE, "/properties/color", json!({"type": "string"}))]
#[case(CREATE, "/required/0", json!(null))]
#[case(CREATE, "/properties/name/minLength", json!(null))]
#[case(CREATE, "/properties/name/maxLength", json!(101))]
#[case(CREATE, "/properties/name/maxLength", json!(null))]
#[case(CREATE, "/properties/name/pattern", json!(null))]
#[case(CREATE, "/properties/name/type", json!(["string", "null"]))]
#[case(CREATE, "/properties/name/description", json!("The name"))]
#[case(CREATE, "/properties/best_note", json!({"oneOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]}))]
#[case(CREATE, "/properties/tags/maxItems", json!(6))]
#[case(CREATE, "/properties/tags/minItems", json!(0))]
#[case(CREATE, "/additionalProperties", json!(true))]
#[case(THING, "/properties/color", json!({"type": "string"}))]
#[case(THING, "/required/-", json!("best_note"))]
#[case(THING, "/properties/name/maxLength", json!(99))]
#[case(THING, "/properties/name/minLength", json!(1))]
#[case(THING, "/properties/name/enum", json!(["a"]))]
#[case(THING, "/properties/note", json!({"$ref": "#/components/schemas/Note"}))]
#[case(SCHEMAS, "/Audit/properties/version/maximum", json!(8))]
#[case(SCHEMAS, "/Problem/properties/hint", json!({"type": "string"}))]
#[case(SCHEMAS, "/Unused", json!({"type": "string"}))]
#[case("/components/examples", "/gone", json!({}))]
fn compatible_change_is_not_reported(#[case] base: &str, #[case] path: &str, #[case] value: Value) {
    assert_eq!(breaks(&sample(), &changed(base, path, value)), []);
}

#[test]
fn replaced_version_is_compatible_but_additional_version_is_not_an_excuse() {
    let renamed: Value =
        serde_json::from_str(&sample().to_string().replace("/api/v1/", "/api/v2/")).unwrap();
    let mut next = renamed.clone();
    next["components"] = json!({});
    assert_eq!(breaks(&sample(), &next), []);
    next = renamed;
    next["paths"]["/api/v1/things"] = sample()["paths"]["/api/v1/things"].clone();
    let found: BTreeSet<_> = breaks(&sample(), &next)
        .into_iter()
        .map(|change| change.subject)
        .collect();
    assert_eq!(
        found,
        ["delete_thing", "put_thing"].map(ToOwned::to_owned).into()
    );
}

#[test]
fn shared_problem_response_is_compared_like_inline_response() {
    let mut shared = sample();
    let response = &mut shared["paths"]["/api/v1/things"]["get"]["responses"]["400"];
    let reference = json!({"$ref": "#/components/responses/BadRequest"});
    let problem = std::mem::replace(response, reference);
    shared["components"]["responses"]["BadRequest"] = problem;
    assert_eq!(breaks(&sample(), &shared), []);
    assert_eq!(breaks(&shared, &sample()), []);

    shared["components"]["responses"]["BadRequest"]["content"] = json!({});
    let found: Vec<_> = breaks(&sample(), &shared)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        ["`list_things`: 400: media type removed: application/problem+json"]
    );
}

#[test]
fn document_compared_with_itself_has_no_breaking_changes() {
    assert_eq!(breaks(&sample(), &sample()), []);
    assert_eq!(breaks(&DOCUMENT, &DOCUMENT), []);
}

#[test]
fn removal_of_any_operation_or_member_of_the_real_document_is_reported() {
    let mut pointers = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let path = path.replace('/', "~1");
        pointers.extend(
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| format!("/paths/{path}/{method}")),
        );
    }
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        let properties = |at: String, part: &Value| {
            let members: Vec<_> = part["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(member, _)| member.clone())
                .collect();
            members
                .into_iter()
                .map(move |member| format!("{at}/properties/{member}"))
        };
        let at = format!("/components/schemas/{name}");
        pointers.extend(properties(at.clone(), schema));
        for (index, part) in schema["allOf"].as_array().into_iter().flatten().enumerate() {
            pointers.extend(properties(format!("{at}/allOf/{index}"), part));
        }
    }
    assert!(pointers.len() > 300, "{}", pointers.len());
    let mut document = DOCUMENT.clone();
    for pointer in &pointers {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        let removed = document
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(&name)
            .expect(pointer);
        assert_ne!(breaks(&DOCUMENT, &document), [], "{pointer}");
        document.pointer_mut(parent).unwrap()[&name] = removed;
    }
}

#[test]
fn changelog_must_declare_exactly_the_breaking_changes() {
    let changelog = "# Changelog\n\n## [Unreleased] – 0.2.0\n\n### Changed\n\n- **Breaking:** `Thing` has no `id`.\n\
        - **Breaking:** the `list_things` of all\n- Breaking: `Kind`\n\n## [0.1.0]\n\n- **Breaking:** `put_thing` is gone.\n";
    let declared = declared(changelog);
    assert_eq!(declared, ["Thing".to_owned()].into());
    let changes = breaks(&sample(), &changed(THING, "/properties/id", json!(null)));
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
