//! The page at `/`.

use actix_web::{HttpResponse, get};

/// The page. Its links are relative, so they also work behind a proxy that adds a path prefix.
const PAGE: &str = concat!(
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    "<meta name=\"color-scheme\" content=\"light dark\">\n",
    "<title>customer-integration</title>\n",
    "<h1>customer-integration ",
    env!("CARGO_PKG_VERSION"),
    "</h1>\n",
    "<p>JSON REST API: configuration of the customer portal per business partner, and decisions \
     whether an access may see or create a ticket.</p>\n",
    "<ul>\n",
    "<li><a href=\"docs/\">Interactive documentation</a></li>\n",
    "<li><a href=\"openapi.json\">OpenAPI document</a></li>\n",
    "<li><a href=\"problems\">Error codes</a></li>\n",
    "<li><a href=\"health/live\">Liveness probe</a></li>\n",
    "<li><a href=\"health/ready\">Readiness probe</a></li>\n",
    "</ul>\n</html>\n",
);

/// Links to the paths that need no token.
#[get("/")]
pub async fn index() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}
