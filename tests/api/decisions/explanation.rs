//! Explanations of visibility decisions.

use rstest_reuse::apply;
use serde_json::{Value, json};

use super::{Fixture, RULES, VISIBILITY, condition, has_tag, ticket, with_members};
use crate::{
    engines::both_engines,
    support::{Engine, Response},
};

/// A fixture with a rule and a global rule, and a ticket in an area that is not granted.
struct ExplanationSetup {
    fixture: Fixture,
    rule_id: String,
    global_rule_id: String,
}

impl ExplanationSetup {
    async fn start(engine: Engine) -> Self {
        let fixture = Fixture::start(engine).await;
        let urgent = condition("urgency", "in", "high");
        Self {
            rule_id: fixture
                .create_rule("Personal „x“", has_tag("Personal"))
                .await,
            global_rule_id: fixture.create_global_rule("Eilig", urgent).await,
            fixture,
        }
    }

    async fn explain(&self, language: &str) -> Response {
        let ticket = with_members(ticket("1"), json!({"tags": ["personal"], "area_id": "A-3"}));
        let body = json!({"access_email": "A@B.example", "explain": true, "tickets": [ticket]});
        let request = self.fixture.ticket_system.request("POST", VISIBILITY);
        let request = request.header("accept-language", language).json(body);
        request.send().await.is(200)
    }

    /// Returns the step with this code.
    async fn explain_step(&self, language: &str, code: &str) -> Value {
        let response = self.explain(language).await;
        let steps = response.json["decisions"][0]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["code"] == code);
        step.unwrap_or_else(|| panic!("no step {code}: {}", response.text))
            .clone()
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_lists_all_steps_in_order(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;

    let response = setup.explain("de").await;

    assert_eq!(response.header("content-language"), "de");
    assert_eq!(response.header("cache-control"), "no-store");
    let steps = response.json["decisions"][0]["steps"].as_array().unwrap();
    let outcomes: Vec<_> = steps
        .iter()
        .map(|step| format!("{} {}", step["code"], step["outcome"]).replace('"', ""))
        .collect();
    assert_eq!(
        outcomes,
        [
            "integration_inactive pass",
            "business_partner_inactive pass",
            "access_inactive pass",
            "other_business_partner pass",
            "ticket_internal pass",
            "ticket_confidential pass",
            "area_not_granted deny",
            "excluded_by_global_rule_undetermined undetermined",
            "excluded_by_rule deny",
            "not_own_ticket pass",
        ]
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_is_in_the_requested_language(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;
    let detail = async |language, code| {
        let step = setup.explain_step(language, code).await;
        step["detail"].as_str().unwrap().to_owned()
    };

    assert_eq!(
        detail("de", "excluded_by_rule").await,
        "Die Ausschlussregel „Personal 'x'“ verbirgt das Ticket."
    );
    assert_eq!(
        detail("de", "area_not_granted").await,
        "Der Bereich „A-3“ ist nicht freigeschaltet."
    );
    assert_eq!(
        detail("en", "excluded_by_rule").await,
        "The exclusion rule “Personal 'x'” hides the ticket."
    );
}

#[apply(both_engines)]
#[actix_web::test]
async fn explanation_links_its_sources(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;

    let rule_step = setup.explain_step("de", "excluded_by_rule").await;
    let global_code = "excluded_by_global_rule_undetermined";
    let global_rule_step = setup.explain_step("de", global_code).await;

    let id = &setup.rule_id;
    let source = json!({
        "kind": "exclusion_rule",
        "id": id,
        "name": "Personal „x“",
        "href": format!("/api/v1{RULES}/{id}"),
    });
    assert_eq!(rule_step["sources"], json!([source]));
    assert_eq!(
        global_rule_step["sources"][0]["href"],
        format!("/api/v1/exclusion-rules/{}", setup.global_rule_id)
    );
}

/// Every link is readable, except for that of the area that is not granted.
#[apply(both_engines)]
#[actix_web::test]
async fn links_of_explanation_resolve(engine: Engine) {
    let setup = ExplanationSetup::start(engine).await;
    let reader = setup.fixture.app.reader();

    let response = setup.explain("en").await;

    let steps = response.json["decisions"][0]["steps"].as_array().unwrap();
    for step in steps {
        let is_granted = step["code"] != "area_not_granted";
        for source in step["sources"].as_array().unwrap() {
            let href = source["href"].as_str().unwrap();
            let path = href.strip_prefix("/api/v1").unwrap();
            let status = if is_granted { 200 } else { 404 };
            reader.get(path).await.is(status);
        }
    }
}
