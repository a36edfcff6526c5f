//! Clients that stop in the middle of a request or send slowly. The service must release their
//! connections. The tests write to the socket, because HTTP clients do not behave like this.

use std::time::Duration;

use rstest::rstest;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, tcp::OwnedWriteHalf},
    time::timeout,
};

use crate::support::{
    TestApp,
    raw_http::{WAIT_TIMEOUT, connect_and_send, read_to_end, request_headers},
};

const PARTNER: &str = "/catalog/business-partners/K-1";
const BODY: &str = r#"{"name": "N", "search_name": "S"}"#;

/// Starts a service that waits for request bodies no longer than `body_timeout`.
async fn app_with_body_timeout(body_timeout: Duration) -> TestApp {
    TestApp::with_settings(|config| config.limits.body_timeout = body_timeout).await
}

fn content_length(length: usize) -> String {
    format!("Content-Length: {length}\r\n")
}

/// Connects and sends the request line and headers of a PUT.
async fn connect_and_send_headers(app: &TestApp, headers: &str) -> TcpStream {
    let request = format!("{}\r\n", request_headers("PUT", PARTNER, headers));
    connect_and_send(app, &request).await
}

#[rstest]
#[case::content_length(&content_length(BODY.len()), &BODY[..9])]
#[case::chunked("Transfer-Encoding: chunked\r\n", "9\r\n{\"name\": ")]
#[actix_web::test]
async fn incomplete_body_returns_408_and_closes_connection(
    #[case] headers: &str,
    #[case] part: &str,
) {
    let app = app_with_body_timeout(Duration::from_millis(500)).await;

    let mut stream = connect_and_send_headers(&app, headers).await;
    stream.write_all(part.as_bytes()).await.unwrap();
    let response = read_to_end(&mut stream).await;

    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    let closes_connection = response
        .to_lowercase()
        .contains("\r\nconnection: close\r\n");
    assert!(closes_connection, "{response}");
    assert!(
        response.contains(r#""code":"request_timeout""#),
        "{response}"
    );
    app.reader().get(PARTNER).await.is_problem(404, "not_found");
}

/// Sends bytes slowly until the service closes the connection.
async fn trickle(mut writer: OwnedWriteHalf) {
    while writer.write_all(b" ").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn trickled_body_past_timeout_returns_408() {
    let app = app_with_body_timeout(Duration::from_millis(500)).await;
    let stream = connect_and_send_headers(&app, &content_length(1_000_000)).await;
    let (mut reader, writer) = stream.into_split();

    let mut status_line = [0; 12];
    let (read, written) = tokio::join!(
        timeout(WAIT_TIMEOUT, reader.read_exact(&mut status_line)),
        timeout(WAIT_TIMEOUT, trickle(writer))
    );

    written.expect("the service did not close the connection");
    read.expect("no response before the timeout").unwrap();
    assert_eq!(&status_line, b"HTTP/1.1 408");
}

#[actix_web::test]
async fn slow_body_within_timeout_is_accepted() {
    let app = app_with_body_timeout(WAIT_TIMEOUT).await;
    let headers = format!("{}Connection: close\r\n", content_length(BODY.len()));

    let mut stream = connect_and_send_headers(&app, &headers).await;
    for part in BODY.as_bytes().chunks(8) {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let response = read_to_end(&mut stream).await;

    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
}

/// Java's HTTP client offers this upgrade by default. If the response contained `upgrade`, the
/// client would treat the connection as persistent.
#[actix_web::test]
async fn http2_upgrade_offer_is_declined_and_connection_closed() {
    let app = app_with_body_timeout(Duration::from_secs(5)).await;
    let headers = format!(
        "{}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n",
        content_length(BODY.len())
    );

    let request = format!("{}\r\n{BODY}", request_headers("PUT", PARTNER, &headers));
    let mut stream = connect_and_send(&app, &request).await;
    let response = read_to_end(&mut stream).await.to_lowercase();

    assert!(response.starts_with("http/1.1 201 "), "{response}");
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    assert!(!response.contains("upgrade"), "{response}");
    app.reader().get(PARTNER).await.is(200);
}
