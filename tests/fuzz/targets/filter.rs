//! Parses arbitrary bytes as the filter of a query or a rule. With REPORT set, prints whether the
//! filter is valid.
#![no_main]
#![expect(dead_code, reason = "only part of the test support is used")]

#[path = "../../api/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|filter: &[u8]| {
    let is_valid = support::fuzz_harness::assert_filter_invariants(filter);
    if std::env::var_os("REPORT").is_some() {
        eprintln!("outcome: {is_valid}");
    }
});
