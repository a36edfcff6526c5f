//! For the platform: alive, and ready to serve.

use actix_web::{HttpResponse, get, web::Data};

use super::surround::AppContext;
use crate::{
    common::{Error, Result},
    db::{Db, migrations},
    tokens::Verifier,
};

/// The process runs.
#[get("/health/live")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// The database answers and has our tables, the keys of tokens are known, and nobody told the service to stop. Whatever is wrong,
/// the answer is 503; the log says what.
#[get("/health/ready")]
pub async fn ready(
    db: Data<Db>,
    verifier: Data<Verifier>,
    app_context: Data<AppContext>,
) -> Result<HttpResponse> {
    let unready = |why: &str| Err(Error::Unavailable(why.to_owned()));
    if app_context.is_stopping() {
        return unready("the service is stopping");
    }
    if !verifier.is_ready() {
        return unready("the keys of tokens are not known yet");
    }
    let current = migrations::is_current(&db)
        .await
        .map_err(|error| Error::Unavailable(error.to_string()))?;
    if !current {
        return unready("migrations are pending");
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ok", "database": db.engine()})))
}
