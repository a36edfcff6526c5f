//! Closes idle connections.
//!
//! actix limits the time until the headers of the first request of a connection, and the idle time between
//! two requests. It limits neither later headers that trickle in, nor a response that the client
//! does not read. This stream closes a connection that for the whole limit had no request in
//! progress and accepted no byte of a response. The time of a request and of its body is limited
//! elsewhere ([`crate::http::middleware::request_task`], [`crate::http::body`]).

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use crate::http::connection_activity::ConnectionActivity;

/// A stream whose reads time out while it is idle.
pub(super) struct IdleTimeoutStream<T> {
    io: T,
    activity: ConnectionActivity,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl<T> IdleTimeoutStream<T> {
    /// Wraps a new connection.
    pub(super) fn new(io: T, limit: Duration) -> Self {
        let now = Instant::now();
        Self {
            io,
            activity: ConnectionActivity::new(now),
            limit,
            deadline: Box::pin(sleep_until(now + limit)),
        }
    }

    /// The connection's activity, for its requests to report to.
    pub(super) fn activity(&self) -> ConnectionActivity {
        self.activity.clone()
    }

    /// Ready once the connection has been idle for the limit.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(idle_since) = self.activity.idle_since() else {
            return Poll::Pending;
        };
        let deadline = idle_since + self.limit;
        if self.deadline.deadline() != deadline {
            self.deadline.as_mut().reset(deadline);
        }
        self.deadline.as_mut().poll(cx)
    }

    fn record_write(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.activity.touch();
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
        ready!(self.poll_deadline(cx));
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
        self.record_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.record_write(&written);
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
    async fn trickling_connection_without_request_times_out() {
        let (mut client, server) = duplex(64);
        let mut server = IdleTimeoutStream::new(server, LIMIT);
        let started = Instant::now();
        let trickle = tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });

        let error = loop {
            if let Err(error) = server.read_u8().await {
                break error;
            }
        };

        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), LIMIT);
        drop(server);
        trickle.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn requests_and_written_responses_postpone_the_timeout() {
        let (client, server) = duplex(64);
        let mut server = IdleTimeoutStream::new(server, LIMIT);
        let started = Instant::now();
        let request = server.activity().begin_request();
        let read = tokio::time::timeout(LIMIT * 5, server.read_u8()).await;
        assert!(read.is_err(), "timed out during a request");

        drop(request);
        tokio::time::sleep(LIMIT / 2).await;
        server.write_u8(1).await.unwrap();

        let error = server.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), LIMIT * 5 + LIMIT / 2 + LIMIT);
        drop(client);
    }
}
