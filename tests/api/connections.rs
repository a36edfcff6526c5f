//! Clients that stop sending half-way or send slowly. The service must release their connections.
//! The requests are written to the socket directly, because HTTP clients do not behave like this.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::support::{
    TestApp,
    raw_http::{WAIT_TIMEOUT, connect, read_to_end, request_headers},
};

/// Starts a service that waits for request bodies no longer than `body_timeout`.
async fn app_with_body_timeout(body_timeout: Duration) -> TestApp {
    TestApp::with_settings(|config| config.limits.body_timeout = body_timeout).await
}

const PARTNER: &str = "/catalog/business-partners/K-1";
const BODY: &str = r#"{"name": "N", "search_name": "S"}"#;

fn content_length() -> String {
    format!("Content-Length: {}\r\n", BODY.len())
}

#[rstest::rstest]
#[case::content_length(&content_length(), &BODY[..9])]
#[case::chunked("Transfer-Encoding: chunked\r\n", "9\r\n{\"name\": ")]
#[actix_web::test]
async fn incomplete_body_returns_408_and_closes_connection(
    #[case] framing: &str,
    #[case] part: &str,
) {
    let app = app_with_body_timeout(Duration::from_millis(500)).await;
    let mut stream = connect(&app).await;
    stream
        .write_all(format!("{}\r\n{part}", request_headers("PUT", PARTNER, framing)).as_bytes())
        .await
        .unwrap();
    let response = read_to_end(&mut stream).await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!(
        response
            .to_lowercase()
            .contains("\r\nconnection: close\r\n"),
        "{response}"
    );
    assert!(
        response.contains(r#""code":"request_timeout""#),
        "{response}"
    );
    app.reader().get(PARTNER).await.is_problem(404, "not_found");
}

#[actix_web::test]
async fn trickled_body_past_timeout_returns_408() {
    let app = app_with_body_timeout(Duration::from_millis(500)).await;
    let (mut reader, mut writer) = connect(&app).await.into_split();
    writer
        .write_all(
            format!(
                "{}\r\n",
                request_headers("PUT", PARTNER, "Content-Length: 1000000\r\n")
            )
            .as_bytes(),
        )
        .await
        .unwrap();
    let trickle = async {
        // ends when the service closes the connection
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut start = [0; 12];
    let (read, ()) = tokio::join!(
        timeout(WAIT_TIMEOUT, reader.read_exact(&mut start)),
        async {
            timeout(WAIT_TIMEOUT, trickle)
                .await
                .expect("the service did not close the connection");
        }
    );
    read.expect("no response before the timeout").unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
}

#[actix_web::test]
async fn slow_body_within_timeout_is_accepted() {
    let app = app_with_body_timeout(WAIT_TIMEOUT).await;
    let mut stream = connect(&app).await;
    let request = format!(
        "{}Connection: close\r\n\r\n",
        request_headers("PUT", PARTNER, &content_length())
    );
    stream.write_all(request.as_bytes()).await.unwrap();
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
    let mut stream = connect(&app).await;
    let offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n";
    let request = format!(
        "{}{offer}\r\n{BODY}",
        request_headers("PUT", PARTNER, &content_length())
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let response = read_to_end(&mut stream).await.to_lowercase();
    assert!(response.starts_with("http/1.1 201 "), "{response}");
    assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    assert!(!response.contains("upgrade"), "{response}");
    app.reader().get(PARTNER).await.is(200);
}
