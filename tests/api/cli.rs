//! Commands of the binary, their settings and their errors.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use customer_integration::db::migrations::{self, Direction};
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};

use crate::startup_shutdown::{Service, token};
use crate::{
    engines::both_engines,
    support::{
        Client, Engine, TestApp,
        app::{Storage, config},
        document::DOCUMENT,
    },
};

pub const SECRET: &str = "thirty-two bytes are long enough.";

/// The binary in a working directory, with no environment except a free port.
pub fn binary(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_customer-integration"));
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .env_clear()
        .env("BIND_ADDRESS", "127.0.0.1:0");
    command
}

/// The binary with all required settings: SQLite in the working directory, and an HS256 secret.
pub fn binary_with_settings(directory: &Path) -> Command {
    let mut command = binary(directory);
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

/// A running demo service and its output. Dropping it kills the process.
pub struct DemoService {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl DemoService {
    pub fn start(directory: &Path) -> Self {
        let mut child = binary(directory)
            .args(["serve", "--demo"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads the output up to the next line with this prefix. Returns the rest of the line.
    fn wait_for_line(&mut self, prefix: &str) -> String {
        let rest = self
            .lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix(prefix).map(ToOwned::to_owned));
        rest.unwrap_or_else(|| panic!("no line begins with {prefix}"))
    }

    /// Waits until the service accepts connections. Returns a client with the printed token.
    pub fn wait_for_client(&mut self) -> Client {
        let base = self.wait_for_line("export BASE=");
        let origin = base.strip_suffix("/api/v1").unwrap();
        Client::new(origin, Some(self.wait_for_line("export TOKEN=")))
    }
}

impl Drop for DemoService {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[rstest]
#[case::unsupported_database_scheme(
    "DATABASE_URL",
    "mysql://root:hunter2@h/db",
    "DATABASE_URL must begin with sqlite:// or postgres://; its scheme is mysql"
)]
#[case::database_url_without_scheme(
    "DATABASE_URL",
    "test.db",
    "DATABASE_URL must begin with sqlite:// or postgres://; its scheme is none"
)]
#[case::empty_database_url("DATABASE_URL", "", "DATABASE_URL is not set")]
#[case::missing_database_directory(
    "DATABASE_URL",
    "sqlite://no/such/directory/x.db",
    "cannot open no/such/directory/x.db"
)]
#[case::origin_without_scheme(
    "CORS_ALLOWED_ORIGINS",
    "portal.example",
    "not an origin such as https://portal.example: portal.example"
)]
#[case::origin_with_path(
    "CORS_ALLOWED_ORIGINS",
    "https://ok.example,https://a.example/x",
    "not an origin such as https://portal.example: https://a.example/x"
)]
#[case::origin_in_upper_case_with_default_port(
    "CORS_ALLOWED_ORIGINS",
    "https://Ok.example:443",
    "not an origin such as https://portal.example: https://Ok.example:443"
)]
#[case::short_secret(
    "JWT_HS256_SECRET",
    "hunter2",
    "JWT_HS256_SECRET is too short: it must have at least 32 bytes"
)]
#[case::empty_secret("JWT_HS256_SECRET", "", "JWT_HS256_SECRET is not set")]
#[case::empty_issuer("JWT_ISSUER", "", "JWT_ISSUER is not set")]
#[case::invalid_bind_address("BIND_ADDRESS", "256.0.0.1:1", "cannot listen on 256.0.0.1:1")]
#[case::invalid_log_filter("RUST_LOG", "a=b=c", "RUST_LOG cannot be used")]
fn invalid_setting_stops_startup_with_one_line_error(
    #[case] name: &str,
    #[case] value: &str,
    #[case] error: &str,
) {
    let directory = tempfile::tempdir().unwrap();

    let output = binary_with_settings(directory.path())
        .arg("serve")
        .env("RUST_LOG", "error")
        .env(name, value)
        .output()
        .unwrap();

    let log = stderr(&output);
    assert!(!output.status.success(), "{name}={value}");
    assert!(log.contains(error), "{log}");
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(!log.contains("hunter2"), "a secret was logged: {log}");
}

#[rstest]
fn missing_setting_stops_startup(
    #[values("DATABASE_URL", "JWT_HS256_SECRET", "JWT_ISSUER", "JWT_AUDIENCE")] name: &str,
) {
    let directory = tempfile::tempdir().unwrap();

    let output = binary_with_settings(directory.path())
        .arg("serve")
        .env_remove(name)
        .output()
        .unwrap();

    let log = stderr(&output);
    assert!(!output.status.success());
    assert!(log.contains(&format!("{name} is not set")), "{log}");
}

#[rstest]
#[case::serve(&["serve"])]
#[case::token(&["token", "--scope", "x"])]
fn command_without_settings_fails_and_creates_no_files(#[case] arguments: &[&str]) {
    let directory = tempfile::tempdir().unwrap();

    let output = binary(directory.path()).args(arguments).output().unwrap();

    assert!(!output.status.success());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn empty_demo_key_stops_startup() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    std::fs::write(directory.path().join("data/demo.key"), "\n").unwrap();
    let output = binary(directory.path())
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
    let output = binary_with_settings(directory.path())
        .arg("migrate")
        .env("RUST_LOG", "")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let log = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(log.contains("schema is up to date"), "{log}");
}

#[test]
fn help_lists_every_setting_without_values() {
    let directory = tempfile::tempdir().unwrap();
    let output = binary_with_settings(directory.path())
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
    let output = binary(Path::new("/")).arg("openapi").output().unwrap();
    assert!(output.status.success());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, *DOCUMENT);
}

#[actix_web::test]
async fn demo_prints_urls_token_and_example_request() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = DemoService::start(directory.path());

    let docs = service.wait_for_line("Documentation to try out: ");
    let base = service.wait_for_line("export BASE=");
    let token = service.wait_for_line("export TOKEN=");
    let request = service.wait_for_line("curl");

    let origin = base.strip_suffix("/api/v1").unwrap();
    assert_eq!(docs, format!("{origin}/docs"));
    assert!(request.contains("$BASE/customer-integrations/K-1001"));
    Client::new(origin, Some(token))
        .get("/customer-integrations/K-1001")
        .await
        .is(200);
}

#[actix_web::test]
async fn demo_allows_front_ends_on_localhost() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = DemoService::start(directory.path());
    let client = service.wait_for_client();
    let allow_origin = async |origin: &str| {
        let request = client.request("GET", "/customer-integrations");
        let response = request.header("origin", origin).send().await.is(200);
        response.header("access-control-allow-origin").to_owned()
    };

    assert_eq!(
        allow_origin("http://localhost:5173").await,
        "http://localhost:5173"
    );
    assert_eq!(allow_origin("https://portal.example").await, "");
}

#[actix_web::test]
async fn demo_has_catalog_and_ready_integration() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = DemoService::start(directory.path());
    let client = service.wait_for_client();

    let ticket_types = client.get_all("/catalog/ticket-types").await;
    let count = |kind: &str| {
        ticket_types
            .iter()
            .filter(|entry| entry["kind"] == kind)
            .count()
    };
    assert_eq!(count("standard"), 4);
    assert_eq!(count("dynamic"), 2);
    assert!(client.get_all("/catalog/business-partners").await.len() >= 4);
    assert!(client.get_all("/catalog/plan-boards").await.len() >= 2);
    let areas = client.get_all("/catalog/areas").await;
    assert!(
        areas
            .iter()
            .any(|area| area["start_ticket_types"].is_array())
    );
    let integration = client.get("/customer-integrations/K-1001").await.is(200);
    assert_eq!(integration.json["readiness"]["can_create_tickets"], true);
}

#[actix_web::test]
async fn demo_restart_preserves_data() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = DemoService::start(directory.path());
    let activated = service
        .wait_for_client()
        .patch("/customer-integrations/K-1002", json!({"active": true}))
        .await
        .is(200);
    drop(service);

    let mut restarted = DemoService::start(directory.path());
    let client = restarted.wait_for_client();

    let integration = client.get("/customer-integrations/K-1002").await.is(200);
    assert_eq!(integration.json, activated.json);
}

#[actix_web::test]
async fn demo_token_is_valid_after_restart_and_restricted_to_partner() {
    let directory = tempfile::tempdir().unwrap();
    DemoService::start(directory.path()).wait_for_client();
    let token = demo_token(directory.path(), "K-1003");

    let mut restarted = DemoService::start(directory.path());
    let base = restarted.wait_for_line("export BASE=");
    let client = Client::new(base.strip_suffix("/api/v1").unwrap(), Some(token));

    client.get("/customer-integrations/K-1003").await.is(200);
    client.get("/customer-integrations/K-1001").await.is(404);
}

/// Runs the token command for the demo with a partner.
fn demo_token(directory: &Path, partner: &str) -> String {
    let output = binary(directory)
        .args(["token", "--demo", "--scope", "integration:read"])
        .args(["--business-partner", partner])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().count(), 1, "only the token is printed");
    stdout.trim().to_owned()
}

#[test]
fn demo_key_is_readable_by_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    DemoService::start(directory.path()).wait_for_line("export TOKEN=");

    let key = std::fs::metadata(directory.path().join("data/demo.key")).unwrap();

    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[apply(both_engines)]
#[actix_web::test]
async fn service_starts_after_migrate_command(engine: Engine) {
    let storage = Storage::empty(engine).await;
    let directory = tempfile::tempdir().unwrap();
    let migrate = binary_with_settings(directory.path())
        .arg("migrate")
        .env("DATABASE_URL", storage.url())
        .output()
        .unwrap();
    assert!(migrate.status.success(), "{}", stderr(&migrate));

    let mut serve = binary_with_settings(directory.path());
    serve
        .args(["serve", "--migrate-on-start", "false"])
        .env("DATABASE_URL", storage.url());
    let mut service = Service::spawn(serve);

    let client = Client::new(&service.wait_for_origin(), None);
    client.get("//health/ready").await.is(200);
}

#[apply(both_engines)]
#[actix_web::test]
async fn readiness_without_schema_returns_503_until_migrated(engine: Engine) {
    let storage = Storage::empty(engine).await;
    let mut config = config(&storage.url());
    config.migrate_on_start = false;
    let app = TestApp::with_config(storage, config).await;
    let client = app.anonymous();
    client
        .get("//health/ready")
        .await
        .is_problem(503, "unavailable");
    client.get("//health/live").await.is(200);

    migrations::migrate(&app.storage.url().parse().unwrap(), Direction::Up)
        .await
        .unwrap();

    client.get("//health/ready").await.is(200);
}

#[test]
fn token_command_with_empty_partner_fails_without_output() {
    let directory = tempfile::tempdir().unwrap();

    let output = binary_with_settings(directory.path())
        .args(["token", "--scope", "integration:read"])
        .args(["--business-partner", ""])
        .output()
        .unwrap();

    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
}

#[test]
fn demo_with_other_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for url in [
        "sqlite://test.db",
        "sqlite://data/../test.db",
        "postgres://olga:hunter2@127.0.0.1:1/portal",
    ] {
        let output = binary(directory.path())
            .args(["serve", "--demo"])
            .env("DATABASE_URL", url)
            .output()
            .unwrap();
        let text = stderr(&output);
        assert!(!output.status.success());
        assert!(text.contains("SQLite file in ./data"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(!directory.path().join("test.db").exists());
}

#[actix_web::test]
async fn sqlite_files_are_private() {
    let directory = tempfile::tempdir().unwrap();
    let mut service = Service::start(binary_with_settings(directory.path()));
    let origin = service.wait_for_url("listening on ");
    let token = token(directory.path(), "catalog:write");
    Client::new(&origin, Some(token))
        .put(
            "/catalog/areas/A-1",
            json!({"name": "A", "color": "#00aaff"}),
        )
        .await
        .is(201);
    for name in ["test.db", "test.db-wal", "test.db-shm", "test.db.lock"] {
        let metadata = std::fs::metadata(directory.path().join(name)).unwrap();
        let mode = metadata.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[apply(both_engines)]
#[actix_web::test]
async fn requests_without_schema_return_503(engine: Engine) {
    let storage = Storage::empty(engine).await;
    let directory = tempfile::tempdir().unwrap();
    let mut command = binary_with_settings(directory.path());
    command
        .env("DATABASE_URL", storage.url())
        .env("MIGRATE_ON_START", "false");
    let mut service = Service::start(command);
    service.wait_for_log("migrations are pending");
    let origin = service.wait_for_url("listening on ");
    let client = Client::new(
        &origin,
        Some(token(
            directory.path(),
            "integration:read catalog:write decisions:read",
        )),
    );
    for path in [
        "//health/ready",
        "/customer-integrations",
        "/customer-integrations/K-1",
    ] {
        client.get(path).await.is_problem(503, "unavailable");
        let line = service.wait_for_log("unavailable");
        let error = line["error"].as_str().unwrap();
        assert!(error.contains("migrations are pending"), "{error}");
    }
    let area = json!({"name": "A", "color": "#00aaff"});
    client
        .put("/catalog/areas/A-1", area)
        .await
        .is_problem(503, "unavailable");
    let question = json!({"access_email": "a@b.example", "tickets": [{"ticket_id": "1",
        "business_partner_id": "K-1", "area_id": "A", "internal": false, "confidential": false}]});
    client
        .post("/decisions/ticket-visibility", question)
        .await
        .is_problem(503, "unavailable");
}

#[actix_web::test]
async fn unreachable_database_is_named_without_password() {
    let directory = tempfile::tempdir().unwrap();
    let with_database = || {
        let mut command = binary_with_settings(directory.path());
        command.env(
            "DATABASE_URL",
            "postgres://olga:hunter2@127.0.0.1:1/portal?connect_timeout=1",
        );
        command
    };
    let target = "database portal at 127.0.0.1:1 as user olga";
    for command in ["migrate", "serve"] {
        let output = with_database().arg(command).output().unwrap();
        let text = stderr(&output);
        assert!(!output.status.success());
        assert!(
            text.contains(target) && !text.contains("hunter2"),
            "{command}: {text}"
        );
    }
    let mut command = with_database();
    command
        .env("MIGRATE_ON_START", "false")
        .env("METRICS_BIND_ADDRESS", "127.0.0.1:0");
    let mut service = Service::start(command);
    let metrics = service.wait_for_url("metrics are at ");
    let origin = service.wait_for_url("listening on ");
    let token = token(directory.path(), "catalog:read");
    let client = Client::new(&origin, Some(token));
    for path in ["//health/ready", "/catalog/areas"] {
        client.get(path).await.is_problem(503, "unavailable");
        let line = service.wait_for_log("unavailable").to_string();
        assert!(line.contains(target) && !line.contains("hunter2"), "{line}");
    }
    let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
    assert!(text.lines().any(|line| line == "ready 0"), "{text}");
}

#[test]
fn unencoded_password_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    let output = binary_with_settings(directory.path())
        .arg("migrate")
        .env("DATABASE_URL", "postgres://olga:hun@ter2@127.0.0.1/portal")
        .output()
        .unwrap();
    let text = stderr(&output);
    assert!(
        text.contains("write @ as %40") && !text.contains("ter2"),
        "{text}"
    );
}

/// The settings in the help text of `serve`.
fn settings_of_serve() -> BTreeSet<String> {
    let output = binary(Path::new("/"))
        .args(["serve", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    // long lines are wrapped
    let help: Vec<_> = help.split_whitespace().collect();
    help.join(" ")
        .split("[env: ")
        .skip(1)
        .map(|rest| rest.split(['=', ']']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn example_environment_has_every_setting() {
    let example =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.env.example")).unwrap();
    let documented: BTreeSet<String> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            name.chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
        .collect();
    let settings = settings_of_serve();
    assert!(settings.len() > 20, "{settings:?}");
    let missing: Vec<_> = settings.difference(&documented).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let only_of_compose: BTreeSet<_> = ["PROXY_PORT", "REVISION", "VERSION"]
        .map(ToOwned::to_owned)
        .into();
    let unknown: Vec<_> = documented
        .difference(&settings)
        .filter(|name| !only_of_compose.contains(*name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Runs the token command with these arguments.
fn token_command(arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    binary_with_settings(directory.path())
        .arg("token")
        .args(arguments)
        .output()
        .unwrap()
}

#[rstest]
#[case::empty_subject(&["--scope", "audit:read", "--subject", ""], "the subject must have 1 to 255")]
#[case::control_character(&["--scope", "audit:read", "--subject", "a\u{1}"], "the subject must have")]
#[case::invisible_character(&["--scope", "audit:read", "--subject", "a\u{200b}"], "the subject must have")]
#[case::unknown_scope(&["--scope", "audit:read audit:write"], "unknown scope audit:write")]
#[case::scopes_with_comma(&["--scope", "audit:read,catalog:read"], "unknown scope audit:read,")]
#[case::long_lifetime(&["--scope", "audit:read", "--ttl", "1000000y"], "the lifetime must be 1 second to")]
#[case::lifetime_overflow(&["--scope", "audit:read", "--ttl", "999999999999999999y"], "--ttl")]
#[case::no_lifetime(&["--scope", "audit:read", "--ttl", "0s"], "the lifetime must be 1 second to")]
fn token_that_the_service_would_refuse_is_not_signed(
    #[case] arguments: &[&str],
    #[case] error: &str,
) {
    let output = token_command(arguments);

    let log = stderr(&output);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(log.contains(error) && !log.contains("panicked"), "{log}");
}

#[test]
fn longest_lifetime_of_a_token_is_accepted() {
    let output = token_command(&["--scope", "audit:read  catalog:read", "--ttl", "36525d"]);

    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn token_command_without_demo_key_names_the_missing_file() {
    let directory = tempfile::tempdir().unwrap();

    let output = binary(directory.path())
        .args(["token", "--demo", "--scope", "audit:read"])
        .output()
        .unwrap();

    let log = stderr(&output);
    assert!(!output.status.success());
    assert!(log.contains("data/demo.key; run `serve --demo`"), "{log}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
