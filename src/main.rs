//! The command line. Parses arguments; the work is done by the library.
#![forbid(unsafe_code)]

use std::{io::Write as _, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};
use customer_integration::{
    app::App,
    config::{
        Config, ConfigErrors, DEFAULT_BIND_ADDRESS, DatabaseArgs, DemoKey, LogArgs, ServerArgs,
        TokenArgs,
    },
    db::{
        self,
        migrations::{self, Direction},
    },
    demo, router,
    telemetry::{
        build_info::{REVISION, VERSION},
        logging,
        traces::Traces,
    },
    tokens,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Back end of the tab "Kundenintegration": which tickets the users of a business partner may see
/// and create in the ticket portal
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "a process has only one command")]
enum Command {
    /// Serve the API
    Serve(Serve),
    /// Apply pending migrations to the database
    Migrate(Migrate),
    /// Print the OpenAPI document
    Openapi,
    /// Check whether a running service is ready; for health checks of containers
    Health(Health),
    /// Print a token signed with the configured key, for development and smoke tests
    Token(Token),
}

#[derive(Args)]
struct Serve {
    /// Store the demo database and key in ./data (created if missing)
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    tokens: TokenArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Args)]
struct Migrate {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Args)]
struct Health {
    /// URL to request [default: /health/ready at `BIND_ADDRESS`; at the loopback address if the
    /// service listens on all addresses]
    #[arg(long)]
    url: Option<String>,
    /// Address that the service listens on
    #[arg(long, env, default_value = DEFAULT_BIND_ADDRESS)]
    bind_address: String,
    /// Timeout of the request
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

#[derive(Args)]
struct Token {
    /// Sign with the key of `serve --demo` in ./data
    #[arg(long)]
    demo: bool,
    /// Scopes, separated by spaces
    #[arg(long)]
    scope: String,
    /// Subject (`sub`), which the history names as the author of changes
    #[arg(long, default_value = "developer")]
    subject: String,
    /// Limit the token to one business partner
    #[arg(long)]
    business_partner: Option<String>,
    /// Lifetime of the token, such as 15m or 1h; at most 100 years
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
    ttl: Duration,
    #[command(flatten)]
    tokens: TokenArgs,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(command) => serve(command),
        Command::Migrate(command) => migrate(command),
        Command::Openapi => print_document(),
        Command::Health(command) => actix_web::rt::System::new().block_on(check_health(command)),
        Command::Token(command) => print_token(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = std::io::stderr();
            for line in format!("{error:#}").lines() {
                // There is nowhere left to report a closed standard error.
                let _ = writeln!(stderr, "customer-integration: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn serve(command: Serve) -> anyhow::Result<()> {
    let (log, config) = Config::new(
        command.server,
        command.database,
        command.tokens,
        &command.log,
        command.demo,
    )?;
    // The exporter's blocking HTTP client must be created outside the async runtime.
    let traces = logging::init(log, config.otlp_endpoint.as_ref())?;
    log_version();
    let result = actix_web::rt::System::new().block_on(serve_until_signalled(config, command.demo));
    traces.into_iter().for_each(Traces::shutdown);
    result
}

async fn serve_until_signalled(config: Config, demo: bool) -> anyhow::Result<()> {
    let tokens = config.tokens.clone();
    let app = App::build(config).await?;
    if demo {
        demo::fill(&app.db).await?;
        demo::print_welcome(&mut std::io::stdout(), app.address, &tokens)?;
    }
    if let Some(address) = app.metrics_address {
        tracing::info!("metrics are at http://{address}/metrics");
    }
    tracing::info!(
        database = app.db.engine(),
        "listening on http://{}",
        app.address
    );
    app.run_until_signalled().await
}

fn migrate(command: Migrate) -> anyhow::Result<()> {
    let mut errors = ConfigErrors::default();
    let log = command.log.validate(&mut errors);
    let (database, _) = command.database.validate(false, &mut errors);
    let (log, database) = errors.finish(log.zip(database))?;
    logging::init(log, None)?;
    log_version();
    actix_web::rt::System::new().block_on(async {
        let _lock = db::lock_database(&database)?;
        db::check_sessions(&database).await?;
        let applied = migrations::migrate(&database, Direction::Up).await?;
        tracing::info!(applied, "schema is up to date");
        Ok(())
    })
}

fn log_version() {
    tracing::info!(revision = REVISION, "customer-integration {VERSION}");
}

/// Succeeds if the service is ready.
async fn check_health(command: Health) -> anyhow::Result<()> {
    let url = command
        .url
        .unwrap_or_else(|| readiness_url(&command.bind_address));
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(command.timeout)
        .build()?;
    let response = client.get(&url).send().await?;
    if response.status().is_success() {
        Ok(())
    } else {
        anyhow::bail!("{url} returned {}", response.status())
    }
}

/// The readiness URL of a service that listens on this address.
fn readiness_url(bind_address: &str) -> String {
    let (host, port) = bind_address
        .rsplit_once(':')
        .unwrap_or(("127.0.0.1", "8080"));
    // A service that listens on all addresses is reachable at the loopback address.
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    };
    format!("http://{host}:{port}/health/ready")
}

fn print_document() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&router::document()?)?;
    writeln!(std::io::stdout(), "{document}")?;
    Ok(())
}

fn print_token(command: Token) -> anyhow::Result<()> {
    let mut errors = ConfigErrors::default();
    let demo = command.demo.then_some(DemoKey::Existing);
    let settings = command.tokens.validate(demo, &mut errors);
    let settings = errors.finish(settings)?;
    let business_partner_id = command
        .business_partner
        .map(|id| id.parse())
        .transpose()
        .map_err(|_| anyhow::anyhow!("--business-partner is not an id"))?;
    let claims = tokens::dev_claims(&settings, &command.subject, &command.scope, command.ttl)?;
    let claims = tokens::Claims {
        business_partner_id,
        ..claims
    };
    let token = tokens::sign(&settings, &claims)?;
    writeln!(std::io::stdout(), "{token}")?;
    Ok(())
}
