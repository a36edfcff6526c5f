//! Invariants for arbitrary request bodies and arbitrary filters. The fuzzers of `tests/fuzz`
//! generate inputs, and `fuzz_corpus.rs` replays the stored ones.

use std::collections::BTreeSet;

use customer_integration::{
    i18n::Lang,
    ticket_filter::{
        Names, TicketFilter, Truth,
        parse::{MAX_BYTES, QueryFilter, RuleFilter},
        summary,
    },
};
use serde_json::{Value, value::RawValue};
use ticket_policy::{
    Timestamp,
    evaluator::{Scratch, matched_by},
    rules::{RuleDefinition, RuleSet},
    ticket::TicketAttributes,
};
use validator::Validate as _;

use super::{
    Client, Engine, Response, TestApp,
    app::Ids,
    document::{DOCUMENT, OPERATIONS, Operation, assert_matches_schema},
};

/// The number of successful writes after which the service is replaced by a new one, so that
/// results do not depend on how long the fuzzer ran.
const MAX_WRITES: usize = 500;

/// The operations that have a body.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| operation.has_body())
}

/// A service with one resource of each kind, and a client with all scopes.
pub struct FuzzHarness {
    engine: Engine,
    app: TestApp,
    ids: Ids,
    client: Client,
    writes: usize,
}

impl FuzzHarness {
    pub async fn new(engine: Engine) -> Self {
        let app = TestApp::with_active_partner(engine).await;
        let ids = app.create_one_of_each().await;
        let scopes: BTreeSet<_> = OPERATIONS
            .iter()
            .map(|operation| operation.scope.as_str())
            .collect();
        let client = app.client_with_scope(&scopes.into_iter().collect::<Vec<_>>().join(" "));
        Self {
            engine,
            app,
            ids,
            client,
            writes: 0,
        }
    }

    /// Sends a body to an operation and returns the status. Panics if the response does not match
    /// the document or has status 5xx, if an error pointer refers to no place in the body, or if a
    /// later GET does not return the written resource.
    pub async fn send_body(&mut self, operation: &Operation, body: &[u8]) -> u16 {
        let path = self.ids.path(operation, "K-1");
        let request = self.client.request(&operation.method, &path);
        let response = request.raw("application/json", body.to_vec()).send().await;
        assert!(response.status < 500, "{}", response.text);
        if response.status == 422 {
            assert_pointers_resolve(&response, body);
        }
        if response.status < 300 && operation.scope.ends_with(":write") {
            self.assert_stored(&path, &response).await;
            self.writes += 1;
        }
        if self.writes == MAX_WRITES {
            *self = Self::new(self.engine).await;
        }
        response.status
    }

    /// Panics unless a GET returns the resource and the ETag of the response.
    async fn assert_stored(&self, path: &str, response: &Response) {
        let location = response.header("location").trim_start_matches("/api/v1");
        let path = if location.is_empty() { path } else { location };
        let stored = self.client.get(path).await.is(200);
        assert_eq!(stored.json, response.json, "{} {path}", self.app.origin);
        assert_eq!(stored.etag(), response.etag(), "{} {path}", self.app.origin);
    }
}

/// Panics if the parent of an error pointer is not in the body. The pointer itself may refer to a
/// missing member.
fn assert_pointers_resolve(response: &Response, body: &[u8]) {
    // Each ticket is parsed separately, so a lone surrogate in one ticket, which `Value` cannot
    // represent, does not make the body invalid.
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return assert!(
            serde_json::from_slice::<&RawValue>(body).is_ok(),
            "422 for a body that is not JSON"
        );
    };
    for field_error in response.json["errors"].as_array().unwrap() {
        let pointer = field_error["pointer"].as_str().unwrap();
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(body.pointer(parent).is_some(), "{pointer} is not in {body}");
    }
}

/// Returns whether the bytes are a valid query filter. Panics if a valid filter does not match the
/// document, changes in a serialization round trip, has no summary, or, as a rule, violates logic.
pub fn assert_filter_invariants(bytes: &[u8]) -> bool {
    let query_filter = serde_json::from_slice::<QueryFilter>(bytes)
        .ok()
        .filter(|filter| filter.validate().is_ok());
    let rule_filter = serde_json::from_slice::<RuleFilter>(bytes)
        .ok()
        .filter(|filter| filter.validate().is_ok());
    let Some(filter) = query_filter.map(QueryFilter::into_filter) else {
        assert!(
            rule_filter.is_none(),
            "a filter that is invalid in a query is valid in a rule"
        );
        return false;
    };

    let serialized = serde_json::to_string(&filter).unwrap();
    assert!(serialized.len() <= MAX_BYTES, "{} bytes", serialized.len());
    assert_matches_schema(
        &DOCUMENT["components"]["schemas"]["TicketFilter"],
        &serde_json::from_str(&serialized).unwrap(),
    );
    let parsed: QueryFilter = serde_json::from_str(&serialized).unwrap();
    parsed.validate().unwrap();
    assert_eq!(parsed.into_filter(), filter);

    for lang in [Lang::De, Lang::En] {
        let text = summary(&filter, &Names::default(), lang);
        assert!(
            !text.is_empty() && !text.contains(char::is_control),
            "{text:?}"
        );
    }

    if let Some(rule_filter) = rule_filter.map(RuleFilter::into_filter) {
        assert_eq!(rule_filter, filter);
        assert_logic(rule_filter);
    }
    true
}

/// A ticket with all attributes, and one with the required attributes only.
const TICKETS: [&str; 2] = [
    r#"{
        "ticket_id": "1",
        "business_partner_id": "K-1",
        "area_id": "A-1",
        "internal": false,
        "confidential": false,
        "ticket_type_id": "T-1",
        "status": "in_progress",
        "closure": null,
        "released": false,
        "main_contact_id": "C-1",
        "created_by_access_id": null,
        "tags": ["Tag", "server"],
        "urgency": "high",
        "impact": "low",
        "entry_channel": "mail",
        "project_id": "P-1",
        "service_contract_id": null,
        "subject": "Die Straße zum Server",
        "reference_number": "4711",
        "created_at": "2026-11-01T08:00:00Z"
    }"#,
    r#"{
        "ticket_id": "1",
        "business_partner_id": "K-1",
        "area_id": "A-1",
        "internal": false,
        "confidential": false
    }"#,
];

fn rule_set(filter: TicketFilter) -> RuleSet {
    RuleSet::new([RuleDefinition {
        id: uuid::Uuid::nil(),
        name: "Rule".to_owned(),
        filter,
    }])
}

/// Panics unless the negation of a filter has the negated truth value, and missing attributes only
/// turn a result into `Unknown`.
fn assert_logic(filter: TicketFilter) {
    let now = Timestamp::parse("2026-11-25T12:00:00Z").unwrap();
    let negation = rule_set(TicketFilter::None {
        filters: vec![filter.clone()],
    });
    let rule = rule_set(filter);
    let mut scratch = Scratch::default();
    let [complete, minimal] = TICKETS.map(|ticket| {
        let attributes: TicketAttributes<'_> = serde_json::from_str(ticket).unwrap();
        let truth = matched_by(&rule, &attributes, now, &mut scratch);
        assert_eq!(
            matched_by(&negation, &attributes, now, &mut scratch),
            truth.negated()
        );
        truth
    });
    assert!(
        minimal == Truth::Unknown || minimal == complete,
        "{complete:?} became {minimal:?} with fewer attributes"
    );
}
