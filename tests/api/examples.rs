//! Every example of the document works against `serve --demo`.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    cli::DemoService,
    support::{
        Client, Response, TestApp,
        app::Storage,
        document::{OPERATIONS, Operation},
    },
};

/// The data directory that `serve --demo` creates.
async fn demo_data() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut demo = DemoService::start(directory.path());
    demo.wait_for_client().get("/ticket-fields").await.is(200);
    directory
}

/// A service with a copy of the demo's database, and a client with all scopes.
async fn copy_of(demo: &Path) -> (TestApp, Client) {
    let directory = tempfile::tempdir().unwrap();
    for file in fs::read_dir(demo.join("data")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
    }
    let path = directory.path().join("customer-integration.db");
    let app = TestApp::with_storage(Storage::Sqlite {
        path: path.display().to_string(),
        _directory: directory,
    })
    .await;
    let scopes: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|operation| operation.scope.as_str())
        .collect();
    let client = app.client_with_scope(&scopes.into_iter().collect::<Vec<_>>().join(" "));
    (app, client)
}

/// The example of a parameter as text; lists are separated by commas.
fn text(example: &Value) -> String {
    match example {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Sends the example of an operation: its body, its required parameters, and the optional ones as
/// well if `all` is set, as the page `/docs` does.
async fn send_example(client: &Client, operation: &Operation, all: bool) -> Response {
    let mut path = operation.path.trim_start_matches("/api/v1").to_owned();
    let mut query = Vec::new();
    let mut headers = Vec::new();
    for parameter in operation.value["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let example = &parameter["example"];
        if example.is_null() || !all && parameter["required"] != true {
            continue;
        }
        match parameter["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), &text(example)),
            "query" => query.push((name, text(example))),
            "header" => headers.push((name, text(example))),
            other => panic!("{}: parameter in {other}", operation.id),
        }
    }
    let query = serde_urlencoded::to_string(query).unwrap();
    let mut request = client.request(&operation.method, &format!("{path}?{query}"));
    for (name, value) in headers {
        request = request.header(name, &value);
    }
    let body = &operation.value["requestBody"]["content"]["application/json"]["example"];
    if !body.is_null() {
        request = request.json(body.clone());
    }
    request.send().await
}

#[actix_web::test]
async fn every_example_of_the_document_works_against_the_demo() {
    let demo = demo_data().await;
    let (_reads, reader) = copy_of(demo.path()).await;
    for operation in &*OPERATIONS {
        for all in [false, true] {
            let response = if operation.scope.ends_with(":write") {
                let (_fresh, writer) = copy_of(demo.path()).await;
                send_example(&writer, operation, all).await
            } else {
                send_example(&reader, operation, all).await
            };
            let is_success = (200..300).contains(&response.status);
            assert!(
                is_success,
                "{} (all parameters: {all}): {}",
                operation.id, response.text
            );
        }
    }
}

/// The resource that an operation's path names in its example is that of the response example.
#[actix_web::test]
async fn read_examples_return_the_resources_of_their_response_examples() {
    let demo = demo_data().await;
    let (_app, client) = copy_of(demo.path()).await;
    let mut compared = 0;
    for operation in &*OPERATIONS {
        if operation.method != "GET" || !operation.path.ends_with('}') {
            continue;
        }
        let response = send_example(&client, operation, false).await.is(200);
        let media = &operation.value["responses"]["200"]["content"]["application/json"];
        for member in [
            "id",
            "business_partner_id",
            "first_name",
            "email",
            "name",
            "color",
        ] {
            let expected = &media["example"][member];
            // the example of an exclusion rule is one of a partner
            if !expected.is_null() && operation.id != "get_global_exclusion_rule" {
                assert_eq!(
                    &response.json[member], expected,
                    "{}: {member}",
                    operation.id
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "{compared}");
}
