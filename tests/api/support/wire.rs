//! HTTP written by hand, for clients that do what no proper client does; and waiting for what a service does by itself.

use std::time::Duration;

use customer_integration::tokens;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    TestApp,
    app::{claims, tokens},
};

/// Longer than anything may take; only a failing test waits for it.
pub const RETRY_LIMIT: Duration = Duration::from_secs(20);

/// A connection to a service.
pub async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.base.strip_prefix("http://").unwrap())
        .await
        .unwrap()
}

/// A connection on which something was written.
pub async fn wrote(app: &TestApp, text: &str) -> TcpStream {
    let mut stream = connect(app).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// The head of a request of the ERP, without the empty line that ends it.
pub fn head(method: &str, path: &str, framing: &str) -> String {
    let token = tokens::sign(&tokens(), &claims("catalog:read catalog:write")).unwrap();
    format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n{framing}"
    )
}

/// All that comes until the service closes the connection.
pub async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(RETRY_LIMIT, stream.read_to_end(&mut answer))
        .await
        .expect("the connection stays open")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

/// Waits until a condition holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(RETRY_LIMIT, waiting)
        .await
        .unwrap_or_else(|_| panic!("{what} never came"));
}
