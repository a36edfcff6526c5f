//! Settings: every one is an environment variable and an argument of the same name. What comes out is typed and valid.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use secrecy::SecretString;

use crate::{
    db::{DatabaseUrl, DbOptions},
    http::{
        body::BODY_TIMEOUT,
        token::{MIN_SECRET, TokenSettings},
    },
};

/// Where `serve --demo` keeps its file and its key.
const DEMO_DIRECTORY: &str = "data";
/// Issuer and audience of the demo's tokens.
const DEMO_NAME: &str = "customer-integration-demo";

/// The database.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Where the data is: `sqlite://path/to/file.db`, or `postgres://user:password@host/database`
    #[arg(long, env, hide_env_values = true)]
    database_url: Option<String>,
    /// Connections to PostgreSQL, or SQLite connections for reading
    #[arg(long, env, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    database_pool_size: u16,
}

/// Tokens.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// Issuer (`iss`) of acceptable tokens
    #[arg(long, env)]
    jwt_issuer: Option<String>,
    /// Audience (`aud`) that a token must be meant for
    #[arg(long, env)]
    jwt_audience: Option<String>,
    /// Key of HS256 tokens, at least 32 bytes
    #[arg(long, env = "JWT_HS256_SECRET", hide_env_values = true)]
    jwt_hs256_secret: Option<String>,
}

/// The server.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    bind_address: String,
    /// Origins of browsers' pages that may call, separated by commas
    #[arg(long, env, value_delimiter = ',')]
    cors_allowed_origins: Vec<String>,
    /// Threads that handle requests; default: one per core
    #[arg(long, env, value_parser = clap::value_parser!(u16).range(1..=1024))]
    worker_threads: Option<u16>,
    /// Memory for what decisions are made from, in MiB
    #[arg(long, env, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    decision_cache_mib: u64,
    /// Bring the schema up to date before serving; several instances may do so at once
    #[arg(long, env, default_value_t = true, action = clap::ArgAction::Set)]
    migrate_on_start: bool,
}

/// The log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Form of the log's lines
    #[arg(long, env, value_enum, default_value_t = LogFormat::Pretty)]
    pub log_format: LogFormat,
    /// What to log, as a filter of tracing (`info`, `customer_integration=debug`)
    #[arg(long, env, default_value = "info")]
    pub rust_log: String,
}

/// Form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Pretty,
    Json,
}

/// Everything [`crate::app::App::build`] needs.
#[derive(Debug, Clone)]
pub struct Config {
    pub bind_address: String,
    pub database: DatabaseUrl,
    pub database_options: DbOptions,
    pub tokens: TokenSettings,
    pub cors_allowed_origins: Vec<String>,
    pub worker_threads: usize,
    pub migrate_on_start: bool,
    /// Memory for compiled policies and the accesses that ask, in bytes.
    pub decision_cache_bytes: u64,
    /// How long a request's body may take to arrive; no setting, only tests are less patient.
    pub body_timeout: Duration,
}

impl Config {
    /// Judges the arguments of `serve`.
    pub fn new(server: ServerArgs, database: &DatabaseArgs, tokens: TokenArgs, demo: bool) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            bind_address: server.bind_address,
            database: database.url(demo)?,
            database_options: database.options(),
            tokens: tokens.settings(demo)?,
            cors_allowed_origins: origins(server.cors_allowed_origins)?,
            worker_threads: server.worker_threads.map_or(cores, usize::from),
            migrate_on_start: server.migrate_on_start,
            decision_cache_bytes: server.decision_cache_mib * 1024 * 1024,
            body_timeout: BODY_TIMEOUT,
        })
    }
}

impl DatabaseArgs {
    /// Which database; the demo has one of its own when none is named.
    pub fn url(&self, demo: bool) -> anyhow::Result<DatabaseUrl> {
        let own = || demo.then(|| format!("sqlite://{DEMO_DIRECTORY}/customer-integration.db"));
        let Some(url) = self.database_url.clone().filter(|url| !url.is_empty()).or_else(own) else {
            bail!("DATABASE_URL is not set: name a database, such as sqlite://data/customer-integration.db");
        };
        let url: DatabaseUrl = url.parse().map_err(anyhow::Error::msg)?;
        if let (true, DatabaseUrl::Sqlite(_)) = (demo, &url) {
            fs::create_dir_all(DEMO_DIRECTORY).context("cannot create the directory ./data")?;
        }
        Ok(url)
    }

    fn options(&self) -> DbOptions {
        DbOptions { pool_size: usize::from(self.database_pool_size), ..DbOptions::default() }
    }
}

impl TokenArgs {
    /// Which tokens are accepted; the demo has a key of its own when none is given.
    pub fn settings(self, demo: bool) -> anyhow::Result<TokenSettings> {
        let name = |given: Option<String>, variable| match given.filter(|name| !name.is_empty()) {
            Some(name) => Ok(name),
            None if demo => Ok(DEMO_NAME.to_owned()),
            None => bail!("{variable} is not set: tokens cannot be checked without it (--demo has its own)"),
        };
        let secret = match self.jwt_hs256_secret {
            Some(secret) => secret,
            None if demo => demo_key()?,
            None => bail!("JWT_HS256_SECRET is not set: tokens cannot be checked without a key (--demo has its own)"),
        };
        if secret.len() < MIN_SECRET {
            bail!("JWT_HS256_SECRET is too short: it must have at least {MIN_SECRET} bytes");
        }
        Ok(TokenSettings {
            issuer: name(self.jwt_issuer, "JWT_ISSUER")?,
            audience: name(self.jwt_audience, "JWT_AUDIENCE")?,
            secret: SecretString::from(secret),
        })
    }
}

/// Origins of browsers' pages: scheme, host and perhaps a port, as browsers send them. Empty ones are left out, because an
/// environment file sets empty variables easily.
fn origins(given: Vec<String>) -> anyhow::Result<Vec<String>> {
    let given: Vec<_> = given.into_iter().map(|origin| origin.trim().to_owned()).filter(|it| !it.is_empty()).collect();
    for origin in &given {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        if !host.is_some_and(|host| {
            !host.is_empty() && origin.parse::<actix_web::http::Uri>().is_ok() && !host.contains('/')
        }) {
            bail!("CORS_ALLOWED_ORIGINS: not an origin such as https://portal.example: {origin}");
        }
    }
    Ok(given)
}

/// The demo's key, made when there is none yet and readable by its owner only.
fn demo_key() -> anyhow::Result<String> {
    let path = PathBuf::from(DEMO_DIRECTORY).join("demo.key");
    if let Ok(key) = fs::read_to_string(&path) {
        return Ok(key.trim().to_owned());
    }
    fs::create_dir_all(DEMO_DIRECTORY).context("cannot create the directory ./data")?;
    let key: String = std::iter::repeat_with(|| format!("{:016x}", rand::random::<u64>())).take(4).collect();
    write_private(&path, &key).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(key)
}

fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
