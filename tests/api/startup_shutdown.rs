//! Operation of the binary: settings, signals, probes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    cli::{SECRET, binary, binary_with_settings, stderr},
    support::Client,
};

pub const RETRY_LIMIT: Duration = Duration::from_secs(30);

/// A running service and its JSON log. Dropping it kills the process.
pub struct Service {
    pub child: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
}

impl Service {
    /// Starts the service with the settings of `command`.
    pub fn start(mut command: Command) -> Self {
        command.arg("serve");
        Self::spawn(command)
    }

    /// Spawns a command that includes the arguments of the service.
    pub fn spawn(mut command: Command) -> Self {
        let command = command
            .env("LOG_FORMAT", "json")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads the log up to the next message with this prefix. Returns its line.
    pub fn wait_for_log(&mut self, prefix: &str) -> Value {
        let mut lines = self
            .lines
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let line = lines.find(|line| {
            line["message"]
                .as_str()
                .is_some_and(|message| message.starts_with(prefix))
        });
        line.unwrap_or_else(|| panic!("no log message begins with {prefix}"))
    }

    /// Waits for a log message. Returns the URL that follows `prefix`.
    pub fn wait_for_url(&mut self, prefix: &str) -> String {
        self.wait_for_log(prefix)["message"].as_str().unwrap()[prefix.len()..].to_owned()
    }

    /// Waits until the service accepts connections. Returns its origin.
    pub fn wait_for_origin(&mut self) -> String {
        self.wait_for_url("listening on ")
    }

    pub fn send_signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token for a service with the settings of [`binary_with_settings`].
pub fn token(directory: &Path, scope: &str) -> String {
    let output = binary_with_settings(directory)
        .args(["token", "--scope", scope, "--subject", "olga"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn connect(origin: &str) -> TcpStream {
    TcpStream::connect(origin.strip_prefix("http://").unwrap()).unwrap()
}

/// Sends the headers of a request for a decision, without its body.
pub fn send_headers(
    origin: &str,
    directory: &Path,
    decision: &str,
    content_length: usize,
) -> TcpStream {
    let mut stream = connect(origin);
    let token = token(directory, "decisions:read");
    write!(
        stream,
        "POST /api/v1/decisions/{decision} HTTP/1.1\r\nHost: h\r\n\
         Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {content_length}\r\n\r\n"
    )
    .unwrap();
    stream
}

/// An invalid setting and the error it causes.
struct InvalidSetting {
    name: &'static str,
    value: &'static str,
    error: &'static str,
}

const INVALID_SETTINGS: [InvalidSetting; 11] = [
    InvalidSetting {
        name: "BIND_ADDRESS",
        value: "8080",
        error: "BIND_ADDRESS must be host:port: 8080",
    },
    InvalidSetting {
        name: "DATABASE_URL",
        value: "mysql://h",
        error: "DATABASE_URL must begin with sqlite:// or postgres://",
    },
    InvalidSetting {
        name: "DATABASE_POOL_SIZE",
        value: "many",
        error: "DATABASE_POOL_SIZE must be a whole number from 1 to 1000: many",
    },
    InvalidSetting {
        name: "JWT_JWKS_URL",
        value: "http://login.example/keys",
        error: "JWT_JWKS_URL must begin with https://",
    },
    InvalidSetting {
        name: "JWT_JWKS_REFRESH_INTERVAL",
        value: "never",
        error: "JWT_JWKS_REFRESH_INTERVAL must be a duration",
    },
    InvalidSetting {
        name: "JWT_TYPES",
        value: "JWT",
        error: "JWT_TYPES was renamed to JWT_ALLOWED_TYPES",
    },
    InvalidSetting {
        name: "CORS_ALLOWED_ORIGINS",
        value: "portal",
        error: "CORS_ALLOWED_ORIGINS: not an origin",
    },
    InvalidSetting {
        name: "REQUEST_TIMEOUT",
        value: "soon",
        error: "REQUEST_TIMEOUT must be a duration",
    },
    InvalidSetting {
        name: "MAX_CONCURRENT_REQUESTS",
        value: "0",
        error: "MAX_CONCURRENT_REQUESTS must be a whole number",
    },
    InvalidSetting {
        name: "LOG_FORMAT",
        value: "xml",
        error: "LOG_FORMAT must be pretty or json: xml",
    },
    InvalidSetting {
        name: "MIGRATE_ON_START",
        value: "perhaps",
        error: "MIGRATE_ON_START must be true or false: perhaps",
    },
];

#[test]
fn startup_with_invalid_settings_reports_all_errors() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary(directory.path());
    command.arg("serve").env("JWT_ISSUER", "i");
    for setting in &INVALID_SETTINGS {
        command.env(setting.name, setting.value);
    }

    let log = stderr(&command.output().unwrap());

    let errors = INVALID_SETTINGS.iter().map(|setting| setting.error);
    for error in errors.chain(["JWT_AUDIENCE is not set"]) {
        assert!(log.contains(error), "{error} is missing: {log}");
    }
    assert_eq!(log.lines().count(), INVALID_SETTINGS.len() + 1, "{log}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[actix_web::test]
async fn secrets_are_read_from_files() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("secret"), format!("{SECRET}\n")).unwrap();
    std::fs::write(directory.path().join("url"), "sqlite://test.db\n").unwrap();
    let mut command = binary_with_settings(directory.path());
    command
        .env_remove("JWT_HS256_SECRET")
        .env("JWT_HS256_SECRET_FILE", "secret")
        .env_remove("DATABASE_URL")
        .env("DATABASE_URL_FILE", "url");

    let mut service = Service::start(command);
    let origin = service.wait_for_origin();

    Client::new(&origin, Some(token(directory.path(), "catalog:read")))
        .get("/catalog/areas")
        .await
        .is(200);
    assert!(directory.path().join("test.db").exists());
}

/// Waits until the service refuses new connections or closes them without a response.
fn wait_until_closed(origin: &str) {
    let started = Instant::now();
    while responds_on_new_connection(origin) {
        assert!(
            started.elapsed() < RETRY_LIMIT,
            "the service still accepts connections"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn responds_on_new_connection(origin: &str) -> bool {
    let mut stream = connect(origin);
    stream
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .unwrap();
    stream.read(&mut [0]).is_ok_and(|bytes| bytes > 0)
}

#[actix_web::test]
async fn requests_during_shutdown_delay_are_served_and_readiness_fails() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env("SHUTDOWN_DELAY", "2s");
    let mut service = Service::start(command);
    let origin = service.wait_for_origin();
    let client = Client::new(&origin, Some(token(directory.path(), "catalog:read")));
    client.get("//health/ready").await.is(200);

    service.send_signal("TERM");
    service.wait_for_log("shutting down");

    client
        .get("//health/ready")
        .await
        .is_problem(503, "unavailable");
    client.get("//health/live").await.is(200);
    let last = client.get("/catalog/areas").await.is(200);
    assert_eq!(last.header("connection"), "close");
    service.wait_for_log("stopped");
    assert!(service.child.wait().unwrap().success());
}

#[actix_web::test]
async fn request_in_flight_completes_after_listener_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env("SHUTDOWN_DELAY", "2s");
    let mut service = Service::start(command);
    let origin = service.wait_for_origin();
    let body = json!({"access_email": "nobody@b.example", "tickets": [{"ticket_id": "1",
        "business_partner_id": "K-1", "area_id": "A", "internal": false, "confidential": false}]})
    .to_string();
    let mut stream = send_headers(&origin, directory.path(), "ticket-visibility", body.len());

    service.send_signal("TERM");
    service.wait_for_log("shutting down");
    wait_until_closed(&origin);
    stream.write_all(body.as_bytes()).unwrap();

    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 422 "), "{response}");
    service.wait_for_log("stopped");
    assert!(service.child.wait().unwrap().success());
}

#[actix_web::test]
async fn shutdown_with_incomplete_request_ends_after_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command
        .env("SHUTDOWN_TIMEOUT", "4s")
        .env("WORKER_THREADS", "1");
    let mut service = Service::start(command);
    let origin = service.wait_for_origin();
    let _incomplete = send_headers(&origin, directory.path(), "ticket-creation", 10);
    // once the only worker responds, it has read the incomplete request
    Client::new(&origin, None)
        .get("//health/live")
        .await
        .is(200);

    let started = Instant::now();
    service.send_signal("TERM");
    assert!(service.child.wait().unwrap().success());

    let elapsed = started.elapsed();
    assert!(
        (Duration::from_secs(4)..Duration::from_secs(7)).contains(&elapsed),
        "{elapsed:?}"
    );
}

/// Runs the health command. Returns whether it succeeded.
fn is_healthy(directory: &Path, bind_address: &str) -> bool {
    binary(directory)
        .arg("health")
        .env("BIND_ADDRESS", bind_address)
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
fn health_command_fails_after_service_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = Service::start(binary_with_settings(directory.path()));
    let origin = service.wait_for_origin();
    let address = origin.strip_prefix("http://").unwrap();

    assert!(is_healthy(directory.path(), address));
    // in a container the service listens on all addresses
    let all_addresses = address.replace("127.0.0.1", "0.0.0.0");
    assert!(is_healthy(directory.path(), &all_addresses));

    service.send_signal("KILL");
    service.child.wait().unwrap();
    assert!(!is_healthy(directory.path(), address));
}

#[test]
fn health_command_uses_configured_address() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command.env("BIND_ADDRESS", "127.0.0.2:0");
    let mut service = Service::start(command);
    let origin = service.wait_for_origin();

    let address = origin.strip_prefix("http://").unwrap();
    assert!(is_healthy(directory.path(), address));
}
