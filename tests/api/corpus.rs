//! What the fuzzers of `tests/fuzz` found worth keeping, played again on both engines.

use std::{collections::BTreeSet, fs, path::PathBuf};

use rstest::rstest;

use crate::support::{
    Engine,
    Engine::*,
    bodies::{Stage, operations, play_filter},
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

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[actix_web::test]
async fn corpus_bodies_get_documented_responses(#[case] engine: Engine) {
    let Some(mut stage) = Stage::new(engine).await else {
        return;
    };
    for operation in operations() {
        let mut statuses = BTreeSet::new();
        for body in corpus(&operation.id) {
            statuses.insert(stage.play(operation, &body).await);
        }
        // The corpus must get past the validation of the body.
        assert!(statuses.contains(&400), "{} {statuses:?}", operation.id);
        assert!(
            statuses.iter().any(|status| *status < 300),
            "{} {statuses:?}",
            operation.id
        );
    }
}

#[test]
fn corpus_filters_are_validated() {
    let passed: BTreeSet<_> = corpus("ticket_filter")
        .iter()
        .map(|filter| play_filter(filter))
        .collect();
    assert_eq!(passed, [false, true].into());
}
