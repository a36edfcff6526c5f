//! Authentication and authorization as extractors: a handler declares the scope it requires as a
//! type, and gets the caller.

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
    path_params::path_param,
    rate_limit::RateLimiter,
    request_context::{AuthenticatedClaims, RequestContext},
    request_slot::RequestSlot,
    route_guard::check_parameters,
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
    impl Scope for CatalogRead {
        const NAME: &'static str = "catalog:read";
    }
    impl Scope for CatalogWrite {
        const NAME: &'static str = "catalog:write";
    }
    impl Scope for AuditRead {
        const NAME: &'static str = "audit:read";
    }
    impl Scope for DecisionsRead {
        const NAME: &'static str = "decisions:read";
    }
}

/// A caller whose token has the scope `S`.
pub struct Authorized<S> {
    claims: Arc<Claims>,
    request: HttpRequest,
    scope: PhantomData<S>,
}

impl<S: Scope> Authorized<S> {
    /// Applies the limits of the subject and checks the scope.
    fn authorize(request: &HttpRequest, claims: &Arc<Claims>) -> Result<Self> {
        request
            .extensions_mut()
            .insert(AuthenticatedClaims(Arc::clone(claims)));
        if let Some(limiter) = request.app_data::<Data<RateLimiter>>() {
            limiter.check(request, claims)?;
        }
        if let Some(slot) = RequestSlot::of(request) {
            slot.enter_subject(claims)?;
        }
        if !claims.has_scope(S::NAME) {
            return Err(Error::client(Code::InsufficientScope).with("scope", S::NAME));
        }
        Ok(Self {
            claims: Arc::clone(claims),
            request: request.clone(),
            scope: PhantomData,
        })
    }

    /// The caller, as recorded in the history.
    pub fn actor(&self) -> Actor {
        let Claims { sub, client_id, .. } = &*self.claims;
        Actor {
            subject: sub.clone(),
            client: client_id.clone(),
            request_id: RequestContext::id_of(&self.request),
        }
    }

    /// The only business partner that the token may access; `None` if unrestricted.
    pub fn limited_to(&self) -> Option<&BusinessPartnerId> {
        self.claims.business_partner_id.as_ref()
    }

    /// Whether the token may access a business partner.
    pub fn can_access(&self, partner: &BusinessPartnerId) -> bool {
        self.limited_to().is_none_or(|only| only == partner)
    }

    /// Fails with [`Code::NotFound`] if the token may not access the business partner, as if it
    /// did not exist.
    pub fn require_access(&self, partner: &BusinessPartnerId) -> Result<()> {
        if self.can_access(partner) {
            Ok(())
        } else {
            Err(Error::client(Code::NotFound))
        }
    }

    /// Fails with [`Code::PartnerRestricted`] if the token is limited to one business partner.
    /// Required for data that all partners share.
    pub fn require_unrestricted(&self) -> Result<()> {
        if self.limited_to().is_some() {
            Err(Error::client(Code::PartnerRestricted))
        } else {
            Ok(())
        }
    }
}

/// A caller whose token has the scope `S` and may access the business partner in the path.
pub struct AuthorizedPartner<S> {
    pub partner: BusinessPartnerId,
    caller: Authorized<S>,
}

impl<S: Scope> AuthorizedPartner<S> {
    fn new(request: &HttpRequest, caller: Authorized<S>) -> Result<Self> {
        let partner = path_param(request)?;
        caller.require_access(&partner)?;
        Ok(Self { partner, caller })
    }

    /// The caller, as recorded in the history.
    pub fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// Whether the token may read the configuration of a business partner.
    pub fn can_read(&self, partner: &BusinessPartnerId) -> bool {
        self.caller.can_access(partner)
            && self.caller.claims.has_scope(scope::IntegrationRead::NAME)
    }

    /// See [`Authorized::require_unrestricted`].
    pub fn require_unrestricted(&self) -> Result<()> {
        self.caller.require_unrestricted()
    }
}

impl<S: Scope> FromRequest for Authorized<S> {
    type Error = Error;
    type Future = Authenticating<Self>;

    /// Parameters are checked only after authorization, so that callers without a valid token
    /// learn nothing about them.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |request, claims| {
            let caller = Self::authorize(request, claims)?;
            check_parameters(request)?;
            Ok(caller)
        })
    }
}

impl<S: Scope> FromRequest for AuthorizedPartner<S> {
    type Error = Error;
    type Future = Authenticating<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |request, claims| {
            let caller = Authorized::authorize(request, claims)?;
            check_parameters(request)?;
            Self::new(request, caller)
        })
    }
}

/// Ready immediately, unless the token is signed with an unknown key.
type Authenticating<T> = Either<Ready<Result<T>>, LocalBoxFuture<'static, Result<T>>>;

/// Verifies the bearer token and passes its claims to `authorize`. If the signing key is unknown,
/// waits for a refresh of the keys first, without occupying a slot: forged tokens and an
/// unresponsive key server must not keep others from being served.
fn authenticate<T: 'static>(
    request: &HttpRequest,
    authorize: fn(&HttpRequest, &Arc<Claims>) -> Result<T>,
) -> Authenticating<T> {
    let unverified = match verify(request) {
        Ok(claims) => return Either::Left(ready(authorize(request, &claims))),
        Err(unverified) => unverified,
    };
    match unverified {
        Unverified::Refused(error) => Either::Left(ready(Err(error))),
        Unverified::UnknownKey(key) => {
            let request = request.clone();
            let retry = async move {
                let token = bearer(&request)?;
                let verified = verifier(&request)?.verify_again(token, key);
                let claims = match RequestSlot::of(&request) {
                    Some(slot) => slot.released_while(verified).await?,
                    None => verified.await?,
                };
                authorize(&request, &claims)
            };
            Either::Right(retry.boxed_local())
        }
    }
}

fn verify(request: &HttpRequest) -> Result<Arc<Claims>, Unverified> {
    let verifier = verifier(request).map_err(Unverified::Refused)?;
    let token = bearer(request).map_err(Unverified::Refused)?;
    verifier.verify(token)
}

fn verifier(request: &HttpRequest) -> Result<&Data<Verifier>> {
    Ok(request
        .app_data::<Data<Verifier>>()
        .ok_or_else(|| anyhow::anyhow!("no token verifier"))?)
}

/// The bearer token of a request.
fn bearer(request: &HttpRequest) -> Result<&str> {
    let invalid = || Error::client(Code::InvalidToken).with("reason", "other");
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let authorization = headers
        .next()
        .ok_or_else(|| Error::client(Code::MissingToken))?;
    if headers.next().is_some() {
        return Err(invalid());
    }
    // Non-ASCII tokens are rejected by the verifier, which most tokens pass from its cache.
    let text = str::from_utf8(authorization.as_bytes()).map_err(|_| invalid())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_start())
    } else {
        Err(Error::client(Code::MissingToken))
    }
}
