//! Adds problem details to the errors that actix handles without the service.
//!
//! * To a request that it cannot parse, actix responds with 400, 408 or 431 without content. The
//!   stream replaces such a response.
//! * actix closes the connection without a response if a chunk of a body is malformed. The stream
//!   then sends one, unless the response to the request has begun.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    common::{Code, Error},
    http::{
        connection_activity::ConnectionActivity,
        middleware::admission::{MAX_HEADERS, MAX_URI},
        standalone_problem::{self, ChunkedRequest},
    },
};

/// More than the rest of a request line: method, spaces and version.
const MAX_METHOD_AND_VERSION: usize = 32;
/// More than the length of a response without content.
const MAX_EMPTY_RESPONSE: usize = 200;

/// A stream that completes the error responses of actix.
pub(super) struct ProblemStream<T: AsyncWrite + Unpin> {
    io: T,
    activity: ConnectionActivity,
    /// Maximum time for the headers of a request.
    header_timeout: Duration,
    request_line: RequestLine,
    /// The response that replaces one of actix, and the number of bytes written.
    replacement: Option<(Vec<u8>, usize)>,
}

/// The length of the first line since the last response.
#[derive(Default)]
struct RequestLine {
    length: usize,
    is_complete: bool,
}

impl RequestLine {
    fn extend(&mut self, bytes: &[u8]) {
        if !self.is_complete {
            let end = bytes.iter().position(|&byte| byte == b'\n');
            self.length += end.unwrap_or(bytes.len());
            self.is_complete = end.is_some();
        }
    }

    fn is_too_long(&self) -> bool {
        self.length > MAX_URI + MAX_METHOD_AND_VERSION
    }
}

impl<T: AsyncWrite + Unpin> ProblemStream<T> {
    /// Wraps a new connection.
    pub(super) fn new(io: T, activity: ConnectionActivity, header_timeout: Duration) -> Self {
        Self {
            io,
            activity,
            header_timeout,
            request_line: RequestLine::default(),
            replacement: None,
        }
    }

    /// The connection's activity, for its requests to report to.
    pub(super) fn activity(&self) -> ConnectionActivity {
        self.activity.clone()
    }

    /// The error for which actix responded with a status; `None` if it does not do that.
    fn error_of(&self, status: &[u8]) -> Option<Error> {
        match status {
            b"400" | b"431" if self.request_line.is_too_long() => {
                Some(Error::client(Code::UriTooLong).with("max", MAX_URI))
            }
            b"400" => Some(Error::client(Code::BadRequest)),
            b"431" => Some(Error::client(Code::HeadersTooLarge).with("max", MAX_HEADERS)),
            b"408" => {
                let seconds = self.header_timeout.as_secs_f64();
                Some(Error::client(Code::RequestTimeout).with("seconds", seconds))
            }
            _ => None,
        }
    }

    /// Writes the rest of the replacement. Ready when it is complete.
    fn poll_replacement(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((response, written)) = &mut self.replacement {
            let rest = response.get(*written..).unwrap_or_default();
            if rest.is_empty() {
                self.replacement = None;
                break;
            }
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                length => *written += length,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes bytes of a response unchanged.
    fn poll_unchanged(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        let is_interim = bytes.starts_with(b"HTTP/1.1 100 ");
        if matches!(written, Poll::Ready(Ok(1..))) && !is_interim {
            self.request_line = RequestLine::default();
            self.activity.take_chunked_request();
        }
        written
    }
}

/// Where in `bytes` a final response without content begins, and its status. Responses of the
/// service to errors have content.
fn find_empty_response(bytes: &[u8]) -> Option<(usize, &[u8])> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let searched_from = bytes.len().saturating_sub(MAX_EMPTY_RESPONSE);
    let tail = bytes.get(searched_from..)?;
    let start = tail
        .windows(b"HTTP/1.1 ".len())
        .rposition(|window| window.starts_with(b"HTTP/1.") && window.ends_with(b" "))?;
    let response = tail.get(start..)?;
    let is_empty = response
        .split(|&byte| byte == b'\n')
        .any(|line| line == b"content-length: 0\r");
    let status = response.get(9..12)?;
    is_empty.then_some((searched_from + start, status))
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for ProblemStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, buf));
        match buf.filled().get(before..) {
            Some(received @ [_, ..]) if read.is_ok() => self.request_line.extend(received),
            // The connection does not end because of a malformed chunk.
            _ => drop(self.activity.take_chunked_request()),
        }
        Poll::Ready(read)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for ProblemStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replacement.is_none() {
            let empty = find_empty_response(buf);
            let error = empty.and_then(|(start, status)| Some((start, self.error_of(status)?)));
            match error {
                None => return self.poll_unchanged(cx, buf),
                Some((start @ 1.., _)) => {
                    let previous = buf.get(..start).unwrap_or_default();
                    return self.poll_unchanged(cx, previous);
                }
                Some((0, error)) => {
                    let response = standalone_problem::to_malformed_request(&error);
                    self.replacement = Some((response, 0));
                }
            }
        }
        ready!(self.poll_replacement(cx))?;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.take_chunked_request();
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T: AsyncWrite + Unpin> Drop for ProblemStream<T> {
    fn drop(&mut self) {
        let request = self.activity.take_chunked_request();
        if let Some(response) = request.and_then(ChunkedRequest::into_rejection) {
            // Fits into the buffer of the socket, which is empty before a response.
            let mut cx = Context::from_waker(Waker::noop());
            let _ = Pin::new(&mut self.io).poll_write(&mut cx, &response);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::Instant,
    };

    use super::*;

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    fn stream(capacity: usize) -> (DuplexStream, ProblemStream<DuplexStream>) {
        let (client, server) = duplex(capacity);
        let activity = ConnectionActivity::new(Instant::now());
        let stream = ProblemStream::new(server, activity, Duration::from_secs(10));
        (client, stream)
    }

    fn empty(status: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n")
    }

    /// What the client receives after a request when actix writes `response`.
    async fn received(request: &str, response: String) -> String {
        let (mut client, mut server) = stream(16);
        let length = request.len();
        let request = request.to_owned();
        let client = tokio::spawn(async move {
            client.write_all(request.as_bytes()).await.unwrap();
            let mut received = String::new();
            client.read_to_string(&mut received).await.unwrap();
            received
        });
        let mut buffer = vec![0; length];
        server.read_exact(&mut buffer).await.unwrap();
        server.write_all(response.as_bytes()).await.unwrap();
        drop(server);
        client.await.unwrap()
    }

    #[rstest::rstest]
    #[case::bad_request("G\r\n", "400 Bad Request", "400", "bad_request")]
    #[case::headers("GET / HTTP/1.1\r\n", "431 x", "431", "headers_too_large")]
    #[case::timeout("G", "408 x", "408", "request_timeout")]
    #[tokio::test]
    async fn empty_error_response_is_replaced(
        #[case] request: &str,
        #[case] status: &str,
        #[case] expected: &str,
        #[case] code: &str,
    ) {
        let response = received(request, empty(status)).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {expected} ")),
            "{response}"
        );
        assert!(
            response.contains(&format!(r#""code":"{code}""#)),
            "{response}"
        );
    }

    #[rstest::rstest]
    #[case::complete(" HTTP/1.1\r\n", "400 x")]
    #[case::incomplete("", "431 x")]
    #[tokio::test]
    async fn long_request_line_returns_414(#[case] end: &str, #[case] status: &str) {
        let request = format!("GET /{}{end}", "a".repeat(70_000));
        let response = received(&request, empty(status)).await;
        assert!(response.starts_with("HTTP/1.1 414 "), "{response}");
    }

    #[tokio::test]
    async fn previous_response_in_the_same_buffer_is_unchanged() {
        let response = received("G", format!("{OK}{}", empty("400 Bad Request"))).await;
        let rest = response.strip_prefix(OK).unwrap();
        assert!(rest.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{rest}");
        assert!(rest.contains("bad_request"), "{rest}");
    }

    #[rstest::rstest]
    #[case::content(OK.to_owned())]
    #[case::success(empty("204 No Content"))]
    #[case::without_length("HTTP/1.1 400 Bad Request\r\ncontent-length: 20\r\n\r\n".to_owned())]
    #[tokio::test]
    async fn other_response_is_unchanged(#[case] response: String) {
        assert_eq!(received("G", response.clone()).await, response);
    }
}
