//! For the platform: alive, and ready to serve.

use actix_web::{HttpResponse, get, web::Data};

use crate::{catalog, db::Db, kernel::Result};

/// The process runs.
#[get("/health/live")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// The database answers and has our tables.
#[get("/health/ready")]
pub async fn ready(db: Data<Db>) -> Result<HttpResponse> {
    db.read(async |conn| catalog::service::revision(conn).await).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ok", "database": db.engine()})))
}
