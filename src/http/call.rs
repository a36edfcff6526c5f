//! What a handler of an element needs of its request, beside the permission, the path and the body.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

use super::{conditions::Conditions, context::RequestContext};
use crate::{
    db::Db,
    integration::Current,
    kernel::{Error, Result},
    texts::Lang,
};

/// The request, its conditions, its language, the database, and what is current there.
pub struct Call {
    pub request: HttpRequest,
    pub conditions: Conditions,
    pub lang: Lang,
    pub db: Data<Db>,
    pub current: Data<Current>,
}

impl Call {
    fn of(request: &HttpRequest) -> Result<Self> {
        let db = request.app_data::<Data<Db>>().ok_or_else(|| anyhow::anyhow!("no database"))?;
        let current =
            request.app_data::<Data<Current>>().ok_or_else(|| anyhow::anyhow!("nobody knows what is current"))?;
        Ok(Self {
            request: request.clone(),
            conditions: Conditions::of(request)?,
            lang: RequestContext::of(request).lang,
            db: db.clone(),
            current: current.clone(),
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
