//! What the fuzzers of `tests/fuzz` found worth keeping, played again on both engines.

use std::{collections::BTreeSet, fs, path::PathBuf};

use rstest::rstest;

use crate::support::{
    Engine,
    Engine::*,
    bodies::{Stage, operations, play_filter},
};

/// The kept inputs of a target.
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
async fn every_kept_body_is_answered_as_documented(#[case] engine: Engine) {
    let Some(mut stage) = Stage::new(engine).await else {
        return;
    };
    for operation in operations() {
        let mut statuses = BTreeSet::new();
        for body in corpus(&operation.id) {
            statuses.insert(stage.play(operation, &body).await);
        }
        // a corpus that gets no further than the first refusal would be worth nothing
        assert!(statuses.contains(&400), "{} {statuses:?}", operation.id);
        assert!(
            statuses.iter().any(|it| *it < 300),
            "{} {statuses:?}",
            operation.id
        );
    }
}

#[test]
fn every_kept_filter_is_judged() {
    let passed: BTreeSet<_> = corpus("ticket_filter")
        .iter()
        .map(|it| play_filter(it))
        .collect();
    assert_eq!(passed, [false, true].into());
}
