//! The policy in Casbin.
//!
//! Its matchers are Rhai expressions. Rhai compares texts with `==` itself; everything else is a
//! function that is looked up and called. So a few values are compared one by one, and functions
//! handle the rest.
//!
//! * Idiomatic: one policy line per rule, with a column for each kind of condition. Conditions as text
//!   in the line (`eval(p.rule)`), as in Casbin's attribute examples, would be parsed for every line
//!   of every decision.
//! * Fastest: no lines, but one matcher per area, selected by `EnforceContext`: a single expression of
//!   all rules of the area. It is compiled once and stops at the first rule that holds. The parts of
//!   the request are ordered so that Rhai, which searches names from the end, finds frequent ones
//!   first.

use std::collections::HashMap;

use casbin::{
    CoreApi as _, DefaultModel, EnforceContext, Enforcer, MgmtApi as _, Model as _, NullAdapter,
    function_map::OperatorFunction, rhai::Dynamic,
};

use crate::{
    Engine, Form, Question, Scenario,
    flat::UNKNOWN,
    test::{Test, slice},
};

/// The parts of a request, with the texts of the ticket at the end.
const REQUEST: [&str; 20] = [
    "viewer_access",
    "created_by",
    "viewer_contact",
    "main_contact",
    "viewer_own",
    "is_confidential",
    "internal",
    "partner",
    "confidential",
    "released",
    "entry_channel",
    "subject",
    "tags",
    "age",
    "impact",
    "urgency",
    "ticket_type",
    "project",
    "area",
    "status",
];
/// The columns of a policy line; the last one is its effect.
const LINE: [&str; 15] = [
    "area",
    "project",
    "ticket_type",
    "status",
    "not_status",
    "urgency",
    "impact",
    "age",
    "entry_channel",
    "released",
    "confidential",
    "tag",
    "no_tag",
    "subject",
    "eft",
];

/// A function that Casbin can call.
type Function = fn(Dynamic, Dynamic) -> Dynamic;

/// The enforcer, with the names of the matchers by area if there are several.
pub struct Casbin {
    enforcer: Enforcer,
    matchers: Option<HashMap<String, String>>,
}

fn text<R>(value: &Dynamic, see: impl FnOnce(&str) -> R) -> R {
    see(&value
        .read_lock::<casbin::rhai::ImmutableString>()
        .expect("a text"))
}

/// Whether a value is in a list separated by `|`.
fn among(values: Dynamic, value: Dynamic) -> Dynamic {
    text(&values, |values| {
        text(&value, |value| values.split('|').any(|item| item == value))
    })
    .into()
}

/// Whether two lists have a value in common.
fn shares(tags: Dynamic, wanted: Dynamic) -> Dynamic {
    text(&tags, |tags| {
        text(&wanted, |wanted| {
            wanted
                .split('|')
                .any(|item| tags.split('|').any(|tag| tag == item))
        })
    })
    .into()
}

/// Whether a text contains another.
fn says(said: Dynamic, part: Dynamic) -> Dynamic {
    text(&said, |said| text(&part, |part| said.contains(part))).into()
}

/// Whether a number is greater than one given as text.
fn exceeds(age: Dynamic, limit: Dynamic) -> Dynamic {
    let age = age.as_int().expect("a number");
    text(&limit, |limit| {
        limit.parse::<i32>().is_ok_and(|limit| age > limit)
    })
    .into()
}

/// The steps other than the exclusion rules.
fn base(partner: &str) -> String {
    format!(
        "r_partner == {partner:?} && !r_internal && (!r_is_confidential || r_main_contact == r_viewer_contact) && \
         (!r_viewer_own || r_main_contact == r_viewer_contact || r_created_by == r_viewer_access)"
    )
}

fn expression(test: &Test) -> String {
    let any = |field: &str, values: &[String]| {
        let texts: Vec<_> = values
            .iter()
            .map(|value| format!("r_{field} == {value:?}"))
            .collect();
        texts.join(" || ")
    };
    match test {
        Test::OneOf { field, values } => {
            format!("({} || r_{field} == \"{UNKNOWN}\")", any(field, values))
        }
        Test::NoneOf { field, values } => format!("!({})", any(field, values)),
        Test::AnyTag(tags) => format!("shares(r_tags, \"{}|{UNKNOWN}\")", tags.join("|")),
        Test::NoTag(tags) => format!("!shares(r_tags, \"{}\")", tags.join("|")),
        Test::SubjectContains(part) => {
            format!("(says(r_subject, {part:?}) || r_subject == \"{UNKNOWN}\")")
        }
        Test::OlderThan { seconds } => format!("r_age > {seconds}"),
    }
}

/// The expression that lets a ticket of an area pass.
fn matcher(scenario: &Scenario, area: &str) -> String {
    let all = |tests: &[Test]| {
        tests
            .iter()
            .map(expression)
            .collect::<Vec<_>>()
            .join(" && ")
    };
    let rules: Vec<_> = slice(scenario, area)
        .iter()
        .map(|tests| all(tests))
        .filter(|rule| !rule.is_empty())
        .collect();
    let rules = rules.join(" || ");
    let rules = if rules.is_empty() { "false" } else { &rules };
    format!("{} && !({rules})", base(&scenario.partner))
}

/// The matcher for every line: lines that allow contain the areas, lines that deny are rules.
fn matcher_of_lines(partner: &str) -> String {
    let column = |name: &&str| {
        let test = match *name {
            "not_status" => "!among(p_not_status, r_status)".to_owned(),
            "tag" => "shares(r_tags, p_tag)".to_owned(),
            "no_tag" => "!shares(r_tags, p_no_tag)".to_owned(),
            "subject" => format!("says(r_subject, p_subject) || r_subject == \"{UNKNOWN}\""),
            "age" => "exceeds(r_age, p_age)".to_owned(),
            name => format!("among(p_{name}, r_{name})"),
        };
        format!("(p_{name} == \"\" || {test})")
    };
    let columns: Vec<_> = LINE
        .iter()
        .filter(|name| **name != "eft")
        .map(column)
        .collect();
    format!(
        "(p_eft == \"deny\" || {}) && {}",
        base(partner),
        columns.join(" && ")
    )
}

fn line(tests: &[Test]) -> Vec<String> {
    let with_unknown = |values: &[String]| format!("{}|{UNKNOWN}", values.join("|"));
    let mut columns: HashMap<&str, String> = HashMap::from([("eft", "deny".to_owned())]);
    for test in tests {
        let (name, value) = match test {
            Test::OneOf { field, values } => (*field, with_unknown(values)),
            Test::NoneOf {
                field: "status",
                values,
            } => ("not_status", values.join("|")),
            Test::NoneOf { field, .. } => unreachable!("no column excludes values of {field}"),
            Test::AnyTag(tags) => ("tag", with_unknown(tags)),
            Test::NoTag(tags) => ("no_tag", tags.join("|")),
            Test::SubjectContains(part) => ("subject", part.clone()),
            Test::OlderThan { seconds } => ("age", seconds.to_string()),
        };
        columns.insert(name, value);
    }
    LINE.map(|name| columns.remove(name).unwrap_or_default())
        .into()
}

/// The policy lines: one that allows, and the rules.
fn lines(scenario: &Scenario) -> Vec<Vec<String>> {
    let mut allow: Vec<String> = LINE.map(|_| String::new()).into();
    if let [area, .., effect] = allow.as_mut_slice() {
        *area = scenario.areas().collect::<Vec<_>>().join("|");
        "allow".clone_into(effect);
    }
    std::iter::once(allow)
        .chain(scenario.rules.iter().map(|rule| line(&rule.tests())))
        .collect()
}

fn enforcer(model: DefaultModel, lines: Vec<Vec<String>>) -> Enforcer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut enforcer = Enforcer::new(model, NullAdapter)
            .await
            .expect("an enforcer");
        let functions: [(&str, Function); 4] = [
            ("among", among),
            ("shares", shares),
            ("says", says),
            ("exceeds", exceeds),
        ];
        for (name, function) in functions {
            enforcer.add_function(name, OperatorFunction::Arg2(function));
        }
        if !lines.is_empty() {
            enforcer.add_policies(lines).await.expect("lines");
        }
        enforcer
    })
}

impl Engine for Casbin {
    const NAME: &'static str = "Casbin";
    /// The area and the parts of the request.
    type Input<'s> = (&'s str, Vec<Dynamic>);

    fn compile(scenario: &Scenario, form: Form) -> Self {
        let mut model = DefaultModel::default();
        model.add_def("r", "r", &REQUEST.join(", "));
        if form == Form::Idiomatic {
            model.add_def("p", "p", &LINE.join(", "));
            model.add_def(
                "e",
                "e",
                "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
            );
            model.add_def("m", "m", &matcher_of_lines(&scenario.partner));
            return Self {
                enforcer: enforcer(model, lines(scenario)),
                matchers: None,
            };
        }
        model.add_def("p", "p", "none");
        model.add_def("e", "e", "some(where (p.eft == allow))");
        let mut matchers = HashMap::new();
        for (number, area) in scenario.areas().enumerate() {
            let name = format!("m{}", number + 1);
            model.add_def("m", &name, &matcher(scenario, area));
            matchers.insert(area.to_owned(), name);
        }
        Self {
            enforcer: enforcer(model, Vec::new()),
            matchers: Some(matchers),
        }
    }

    fn input<'s>(&self, Question { ticket, viewer, .. }: Question<'s>) -> Self::Input<'s> {
        let part = |name: &str| match name {
            "viewer_access" => viewer.access.clone().into(),
            "viewer_contact" => viewer.contact.clone().into(),
            "viewer_own" => viewer.own.into(),
            "is_confidential" => ticket.confidential.into(),
            "internal" => ticket.internal.into(),
            "partner" => ticket.partner.clone().into(),
            "tags" => ticket.tags.join("|").into(),
            "age" => i32::try_from(ticket.age).expect("an age of 32 bits").into(),
            name => ticket.text(name).to_owned().into(),
        };
        (ticket.text("area"), REQUEST.map(part).into())
    }

    fn is_visible(&mut self, (area, request): &Self::Input<'_>) -> bool {
        let Some(matchers) = &self.matchers else {
            return self.enforcer.enforce(request.clone()).expect("an answer");
        };
        let Some(matcher) = matchers.get(*area) else {
            return false;
        };
        let [r_type, p_type, e_type] = ["r", "p", "e"].map(ToOwned::to_owned);
        let context = EnforceContext {
            r_type,
            p_type,
            e_type,
            m_type: matcher.clone(),
        };
        self.enforcer
            .enforce_with_context(context, request.clone())
            .expect("an answer")
    }
}
