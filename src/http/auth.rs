//! The permission is an extractor: a handler names the scope it needs as a type and gets the caller in return.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};

use super::{context::RequestContext, operations::Operations, params::path_param, token::Verifier};
use crate::{
    catalog::BusinessPartnerId,
    kernel::{Actor, Code, Error, Result},
};

/// A scope of the API, as a type.
pub trait Scope: 'static {
    const NAME: &'static str;
}

/// The scopes.
pub mod scope {
    use super::Scope;

    pub struct IntegrationRead;
    pub struct IntegrationWrite;
    pub struct GlobalRulesWrite;
    pub struct CatalogRead;
    pub struct CatalogWrite;
    pub struct AuditRead;
    pub struct DecisionsRead;

    impl Scope for IntegrationRead {
        const NAME: &'static str = "integration:read";
    }
    impl Scope for IntegrationWrite {
        const NAME: &'static str = "integration:write";
    }
    impl Scope for GlobalRulesWrite {
        const NAME: &'static str = "global-rules:write";
    }
    impl Scope for AuditRead {
        const NAME: &'static str = "audit:read";
    }
    impl Scope for DecisionsRead {
        const NAME: &'static str = "decisions:read";
    }
    impl Scope for CatalogRead {
        const NAME: &'static str = "catalog:read";
    }
    impl Scope for CatalogWrite {
        const NAME: &'static str = "catalog:write";
    }
}

/// A caller whose token carries the scope `S`.
pub struct Permit<S> {
    /// Whom the history names.
    pub actor: Actor,
    /// The one partner the token is limited to.
    pub limited_to: Option<BusinessPartnerId>,
    scope: PhantomData<S>,
}

impl<S: Scope> Permit<S> {
    fn of(request: &HttpRequest) -> Result<Self> {
        let verifier = request.app_data::<Data<Verifier>>().ok_or_else(|| anyhow::anyhow!("no verifier"))?;
        let claims = verifier.verify(bearer(request)?)?;
        if !claims.has_scope(S::NAME) {
            return Err(Error::refuse(Code::InsufficientScope).with("scope", S::NAME));
        }
        if let Some(operations) = request.app_data::<Data<Operations>>() {
            operations.check_parameters(request)?;
        }
        let request_id = RequestContext::of(request).request_id;
        let actor = Actor { subject: claims.sub, client: claims.client_id, request_id };
        Ok(Self { actor, limited_to: claims.business_partner_id, scope: PhantomData })
    }

    /// Whether the caller may know of a partner.
    pub fn may_know(&self, partner: &BusinessPartnerId) -> bool {
        self.limited_to.as_ref().is_none_or(|only| only == partner)
    }

    /// Refuses what would be there if the caller could know of it.
    pub fn must_know(&self, partner: &BusinessPartnerId) -> Result<()> {
        if self.may_know(partner) { Ok(()) } else { Err(Error::refuse(Code::NotFound)) }
    }

    /// Refuses callers limited to one partner: what is shared is not theirs to change.
    pub fn must_be_unlimited(&self) -> Result<()> {
        unlimited(self.limited_to.is_some())
    }
}

/// A caller whose token carries the scope `S`, at a path below a partner it may know of.
pub struct InPartner<S> {
    pub actor: Actor,
    pub partner: BusinessPartnerId,
    /// Whether the token is limited to it.
    limited: bool,
    scope: PhantomData<S>,
}

impl<S: Scope> InPartner<S> {
    fn of(request: &HttpRequest) -> Result<Self> {
        let permit = Permit::<S>::of(request)?;
        let partner = path_param(request, "business_partner_id")?;
        permit.must_know(&partner)?;
        let limited = permit.limited_to.is_some();
        Ok(Self { actor: permit.actor, partner, limited, scope: PhantomData })
    }

    /// Refuses callers limited to the partner: what is shared is not theirs.
    pub fn must_be_unlimited(&self) -> Result<()> {
        unlimited(self.limited)
    }
}

fn unlimited(limited: bool) -> Result<()> {
    if limited { Err(Error::refuse(Code::PartnerRestricted)) } else { Ok(()) }
}

impl<S: Scope> FromRequest for Permit<S> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<S: Scope> FromRequest for InPartner<S> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// The request's one bearer token.
fn bearer(request: &HttpRequest) -> Result<&str> {
    let refused = || Error::refuse(Code::InvalidToken).with("reason", "other");
    let mut sent = request.headers().get_all(header::AUTHORIZATION);
    let authorization = sent.next().ok_or_else(|| Error::refuse(Code::MissingToken))?;
    if sent.next().is_some() {
        return Err(refused());
    }
    let (scheme, token) = authorization.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(refused)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim_start()) } else { Err(Error::refuse(Code::MissingToken)) }
}
