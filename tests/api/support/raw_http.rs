//! Raw HTTP for clients that violate the protocol, and a helper that waits for a condition.

use std::time::Duration;

use customer_integration::tokens::{self, Claims};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    TestApp,
    app::{claims, tokens},
};

/// The limit of every wait. Only failing tests reach it.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects to a service.
pub async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.origin.strip_prefix("http://").unwrap())
        .await
        .unwrap()
}

/// Connects to a service and sends `text`.
pub async fn connect_and_send(app: &TestApp, text: &str) -> TcpStream {
    let mut stream = connect(app).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// The request line and headers of an ERP request. The caller adds the empty line that ends them.
pub fn request_headers(method: &str, path: &str, framing: &str) -> String {
    let claims = claims("catalog:read catalog:write");
    request_headers_with_claims(&claims, method, path, framing)
}

/// Like [`request_headers`], with a token of the given claims.
pub fn request_headers_with_claims(
    claims: &Claims,
    method: &str,
    path: &str,
    framing: &str,
) -> String {
    let token = tokens::sign(&tokens(), claims).unwrap();
    format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n{framing}"
    )
}

/// Reads until the service closes the connection.
pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    timeout(WAIT_TIMEOUT, stream.read_to_end(&mut response))
        .await
        .expect("the service did not close the connection")
        .unwrap();
    String::from_utf8(response).unwrap()
}

/// Polls until a condition holds. Panics with `condition` after [`WAIT_TIMEOUT`].
pub async fn wait_until(condition: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(WAIT_TIMEOUT, waiting)
        .await
        .unwrap_or_else(|_| panic!("timed out waiting for: {condition}"));
}
