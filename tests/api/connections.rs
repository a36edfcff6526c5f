//! Clients that stop half-way: what they hold is let go. Spoken by hand, since no proper client behaves like this.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::support::{
    TestApp,
    wire::{RETRY_LIMIT, connect, head, to_the_end},
};

/// A service that waits for bodies no longer than `body_timeout`.
async fn impatient(body_timeout: Duration) -> TestApp {
    TestApp::changed(|config| config.limits.body_timeout = body_timeout).await
}

const PARTNER: &str = "/catalog/business-partners/K-1";
const BODY: &str = r#"{"name": "N", "search_name": "S"}"#;

fn sized() -> String {
    format!("Content-Length: {}\r\n", BODY.len())
}

#[rstest::rstest]
#[case::sized(&sized(), &BODY[..9])]
#[case::chunked("Transfer-Encoding: chunked\r\n", "9\r\n{\"name\": ")]
#[actix_web::test]
async fn a_body_that_does_not_come_is_not_waited_for(#[case] framing: &str, #[case] part: &str) {
    let app = impatient(Duration::from_millis(500)).await;
    let mut stream = connect(&app).await;
    stream
        .write_all(format!("{}\r\n{part}", head("PUT", PARTNER, framing)).as_bytes())
        .await
        .unwrap();
    let answer = to_the_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        answer.to_lowercase().contains("\r\nconnection: close\r\n"),
        "{answer}"
    );
    assert!(answer.contains(r#""code":"request_timeout""#), "{answer}");
    app.reader().get(PARTNER).await.is_problem(404, "not_found");
}

#[actix_web::test]
async fn a_body_that_comes_drop_by_drop_is_late_as_well() {
    let app = impatient(Duration::from_millis(500)).await;
    let (mut reading, mut writing) = connect(&app).await.into_split();
    writing
        .write_all(
            format!(
                "{}\r\n",
                head("PUT", PARTNER, "Content-Length: 1000000\r\n")
            )
            .as_bytes(),
        )
        .await
        .unwrap();
    let drip = async {
        // ends when the service has closed the connection
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut start = [0; 12];
    let (read, ()) = tokio::join!(
        timeout(RETRY_LIMIT, reading.read_exact(&mut start)),
        async {
            timeout(RETRY_LIMIT, drip)
                .await
                .expect("the connection stays open");
        }
    );
    read.expect("no answer").unwrap();
    assert_eq!(&start, b"HTTP/1.1 408");
}

#[actix_web::test]
async fn a_slow_body_that_comes_in_time_is_taken() {
    let app = impatient(RETRY_LIMIT).await;
    let mut stream = connect(&app).await;
    let request = format!(
        "{}Connection: close\r\n\r\n",
        head("PUT", PARTNER, &sized())
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    for part in BODY.as_bytes().chunks(8) {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let answer = to_the_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

/// As Java's client asks by default; with `upgrade` in the answer it takes the connection for one that stays open.
#[actix_web::test]
async fn an_offer_to_speak_http_2_is_declined_and_the_connection_closed() {
    let app = impatient(Duration::from_secs(5)).await;
    let mut stream = connect(&app).await;
    let offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n";
    let request = format!("{}{offer}\r\n{BODY}", head("PUT", PARTNER, &sized()));
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = to_the_end(&mut stream).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 201 "), "{answer}");
    assert!(
        answer.contains("\r\nconnection: close\r\n") && !answer.contains("upgrade"),
        "{answer}"
    );
    app.reader().get(PARTNER).await.is(200);
}
