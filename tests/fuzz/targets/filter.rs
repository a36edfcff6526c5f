//! Parses arbitrary bytes as the filter of a query or a rule.
#![no_main]
#![expect(dead_code, reason = "the test support has more than this target uses")]

#[path = "../../api/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|filter: &[u8]| {
    support::bodies::play_filter(filter);
});
