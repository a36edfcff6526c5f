//! The policy in Rego, run by regorus.
//!
//! It is compiled to a program of the regorus virtual machine (`Compiler::compile_from_policy`,
//! `RegoVM`), loaded once, and only the input changes from ticket to ticket; `Engine` and
//! `CompiledPolicy` interpret the syntax tree instead. Sets in the text are constants of the program.
//! `hidden` has one body per rule, all with the same result, so the machine stops at the first that
//! holds.
//!
//! * Idiomatic: one rule `hidden` with all bodies.
//! * Fastest: one program and machine per area, with the bodies that apply to it. A single program
//!   with an entry point per area would be reset as a whole for every decision, and the text for a
//!   hundred areas exceeds the limit of regorus for one file.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write as _,
};

use regorus::{
    PolicyModule, Value, compile_policy_with_entrypoint, languages::rego::compiler::Compiler,
    rvm::vm::RegoVM,
};

use crate::{
    Engine, Form, Question, Rule, Scenario,
    flat::UNKNOWN,
    test::{Test, slice},
};

/// One machine, or one per area.
pub struct Rego {
    all: Option<RegoVM>,
    by_area: HashMap<String, RegoVM>,
}

fn set<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let values: Vec<_> = values
        .into_iter()
        .map(|value| format!("{value:?}"))
        .collect();
    format!("{{{}}}", values.join(", "))
}

fn with_unknown(values: &[String]) -> String {
    set(values.iter().map(String::as_str).chain([UNKNOWN]))
}

fn expression(test: &Test) -> String {
    match test {
        Test::OneOf { field, values } => format!("input.{field} in {}", with_unknown(values)),
        Test::NoneOf { field, values } => format!(
            "not input.{field} in {}",
            set(values.iter().map(String::as_str))
        ),
        Test::AnyTag(tags) => format!("count(input.tags & {}) > 0", with_unknown(tags)),
        Test::NoTag(tags) => format!(
            "count(input.tags & {}) == 0",
            set(tags.iter().map(String::as_str))
        ),
        Test::SubjectContains(part) => format!("said(input.subject, {part:?})"),
        Test::OlderThan { seconds } => format!("input.age > {seconds}"),
    }
}

/// The fixed steps and the exclusion rules.
fn hidden(scenario: &Scenario, rules: &[Vec<Test>]) -> String {
    let mut text = PACKAGE.to_owned();
    let base = [
        format!("input.partner != {:?}", scenario.partner),
        "input.internal".to_owned(),
        "input.is_confidential; input.main_contact != input.viewer_contact".to_owned(),
        "input.viewer_own; input.main_contact != input.viewer_contact; input.created_by != input.viewer_access"
            .to_owned(),
    ];
    let rules = rules
        .iter()
        .map(|tests| tests.iter().map(expression).collect::<Vec<_>>().join("; "));
    for body in base.into_iter().chain(rules) {
        let body = if body.is_empty() { "true" } else { &body };
        let _ = writeln!(text, "hidden if {{ {body} }}");
    }
    text
}

const PACKAGE: &str = r#"package tickets
said(subject, text) if contains(subject, text)
said(subject, _) if subject == "?"
"#;

fn machine(text: String, data: Value) -> RegoVM {
    let entry = "data.tickets.hidden";
    let module = PolicyModule {
        id: "tickets.rego".into(),
        content: text.into(),
    };
    let policy =
        compile_policy_with_entrypoint(data.clone(), &[module], entry.into()).expect("a policy");
    let program = Compiler::compile_from_policy(&policy, &[entry]).expect("a program");
    let mut machine = RegoVM::new();
    machine.load_program(program);
    machine.set_data(data).expect("data");
    machine.set_max_instructions(usize::MAX);
    machine
}

/// The granted areas as data, because regorus cannot parse a set of a hundred of them.
fn granted(scenario: &Scenario) -> Value {
    let areas: BTreeMap<_, _> = scenario
        .areas()
        .map(|area| (Value::from(area), Value::from(true)))
        .collect();
    Value::from(BTreeMap::from([(
        Value::from("granted"),
        Value::from(areas),
    )]))
}

impl Engine for Rego {
    const NAME: &'static str = "Rego (regorus)";
    /// The area and the input.
    type Input<'s> = (&'s str, Value);

    fn compile(scenario: &Scenario, form: Form) -> Self {
        if form == Form::Idiomatic {
            let rules: Vec<_> = scenario.rules.iter().map(Rule::tests).collect();
            let text = hidden(scenario, &rules) + "hidden if not data.granted[input.area]\n";
            return Self {
                all: Some(machine(text, granted(scenario))),
                by_area: HashMap::new(),
            };
        }
        let of_area = |area| {
            machine(
                hidden(scenario, &slice(scenario, area)),
                Value::new_object(),
            )
        };
        Self {
            all: None,
            by_area: scenario
                .areas()
                .map(|area| (area.to_owned(), of_area(area)))
                .collect(),
        }
    }

    fn input<'s>(&self, Question { ticket, viewer, .. }: Question<'s>) -> Self::Input<'s> {
        let texts = ticket
            .texts
            .iter()
            .map(|(name, text)| (Value::from(*name), Value::from(text.as_str())));
        let tags: BTreeSet<_> = ticket
            .tags
            .iter()
            .map(|tag| Value::from(tag.as_str()))
            .collect();
        let more = [
            ("partner", Value::from(ticket.partner.as_str())),
            ("internal", Value::from(ticket.internal)),
            ("is_confidential", Value::from(ticket.confidential)),
            ("tags", Value::from(tags)),
            ("age", Value::from(ticket.age)),
            ("viewer_contact", Value::from(viewer.contact.as_str())),
            ("viewer_access", Value::from(viewer.access.as_str())),
            ("viewer_own", Value::from(viewer.own)),
        ];
        let members: BTreeMap<_, _> = texts
            .chain(more.map(|(name, value)| (Value::from(name), value)))
            .collect();
        (ticket.text("area"), Value::from(members))
    }

    fn is_visible(&mut self, (area, input): &Self::Input<'_>) -> bool {
        let Some(machine) = self.all.as_mut().or_else(|| self.by_area.get_mut(*area)) else {
            return false;
        };
        machine.set_input(input.clone());
        machine.execute().expect("an answer") == Value::Undefined
    }
}
