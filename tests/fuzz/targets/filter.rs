//! Any bytes as the filter of a query or a rule.
#![no_main]
#![expect(dead_code, reason = "the tests' support is all there")]

#[path = "../../api/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|filter: &[u8]| {
    support::bodies::play_filter(filter);
});
