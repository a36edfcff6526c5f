//! Conditional requests beyond what all resources promise alike (`contracts`).

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

const K1: &str = "/customer-integrations/K-1";

#[rstest]
#[actix_web::test]
async fn a_write_may_name_the_states_it_is_not_meant_for(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else { return };
    let (editor, path) = (app.editor(), format!("{K1}/ticket-types/T-1"));
    let id = app.access("K-1", "a@b.example", json!({})).await;
    app.editor().put(&format!("{K1}/areas/A-2"), Value::Null).await.is(201);
    let body = json!({"approval_required": true});
    for (method, path, body) in [
        ("PUT", path.clone(), body.clone()),
        ("PATCH", format!("{K1}/accesses/{id}"), json!({"language": "en"})),
        ("PATCH", K1.to_owned(), json!({"active": true})),
        ("DELETE", format!("{K1}/areas/A-2"), json!({})),
    ] {
        let tag = editor.get(&path).await.is(200).etag();
        // weak comparison: the same text is the same state
        for named in [tag.clone(), format!("W/{tag}"), format!("\"x\" , \"a,b\",{tag}"), "*".to_owned()] {
            let write = editor.request(method, &path).header("if-none-match", &named).json(body.clone());
            let refused = write.send().await.is_problem(412, "precondition_failed");
            assert_eq!(refused.etag(), tag, "{method} {path} unless {named}");
        }
        for unreadable in ["3", "\"a", "*, \"a\"", "\"a\", *", "\"a\" \"b\"", "w/\"a\"", "\"a b\"", ""] {
            for header in ["if-match", "if-none-match"] {
                let write = editor.request(method, &path).header(header, unreadable).json(body.clone());
                let refused = write.send().await.is_problem(400, "invalid_parameter");
                assert_eq!(refused.errors().len(), 1, "{header}: {unreadable}");
            }
        }
        let other = editor.request(method, &path).header("if-none-match", "\"0\", W/\"x\"").json(body).send().await;
        assert!(matches!(other.status, 200 | 204), "{method} {path}: {}", other.text);
    }
    // nothing that is not there bears a tag
    editor.request("PUT", &format!("{K1}/areas/A-3")).header("if-none-match", "\"1\"").send().await.is(201);
}

#[rstest]
#[actix_web::test]
async fn the_lines_of_a_header_are_one_list(#[values(Sqlite)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else { return };
    let (editor, path) = (app.editor(), format!("{K1}/areas/A-1"));
    let tag = editor.get(&path).await.is(200).etag();
    for [first, second] in [["\"0\"", tag.as_str()], [tag.as_str(), "\"0\""]] {
        let two = |method, header| editor.request(method, &path).header(header, first).header(header, second);
        two("PUT", "if-match").send().await.is(200);
        two("PUT", "if-none-match").send().await.is_problem(412, "precondition_failed");
        two("GET", "if-none-match").send().await.is(304);
    }
    let mixed = editor.request("PUT", &path).header("if-match", "*").header("if-match", &tag);
    mixed.send().await.is_problem(400, "invalid_parameter");
}
