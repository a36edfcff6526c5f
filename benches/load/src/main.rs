//! `customer-integration serve` with two more routes, for a GET and for a POST. They verify the
//! token as decisions do, read the body and return a constant. `run.py` compares decisions with
//! them in the same process. Both sides read and write the same bytes: the paths have the length of
//! the decisions' path, and the responses have the headers and the body of a decision on one
//! ticket. So the difference is the cost of the decision itself, without that of HTTP.
#![forbid(unsafe_code)]

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use clap::Parser;
use customer_integration::{
    app::App,
    config::{Config, DatabaseArgs, LogArgs, ServerArgs, TokenArgs},
    http::{
        auth::{Authorized, permission::DecisionsRead},
        body::{MAX_BODY, RawBody},
        response,
    },
    i18n::Lang,
    telemetry,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As long as the response to a request about one ticket.
const BODY: &str = r#"{"revision":10,"decisions":[{"ticket_id":"INC-10000","visible":true,"hidden_positions":null}],"warnings":[]}"#;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    tokens: TokenArgs,
    #[command(flatten)]
    log: LogArgs,
}

fn constant() -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json");
    response::in_language(response.body(BODY), Lang::En.code())
}

async fn constant_for_get(_permit: Authorized<DecisionsRead>) -> HttpResponse {
    constant()
}

/// Reads the body to its end, as a decision does. If part of it were still to arrive when the
/// response is sent, actix would add `connection: close`.
async fn constant_for_post(
    _permit: Authorized<DecisionsRead>,
    _body: RawBody<MAX_BODY>,
) -> HttpResponse {
    constant()
}

fn benchmark_routes(config: &mut ServiceConfig) {
    config
        .route(
            "/bench/v1/constants/answer-to-a-get",
            web::get().to(constant_for_get),
        )
        .route(
            "/bench/v1/constants/answer-to-posts",
            web::post().to(constant_for_post),
        );
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let (log, config) = Config::new(cli.server, cli.database, cli.tokens, &cli.log, false)?;
    telemetry::logging::init(log, None)?;
    actix_web::rt::System::new().block_on(async {
        let app = App::with_routes(config, benchmark_routes).await?;
        tracing::warn!("listening on http://{}", app.address);
        app.run().await
    })
}
