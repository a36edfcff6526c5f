//! Clients that stop in the middle of a request or send slowly. The service must release their
//! connections. The tests write to the socket, because HTTP clients do not behave like this.

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;
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

/// Asserts that `response` consists of one problem response that closes the connection. Returns the
/// problem.
fn only_problem(response: &str) -> Value {
    let (headers, body) = response.split_once("\r\n\r\n").unwrap();
    assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "{response}");
    for header in [
        "connection: close".to_owned(),
        "content-type: application/problem+json".to_owned(),
        "x-content-type-options: nosniff".to_owned(),
        format!("content-length: {}", body.len()),
    ] {
        assert!(headers.lines().any(|line| line == header), "{headers}");
    }
    let problem: Value = serde_json::from_str(body).unwrap();
    let status_line = format!("HTTP/1.1 {} ", problem["status"]);
    assert!(headers.starts_with(&status_line), "{headers}");
    let id = problem["request_id"].as_str().unwrap();
    assert!(
        headers.contains(&format!("x-request-id: {id}")),
        "{headers}"
    );
    problem
}

#[rstest]
#[case::size(&["zz\r\n"])]
#[case::size_of_later_chunk(&["9\r\n{\"name\": \r\n", "zz\r\n"])]
#[case::end_of_chunk(&["9\r\n{\"name\": xx"])]
#[case::size_too_large(&["fffffffffffffffffff\r\n"])]
#[actix_web::test]
async fn malformed_chunk_returns_400(#[case] parts: &[&str], #[values("PUT", "GET")] method: &str) {
    let app = app_with_body_timeout(WAIT_TIMEOUT).await;
    let framing = "Transfer-Encoding: chunked\r\nX-Request-Id: r-1\r\nAccept-Language: de\r\n\
                   Origin: https://portal.example\r\n";
    let headers = request_headers(method, PARTNER, framing);

    let first = format!("{headers}\r\n{}", parts[0]);
    let mut stream = connect_and_send(&app, &first).await;
    for part in &parts[1..] {
        stream.write_all(part.as_bytes()).await.unwrap();
    }
    let response = read_to_end(&mut stream).await;

    let problem = only_problem(&response);
    assert_eq!(problem["code"], "bad_request");
    assert_eq!(problem["request_id"], "r-1");
    assert_eq!(problem["instance"], format!("/api/v1{PARTNER}"));
    assert_eq!(problem["title"], "Fehlerhafte Anfrage");
    assert!(
        response.contains("access-control-allow-origin: https://portal.example\r\n"),
        "{response}"
    );
    app.reader().get(PARTNER).await.is_problem(404, "not_found");
}

#[rstest]
#[case::no_request("GARBAGE\r\n\r\n", 400, "bad_request")]
#[case::missing_host("GET / HTTP/1.1\r\n\r\n", 400, "bad_request")]
#[case::version("GET / HTTP/9.9\r\nHost: h\r\n\r\n", 400, "bad_request")]
#[case::http2("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request")]
#[case::header_name("GET / HTTP/1.1\r\nHost: h\r\na b: c\r\n\r\n", 400, "bad_request")]
#[case::two_framings(
    "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
    "bad_request"
)]
#[case::control_character("GET /\u{1} HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request")]
#[case::number_of_headers(
    &format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(96)),
    431,
    "headers_too_large"
)]
#[case::uri_of_9_000_bytes(&request_with_uri(9_000), 414, "uri_too_long")]
#[case::uri_of_70_000_bytes(&request_with_uri(70_000), 414, "uri_too_long")]
#[actix_web::test]
async fn malformed_request_returns_problem(
    #[case] request: &str,
    #[case] status: u16,
    #[case] code: &str,
    #[values("", "GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n")] previous_request: &str,
) {
    let app = TestApp::with_settings(|_| ()).await;
    let mut stream = connect_and_send(&app, previous_request).await;
    if !previous_request.is_empty() {
        read_response(&mut stream).await;
    }

    stream.write_all(request.as_bytes()).await.unwrap();
    let response = read_response(&mut stream).await;

    let problem = only_problem(&response);
    assert_eq!(problem["status"], status);
    assert_eq!(problem["code"], code);
}

fn request_with_uri(length: usize) -> String {
    format!(
        "GET /{} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "a".repeat(length - 1)
    )
}

/// Reads one response, up to the length of its content.
async fn read_response(stream: &mut TcpStream) -> String {
    let mut response = Vec::new();
    let read = async {
        loop {
            response.push(stream.read_u8().await.unwrap());
            let text = String::from_utf8_lossy(&response);
            let Some((headers, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = headers
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap_or("0");
            if body.len() == length.parse::<usize>().unwrap() {
                return;
            }
        }
    };
    timeout(WAIT_TIMEOUT, read).await.expect("no response");
    String::from_utf8(response).unwrap()
}

#[actix_web::test]
async fn pipelined_malformed_request_returns_problem_after_the_response() {
    let app = TestApp::with_settings(|_| ()).await;
    let requests = "GET /health/live HTTP/1.1\r\nHost: h\r\n\r\nGARBAGE\r\n\r\n";

    let mut stream = connect_and_send(&app, requests).await;
    let first = read_response(&mut stream).await;
    let second = read_response(&mut stream).await;

    assert!(first.starts_with("HTTP/1.1 200 "), "{first}");
    assert_eq!(only_problem(&second)["code"], "bad_request");
}

#[actix_web::test]
async fn incomplete_headers_return_408_problem() {
    let app = TestApp::with_settings(|config| {
        config.limits.header_timeout = Duration::from_millis(500);
    })
    .await;

    let mut stream = connect_and_send(&app, "GET / HT").await;
    let response = read_response(&mut stream).await;

    assert_eq!(only_problem(&response)["code"], "request_timeout");
}
