//! Templates of tests that run on each database engine. `cargo test` reports the cases that need
//! PostgreSQL as ignored; `tests/run` runs them.

use rstest_reuse::template;

#[template]
#[rstest::rstest]
#[case::sqlite(Engine::Sqlite)]
#[ignore = "needs PostgreSQL"]
#[case::postgres(Engine::Postgres)]
pub fn both_engines(#[case] engine: Engine) {}

/// Both engines, and PostgreSQL with the strictest isolation level, which aborts conflicting
/// transactions.
#[template]
#[rstest::rstest]
#[case::sqlite(Engine::Sqlite)]
#[ignore = "needs PostgreSQL"]
#[case::postgres(Engine::Postgres)]
#[ignore = "needs PostgreSQL"]
#[case::serializable(Engine::Serializable)]
pub fn all_engines(#[case] engine: Engine) {}
