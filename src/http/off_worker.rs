//! Runs long computations outside the workers, so that these can serve other requests.

use std::{
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::common::Result;

/// Limits the computations that run at the same time, so that the workers are not starved.
static COMPUTATIONS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(
        available_parallelism().map_or(1, usize::from),
    ))
});

/// Runs a computation outside the workers. Waits while as many run as the machine has processors.
pub async fn run<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let permit = Arc::clone(&COMPUTATIONS)
        .acquire_owned()
        .await
        .map_err(anyhow::Error::from)?;
    run_unlimited(move || {
        let _permit = permit;
        compute()
    })
    .await
}

/// Runs a computation outside the workers immediately.
pub async fn run_unlimited<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    Ok(spawn_blocking(compute).await.map_err(anyhow::Error::from)?)
}
