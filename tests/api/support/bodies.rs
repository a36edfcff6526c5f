//! Any bytes as the body of any operation that has one, and as a filter, with what must hold whatever they are. The fuzzers of
//! `tests/fuzz` find such bytes, and `corpus.rs` plays those that were kept.

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
    Answer, Client, Engine, TestApp,
    app::Ids,
    document::{DOCUMENT, OPERATIONS, Operation, fits},
};

/// A service is replaced by a new one after so many bodies that it took: what it answers is not to depend on how long it was
/// fuzzed.
const MOST_TAKEN: usize = 500;

/// The operations that have a body.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|it| it.has_body())
}

/// A service with one of everything.
pub struct Stage {
    engine: Engine,
    app: TestApp,
    ids: Ids,
    client: Client,
    taken: usize,
}

impl Stage {
    /// `None` where the engine is not to be had.
    pub async fn new(engine: Engine) -> Option<Self> {
        let app = TestApp::ready(engine).await?;
        let ids = app.furnish().await;
        let scopes: BTreeSet<_> = OPERATIONS.iter().map(|it| it.scope.as_str()).collect();
        let client = app.with_scope(&scopes.into_iter().collect::<Vec<_>>().join(" "));
        Some(Self {
            engine,
            app,
            ids,
            client,
            taken: 0,
        })
    }

    /// Panics unless the operation answers this body as the document says, and not with an error of its own; unless each fault
    /// it tells of is at a place of the body; unless what it takes is what is there afterwards.
    pub async fn play(&mut self, operation: &Operation, body: &[u8]) -> u16 {
        let path = self.ids.path(operation, "K-1");
        let request = self.client.request(&operation.method, &path);
        let answer = request.raw("application/json", body.to_vec()).send().await;
        assert!(answer.status < 500, "{}", answer.text);
        if answer.status == 422 {
            check_pointers(&answer, body);
        }
        if answer.status < 300 && operation.scope.ends_with(":write") {
            self.check_taken(&path, &answer).await;
            self.taken += 1;
        }
        if self.taken == MOST_TAKEN {
            *self = Self::new(self.engine).await.unwrap();
        }
        answer.status
    }

    async fn check_taken(&self, path: &str, answer: &Answer) {
        let location = answer
            .header("location")
            .trim_start_matches("/api/v1")
            .to_owned();
        let there = self
            .client
            .get(if location.is_empty() { path } else { &location })
            .await
            .is(200);
        assert_eq!(
            (&there.json, there.etag()),
            (&answer.json, answer.etag()),
            "{} {path}",
            self.app.base
        );
    }
}

/// What is missing is told at the place where it should be; the place around it is always there.
fn check_pointers(answer: &Answer, body: &[u8]) {
    // where a ticket is wrong, the others are decided; so half of a surrogate pair within one is no reason to refuse the body,
    // though there is no text for it
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return assert!(
            serde_json::from_slice::<&RawValue>(body).is_ok(),
            "422 for what is not JSON"
        );
    };
    for field_error in answer.json["errors"].as_array().unwrap() {
        let pointer = field_error["pointer"].as_str().unwrap();
        let around = pointer.rsplit_once('/').map_or("", |(around, _)| around);
        assert!(body.pointer(around).is_some(), "{pointer} is not in {body}");
    }
}

/// Panics unless what passes for a filter is one by the document, stays the same when it is written and read again, and can be
/// told in words; unless a rule made of it is judged by logic. Says whether it passed.
pub fn play_filter(bytes: &[u8]) -> bool {
    let query = serde_json::from_slice::<QueryFilter>(bytes)
        .ok()
        .filter(|it| it.validate().is_ok());
    let rule = serde_json::from_slice::<RuleFilter>(bytes)
        .ok()
        .filter(|it| it.validate().is_ok());
    let Some(filter) = query.map(QueryFilter::into_filter) else {
        assert!(
            rule.is_none(),
            "what a query may not have, a rule may not have either"
        );
        return false;
    };
    let written = serde_json::to_string(&filter).unwrap();
    assert!(written.len() <= MAX_BYTES, "{} bytes", written.len());
    fits(
        &DOCUMENT["components"]["schemas"]["TicketFilter"],
        &serde_json::from_str(&written).unwrap(),
    );
    let again: QueryFilter = serde_json::from_str(&written).unwrap();
    again.validate().unwrap();
    assert_eq!(again.into_filter(), filter);
    for lang in [Lang::De, Lang::En] {
        let told = summary(&filter, &Names::default(), lang);
        assert!(
            !told.is_empty() && !told.contains(char::is_control),
            "{told:?}"
        );
    }
    if let Some(rule) = rule.map(RuleFilter::into_filter) {
        assert_eq!(rule, filter);
        check_logic(rule);
    }
    true
}

/// A ticket of which as much is known as can be, and one of which as little is.
const TICKETS: [&str; 2] = [
    r#"{"ticket_id": "1", "business_partner_id": "K-1", "area_id": "A-1", "internal": false, "confidential": false,
        "ticket_type_id": "T-1", "status": "in_progress", "closure": null, "released": false, "main_contact_id": "C-1",
        "created_by_access_id": null, "tags": ["Tag", "server"], "urgency": "high", "impact": "low", "entry_channel": "mail",
        "project_id": "P-1", "service_contract_id": null, "subject": "Die Straße zum Server", "reference_number": "4711",
        "created_at": "2026-11-01T08:00:00Z"}"#,
    r#"{"ticket_id": "1", "business_partner_id": "K-1", "area_id": "A-1", "internal": false, "confidential": false}"#,
];

fn rule_set(filter: TicketFilter) -> RuleSet {
    RuleSet::new([RuleDefinition {
        id: uuid::Uuid::nil(),
        name: "Rule".to_owned(),
        filter,
    }])
}

/// The opposite of a filter holds exactly where it does not, and what is less known is never more certain.
fn check_logic(filter: TicketFilter) {
    let now = Timestamp::parse("2026-11-25T12:00:00Z").unwrap();
    let opposite = rule_set(TicketFilter::None {
        filters: vec![filter.clone()],
    });
    let rule = rule_set(filter);
    let mut scratch = Scratch::default();
    let [known, unknown] = TICKETS.map(|ticket| {
        let facts: TicketAttributes<'_> = serde_json::from_str(ticket).unwrap();
        let truth = matched_by(&rule, &facts, now, &mut scratch);
        assert_eq!(
            matched_by(&opposite, &facts, now, &mut scratch),
            truth.negated()
        );
        truth
    });
    assert!(
        unknown == Truth::Unknown || unknown == known,
        "{known:?} became {unknown:?}"
    );
}
