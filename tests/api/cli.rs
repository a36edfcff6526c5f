//! The binary: its commands, its settings, and how it fails.

use crate::engines::both_engines;
use rstest_reuse::apply;
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use customer_integration::db::migrations::{self, Direction};
use serde_json::{Value, json};

use crate::support::{Client, Engine, TestApp, app::Storage};

pub const SECRET: &str = "thirty-two bytes are long enough.";

pub fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_customer-integration"));
    // clear the environment of the test run
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .env_clear()
        .env("BIND_ADDRESS", "127.0.0.1:0");
    command
}

pub fn configured(directory: &Path) -> Command {
    let mut command = program(directory);
    command
        .env("DATABASE_URL", "sqlite://test.db")
        .env("JWT_ISSUER", "i")
        .env("JWT_AUDIENCE", "a")
        .env("JWT_HS256_SECRET", SECRET);
    command
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running service, killed with the test.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads the output until a line begins with `prefix`, and returns the rest of it.
    fn line(&mut self, prefix: &str) -> String {
        let found = self
            .lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix(prefix).map(ToOwned::to_owned));
        found.unwrap_or_else(|| panic!("no line begins with {prefix}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn invalid_setting_stops_startup_with_one_line_error() {
    let directory = tempfile::tempdir().unwrap();
    for (name, value, sentence) in [
        (
            "DATABASE_URL",
            "mysql://root:hunter2@h/db",
            "DATABASE_URL must begin with sqlite:// or postgres://; its scheme is mysql",
        ),
        (
            "DATABASE_URL",
            "test.db",
            "DATABASE_URL must begin with sqlite:// or postgres://; its scheme is none",
        ),
        ("DATABASE_URL", "", "DATABASE_URL is not set"),
        (
            "DATABASE_URL",
            "sqlite://no/such/directory/x.db",
            "cannot open no/such/directory/x.db",
        ),
        (
            "CORS_ALLOWED_ORIGINS",
            "portal.example",
            "not an origin such as https://portal.example: portal.example",
        ),
        (
            "CORS_ALLOWED_ORIGINS",
            "https://ok.example,https://a.example/x",
            "not an origin such as https://portal.example: https://a.example/x",
        ),
        (
            "CORS_ALLOWED_ORIGINS",
            "https://Ok.example:443",
            "not an origin such as https://portal.example: https://Ok.example:443",
        ),
        (
            "JWT_HS256_SECRET",
            "hunter2",
            "JWT_HS256_SECRET is too short: it must have at least 32 bytes",
        ),
        ("JWT_HS256_SECRET", "", "JWT_HS256_SECRET is not set"),
        ("JWT_ISSUER", "", "JWT_ISSUER is not set"),
        (
            "BIND_ADDRESS",
            "256.0.0.1:1",
            "cannot listen on 256.0.0.1:1",
        ),
        ("RUST_LOG", "a=b=c", "RUST_LOG cannot be used"),
    ] {
        let output = configured(directory.path())
            .arg("serve")
            .env("RUST_LOG", "error")
            .env(name, value)
            .output()
            .unwrap();
        let text = stderr(&output);
        assert!(!output.status.success(), "{name}={value}");
        assert!(text.contains(sentence), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains("hunter2"), "a secret was printed: {text}");
    }
    for name in [
        "DATABASE_URL",
        "JWT_HS256_SECRET",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
    ] {
        let output = configured(directory.path())
            .arg("serve")
            .env_remove(name)
            .output()
            .unwrap();
        assert!(!output.status.success());
        assert!(
            stderr(&output).contains(&format!("{name} is not set")),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn start_without_settings_creates_no_files() {
    let directory = tempfile::tempdir().unwrap();
    assert!(
        !program(directory.path())
            .arg("serve")
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(
        !program(directory.path())
            .args(["token", "--scope", "x"])
            .output()
            .unwrap()
            .status
            .success()
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn empty_demo_key_stops_startup() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    std::fs::write(directory.path().join("data/demo.key"), "\n").unwrap();
    let output = program(directory.path())
        .args(["serve", "--demo"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(
        stderr(&output).contains("data/demo.key is damaged"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn empty_rust_log_uses_default_filter() {
    let directory = tempfile::tempdir().unwrap();
    let output = configured(directory.path())
        .arg("migrate")
        .env("RUST_LOG", "")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("schema is up to date"), "{text}");
}

#[test]
fn help_lists_every_setting_without_values() {
    let directory = tempfile::tempdir().unwrap();
    let output = configured(directory.path())
        .args(["serve", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8_lossy(&output.stdout);
    for name in [
        "BIND_ADDRESS",
        "DATABASE_URL",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "JWT_HS256_SECRET",
        "CORS_ALLOWED_ORIGINS",
        "LOG_FORMAT",
        "RUST_LOG",
        "DATABASE_URL_FILE",
        "DATABASE_POOL_SIZE",
        "JWT_HS256_SECRET_FILE",
        "JWT_JWKS_FILE",
        "JWT_JWKS_URL",
        "JWT_ISSUERS_FILE",
        "JWT_ALLOWED_TYPES",
        "JWT_JWKS_REFRESH_INTERVAL",
        "JWT_JWKS_MIN_REFRESH_INTERVAL",
        "WORKER_THREADS",
        "DECISION_CACHE_MIB",
        "PAGE_CACHE_MIB",
        "MIGRATE_ON_START",
        "METRICS_BIND_ADDRESS",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "REQUEST_TIMEOUT",
        "HEADER_TIMEOUT",
        "MAX_CONCURRENT_REQUESTS",
        "MAX_CONCURRENT_REQUESTS_PER_SUBJECT",
        "BODY_MEMORY_MIB",
        "RATE_LIMIT_PER_SECOND",
        "RATE_LIMIT_BURST",
        "SHUTDOWN_DELAY",
        "SHUTDOWN_TIMEOUT",
    ] {
        assert!(help.contains(name), "{name} is missing");
        let argument = format!("--{}", name.to_lowercase().replace('_', "-"));
        assert!(help.contains(&argument), "{argument} is missing");
    }
    assert!(!help.contains(SECRET) && !help.contains("test.db"));
}

#[test]
fn openapi_command_prints_the_document() {
    let output = program(Path::new("/")).arg("openapi").output().unwrap();
    assert!(output.status.success());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, *crate::support::document::DOCUMENT);
}

#[actix_web::test]
async fn demo_restart_preserves_key_and_data() {
    let directory = tempfile::tempdir().unwrap();
    let demo = || {
        let mut command = program(directory.path());
        command.args(["serve", "--demo"]);
        command
    };
    let mut first = Running::start(demo());
    let docs = first.line("Documentation to try out: ");
    let base = first.line("export BASE=");
    let origin = base.strip_suffix("/api/v1").unwrap();
    assert_eq!(docs, format!("{origin}/docs"));
    let client = Client::new(origin, Some(first.line("export TOKEN=")));
    assert!(
        first
            .line("curl")
            .contains("$BASE/customer-integrations/K-1003")
    );
    let kinds = client.all("/catalog/ticket-types").await;
    assert_eq!(
        kinds
            .iter()
            .filter(|item| item["kind"] == "standard")
            .count(),
        4
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|item| item["kind"] == "dynamic")
            .count(),
        2
    );
    assert!(client.all("/catalog/business-partners").await.len() >= 4);
    assert!(client.all("/catalog/plan-boards").await.len() >= 2);
    assert!(
        client
            .all("/catalog/areas")
            .await
            .iter()
            .any(|item| item["start_ticket_types"].is_array())
    );
    assert_eq!(
        client
            .get("/customer-integrations/K-1003")
            .await
            .is(200)
            .json["readiness"]["can_create_tickets"],
        true
    );
    let on = client
        .patch("/customer-integrations/K-1001", json!({"active": true}))
        .await
        .is(200)
        .json;
    drop(first);

    let mut second = Running::start(demo());
    let base = second.line("export BASE=");
    let origin = base.strip_suffix("/api/v1").unwrap();
    // the key is unchanged, and `token --demo` makes new ones
    let again = Client::new(origin, Some(second.line("export TOKEN=")));
    assert_eq!(
        again
            .get("/customer-integrations/K-1001")
            .await
            .is(200)
            .json,
        on
    );
    let mut command = program(directory.path());
    let output = command
        .args([
            "token",
            "--demo",
            "--scope",
            "integration:read",
            "--business-partner",
            "K-1003",
        ])
        .output()
        .unwrap();
    let token = String::from_utf8(output.stdout).unwrap();
    assert_eq!(token.lines().count(), 1, "only the token is printed");
    let limited = Client::new(origin, Some(token.trim().to_owned()));
    limited.get("/customer-integrations/K-1003").await.is(200);
    limited.get("/customer-integrations/K-1001").await.is(404);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(directory.path().join("data/demo.key"))
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "only the owner may read the key");
}

#[apply(both_engines)]
#[actix_web::test]
async fn service_starts_after_migrate_command(engine: Engine) {
    let storage = Storage::new(engine, false).await;
    let directory = tempfile::tempdir().unwrap();
    let migrate = configured(directory.path())
        .arg("migrate")
        .env("DATABASE_URL", storage.url())
        .output()
        .unwrap();
    assert!(migrate.status.success(), "{}", stderr(&migrate));
    let mut serve = configured(directory.path());
    serve
        .args(["serve", "--migrate-on-start", "false"])
        .env("DATABASE_URL", storage.url())
        .env("LOG_FORMAT", "json");
    let mut child = serve
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let log = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = log
        .map(Result::unwrap)
        .find(|line| line.contains("listening on"))
        .unwrap();
    let line: Value = serde_json::from_str(&listening).unwrap();
    let origin = line["message"]
        .as_str()
        .unwrap()
        .strip_prefix("listening on ")
        .unwrap()
        .to_owned();
    Client::new(&origin, None)
        .get("//health/ready")
        .await
        .is(200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[apply(both_engines)]
#[actix_web::test]
async fn readiness_without_schema_returns_503(engine: Engine) {
    let storage = Storage::new(engine, false).await;
    let mut config = crate::support::app::config(&storage.url());
    config.migrate_on_start = false;
    let app = TestApp::with_config(storage, config).await;
    app.anonymous()
        .get("//health/ready")
        .await
        .is_problem(503, "unavailable");
    app.anonymous().get("//health/live").await.is(200);
    migrations::migrate(&app.storage.url().parse().unwrap(), Direction::Up)
        .await
        .unwrap();
    app.anonymous().get("//health/ready").await.is(200);
}

#[test]
fn token_command_with_empty_partner_fails() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = configured(directory.path());
    let output = command
        .args([
            "token",
            "--scope",
            "integration:read",
            "--business-partner",
            "",
        ])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
}
