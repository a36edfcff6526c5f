//! Connections that do nothing are closed.
//!
//! actix limits how long the first head of a connection may take, and how long a connection may be idle between two requests. A
//! second head that arrives a byte at a time is neither, nor is an answer that nobody fetches. Here a connection is closed that has
//! had no request in progress for the limit, and has not taken a byte of an answer either. How long a request's body may take,
//! and the request itself, is limited elsewhere (`body`, `surround`).

use std::{
    cell::Cell,
    io::{self, IoSlice},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// What is known of a connection; shared with the requests that come over it.
#[derive(Debug, Clone)]
pub struct ConnectionActivity(Rc<State>);

#[derive(Debug)]
struct State {
    /// Requests in progress.
    busy: Cell<u32>,
    /// When there was the last sign of life.
    since: Cell<Instant>,
}

/// A request in progress, until it is dropped.
#[derive(Debug)]
pub struct ActiveRequest(Rc<State>);

impl ConnectionActivity {
    /// A request begins.
    pub fn begin(&self) -> ActiveRequest {
        self.0.busy.set(self.0.busy.get() + 1);
        ActiveRequest(Rc::clone(&self.0))
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get().saturating_sub(1));
        self.0.since.set(Instant::now());
    }
}

/// A connection that is closed when it does nothing for too long.
pub struct IdleTimeoutStream<T> {
    io: T,
    state: Rc<State>,
    limit: Duration,
    alarm: Pin<Box<Sleep>>,
}

impl<T> IdleTimeoutStream<T> {
    /// Watches a new connection.
    pub fn new(io: T, limit: Duration) -> Self {
        let now = Instant::now();
        let state = Rc::new(State {
            busy: Cell::new(0),
            since: Cell::new(now),
        });
        Self {
            io,
            state,
            limit,
            alarm: Box::pin(sleep_until(now + limit)),
        }
    }

    /// For the requests that will come.
    pub fn watch(&self) -> ConnectionActivity {
        ConnectionActivity(Rc::clone(&self.state))
    }

    /// Ready when it has done nothing for too long.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.state.busy.get() > 0 {
            return Poll::Pending;
        }
        let settled = self.state.since.get() + self.limit;
        if self.alarm.deadline() != settled {
            self.alarm.as_mut().reset(settled);
        }
        self.alarm.as_mut().poll(cx)
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.state.since.set(Instant::now());
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for IdleTimeoutStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if read.is_ready() {
            return read;
        }
        ready!(self.poll_alarm(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for IdleTimeoutStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_is_closed_however_it_drips() {
        let (mut client, server) = duplex(64);
        let mut server = IdleTimeoutStream::new(server, LIMIT);
        let begun = Instant::now();
        let drip = tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let error = loop {
            if let Err(error) = server.read_u8().await {
                break error;
            }
        };
        assert_eq!(
            (error.kind(), begun.elapsed()),
            (io::ErrorKind::TimedOut, LIMIT)
        );
        drop(server);
        drip.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn requests_and_answers_count_as_life() {
        let (client, server) = duplex(64);
        let mut server = IdleTimeoutStream::new(server, LIMIT);
        let (begun, busy) = (Instant::now(), server.watch().begin());
        assert!(
            tokio::time::timeout(LIMIT * 5, server.read_u8())
                .await
                .is_err(),
            "a request was in progress"
        );
        drop(busy);
        tokio::time::sleep(LIMIT / 2).await;
        server.write_u8(1).await.unwrap();
        assert_eq!(
            server.read_u8().await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        assert_eq!(begun.elapsed(), LIMIT * 5 + LIMIT / 2 + LIMIT);
        drop(client);
    }
}
