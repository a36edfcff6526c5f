//! The command line: arguments only, the work is in the library.
#![forbid(unsafe_code)]

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use customer_integration::{
    app::App,
    config::{Config, DatabaseArgs, LogArgs, LogFormat, ServerArgs, TokenArgs},
    db::{
        self,
        migrations::{self, Direction},
    },
    demo,
    http::token::{self, Audience, Claims},
    kernel::time::Timestamp,
    router,
};
use tracing_subscriber::EnvFilter;

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
enum Command {
    /// Serve the API
    Serve(Serve),
    /// Bring the database's schema up to date
    Migrate(Migrate),
    /// Print the OpenAPI document
    Openapi,
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
        Command::Serve(serve) => actix_web::rt::System::new().block_on(run(serve)),
        Command::Migrate(command) => actix_web::rt::System::new().block_on(migrate(command)),
        Command::Openapi => print_document(),
        Command::Token(command) => print_token(command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "customer-integration: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(serve: Serve) -> anyhow::Result<()> {
    log_to_stderr(&serve.log)?;
    let config = Config::new(serve.server, &serve.database, serve.tokens, serve.demo)?;
    let tokens = config.tokens.clone();
    let app = App::build(config).await?;
    if serve.demo {
        demo::fill(&app.db).await?;
        demo::greet(&mut std::io::stdout(), app.address, &tokens)?;
    }
    tracing::info!(database = app.db.engine(), "listening on http://{}", app.address);
    app.run().await
}

async fn migrate(command: Migrate) -> anyhow::Result<()> {
    log_to_stderr(&command.log)?;
    let database = command.database.url(false)?;
    let _claim = db::claim(&database)?;
    let applied = migrations::migrate(&database, Direction::Up).await?;
    tracing::info!(applied, "schema is up to date");
    Ok(())
}

fn print_document() -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(&router::document()?)?;
    Ok(writeln!(std::io::stdout(), "{document}")?)
}

fn print_token(command: Token) -> anyhow::Result<()> {
    let settings = command.tokens.settings(command.demo)?;
    let limit = command.business_partner.map(|id| id.parse());
    let claims = Claims {
        iss: settings.issuer.clone(),
        aud: Audience::One(settings.audience.clone()),
        exp: Timestamp::now().plus_seconds(i64::try_from(command.ttl.as_secs())?).unix_micros() / 1_000_000,
        nbf: None,
        sub: command.subject,
        scope: command.scope,
        client_id: None,
        business_partner_id: limit.transpose().map_err(|_| anyhow::anyhow!("--business-partner is not an id"))?,
    };
    Ok(writeln!(std::io::stdout(), "{}", token::mint(&settings, &claims)?)?)
}

fn log_to_stderr(log: &LogArgs) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.rust_log).context("RUST_LOG cannot be used")?;
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        // a log that nobody reads any more must not fail requests
        .log_internal_errors(false);
    match log.log_format {
        LogFormat::Pretty => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Ok(())
}
