//! How much of a request's time the database took, for the log and the metrics.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

tokio::task_local! {
    static SPENT: Cell<Duration>;
}

/// Does the work of a request; what the database takes meanwhile is counted.
pub async fn counting<T>(work: impl Future<Output = T>) -> T {
    SPENT.scope(Cell::default(), work).await
}

/// How much the database has taken so far.
pub fn so_far() -> Duration {
    SPENT.try_with(Cell::get).unwrap_or_default()
}

/// Waits for the database on behalf of the request whose task this is.
pub(crate) async fn count<T>(work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let done = work.await;
    // work that is shared by several requests, or is nobody's, is counted by those who wait for it, if anybody does
    let _ = SPENT.try_with(|query_time| query_time.set(query_time.get() + started.elapsed()));
    done
}
