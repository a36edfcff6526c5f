//! Counts panics of the service under test. Its workers belong to the same actix system as the test
//! that started it, so panics of concurrent tests are not counted.

use std::{
    collections::HashMap,
    panic,
    sync::{LazyLock, Mutex, PoisonError},
};

use actix_web::rt::System;

/// The number of panics by actix system id.
static PANICS: LazyLock<Mutex<HashMap<usize, usize>>> = LazyLock::new(|| {
    let previous_hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let Some(system) = System::try_current() {
            *PANICS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(system.id())
                .or_default() += 1;
        }
        previous_hook(info);
    }));
    Mutex::default()
});

/// The number of panics in the actix system of this test since the first call in this process.
pub fn count() -> usize {
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    panics
        .get(&System::current().id())
        .copied()
        .unwrap_or_default()
}
