//! Where SQLite's statements run.
//!
//! A statement may wait for the disk, for a lock, or go through a whole table, so it has no business on a worker, which serves
//! many. But to look up rows by their keys takes less time than to hand that over to another thread and back: what is known to
//! have little [`ReadCost`] runs where it is asked for. Writes never do, since they wait until they are on disk.

use std::error::Error;

use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::{
    FutureExt as _, TryFutureExt as _,
    future::{BoxFuture, ready},
};
use tokio::task::{futures::TaskLocalFuture, spawn_blocking};

use super::ReadCost;

tokio::task_local! {
    static REACH: ReadCost;
}

/// Does work whose statements all have this reach.
pub(super) fn within<F: Future>(reach: ReadCost, work: F) -> TaskLocalFuture<ReadCost, F> {
    // no function that is asynchronous itself, since that would keep the work twice
    REACH.scope(reach, work)
}

/// Runs statements on the worker itself if they reach for little, or else on the blocking pool.
#[derive(Debug)]
pub struct Runner;

impl SpawnBlocking for Runner {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>> {
        if REACH
            .try_with(|reach| matches!(reach, ReadCost::Lookup))
            .unwrap_or_default()
        {
            return ready(Ok(task())).boxed();
        }
        spawn_blocking(task).map_err(Into::into).boxed()
    }

    fn get_runtime() -> Self {
        Self
    }
}
