//! Templates of tests that run on each database engine. Without PostgreSQL, `cargo test` reports its
//! cases as ignored; `tests/run` runs them.

use rstest_reuse::template;

#[template]
#[rstest::rstest]
#[case::sqlite(Engine::Sqlite)]
#[ignore = "needs PostgreSQL"]
#[case::postgres(Engine::Postgres)]
pub fn both_engines(#[case] engine: Engine) {}

/// Also with the strictest isolation level, where PostgreSQL aborts transactions that conflict.
#[template]
#[rstest::rstest]
#[case::sqlite(Engine::Sqlite)]
#[ignore = "needs PostgreSQL"]
#[case::postgres(Engine::Postgres)]
#[ignore = "needs PostgreSQL"]
#[case::serializable(Engine::Serializable)]
pub fn all_engines(#[case] engine: Engine) {}
