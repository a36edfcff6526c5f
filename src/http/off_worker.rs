//! Runs long computations outside the workers, so that these can serve other requests.

use std::{
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::common::Result;

/// Limits the computations that run at the same time. One processor stays free for the workers, if
/// there are several.
static COMPUTATIONS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors.saturating_sub(1).max(1)))
});

/// Runs a computation outside the workers. Waits while too many others run.
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
