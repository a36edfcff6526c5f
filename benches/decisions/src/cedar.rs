//! The policy in Cedar.
//!
//! Attributes are members of the request context, which Cedar reads with one look-up in a record;
//! attributes of a resource need another one in the entities. Values are compared one by one with
//! `==`: Cedar evaluates all elements of a literal set on every use, so `[…].contains(…)` is used for
//! many values only.
//!
//! * Idiomatic: one `permit`, and one `forbid` per rule. Cedar always evaluates all policies of a set.
//! * Fastest: one set per area with a single `permit … unless { rule || rule || … }`, because `||`
//!   short-circuits. It is built from JSON, because policies parsed from text carry reference-counted
//!   source locations through the evaluation.
//!
//! `Authorizer` cannot do less for a decision: its diagnostics cannot be disabled.

use std::collections::HashMap;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, Policy, PolicyId, PolicySet, Request,
    RestrictedExpression,
};

use crate::{
    Engine, Form, Question, Rule, Scenario,
    flat::UNKNOWN,
    test::{Test, slice},
};

/// A set of policies, or one set per area.
pub struct Cedar {
    all: Option<PolicySet>,
    by_area: HashMap<String, PolicySet>,
    granted: RestrictedExpression,
    authorizer: Authorizer,
    entities: Entities,
    who: [EntityUid; 3],
}

/// The steps other than the exclusion rules.
fn base(partner: &str) -> String {
    format!(
        "context.partner == {partner:?} && !context.internal && \
         (!context.is_confidential || context.main_contact == context.viewer_contact) && \
         (!context.viewer_own || context.main_contact == context.viewer_contact || context.created_by == context.viewer_access)"
    )
}

fn expression(test: &Test) -> String {
    let any = |values: &[String], one: &dyn Fn(&str) -> String| {
        let texts: Vec<_> = values.iter().map(|value| one(value)).collect();
        format!("({})", texts.join(" || "))
    };
    match test {
        Test::OneOf { field, values } => {
            let known = any(values, &|value| format!("context.{field} == {value:?}"));
            format!("({known} || context.{field} == \"{UNKNOWN}\")")
        }
        Test::NoneOf { field, values } => format!(
            "!{}",
            any(values, &|value| format!("context.{field} == {value:?}"))
        ),
        Test::AnyTag(tags) => {
            let known = any(tags, &|tag| format!("context.tags.contains({tag:?})"));
            format!("({known} || context.tags.contains(\"{UNKNOWN}\"))")
        }
        Test::NoTag(tags) => format!(
            "!{}",
            any(tags, &|tag| format!("context.tags.contains({tag:?})"))
        ),
        Test::SubjectContains(part) => {
            format!("(context.subject like \"*{part}*\" || context.subject == \"{UNKNOWN}\")")
        }
        Test::OlderThan { seconds } => format!("context.age > {seconds}"),
    }
}

fn all(tests: &[Test]) -> String {
    let parts: Vec<_> = tests.iter().map(expression).collect();
    if parts.is_empty() {
        "true".to_owned()
    } else {
        parts.join(" && ")
    }
}

/// Alternatives as a balanced tree, because the depth of a chain grows with their number.
fn any(rules: &[String]) -> String {
    match rules {
        [] => "false".to_owned(),
        [rule] => format!("({rule})"),
        rules => {
            let (left, right) = rules.split_at(rules.len() / 2);
            format!("({} || {})", any(left), any(right))
        }
    }
}

fn rule_by_rule(scenario: &Scenario) -> PolicySet {
    let permit = format!(
        "permit(principal, action, resource) when {{ {} && context.granted.contains(context.area) }};",
        base(&scenario.partner)
    );
    let forbid = |rule: &Rule| {
        format!(
            "forbid(principal, action, resource) when {{ {} }};",
            all(&rule.tests())
        )
    };
    let text = std::iter::once(permit)
        .chain(scenario.rules.iter().map(forbid))
        .collect::<String>();
    text.parse().expect("policies")
}

fn of_area(scenario: &Scenario, area: &str) -> PolicySet {
    let rules: Vec<_> = slice(scenario, area)
        .iter()
        .map(|tests| all(tests))
        .collect();
    let text = format!(
        "permit(principal, action, resource) when {{ {} }} unless {{ {} }};",
        base(&scenario.partner),
        any(&rules)
    );
    let parsed = Policy::parse(Some(PolicyId::new("sees")), text).expect("a policy");
    let json = parsed.to_json().expect("a policy");
    let bare = Policy::from_json(Some(PolicyId::new("sees")), json).expect("a policy");
    PolicySet::from_policies([bare]).expect("a set of one")
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

impl Engine for Cedar {
    const NAME: &'static str = "Cedar";
    /// The area and the request.
    type Input<'s> = (&'s str, Request);

    fn compile(scenario: &Scenario, form: Form) -> Self {
        let idiomatic = form == Form::Idiomatic;
        let sets = scenario
            .areas()
            .map(|area| (area.to_owned(), of_area(scenario, area)));
        Self {
            all: idiomatic.then(|| rule_by_rule(scenario)),
            by_area: if idiomatic {
                HashMap::new()
            } else {
                sets.collect()
            },
            granted: RestrictedExpression::new_set(scenario.areas().map(string)),
            authorizer: Authorizer::new(),
            entities: Entities::empty(),
            who: ["Access::\"a\"", "Action::\"see\"", "Ticket::\"t\""]
                .map(|uid| uid.parse().expect("an entity")),
        }
    }

    fn input<'s>(&self, Question { ticket, viewer, .. }: Question<'s>) -> Self::Input<'s> {
        let texts = ticket
            .texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), string(text)));
        let more = [
            ("partner", string(&ticket.partner)),
            ("internal", RestrictedExpression::new_bool(ticket.internal)),
            (
                "is_confidential",
                RestrictedExpression::new_bool(ticket.confidential),
            ),
            (
                "tags",
                RestrictedExpression::new_set(ticket.tags.iter().map(|tag| string(tag))),
            ),
            ("age", RestrictedExpression::new_long(ticket.age)),
            ("viewer_contact", string(&viewer.contact)),
            ("viewer_access", string(&viewer.access)),
            ("viewer_own", RestrictedExpression::new_bool(viewer.own)),
        ];
        let granted = self
            .all
            .is_some()
            .then(|| ("granted".to_owned(), self.granted.clone()));
        let pairs = texts
            .chain(more.map(|(name, value)| (name.to_owned(), value)))
            .chain(granted);
        let context = Context::from_pairs(pairs).expect("a context");
        let [principal, action, resource] = self.who.clone();
        let request = Request::new(principal, action, resource, context, None).expect("a request");
        (ticket.text("area"), request)
    }

    fn is_visible(&mut self, (area, request): &Self::Input<'_>) -> bool {
        let policies = self.all.as_ref().or_else(|| self.by_area.get(*area));
        policies.is_some_and(|policies| {
            self.authorizer
                .is_authorized(request, policies, &self.entities)
                .decision()
                == Decision::Allow
        })
    }
}
