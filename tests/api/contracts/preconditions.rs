//! ETags and preconditions of writes.

use rstest_reuse::apply;
use serde_json::Value;

use crate::{
    engines::both_engines,
    support::{Client, Engine, Response, TestApp, app::Ids},
};

/// An ETag without its language suffix.
pub fn without_language(etag: &str) -> String {
    etag.split_once('+')
        .map_or_else(|| etag.to_owned(), |(state, _)| format!("{state}\""))
}

/// A write that changes a single resource.
struct Write {
    /// The path, with a placeholder such as `TAG` for an id.
    path: &'static str,
    method: &'static str,
    /// JSON, or empty for no body.
    body: &'static str,
}

/// One write of each kind.
const WRITES: &[Write] = &[
    Write {
        path: "/customer-integrations/K-1",
        method: "PATCH",
        body: r#"{"active": false}"#,
    },
    Write {
        path: "/customer-integrations/K-1/accesses/ACCESS",
        method: "PATCH",
        body: r#"{"language": "en"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/areas/A-2",
        method: "DELETE",
        body: "",
    },
    Write {
        path: "/customer-integrations/K-1/ticket-types/T-2",
        method: "PUT",
        body: r#"{"approval_required": true}"#,
    },
    Write {
        path: "/catalog/business-partners/K-1",
        method: "PUT",
        body: r#"{"name": "Other", "search_name": "P1"}"#,
    },
    Write {
        path: "/catalog/areas/A-1",
        method: "PUT",
        body: r##"{"name": "Other", "color": "#00AAFF"}"##,
    },
    Write {
        path: "/catalog/ticket-types/T-1",
        method: "PUT",
        body: r#"{"name": "Other", "kind": "standard"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/plan-boards/B-1",
        method: "DELETE",
        body: "",
    },
    Write {
        path: "/catalog/plan-boards/B-1",
        method: "PUT",
        body: r#"{"name": "Other"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/tags/TAG",
        method: "PATCH",
        body: r#"{"name": "Other"}"#,
    },
    Write {
        path: "/customer-integrations/K-1/tags/TAG",
        method: "DELETE",
        body: "",
    },
    Write {
        path: "/customer-integrations/K-1/queries/QUERY",
        method: "PATCH",
        body: r#"{"position": 7}"#,
    },
    Write {
        path: "/customer-integrations/K-1/exclusion-rules/RULE",
        method: "PATCH",
        body: r#"{"active": false}"#,
    },
    Write {
        path: "/exclusion-rules/GLOBAL",
        method: "PATCH",
        body: r#"{"description": "Other"}"#,
    },
    Write {
        path: "/exclusion-rules/GLOBAL",
        method: "DELETE",
        body: "",
    },
];

/// A write to an existing resource, and the state before it.
struct ConditionalWrite {
    client: Client,
    method: &'static str,
    path: String,
    body: &'static str,
    before: Response,
}

/// Creates the resources of [`WRITES`].
async fn create_resources(app: &TestApp) -> Ids {
    for grant in ["areas/A-2", "ticket-types/T-2"] {
        let path = format!("/customer-integrations/K-1/{grant}");
        app.editor().put(&path, Value::Null).await.is(201);
    }
    app.create_one_of_each().await
}

impl ConditionalWrite {
    async fn new(app: &TestApp, ids: &Ids, write: &Write) -> Self {
        let path = write
            .path
            .replace("ACCESS", &ids.access)
            .replace("TAG", &ids.tag)
            .replace("QUERY", &ids.query)
            .replace("RULE", &ids.rule)
            .replace("GLOBAL", &ids.global_rule);
        let client = app.client_with_scope(
            "integration:read integration:write global-rules:write catalog:read catalog:write",
        );
        let before = client.get(&path).await.is(200);
        Self {
            client,
            method: write.method,
            path,
            body: write.body,
            before,
        }
    }

    async fn send(&self, header: &str, value: &str) -> Response {
        let request = self.client.request(self.method, &self.path);
        let request = request.header(header, value);
        if self.body.is_empty() {
            request.send().await
        } else {
            request.raw("application/json", self.body).send().await
        }
    }

    async fn get_if_none_match(&self, etags: &str) -> Response {
        let request = self.client.request("GET", &self.path);
        request.header("if-none-match", etags).send().await
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn read_with_current_etag_returns_304(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_resources(&app).await;

    for write in WRITES {
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        assert!(
            etag.starts_with('"') && etag.ends_with('"'),
            "{etag} must be a strong ETag"
        );
        write.get_if_none_match(&etag).await.is(304);
        write
            .get_if_none_match(&format!("\"x\", W/{etag}"))
            .await
            .is(304);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_stale_condition_returns_412_and_changes_nothing(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_resources(&app).await;

    for write in WRITES {
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        for stale in ["\"0\"", "\"999\"", "\"1x\"", "W/\"999\"", "\"\""] {
            let response = write.send("if-match", stale).await;
            let refused = response.is_problem(412, "precondition_failed");
            assert_eq!(
                refused.etag(),
                without_language(&etag),
                "412 returns the current ETag without the language"
            );
        }
        if write.method == "PUT" {
            let create_only = write.send("if-none-match", "*").await;
            create_only.is_problem(412, "precondition_failed");
        }

        let after = write.client.get(&write.path).await.is(200);
        assert_eq!(after.json, write.before.json);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_malformed_if_match_returns_400_and_changes_nothing(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let ids = create_resources(&app).await;

    for write in WRITES {
        let write = ConditionalWrite::new(&app, &ids, write).await;

        let response = write.send("if-match", "3").await;

        response.is_problem(400, "invalid_parameter");
        let after = write.client.get(&write.path).await.is(200);
        assert_eq!(after.json, write.before.json);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn write_with_current_etag_is_accepted_and_changes_the_etag(engine: Engine) {
    for write in WRITES.iter().filter(|write| write.method != "DELETE") {
        let app = TestApp::with_active_partner(engine).await;
        let ids = create_resources(&app).await;
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        let written = write
            .send("if-match", &format!("\"nope\", {etag}"))
            .await
            .is(200);

        let after = write.get_if_none_match(&etag).await.is(200);
        assert_eq!(after.etag(), written.etag());
        assert_eq!(after.json, written.json);
        assert_ne!(after.etag(), etag);
    }
}

/// Items of lists have no ETag, so clients may use their version.
#[apply(both_engines)]
#[actix_web::test]
async fn write_with_version_as_if_match_is_accepted(engine: Engine) {
    for write in WRITES.iter().filter(|write| write.method != "DELETE") {
        let app = TestApp::with_active_partner(engine).await;
        let ids = create_resources(&app).await;
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let before = &write.before.json;
        let version = before.get("revision").unwrap_or(&before["version"]);

        write
            .send("if-match", &format!("\"{version}\""))
            .await
            .is(200);
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn deletion_with_current_etag_is_accepted_once(engine: Engine) {
    for write in WRITES.iter().filter(|write| write.method == "DELETE") {
        let app = TestApp::with_active_partner(engine).await;
        let ids = create_resources(&app).await;
        let write = ConditionalWrite::new(&app, &ids, write).await;
        let etag = write.before.etag();

        write
            .send("if-match", &format!("\"nope\", {etag}"))
            .await
            .is(204);
        write
            .send("if-match", "*")
            .await
            .is_problem(404, "not_found");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn if_match_on_missing_resource_returns_412(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let area = "/customer-integrations/K-1/areas/A-2";

    let request = app.editor().request("PUT", area).header("if-match", "*");
    let response = request.send().await;

    response.is_problem(412, "precondition_failed");
    app.reader().get(area).await.is_problem(404, "not_found");
}

#[apply(both_engines)]
#[actix_web::test]
async fn if_none_match_any_restricts_put_to_creation(engine: Engine) {
    let app = TestApp::with_active_partner(engine).await;
    let put_new = async || {
        let editor = app.editor();
        let request = editor.request("PUT", "/customer-integrations/K-1/areas/A-2");
        request.header("if-none-match", "*").send().await
    };

    put_new().await.is(201);
    put_new().await.is_problem(412, "precondition_failed");
}
