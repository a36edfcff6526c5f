//! Sends arbitrary bytes as the body of the operation given by OPERATION. The service runs in this
//! process, with workers, sockets and SQLite, so that the fuzzer sees its coverage.
#![no_main]
#![expect(dead_code, reason = "the test support has more than this target uses")]

#[path = "../../api/support/mod.rs"]
mod support;

use std::{cell::RefCell, env};

use actix_web::rt::{System, SystemRunner};
use libfuzzer_sys::fuzz_target;
use support::{
    Engine,
    bodies::{self, Stage},
    document::Operation,
};

struct Fuzzed {
    operation: &'static Operation,
    system: SystemRunner,
    stage: Stage,
}

impl Fuzzed {
    fn new() -> Self {
        let id = env::var("OPERATION").expect("OPERATION must be set");
        let operation = bodies::operations()
            .find(|operation| operation.id == id)
            .expect("an operation with a body");
        let system = System::new();
        let stage = system
            .block_on(Stage::new(Engine::Sqlite))
            .expect("SQLite is always available");
        Self {
            operation,
            system,
            stage,
        }
    }
}

thread_local! {
    static FUZZED: RefCell<Fuzzed> = RefCell::new(Fuzzed::new());
}

fuzz_target!(|body: &[u8]| {
    FUZZED.with_borrow_mut(
        |Fuzzed {
             operation,
             system,
             stage,
         }| system.block_on(stage.play(operation, body)),
    );
});
