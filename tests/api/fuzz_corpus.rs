//! Replays the corpus of the fuzzers in `tests/fuzz` on both engines.

use rstest_reuse::apply;
use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::{
    engines::both_engines,
    support::{
        Engine,
        fuzz_harness::{FuzzHarness, assert_filter_invariants, operations},
    },
};

/// The corpus of a fuzz target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let files =
        fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}

#[apply(both_engines)]
#[actix_web::test]
async fn corpus_bodies_get_documented_responses(engine: Engine) {
    let mut harness = FuzzHarness::new(engine).await;
    for operation in operations() {
        let mut statuses = BTreeSet::new();
        for body in corpus(&operation.id) {
            statuses.insert(harness.send_body(operation, &body).await);
        }
        // the corpus must get past the validation of the body
        assert!(statuses.contains(&400), "{} {statuses:?}", operation.id);
        // a complete order names the generated id of the query, which no stored body can
        let past_validation = if operation.id == "put_query_order" {
            423
        } else {
            300
        };
        assert!(
            statuses
                .iter()
                .any(|status| *status < past_validation && *status != 400),
            "{} {statuses:?}",
            operation.id
        );
    }
}

#[test]
fn corpus_filters_are_validated() {
    let passed: BTreeSet<_> = corpus("ticket_filter")
        .iter()
        .map(|filter| assert_filter_invariants(filter))
        .collect();
    assert_eq!(passed, [false, true].into());
}
