//! Reads.

use tokio::time::Instant;

use super::{
    Conn, Db, back_off, deadline::Deadline, errors::is_retryable, query_time, sqlite_executor,
};
use crate::common::{Result, page::PageRequest};

/// How much a read costs at most. Determines where SQLite runs its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadCost {
    /// A bounded number of rows found through an index, such as one page of a partner's list.
    Lookup,
    /// Anything else.
    Scan,
}

impl ReadCost {
    /// The cost of a page of a partner's list. Searching or counting may have to read the whole
    /// list.
    pub fn of(page: &PageRequest) -> Self {
        if page.search_terms.is_empty() && !page.count {
            Self::Lookup
        } else {
            Self::Scan
        }
    }
}

/// Options of a read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions {
    cost: ReadCost,
    waiting_since: Option<Instant>,
}

impl From<ReadCost> for ReadOptions {
    fn from(cost: ReadCost) -> Self {
        Self {
            cost,
            waiting_since: None,
        }
    }
}

impl ReadOptions {
    /// Measures the time limit from `since`, for a read whose requests have already waited in a
    /// queue.
    #[must_use]
    pub fn waiting_since(self, since: Instant) -> Self {
        Self {
            waiting_since: Some(since),
            ..self
        }
    }
}

/// How often a read is attempted if the database aborts it or a pooled connection is broken.
const MAX_ATTEMPTS: u32 = 4;

impl Db {
    /// Looks up a bounded number of rows, each statement in its own implicit transaction.
    ///
    /// # Errors
    ///
    /// All errors of `work`, and [`crate::common::Error::Unavailable`] if no connection is free or
    /// the database does not respond in time. `work` may run several times.
    pub async fn read<T>(&self, work: impl AsyncFn(&mut Conn) -> Result<T>) -> Result<T> {
        self.read_with(ReadCost::Lookup, work).await
    }

    /// As [`Db::read`], with options.
    pub async fn read_with<T>(
        &self,
        options: impl Into<ReadOptions>,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        let options = options.into();
        self.run_read(options.cost, self.deadline_of(options), work)
            .await
    }

    /// As [`Db::read_with`], but all statements see the same state of the database.
    pub async fn snapshot<T>(
        &self,
        options: impl Into<ReadOptions>,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        self.read_with(options, async |conn| {
            conn.begin_snapshot().await?;
            let result = work(conn).await;
            conn.rollback().await?;
            result
        })
        .await
    }

    /// As [`Db::read`], with the connection and the short time limit of readiness probes.
    pub async fn ping<T>(&self, work: impl AsyncFn(&mut Conn) -> Result<T>) -> Result<T> {
        let deadline = self.readiness_deadline();
        let connect = async || self.probe().await;
        let attempts = Box::pin(attempt_read(connect, deadline, work));
        sqlite_executor::with_cost(ReadCost::Scan, attempts).await
    }

    fn deadline_of(&self, options: ReadOptions) -> Deadline {
        self.request_deadline(options.waiting_since.unwrap_or_else(Instant::now))
    }

    async fn run_read<T>(
        &self,
        cost: ReadCost,
        deadline: Deadline,
        work: impl AsyncFn(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        // boxed, because the future is large and would be part of the future of every caller
        let connect = async || self.reader().await;
        let attempts = Box::pin(attempt_read(connect, deadline, work));
        sqlite_executor::with_cost(cost, attempts).await
    }
}

/// All attempts together must finish before `deadline`.
async fn attempt_read<T>(
    connect: impl AsyncFn() -> Result<Conn>,
    deadline: Deadline,
    work: impl AsyncFn(&mut Conn) -> Result<T>,
) -> Result<T> {
    let mut attempt = 1;
    loop {
        let conn = query_time::measure(deadline.limit(connect())).await??;
        let run = deadline.run(conn, async |conn| work(conn).await);
        match query_time::measure(run).await {
            Err(error) if attempt < MAX_ATTEMPTS && is_retryable(&error) => {
                back_off(attempt).await;
                attempt += 1;
            }
            result => return result.map(|(_, value)| value),
        }
    }
}
