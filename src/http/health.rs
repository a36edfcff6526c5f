//! Health checks for the platform.

use actix_web::{HttpResponse, get, web::Data};

use super::app_context::AppContext;
use crate::{
    common::{Error, Result},
    db::{Db, migrations},
    tokens::Verifier,
};

/// Liveness: the process runs.
#[get("/health/live")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// Readiness: the database is reachable and migrated, token keys are loaded, and the service is
/// not shutting down. Otherwise 503; the log has the reason.
#[get("/health/ready")]
pub async fn ready(
    db: Data<Db>,
    verifier: Data<Verifier>,
    app_context: Data<AppContext>,
) -> Result<HttpResponse> {
    check_readiness(&db, &verifier, &app_context).await?;
    let body = serde_json::json!({"status": "ok", "database": db.engine()});
    Ok(HttpResponse::Ok().json(body))
}

/// Succeeds if the instance can serve requests.
///
/// # Errors
///
/// [`Error::Unavailable`] with the reason.
pub async fn check_readiness(db: &Db, verifier: &Verifier, app_context: &AppContext) -> Result<()> {
    if app_context.is_shutting_down() {
        return Err(not_ready("the service is shutting down"));
    }
    if !verifier.is_ready() {
        return Err(not_ready("no token keys loaded yet"));
    }
    db.probe_sessions().await?;
    let migrated = migrations::is_current(db)
        .await
        .map_err(|error| not_ready(&error.to_string()))?;
    if !migrated {
        return Err(not_ready("migrations are pending"));
    }
    Ok(())
}

fn not_ready(reason: &str) -> Error {
    Error::Unavailable(reason.to_owned())
}
