//! Panics of the service under test: its workers belong to the same actix system as the test that started it, so that
//! what other tests do meanwhile is not counted.

use std::{
    collections::HashMap,
    panic,
    sync::{LazyLock, Mutex, PoisonError},
};

use actix_web::rt::System;

/// How many panics there were, by the system they happened in.
static PANICS: LazyLock<Mutex<HashMap<usize, usize>>> = LazyLock::new(|| {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if let Some(system) = System::try_current() {
            *PANICS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(system.id())
                .or_default() += 1;
        }
        told(info);
    }));
    Mutex::default()
});

/// Panics in this test's system since the first call in this process.
pub fn count() -> usize {
    let panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
    panics
        .get(&System::current().id())
        .copied()
        .unwrap_or_default()
}
