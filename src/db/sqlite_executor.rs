//! Where SQLite statements run.
//!
//! A statement may wait for the disk or a lock, or scan a whole table, so it must not block a
//! worker thread, which serves many requests. But an indexed lookup is faster than a switch to
//! another thread and back. So reads that cost a [`ReadCost::Lookup`] run on the worker thread; all
//! other statements, including all writes, run on the blocking pool.

use std::error::Error;

use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::{
    FutureExt as _, TryFutureExt as _,
    future::{BoxFuture, ready},
};
use tokio::task::{futures::TaskLocalFuture, spawn_blocking};

use super::ReadCost;

tokio::task_local! {
    static COST: ReadCost;
}

/// Runs `work`, whose statements all have this cost.
pub(super) fn with_cost<F: Future>(cost: ReadCost, work: F) -> TaskLocalFuture<ReadCost, F> {
    // not an `async fn`, whose future would store `work` twice
    COST.scope(cost, work)
}

/// Runs lookups on the current thread and everything else on the blocking pool.
#[derive(Debug)]
pub struct SqliteExecutor;

impl SpawnBlocking for SqliteExecutor {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>> {
        if COST.try_with(|cost| *cost) == Ok(ReadCost::Lookup) {
            ready(Ok(task())).boxed()
        } else {
            spawn_blocking(task).map_err(Into::into).boxed()
        }
    }

    fn get_runtime() -> Self {
        Self
    }
}
