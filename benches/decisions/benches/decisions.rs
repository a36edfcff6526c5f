//! `cargo bench -p decisions-bench`: the time of a decision and of compiling a policy.
//! `benches/decisions/table.py` prints the results as tables.

#![expect(clippy::print_stderr, reason = "progress for the user")]

use std::{hint::black_box, time::Duration};

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main, measurement::WallTime,
};
use decisions_bench::{
    Engine, Flat, Form, Question, Scenario, agreement,
    casbin::Casbin,
    cedar::Cedar,
    generator::{LARGE, SEED, SMALL, Size, scenario},
    ours::Ours,
    rego::Rego,
};

/// The allocator of customer-integration. It favors engines that allocate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Group<'c> = BenchmarkGroup<'c, WallTime>;

fn group<'c>(criterion: &'c mut Criterion, name: &str, seconds: u64) -> Group<'c> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(seconds));
    group
}

fn id<E: Engine>(form: Form) -> BenchmarkId {
    BenchmarkId::new(E::NAME, format!("{form:?}").to_lowercase())
}

/// Decisions on all tickets for the first viewer.
fn decide<E: Engine>(group: &mut Group<'_>, id: BenchmarkId, scenario: &Scenario, form: Form) {
    let tickets = Flat::all(scenario);
    let mut engine = E::compile(scenario, form);
    let pairs = scenario
        .tickets
        .iter()
        .zip(&tickets)
        .zip(scenario.viewers.iter().take(1).cycle());
    let inputs: Vec<_> = pairs
        .map(|((json, ticket), viewer)| {
            engine.input(Question {
                json,
                ticket,
                viewer,
            })
        })
        .collect();
    group.throughput(Throughput::Elements(inputs.len() as u64));
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            inputs
                .iter()
                .filter(|input| engine.is_visible(black_box(input)))
                .count()
        });
    });
}

fn compile<E: Engine>(group: &mut Group<'_>, scenario: &Scenario, form: Form) {
    group.bench_function(id::<E>(form), |bencher| {
        bencher.iter_with_large_drop(|| E::compile(black_box(scenario), form));
    });
}

/// Compares the engines.
fn decisions(criterion: &mut Criterion) {
    for size in [SMALL, LARGE] {
        let scenario = scenario(size, SEED);
        let seen = agreement::check(&scenario);
        eprintln!(
            "{}: all engines agree, {seen} % of the tickets are seen",
            size.name
        );
        let mut group = group(criterion, &format!("decision/{}", size.name), 2);
        decide::<Ours>(
            &mut group,
            id::<Ours>(Form::Fastest),
            &scenario,
            Form::Fastest,
        );
        for form in [Form::Fastest, Form::Idiomatic] {
            decide::<Cedar>(&mut group, id::<Cedar>(form), &scenario, form);
            decide::<Rego>(&mut group, id::<Rego>(form), &scenario, form);
            decide::<Casbin>(&mut group, id::<Casbin>(form), &scenario, form);
        }
        group.finish();
    }
}

/// Our evaluator with a growing number of rules.
fn growth(criterion: &mut Criterion) {
    let mut group = group(criterion, "growth", 2);
    for rules in [10, 50, 200, 500, 1000] {
        let size = Size {
            partner_rules: rules * 3 / 4,
            global_rules: rules - rules * 3 / 4,
            ..LARGE
        };
        let id = BenchmarkId::new(Ours::NAME, rules);
        decide::<Ours>(&mut group, id, &scenario(size, SEED), Form::Fastest);
    }
    group.finish();
}

/// The time to compile a policy.
fn compiling(criterion: &mut Criterion) {
    for size in [SMALL, LARGE] {
        let scenario = scenario(size, SEED);
        let mut group = group(criterion, &format!("compile/{}", size.name), 1);
        group.sample_size(10);
        compile::<Ours>(&mut group, &scenario, Form::Fastest);
        for form in [Form::Fastest, Form::Idiomatic] {
            compile::<Cedar>(&mut group, &scenario, form);
            compile::<Rego>(&mut group, &scenario, form);
            compile::<Casbin>(&mut group, &scenario, form);
        }
        group.finish();
    }
}

criterion_group!(benches, decisions, growth, compiling);
criterion_main!(benches);
