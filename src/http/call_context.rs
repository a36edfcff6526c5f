//! What a handler of an element needs of its request, beside the permission, the path and the body.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

use super::{conditional::Conditions, page_cache::PageCache, request_context::RequestContext};
use crate::{
    common::{Error, Result},
    db::{Db, RevisionLookup},
    i18n::Lang,
};

/// The request, its conditions, its language, the database, what is current there, and what was read of it before.
pub struct CallContext {
    pub request: HttpRequest,
    pub conditions: Conditions,
    pub lang: Lang,
    pub db: Data<Db>,
    pub current: Data<RevisionLookup>,
    pub pages: Data<PageCache>,
}

impl CallContext {
    fn of(request: &HttpRequest) -> Result<Self> {
        Ok(Self {
            request: request.clone(),
            conditions: Conditions::of(request)?,
            lang: RequestContext::lang_of(request),
            db: shared(request)?,
            current: shared(request)?,
            pages: shared(request)?,
        })
    }
}

/// What all requests share of one type.
fn shared<T: 'static>(request: &HttpRequest) -> Result<Data<T>> {
    let found = request.app_data::<Data<T>>().cloned();
    Ok(found.ok_or_else(|| anyhow::anyhow!("no {}", std::any::type_name::<T>()))?)
}

impl FromRequest for CallContext {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
