//! Operation: settings, signals and probes of the real program.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    cli::{SECRET, configured, program, stderr},
    support::Client,
};

pub const RETRY_LIMIT: Duration = Duration::from_secs(30);

/// A service that runs, and what it logs as JSON; killed with the test.
pub struct Service {
    pub child: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
}

impl Service {
    pub fn start(mut command: Command) -> Self {
        let command = command
            .arg("serve")
            .env("LOG_FORMAT", "json")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads the log until a line has a message with this beginning, and returns it.
    pub fn logged(&mut self, message: &str) -> Value {
        let mut lines = self
            .lines
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let found = lines.find(|line| {
            line["message"]
                .as_str()
                .is_some_and(|item| item.starts_with(message))
        });
        found.unwrap_or_else(|| panic!("nothing begins with {message}"))
    }

    /// Where it says that something is.
    pub fn origin(&mut self, prefix: &str) -> String {
        self.logged(prefix)["message"].as_str().unwrap()[prefix.len()..].to_owned()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn token(directory: &Path) -> String {
    token_for(directory, "catalog:read")
}

pub fn token_for(directory: &Path, scope: &str) -> String {
    let output = configured(directory)
        .args(["token", "--scope", scope, "--subject", "olga"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Begins a request for a decision, whose body of some bytes comes later, if ever.
pub fn begun(origin: &str, directory: &Path, what: &str, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(origin.strip_prefix("http://").unwrap()).unwrap();
    let token = token_for(directory, "decisions:read");
    write!(
        stream,
        "POST /api/v1/decisions/{what} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {bytes}\r\n\r\n"
    )
    .unwrap();
    stream
}

#[test]
fn startup_reports_all_invalid_settings() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = program(directory.path());
    for (name, value) in [
        ("BIND_ADDRESS", "8080"),
        ("DATABASE_URL", "mysql://h"),
        ("DATABASE_POOL_SIZE", "many"),
        ("JWT_ISSUER", "i"),
        ("JWT_JWKS_URL", "http://login.example/keys"),
        ("JWT_JWKS_REFRESH_INTERVAL", "never"),
        ("JWT_TYPES", "JWT"),
        ("CORS_ALLOWED_ORIGINS", "portal"),
        ("REQUEST_TIMEOUT", "soon"),
        ("MAX_CONCURRENT_REQUESTS", "0"),
        ("LOG_FORMAT", "xml"),
        ("MIGRATE_ON_START", "perhaps"),
    ] {
        command.env(name, value);
    }
    let text = stderr(&command.arg("serve").output().unwrap());
    for sentence in [
        "BIND_ADDRESS must be host:port: 8080",
        "DATABASE_URL must begin with sqlite:// or postgres://",
        "DATABASE_POOL_SIZE must be a whole number from 1 to 1000: many",
        "JWT_AUDIENCE is not set",
        "JWT_JWKS_URL must begin with https://",
        "JWT_JWKS_REFRESH_INTERVAL must be a duration",
        "JWT_TYPES was renamed to JWT_ALLOWED_TYPES",
        "CORS_ALLOWED_ORIGINS: not an origin",
        "REQUEST_TIMEOUT must be a duration",
        "MAX_CONCURRENT_REQUESTS must be a whole number",
        "LOG_FORMAT must be pretty or json: xml",
        "MIGRATE_ON_START must be true or false: perhaps",
    ] {
        assert!(text.contains(sentence), "{sentence} is missing: {text}");
    }
    assert_eq!(text.lines().count(), 12, "{text}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[actix_web::test]
async fn secrets_are_read_from_files() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("secret"), format!("{SECRET}\n")).unwrap();
    std::fs::write(directory.path().join("url"), "sqlite://test.db\n").unwrap();
    let mut command = configured(directory.path());
    command
        .env_remove("JWT_HS256_SECRET")
        .env("JWT_HS256_SECRET_FILE", "secret");
    command
        .env_remove("DATABASE_URL")
        .env("DATABASE_URL_FILE", "url");
    let mut service = Service::start(command);
    let origin = service.origin("listening on ");
    Client::new(&origin, Some(token(directory.path())))
        .get("/catalog/areas")
        .await
        .is(200);
    assert!(directory.path().join("test.db").exists());
}

#[actix_web::test]
async fn sigterm_completes_requests_in_flight() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = configured(directory.path());
    command.env("SHUTDOWN_DELAY", "2s");
    let mut service = Service::start(command);
    let origin = service.origin("listening on ");
    let caller = Client::new(&origin, Some(token(directory.path())));
    caller.get("//health/ready").await.is(200);
    // a request that is under way when the signal comes, and whose body comes late
    let body = json!({"access_email": "nobody@b.example", "tickets": [{"ticket_id": "1", "business_partner_id": "K-1",
        "area_id": "A", "internal": false, "confidential": false}]})
    .to_string();
    let mut slow = begun(&origin, directory.path(), "ticket-visibility", body.len());
    service.signal("TERM");
    service.logged("shutting down");
    caller
        .get("//health/ready")
        .await
        .is_problem(503, "unavailable");
    caller.get("//health/live").await.is(200);
    let last = caller.get("/catalog/areas").await.is(200);
    assert_eq!(last.header("connection"), "close");
    // new connections are refused after the delay
    let begun = Instant::now();
    let responds = || {
        let mut fresh = TcpStream::connect(origin.strip_prefix("http://").unwrap()).unwrap();
        fresh
            .set_read_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        fresh
            .write_all(b"GET /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .unwrap();
        fresh.read(&mut [0]).is_ok_and(|read| read > 0)
    };
    while responds() {
        assert!(
            begun.elapsed() < RETRY_LIMIT,
            "the service still accepts connections"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    slow.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    service.logged("stopped");
    assert!(service.child.wait().unwrap().success());
}

#[actix_web::test]
async fn shutdown_waits_for_stalled_request_until_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = configured(directory.path());
    command
        .env("SHUTDOWN_TIMEOUT", "4s")
        .env("WORKER_THREADS", "1");
    let mut service = Service::start(command);
    let origin = service.origin("listening on ");
    let _stalled = begun(&origin, directory.path(), "ticket-creation", 10);
    // the only worker has read it once it responds to a later request
    Client::new(&origin, None)
        .get("//health/live")
        .await
        .is(200);
    let signalled = Instant::now();
    service.signal("TERM");
    assert!(service.child.wait().unwrap().success());
    let took = signalled.elapsed();
    assert!(
        (Duration::from_secs(4)..Duration::from_secs(7)).contains(&took),
        "{took:?}"
    );
}

#[actix_web::test]
async fn health_command_checks_a_running_service() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = Service::start(configured(directory.path()));
    let origin = service.origin("listening on ");
    let address = origin.strip_prefix("http://").unwrap();
    let check_health = |address: &str| {
        program(directory.path())
            .arg("health")
            .env("BIND_ADDRESS", address)
            .output()
            .unwrap()
    };
    assert!(check_health(address).status.success());
    // in a container the service listens on all addresses
    assert!(
        check_health(&address.replace("127.0.0.1", "0.0.0.0"))
            .status
            .success()
    );
    service.signal("KILL");
    service.child.wait().unwrap();
    assert!(!check_health(address).status.success());
    // a service on a single address is checked there
    let mut command = configured(directory.path());
    command.env("BIND_ADDRESS", "127.0.0.2:0");
    let mut service = Service::start(command);
    let origin = service.origin("listening on ");
    assert!(
        check_health(origin.strip_prefix("http://").unwrap())
            .status
            .success()
    );
}
