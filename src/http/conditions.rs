//! Conditional requests (RFC 9110 section 13).

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, EntityTag as HeaderTag, Header as _, IfMatch, IfNoneMatch},
};

use crate::kernel::{
    Code, Error, Fault, Result,
    change::{EntityTag, Match, Precondition},
};

/// The conditions a request makes: for a write checked inside its transaction, for a read against the current tag.
pub struct Conditions {
    pub precondition: Precondition,
    if_none_match: Option<IfNoneMatch>,
}

impl Conditions {
    /// Reads them from the request's headers.
    pub fn of(request: &HttpRequest) -> Result<Self> {
        let if_match = if_match(request)?;
        let if_none_match = request.headers().contains_key(header::IF_NONE_MATCH).then(|| IfNoneMatch::parse(request));
        let if_none_match = if_none_match.transpose().map_err(|_| unreadable("If-None-Match"))?;
        let if_absent = matches!(if_none_match, Some(IfNoneMatch::Any));
        Ok(Self { precondition: Precondition { if_match, if_absent }, if_none_match })
    }

    /// Whether the caller already has what bears this tag, so that 304 answers a read.
    pub fn has(&self, tag: &EntityTag) -> bool {
        let tag = HeaderTag::new_strong(tag.as_str().to_owned());
        match &self.if_none_match {
            None => false,
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(sent)) => sent.iter().any(|sent| sent.weak_eq(&tag)),
        }
    }
}

/// `If-Match`, of which only strong tags can match. A header that names no tag at all (an entity tag without its quotes, say) is
/// refused instead of never matching.
fn if_match(request: &HttpRequest) -> Result<Option<Match>> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    match IfMatch::parse(request).map_err(|_| unreadable("If-Match"))? {
        IfMatch::Any => Ok(Some(Match::Any)),
        IfMatch::Items(tags) if tags.is_empty() => Err(unreadable("If-Match")),
        IfMatch::Items(tags) => {
            let strong = tags.into_iter().filter(|tag| !tag.weak);
            Ok(Some(Match::Tags(strong.map(|tag| tag.tag().to_owned()).collect())))
        }
    }
}

fn unreadable(header: &str) -> Error {
    Error::faults(Code::InvalidParameter, vec![Fault::new(header, Code::InvalidParameter)])
}

impl FromRequest for Conditions {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
