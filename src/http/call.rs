//! What a handler of an element needs of its request, beside the permission, the path and the body.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

use super::{conditions::Conditions, context::RequestContext};
use crate::{
    db::Db,
    kernel::{Error, Result},
    texts::Lang,
};

/// The request, its conditions, its language, and the database.
pub struct Call {
    pub request: HttpRequest,
    pub conditions: Conditions,
    pub lang: Lang,
    pub db: Data<Db>,
}

impl Call {
    fn of(request: &HttpRequest) -> Result<Self> {
        let db = request.app_data::<Data<Db>>().ok_or_else(|| anyhow::anyhow!("no database"))?;
        Ok(Self {
            request: request.clone(),
            conditions: Conditions::of(request)?,
            lang: RequestContext::of(request).lang,
            db: db.clone(),
        })
    }
}

impl FromRequest for Call {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
