//! Sends arbitrary bytes as the body of the operation named by OPERATION. The service runs in this
//! process with workers, sockets and SQLite, so that the fuzzer sees its coverage.
//!
//! With REPORT set, prints the status of each response.
#![no_main]
#![expect(dead_code, reason = "only part of the test support is used")]

#[path = "../../api/support/mod.rs"]
mod support;

use std::{cell::RefCell, env};

use actix_web::rt::{System, SystemRunner};
use libfuzzer_sys::fuzz_target;
use support::{
    Engine,
    document::Operation,
    fuzz_harness::{self, FuzzHarness},
};

/// The operation under test and the service that runs it.
struct Target {
    operation: &'static Operation,
    system: SystemRunner,
    harness: FuzzHarness,
    report: bool,
}

impl Target {
    fn new() -> Self {
        let id = env::var("OPERATION").expect("OPERATION is set");
        let operation = fuzz_harness::operations()
            .find(|operation| operation.id == id)
            .expect("an operation with a body");
        let system = System::new();
        let harness = system.block_on(FuzzHarness::new(Engine::Sqlite));
        Self {
            operation,
            system,
            harness,
            report: env::var_os("REPORT").is_some(),
        }
    }
}

thread_local! {
    static TARGET: RefCell<Target> = RefCell::new(Target::new());
}

fuzz_target!(|body: &[u8]| {
    TARGET.with_borrow_mut(|target| {
        let status = target
            .system
            .block_on(target.harness.send_body(target.operation, body));
        if target.report {
            eprintln!("outcome: {status}");
        }
    });
});
