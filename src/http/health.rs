//! For the platform: alive, and ready to serve.

use actix_web::{HttpResponse, get, web::Data};

use crate::{
    db::{Db, migrations},
    kernel::{Error, Result},
};

/// The process runs.
#[get("/health/live")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

/// The database answers and has our tables; whatever is wrong with it, the answer is 503.
#[get("/health/ready")]
pub async fn ready(db: Data<Db>) -> Result<HttpResponse> {
    let current = migrations::is_current(&db).await.map_err(|error| Error::Unavailable(error.to_string()))?;
    if !current {
        return Err(Error::Unavailable("migrations are pending".to_owned()));
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ok", "database": db.engine()})))
}
