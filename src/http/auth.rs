//! Authentication and authorization as extractors: a handler declares the permission it requires as
//! a type, and gets the caller.

pub mod permission;

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

use self::permission::{IntegrationRead, Permission};
use super::{
    path_params::path_param,
    rate_limit::RateLimiter,
    request_context::{AuthenticatedClaims, RequestContext},
    request_slot::RequestSlot,
    route_guard::check_parameters,
};
use crate::{
    common::{Actor, Code, Error, Result, ids::BusinessPartnerId},
    tokens::{Claims, RejectionReason, Unverified, Verifier},
};

/// A caller whose token has the permission `P`.
pub struct Authorized<P> {
    claims: Arc<Claims>,
    request: HttpRequest,
    permission: PhantomData<P>,
}

impl<P: Permission> Authorized<P> {
    /// Applies the limits of the subject and checks the permission.
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
        P::check(claims)?;
        Ok(Self {
            claims: Arc::clone(claims),
            request: request.clone(),
            permission: PhantomData,
        })
    }

    /// The caller, as recorded in the history.
    pub fn actor(&self) -> Actor {
        let claims = &*self.claims;
        Actor {
            subject: claims.sub.clone(),
            name: claims.name.clone(),
            acting_party: claims.act.as_ref().map(|act| act.sub.clone()),
            client: claims.client_id.clone(),
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

    /// Fails unless the token also has another permission.
    pub fn require<Q: Permission>(&self) -> Result<()> {
        Q::check(&self.claims)
    }

    /// The claims of the token.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

/// A caller whose token has the permission `P` and may access the business partner in the path.
pub struct AuthorizedPartner<P> {
    pub partner: BusinessPartnerId,
    caller: Authorized<P>,
}

impl<P: Permission> AuthorizedPartner<P> {
    fn new(request: &HttpRequest, caller: Authorized<P>) -> Result<Self> {
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
        self.caller.can_access(partner) && self.caller.require::<IntegrationRead>().is_ok()
    }

    /// See [`Authorized::require`].
    pub fn require<Q: Permission>(&self) -> Result<()> {
        self.caller.require::<Q>()
    }
}

impl<P: Permission> FromRequest for Authorized<P> {
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

impl<P: Permission> FromRequest for AuthorizedPartner<P> {
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
        Unverified::Rejected(error) => Either::Left(ready(Err(error))),
        Unverified::UnknownKey(key) => {
            let request = request.clone();
            let retry = async move {
                let verifier = verifier(&request)?;
                let token = bearer(&request).map_err(|reason| verifier.reject(reason))?;
                let verification = verifier.verify_again(token, key);
                let claims = match RequestSlot::of(&request) {
                    Some(slot) => slot.released_while(verification).await?,
                    None => verification.await?,
                };
                authorize(&request, &claims)
            };
            Either::Right(retry.boxed_local())
        }
    }
}

fn verify(request: &HttpRequest) -> Result<Arc<Claims>, Unverified> {
    let verifier = verifier(request).map_err(Unverified::Rejected)?;
    let token = bearer(request).map_err(|reason| Unverified::Rejected(verifier.reject(reason)))?;
    verifier.verify(token)
}

fn verifier(request: &HttpRequest) -> Result<&Data<Verifier>> {
    Ok(request
        .app_data::<Data<Verifier>>()
        .ok_or_else(|| anyhow::anyhow!("no token verifier"))?)
}

/// The bearer token of a request.
fn bearer(request: &HttpRequest) -> Result<&str, RejectionReason> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let authorization = headers.next().ok_or(RejectionReason::MissingToken)?;
    if headers.next().is_some() {
        return Err(RejectionReason::Malformed);
    }
    // Non-ASCII tokens are rejected by the verifier, which most tokens pass from its cache.
    let text = str::from_utf8(authorization.as_bytes()).map_err(|_| RejectionReason::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(RejectionReason::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_start())
    } else {
        Err(RejectionReason::MissingToken)
    }
}
