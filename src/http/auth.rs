//! The permission is an extractor: a handler names the scope it needs as a type and gets the caller in return.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, dev::Payload, http::header, web::Data,
};

use futures_util::{
    FutureExt as _,
    future::{Either, LocalBoxFuture},
};

use super::{
    limits::RateLimiter,
    params::path_param,
    request_context::{AuthenticatedClaims, RequestContext},
    route_guard::RouteTable,
};
use crate::{
    common::{Actor, Code, Error, Result, ids::BusinessPartnerId},
    tokens::{Claims, Unverified, Verifier},
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
pub struct Authorized<S> {
    claims: Arc<Claims>,
    request: HttpRequest,
    scope: PhantomData<S>,
}

impl<S: Scope> Authorized<S> {
    /// What verified claims permit.
    fn new(request: &HttpRequest, claims: &Arc<Claims>) -> Result<Self> {
        request
            .extensions_mut()
            .insert(AuthenticatedClaims(Arc::clone(claims)));
        if let Some(limiter) = request.app_data::<Data<RateLimiter>>() {
            limiter.check(request, claims)?;
        }
        if !claims.has_scope(S::NAME) {
            return Err(Error::client(Code::InsufficientScope).with("scope", S::NAME));
        }
        if let Some(operations) = request.app_data::<Data<RouteTable>>() {
            operations.check_parameters(request)?;
        }
        Ok(Self {
            claims: Arc::clone(claims),
            request: request.clone(),
            scope: PhantomData,
        })
    }

    /// Whom the history names.
    pub fn actor(&self) -> Actor {
        let Claims { sub, client_id, .. } = &*self.claims;
        let request_id = RequestContext::id_of(&self.request);
        Actor {
            subject: sub.clone(),
            client: client_id.clone(),
            request_id,
        }
    }

    /// The one partner the token is limited to.
    pub fn limited_to(&self) -> Option<&BusinessPartnerId> {
        self.claims.business_partner_id.as_ref()
    }

    /// Whether the caller may know of a partner.
    pub fn can_access(&self, partner: &BusinessPartnerId) -> bool {
        self.limited_to().is_none_or(|only| only == partner)
    }

    /// Refuses what would be there if the caller could know of it.
    pub fn require_access(&self, partner: &BusinessPartnerId) -> Result<()> {
        if self.can_access(partner) {
            Ok(())
        } else {
            Err(Error::client(Code::NotFound))
        }
    }

    /// Refuses callers limited to one partner: what is shared is not theirs to change.
    pub fn require_unrestricted(&self) -> Result<()> {
        if self.limited_to().is_some() {
            Err(Error::client(Code::PartnerRestricted))
        } else {
            Ok(())
        }
    }
}

/// A caller whose token carries the scope `S`, at a path below a partner it may know of.
pub struct AuthorizedPartner<S> {
    pub partner: BusinessPartnerId,
    permit: Authorized<S>,
}

impl<S: Scope> AuthorizedPartner<S> {
    fn new(request: &HttpRequest, claims: &Arc<Claims>) -> Result<Self> {
        let permit = Authorized::<S>::new(request, claims)?;
        let partner = path_param(request, "business_partner_id")?;
        permit.require_access(&partner)?;
        Ok(Self { partner, permit })
    }

    /// Whom the history names.
    pub fn actor(&self) -> Actor {
        self.permit.actor()
    }

    /// Refuses callers limited to the partner: what is shared is not theirs.
    pub fn require_unrestricted(&self) -> Result<()> {
        self.permit.require_unrestricted()
    }
}

/// Ready for nearly all tokens; a token whose key is not known waits until the keys have been read again.
type Verifying<T> = Either<Ready<Result<T>>, LocalBoxFuture<'static, Result<T>>>;

/// Makes something of the claims of the request's token.
fn verifying<T: 'static>(
    request: &HttpRequest,
    make: fn(&HttpRequest, &Arc<Claims>) -> Result<T>,
) -> Verifying<T> {
    let verified =
        verifier(request).and_then(|verifier| Ok((verifier, verifier.verify(bearer(request)?))));
    match verified {
        Ok((_, Ok(claims))) => Either::Left(ready(make(request, &claims))),
        Err(error) | Ok((_, Err(Unverified::Refused(error)))) => Either::Left(ready(Err(error))),
        Ok((_, Err(Unverified::UnknownKey(unknown)))) => {
            let request = request.clone();
            let again = async move {
                let claims = verifier(&request)?
                    .verify_again(bearer(&request)?, unknown)
                    .await?;
                make(&request, &claims)
            };
            Either::Right(again.boxed_local())
        }
    }
}

fn verifier(request: &HttpRequest) -> Result<&Data<Verifier>> {
    Ok(request
        .app_data::<Data<Verifier>>()
        .ok_or_else(|| anyhow::anyhow!("no verifier"))?)
}

impl<S: Scope> FromRequest for Authorized<S> {
    type Error = Error;
    type Future = Verifying<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        verifying(request, Self::new)
    }
}

impl<S: Scope> FromRequest for AuthorizedPartner<S> {
    type Error = Error;
    type Future = Verifying<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        verifying(request, Self::new)
    }
}

/// The request's one bearer token.
fn bearer(request: &HttpRequest) -> Result<&str> {
    let refused = || Error::client(Code::InvalidToken).with("reason", "other");
    let mut sent = request.headers().get_all(header::AUTHORIZATION);
    let authorization = sent
        .next()
        .ok_or_else(|| Error::client(Code::MissingToken))?;
    if sent.next().is_some() {
        return Err(refused());
    }
    // what is not ASCII is no good token; to find that out is left to those who judge it, since most are known already
    let text = str::from_utf8(authorization.as_bytes()).ok();
    let (scheme, token) = text
        .and_then(|text| text.split_once(' '))
        .ok_or_else(refused)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_start())
    } else {
        Err(Error::client(Code::MissingToken))
    }
}
