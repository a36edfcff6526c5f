//! Conditional requests beyond what all resources promise alike (`contracts`).

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Engine, Engine::*, TestApp};

const K1: &str = "/customer-integrations/K-1";

#[rstest]
#[actix_web::test]
async fn a_write_may_name_the_states_it_is_not_meant_for(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, path) = (app.editor(), format!("{K1}/ticket-types/T-1"));
    let id = app.access("K-1", "a@b.example", json!({})).await;
    app.editor()
        .put(&format!("{K1}/areas/A-2"), Value::Null)
        .await
        .is(201);
    let body = json!({"approval_required": true});
    for (method, path, body) in [
        ("PUT", path.clone(), body.clone()),
        (
            "PATCH",
            format!("{K1}/accesses/{id}"),
            json!({"language": "en"}),
        ),
        ("PATCH", K1.to_owned(), json!({"active": true})),
        ("DELETE", format!("{K1}/areas/A-2"), json!({})),
    ] {
        let tag = editor.get(&path).await.is(200).etag();
        // weak comparison: the same text is the same state
        for named in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\" , \"a,b\",{tag}"),
            "*".to_owned(),
        ] {
            let write = editor
                .request(method, &path)
                .header("if-none-match", &named)
                .json(body.clone());
            let refused = write.send().await.is_problem(412, "precondition_failed");
            assert_eq!(refused.etag(), tag, "{method} {path} unless {named}");
        }
        for unreadable in [
            "3",
            "\"a",
            "*, \"a\"",
            "\"a\", *",
            "\"a\" \"b\"",
            "w/\"a\"",
            "\"a b\"",
            "",
        ] {
            for header in ["if-match", "if-none-match"] {
                let write = editor
                    .request(method, &path)
                    .header(header, unreadable)
                    .json(body.clone());
                let refused = write.send().await.is_problem(400, "invalid_parameter");
                assert_eq!(refused.errors().len(), 1, "{header}: {unreadable}");
            }
        }
        let other = editor
            .request(method, &path)
            .header("if-none-match", "\"0\", W/\"x\"")
            .json(body)
            .send()
            .await;
        assert!(
            matches!(other.status, 200 | 204),
            "{method} {path}: {}",
            other.text
        );
    }
    // nothing that is not there bears a tag
    editor
        .request("PUT", &format!("{K1}/areas/A-3"))
        .header("if-none-match", "\"1\"")
        .send()
        .await
        .is(201);
}

#[rstest]
#[actix_web::test]
async fn the_lines_of_a_header_are_one_list(#[values(Sqlite)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, path) = (app.editor(), format!("{K1}/areas/A-1"));
    let tag = editor.get(&path).await.is(200).etag();
    for [first, second] in [["\"0\"", tag.as_str()], [tag.as_str(), "\"0\""]] {
        let two = |method, header| {
            editor
                .request(method, &path)
                .header(header, first)
                .header(header, second)
        };
        two("PUT", "if-match").send().await.is(200);
        two("PUT", "if-none-match")
            .send()
            .await
            .is_problem(412, "precondition_failed");
        two("GET", "if-none-match").send().await.is(304);
    }
    let mixed = editor
        .request("PUT", &path)
        .header("if-match", "*")
        .header("if-match", &tag);
    mixed.send().await.is_problem(400, "invalid_parameter");
}

#[rstest]
#[actix_web::test]
async fn a_caller_that_is_up_to_date_costs_one_look_up_and_so_does_what_is_kept(
    #[values(Sqlite, Postgres)] engine: Engine,
) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let reader = app.reader();
    // each with a table that its body cannot be made without
    for (path, table) in [
        (K1.to_owned(), "accesses"),
        (format!("{K1}/accesses"), "accesses"),
        (format!("{K1}/areas"), "grants"),
        ("/catalog/areas".to_owned(), "catalog_entries"),
        ("/catalog/areas?grantable_to=K-1".to_owned(), "grants"),
    ] {
        let read = reader.get(&path).await.is(200);
        let tag = read.etag();
        app.storage
            .try_execute(&format!("ALTER TABLE {table} RENAME TO gone"))
            .await
            .unwrap();
        // at an address at which nobody has read it before
        reader
            .get(&path.replace("K-1", "K%2D1"))
            .await
            .is_problem(500, "internal_error");
        let again = reader.get(&path).await;
        if path.starts_with(K1) {
            let again = again.is(200);
            assert_eq!((&again.json, again.etag()), (&read.json, tag.clone()));
        } else {
            again.is_problem(500, "internal_error");
        }
        reader
            .request("GET", &path)
            .header("if-none-match", &tag)
            .send()
            .await
            .is(304);
        app.storage
            .try_execute(&format!("ALTER TABLE gone RENAME TO {table}"))
            .await
            .unwrap();
    }
}

#[rstest]
#[actix_web::test]
async fn a_tag_and_what_bears_it_belong_to_one_state(#[values(Sqlite, Postgres)] engine: Engine) {
    let Some(app) = TestApp::ready(engine).await else {
        return;
    };
    let (editor, reader) = (app.editor(), app.reader());
    let area = format!("{K1}/areas/A-2");
    let written = std::cell::Cell::new(false);
    let write = async {
        for _ in 0..40 {
            editor.put(&area, Value::Null).await.is(201);
            editor.delete(&area).await.is(204);
        }
        written.set(true);
    };
    let read = async |path: &str| {
        let mut seen = std::collections::BTreeMap::new();
        while !written.get() {
            let answer = reader.get(path).await.is(200);
            let first = seen
                .entry(answer.etag())
                .or_insert_with(|| answer.json.clone());
            assert_eq!(
                *first,
                answer.json,
                "{path} has two bodies for {}",
                answer.etag()
            );
        }
    };
    let lists = (format!("{K1}/areas"), "/catalog/areas?grantable_to=K-1");
    tokio::join!(
        write,
        read(K1),
        read(&lists.0),
        read(&lists.0),
        read(lists.1),
        read(lists.1)
    );
}
