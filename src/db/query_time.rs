//! Time a request spends waiting for the database, for the log and the metrics.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

tokio::task_local! {
    static QUERY_TIME: Cell<Duration>;
}

/// Tracks the database time of a request, which is `work`.
pub async fn track<T>(work: impl Future<Output = T>) -> T {
    QUERY_TIME.scope(Cell::default(), work).await
}

/// The database time of the current request so far.
pub fn so_far() -> Duration {
    QUERY_TIME.try_with(Cell::get).unwrap_or_default()
}

/// Adds the duration of `work` to the database time of the current request.
pub(crate) async fn measure<T>(work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let output = work.await;
    // not tracked in tasks shared by several requests; each request measures its wait for the task
    let _ = QUERY_TIME.try_with(|total| total.set(total.get() + started.elapsed()));
    output
}
