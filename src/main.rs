//! The command line: arguments only, the work is in the library.
#![forbid(unsafe_code)]

use std::{io::Write as _, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use customer_integration::{
    app::App,
    config::{Config, ConfigErrors, DatabaseArgs, LogArgs, LogSettings, ServerArgs, TokenArgs},
    db::{
        self, DatabaseUrl,
        migrations::{self, Direction},
    },
    demo, router,
    telemetry::{self, traces::Traces},
    tokens,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Back end of the tab "Kundenintegration": what the people of a business partner may see and do in the ticket portal
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
enum Command {
    /// Serve the API
    Serve(Serve),
    /// Bring the database's schema up to date
    Migrate(Migrate),
    /// Print the OpenAPI document
    Openapi,
    /// Ask a running service whether it is ready; for the health checks of containers
    Health(Health),
    /// Print a token signed with the configured key, for development and smoke tests
    Token(Token),
}

#[derive(Args)]
struct Serve {
    /// Keep everything in ./data: a database with demo data and a development key, both made when missing
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
    /// What to ask [default: /health/ready at `BIND_ADDRESS`; on the loopback, where that is all addresses]
    #[arg(long)]
    url: Option<String>,
    /// Address that the service listens on
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    bind_address: String,
    /// How long to wait for the answer
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration)]
    timeout: std::time::Duration,
}

#[derive(Args)]
struct Token {
    /// Sign with the key that `serve --demo` keeps in ./data
    #[arg(long)]
    demo: bool,
    /// Scopes, separated by spaces
    #[arg(long)]
    scope: String,
    /// Who the history will name
    #[arg(long, default_value = "developer")]
    subject: String,
    /// Limit the token to one business partner
    #[arg(long)]
    business_partner: Option<String>,
    /// How long the token is valid, such as 15m or 1h
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
    ttl: std::time::Duration,
    #[command(flatten)]
    tokens: TokenArgs,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(serve) => run(serve),
        Command::Migrate(command) => migrate(command),
        Command::Openapi => print_document(),
        Command::Health(command) => actix_web::rt::System::new().block_on(health(command)),
        Command::Token(command) => print_token(command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let told = format!("{error:#}");
            let mut stderr = std::io::stderr();
            told.lines()
                .for_each(|line| drop(writeln!(stderr, "customer-integration: {line}")));
            ExitCode::FAILURE
        }
    }
}

fn run(serve: Serve) -> anyhow::Result<()> {
    let (log, config) = Config::new(
        serve.server,
        serve.database,
        serve.tokens,
        &serve.log,
        serve.demo,
    )?;
    // its client must be made where nothing else runs yet
    let traces = telemetry::logging::begin(log, config.otlp_endpoint.as_ref())?;
    let served = actix_web::rt::System::new().block_on(serve_until_signalled(config, serve.demo));
    traces.into_iter().for_each(Traces::finish);
    served
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
    let log = command.log.settings(&mut errors);
    let (database, _) = command.database.settings(false, &mut errors);
    let (log, database): (LogSettings, DatabaseUrl) = errors.finish(log.zip(database))?;
    telemetry::logging::begin(log, None)?;
    actix_web::rt::System::new().block_on(async {
        let _claim = db::lock_database(&database)?;
        let applied = migrations::migrate(&database, Direction::Up).await?;
        tracing::info!(applied, "schema is up to date");
        Ok(())
    })
}

/// Succeeds when the service is ready.
async fn health(command: Health) -> anyhow::Result<()> {
    let url = command
        .url
        .unwrap_or_else(|| readiness_at(&command.bind_address));
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(command.timeout)
        .build()?;
    let answer = client.get(&url).send().await?;
    if answer.status().is_success() {
        Ok(())
    } else {
        anyhow::bail!("{url} answers {}", answer.status())
    }
}

/// Where a service that listens on this address tells whether it is ready.
fn readiness_at(bind_address: &str) -> String {
    let (host, port) = bind_address
        .rsplit_once(':')
        .unwrap_or(("127.0.0.1", "8080"));
    // who listens on all addresses listens on the loopback
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        one => one,
    };
    format!("http://{host}:{port}/health/ready")
}

fn print_document() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&router::document()?)?;
    Ok(writeln!(std::io::stdout(), "{document}")?)
}

fn print_token(command: Token) -> anyhow::Result<()> {
    let mut errors = ConfigErrors::default();
    let settings = command.tokens.settings(command.demo, &mut errors);
    let settings = errors.finish(settings)?;
    let limit = command.business_partner.map(|id| id.parse());
    let claims = tokens::dev_claims(&settings, &command.subject, &command.scope, command.ttl);
    let claims = tokens::Claims {
        business_partner_id: limit
            .transpose()
            .map_err(|_| anyhow::anyhow!("--business-partner is not an id"))?,
        ..claims.ok_or_else(|| anyhow::anyhow!(tokens::NO_SIGNER))?
    };
    Ok(writeln!(
        std::io::stdout(),
        "{}",
        tokens::sign(&settings, &claims)?
    )?)
}
