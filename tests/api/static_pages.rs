//! The pages without a token: interactive documentation, license and explanations of problems.

use std::io::Read as _;

use customer_integration::common::Code;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use crate::support::{
    Client, Engine, TestApp,
    document::{DOCUMENT, assert_matches_schema},
};

fn varies_by_encoding(response: &reqwest::Response) -> bool {
    let mut vary = response.headers().get_all("vary").iter();
    vary.any(|value| value.to_str().unwrap().contains("accept-encoding"))
}

#[actix_web::test]
async fn static_files_are_compressed_for_clients_that_accept_it() {
    let app = TestApp::start(Engine::Sqlite).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in [
        "/openapi.json",
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
        "/docs/docs.js",
        "/docs/license.txt",
    ] {
        let url = format!("{}{path}", app.origin);
        let plain = http.get(&url).send().await.unwrap();
        assert_eq!(plain.headers().get("content-encoding"), None, "{path}");
        assert!(varies_by_encoding(&plain), "{path}");
        let plain = plain.bytes().await.unwrap();

        let compressed = http.get(&url).header("accept-encoding", "br, gzip;q=0.8");
        let compressed = compressed.send().await.unwrap();
        assert_eq!(compressed.headers()["content-encoding"], "gzip", "{path}");
        assert!(varies_by_encoding(&compressed), "{path}");
        let compressed = compressed.bytes().await.unwrap();
        assert!(compressed.len() < plain.len(), "{path}");
        let mut decompressed = Vec::new();
        GzDecoder::new(&*compressed)
            .read_to_end(&mut decompressed)
            .unwrap();
        assert_eq!(decompressed, plain, "{path}");
    }
}

#[actix_web::test]
async fn license_is_served_for_the_link_of_the_documentation() {
    let app = TestApp::start(Engine::Sqlite).await;
    let anonymous = Client::new(&app.origin, None);
    let script = anonymous.get("//docs/docs.js").await.is(200);
    assert!(script.text.contains("./license.txt"));

    let license = anonymous.get("//docs/license.txt").await.is(200);

    assert!(license.text.contains("MIT"), "{}", license.text);
}

#[actix_web::test]
async fn problem_index_links_to_every_code_and_pages_say_what_to_do() {
    let app = TestApp::start(Engine::Sqlite).await;
    let anonymous = Client::new(&app.origin, None);

    let index = anonymous.get("//problems").await.is(200);

    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    for code in Code::iter() {
        let path = format!("/problems/{}", code.as_str());
        assert!(index.text.contains(&format!("href=\"{path}\"")), "{path}");
        let page = anonymous.get(&format!("/{path}")).await.is(200);
        for text in ["What to do:</strong> ", "Abhilfe:</strong> "] {
            let (_, remedy) = page.text.split_once(text).unwrap();
            let (remedy, _) = remedy.split_once("</p>").unwrap();
            assert!(
                remedy.len() > 10 && remedy.ends_with('.'),
                "{path}: {remedy}"
            );
        }
    }
}

#[actix_web::test]
async fn pages_may_load_their_style_sheet_only() {
    let app = TestApp::start(Engine::Sqlite).await;
    let anonymous = Client::new(&app.origin, None);

    let page = anonymous.get("//problems/last_area").await.is(200);

    let policy = page.header("content-security-policy").to_owned();
    assert!(
        policy.contains("default-src 'none'; style-src 'self'"),
        "{policy}"
    );
    assert!(page.text.contains("href=\"/docs/pages.css\""));
    let style = anonymous.get("//docs/pages.css").await.is(200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
}

#[test]
fn problem_codes_are_enumerated_and_open_for_additions() {
    let schemas = &DOCUMENT["components"]["schemas"];
    let known: Vec<_> = Code::iter()
        .filter(|code| !code.is_field_code())
        .map(Code::as_str)
        .collect();
    assert_eq!(schemas["KnownProblemCode"]["enum"], json!(known));
    let code = &schemas["Problem"]["properties"]["code"];
    assert_eq!(
        code["anyOf"][0]["$ref"],
        "#/components/schemas/KnownProblemCode"
    );
    assert!(
        code["description"]
            .as_str()
            .unwrap()
            .contains("can be added")
    );

    let mut problem: Value = schemas["Problem"]["example"].clone();
    for code in ["last_area", "added_later"] {
        problem["code"] = json!(code);
        assert_matches_schema(&json!({"$ref": "#/components/schemas/Problem"}), &problem);
    }
}
