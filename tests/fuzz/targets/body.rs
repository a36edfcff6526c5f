//! Any bytes as the body of the operation that OPERATION names. The service is the real one, with workers, sockets and SQLite,
//! in this process, so that the fuzzer sees which of its code ran.
#![no_main]
#![expect(dead_code, reason = "the tests' support is all there")]

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
        let named = env::var("OPERATION").expect("OPERATION names an operation");
        let operation = bodies::operations()
            .find(|it| it.id == named)
            .expect("an operation with a body");
        let system = System::new();
        let stage = system
            .block_on(Stage::new(Engine::Sqlite))
            .expect("SQLite is there");
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
