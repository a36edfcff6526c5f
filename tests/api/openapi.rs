//! The OpenAPI document is committed as generated, and complete. (`.ci/run` also validates it with
//! Redocly and Spectral.)

use std::collections::HashSet;

use serde_json::Value;

use crate::support::{
    Client, Engine, TestApp,
    document::{DOCUMENT, OPERATIONS, Operation, assert_documented, assert_matches_schema},
};

#[test]
fn committed_document_equals_generated_document() {
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json"))
            .unwrap();
    let generated = serde_json::to_string_pretty(&*DOCUMENT).unwrap() + "\n";
    assert!(
        committed == generated,
        "run: cargo run -q -- openapi > openapi/openapi.json"
    );
}

#[test]
fn operation_ids_are_unique_and_name_handlers() {
    let mut seen = HashSet::new();
    let modules = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let route_files = modules
        .filter(|module| module.is_dir())
        .flat_map(|module| [module.join("routes.rs"), module.join("global_routes.rs")]);
    let sources: String = route_files
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .collect();
    for operation in &*OPERATIONS {
        assert!(seen.insert(&operation.id), "{} occurs twice", operation.id);
        assert!(
            sources.contains(&format!("pub async fn {}(", operation.id)),
            "{} is not the name of a handler",
            operation.id
        );
    }
}

#[test]
fn every_operation_has_description_tag_and_scope() {
    let tags: Vec<_> = DOCUMENT["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone())
        .collect();
    for operation in &*OPERATIONS {
        let id = &operation.id;
        let value = &operation.value;
        assert!(
            value["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty() && !text.ends_with('.')),
            "{id}: summary"
        );
        assert!(
            value["description"]
                .as_str()
                .is_some_and(|text| text.len() > 30),
            "{id}: description"
        );
        assert_eq!(
            value["tags"].as_array().map(Vec::len),
            Some(1),
            "{id}: one tag"
        );
        assert!(
            tags.contains(&value["tags"][0]),
            "{id}: the tag has no description"
        );
        let needs_scope = id != "get_me";
        assert_eq!(operation.scope.contains(':'), needs_scope, "{id}: scope");
        assert!(value["security"][0]["bearer"].is_array(), "{id}: security");
    }
}

#[test]
fn every_response_has_description_and_every_error_lists_its_codes() {
    let mut checked_examples = HashSet::new();
    for operation in &*OPERATIONS {
        for (status, response) in operation.value["responses"].as_object().unwrap() {
            let at = format!("{} {status}", operation.id);
            assert!(
                response["description"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{at}: description"
            );
            if status == "204" || status == "304" {
                assert_eq!(response["content"], Value::Null, "{at}: content");
            } else if !status.starts_with('2') {
                let problems = &response["content"]["application/problem+json"];
                assert_eq!(
                    problems["schema"]["$ref"], "#/components/schemas/Problem",
                    "{at}"
                );
                for (code, example) in problems["examples"].as_object().unwrap() {
                    assert!(
                        response["description"]
                            .as_str()
                            .unwrap()
                            .contains(&format!("`{code}`")),
                        "{at}: {code}"
                    );
                    let name = example["$ref"]
                        .as_str()
                        .unwrap()
                        .rsplit('/')
                        .next()
                        .unwrap();
                    let problem = &DOCUMENT["components"]["examples"][name]["value"];
                    assert_eq!(problem["code"], code.as_str(), "{at}");
                    assert_eq!(problem["status"].to_string(), *status, "{at}");
                    if checked_examples.insert(name) {
                        assert_matches_schema(&problems["schema"], problem);
                    }
                }
            } else {
                let media = &response["content"]["application/json"];
                assert!(!media["example"].is_null(), "{at}: example");
                assert_matches_schema(&media["schema"], &media["example"]);
            }
        }
    }
}

#[test]
fn every_request_body_has_valid_example_and_rejects_unknown_members() {
    for operation in OPERATIONS.iter().filter(|operation| operation.has_body()) {
        let media = &operation.value["requestBody"]["content"]["application/json"];
        assert!(!media["example"].is_null(), "{}: example", operation.id);
        assert_matches_schema(&media["schema"], &media["example"]);
        let name = media["schema"]["$ref"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap();
        assert_eq!(
            DOCUMENT["components"]["schemas"][name]["additionalProperties"], false,
            "{name}"
        );
    }
}

#[test]
fn every_parameter_and_header_has_valid_example() {
    for operation in &*OPERATIONS {
        for parameter in operation.value["parameters"].as_array().unwrap() {
            let at = format!("{} {}", operation.id, parameter["name"]);
            assert!(
                parameter["description"]
                    .as_str()
                    .is_some_and(|text| text.ends_with('.')),
                "{at}: description"
            );
            // The page `/docs` fills in examples. Those of ids would leave nothing in a list, and a
            // cursor is only valid for a single list.
            let is_unfit = match parameter["name"].as_str().unwrap() {
                "cursor" | "ids" => true,
                "area_id" | "ticket_type_id" | "plan_board_id" => {
                    operation.id == "list_customer_integrations"
                }
                _ => false,
            };
            if !is_unfit {
                assert!(!parameter["example"].is_null(), "{at}: example");
                assert_matches_schema(&parameter["schema"], &parameter["example"]);
            }
        }
    }
    for (name, header) in DOCUMENT["components"]["headers"].as_object().unwrap() {
        assert!(!header["example"].is_null(), "{name}: example");
        assert_matches_schema(&header["schema"], &header["example"]);
    }
}

/// Returns the members of a schema, including those of its `allOf`.
fn members(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    parts
        .chain([schema])
        .filter_map(|part| part["properties"].as_object())
        .flatten()
}

/// Returns a limit of a schema, or of one of its `oneOf` alternatives; `null` if there is none.
fn limit<'s>(schema: &'s Value, keyword: &str) -> &'s Value {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    alternatives
        .chain([schema])
        .map(|schema| &schema[keyword])
        .find(|limit| !limit.is_null())
        .unwrap_or(&Value::Null)
}

#[test]
fn response_members_have_same_limits_as_request_members() {
    let schemas = &DOCUMENT["components"]["schemas"];
    let mut compared = 0;
    for (name, request) in schemas.as_object().unwrap() {
        let suffixes = ["Create", "Put", "Patch"];
        let Some(resource) = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)) else {
            continue;
        };
        for (member, response_schema) in members(&schemas[resource]) {
            let Some((_, request_schema)) = members(request).find(|(name, _)| *name == member)
            else {
                continue;
            };
            for keyword in ["maxLength", "maxItems", "maximum"] {
                let expected = limit(request_schema, keyword);
                assert_eq!(
                    limit(response_schema, keyword),
                    expected,
                    "{name}: {member}: {keyword}"
                );
                compared += usize::from(!expected.is_null());
            }
        }
    }
    assert!(compared > 20, "{compared}");
}

/// Returns the links of all responses, each with the operation that it starts from.
fn links() -> Vec<(&'static Operation, &'static Value)> {
    let mut links = Vec::new();
    for operation in &*OPERATIONS {
        for (_, response) in operation.value["responses"].as_object().unwrap() {
            links.extend(
                response["links"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(_, link)| (operation, link)),
            );
        }
    }
    links
}

#[test]
fn links_target_operations_and_supply_their_required_parameters() {
    for (source, link) in links() {
        let at = format!("{}: {link}", source.id);
        let target = OPERATIONS
            .iter()
            .find(|operation| operation.id == link["operationId"].as_str().unwrap())
            .expect(&at);
        let supplied = link["parameters"].as_object().unwrap();
        let accepted = target.value["parameters"].as_array().unwrap();
        for (name, value) in supplied {
            assert!(
                accepted
                    .iter()
                    .any(|parameter| parameter["name"] == name.as_str()),
                "{at}: {name}"
            );
            let value = value.as_str().unwrap();
            match (
                value.strip_prefix("$request.path."),
                value.strip_prefix("$response.body#"),
            ) {
                (Some(name), _) => {
                    assert!(source.path.contains(&format!("{{{name}}}")), "{at}: {name}");
                }
                (_, Some(pointer)) => {
                    let status = if source.is_list() { "200" } else { "201" };
                    let example = &source.value["responses"][status]["content"]["application/json"]
                        ["example"];
                    assert!(
                        example.pointer(pointer).is_some_and(Value::is_string),
                        "{at}: {pointer}"
                    );
                }
                _ => assert_eq!(value, "$response.header.ETag", "{at}"),
            }
        }
        for required in accepted
            .iter()
            .filter(|parameter| parameter["required"] == true)
        {
            assert!(
                supplied.contains_key(required["name"].as_str().unwrap()),
                "{at}: {}",
                required["name"]
            );
        }
    }
}

#[test]
fn every_operation_with_if_match_is_target_of_link_with_etag() {
    let linked: HashSet<_> = links()
        .into_iter()
        .filter(|(_, link)| link["parameters"]["If-Match"] == "$response.header.ETag")
        .map(|(_, link)| link["operationId"].as_str().unwrap())
        .collect();
    let accepts_if_match = |operation: &&Operation| {
        operation.value["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .any(|parameter| parameter["name"] == "If-Match")
    };
    let conditional: HashSet<_> = OPERATIONS
        .iter()
        .filter(accepts_if_match)
        .map(|operation| operation.id.as_str())
        .collect();
    assert!(conditional.len() >= 20);
    assert_eq!(linked, conditional);
}

#[test]
#[should_panic(expected = "returned 200 without JSON")]
fn response_without_documented_content_fails_check() {
    assert_documented(
        "GET",
        "/api/v1/customer-integrations/K-1",
        200,
        Some("application/json"),
        "",
    );
}

#[test]
#[should_panic(expected = "status 204 is documented without a body")]
fn response_with_undocumented_content_fails_check() {
    assert_documented(
        "DELETE",
        "/api/v1/customer-integrations/K-1/areas/A-1",
        204,
        Some("application/json"),
        "{}",
    );
}

#[test]
fn list_schemas_are_named_after_their_items() {
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        assert!(!name.contains('_'), "{name}: generic schema without a name");
        if let Some(item) = name.strip_suffix("List") {
            assert_eq!(
                schema["properties"]["items"]["items"]["$ref"],
                format!("#/components/schemas/{item}")
            );
        }
    }
}

#[actix_web::test]
async fn document_docs_and_problem_pages_are_served_without_token() {
    let app = TestApp::start(Engine::Sqlite).await;
    let anonymous = Client::new(&app.origin, None);
    assert_eq!(
        anonymous.get("//openapi.json").await.is(200).json,
        *DOCUMENT
    );
    let docs = anonymous.get("//docs").await.is(200);
    assert!(docs.text.contains("swagger-ui"));
    for link in docs
        .text
        .split(['"', '\''])
        .filter(|text| text.contains(".js") || text.contains(".css"))
    {
        assert!(!link.contains("//"), "{link} is loaded from another host");
        anonymous
            .get(&format!("//docs/{}", link.trim_start_matches("./")))
            .await
            .is(200);
    }
    for operation in &*OPERATIONS {
        for (_, response) in operation.value["responses"].as_object().unwrap() {
            for (code, _) in response["content"]["application/problem+json"]["examples"]
                .as_object()
                .into_iter()
                .flatten()
            {
                anonymous.get(&format!("//problems/{code}")).await.is(200);
            }
        }
    }
    anonymous
        .get("//problems/nonsense")
        .await
        .is_problem(404, "not_found");
    anonymous.get("//health/live").await.is(200);
    assert_eq!(
        anonymous.get("//health/ready").await.is(200).json["database"],
        "sqlite"
    );
}
