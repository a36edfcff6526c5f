//! What handlers need besides authorization, path, query and body.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};

use super::{conditional::Conditions, page_cache::PageCache, request_context::RequestContext};
use crate::{
    common::{Error, Result},
    db::{DatabaseStateLookup, Db, RevisionLookup},
    i18n::Lang,
};

/// The request with its conditional headers and language, and the shared state to serve it.
pub struct CallContext {
    pub request: HttpRequest,
    pub conditions: Conditions,
    pub lang: Lang,
    pub db: Data<Db>,
    pub revisions: Data<RevisionLookup>,
    pub database_state: Data<DatabaseStateLookup>,
    pub page_cache: Data<PageCache>,
}

impl CallContext {
    fn new(request: &HttpRequest) -> Result<Self> {
        Ok(Self {
            request: request.clone(),
            conditions: Conditions::from_headers(request.headers())?,
            lang: RequestContext::lang_of(request),
            db: app_data(request)?,
            revisions: app_data(request)?,
            database_state: app_data(request)?,
            page_cache: app_data(request)?,
        })
    }
}

fn app_data<T: 'static>(request: &HttpRequest) -> Result<Data<T>> {
    let data = request.app_data::<Data<T>>().cloned();
    Ok(data.ok_or_else(|| anyhow::anyhow!("no app data: {}", std::any::type_name::<T>()))?)
}

impl FromRequest for CallContext {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::new(request))
    }
}
