//! Why requests are rejected with 401: the reasons, and their log line and counters.

use std::array;

use strum::{EnumCount as _, IntoEnumIterator as _};

use crate::common::{Code, Error, counters::Counter, text::is_invisible};

/// Maximum length of a part of a rejected token in the log, in characters.
const MAX_LOGGED_CHARS: usize = 128;

/// Why a request is rejected with 401.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter, strum::EnumCount,
)]
#[strum(serialize_all = "snake_case")]
pub enum RejectionReason {
    /// No bearer token was sent.
    MissingToken,
    /// It is not a signed JWT, is too long, or was sent more than once.
    Malformed,
    /// The header `typ` is not allowed.
    Type,
    /// The header `crit` demands an extension.
    CriticalExtension,
    /// The token is bound to a key of the client (`cnf`).
    SenderConstrained,
    /// The issuer is not trusted.
    Issuer,
    /// The algorithm is not supported.
    Algorithm,
    /// The issuer has no key with this id and algorithm.
    UnknownKey,
    /// The signature does not match the key.
    Signature,
    Expired,
    NotYetValid,
    Audience,
    MissingClaim,
    InvalidClaim,
}

impl RejectionReason {
    /// The reason in the log, the metrics and the arguments of the problem.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn code(self) -> Code {
        match self {
            Self::MissingToken => Code::MissingToken,
            Self::Expired => Code::TokenExpired,
            _ => Code::InvalidToken,
        }
    }
}

/// A rejection: its reason and, if a claim is missing or invalid, the name of the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub reason: RejectionReason,
    pub claim: Option<String>,
}

impl From<RejectionReason> for Rejection {
    fn from(reason: RejectionReason) -> Self {
        Self {
            reason,
            claim: None,
        }
    }
}

impl Rejection {
    /// A required claim is missing.
    pub fn missing_claim(name: &str) -> Self {
        Self {
            reason: RejectionReason::MissingClaim,
            claim: Some(name.to_owned()),
        }
    }

    /// A claim has the wrong type or an invalid value.
    pub fn invalid_claim(name: &str) -> Self {
        Self {
            reason: RejectionReason::InvalidClaim,
            claim: Some(name.to_owned()),
        }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        let reason = rejection.reason;
        let error = Self::client(reason.code()).with("reason", reason.as_str());
        match rejection.claim {
            Some(claim) => error.with("claim", claim),
            None => error,
        }
    }
}

/// The parts of a rejected token that help to find the misconfiguration. They are not verified.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RejectedToken<'t> {
    pub issuer: Option<&'t str>,
    pub kid: Option<&'t str>,
    pub typ: Option<&'t str>,
    pub algorithm: Option<&'t str>,
    /// Where the keys of the issuer come from; `None` if the issuer is not trusted.
    pub key_source: Option<&'t str>,
}

/// Logs a rejection. The line never contains the token.
pub(super) fn log(rejection: &Rejection, token: &RejectedToken<'_>) {
    tracing::info!(
        reason = rejection.reason.as_str(),
        claim = rejection.claim,
        issuer = token.issuer.map(sanitize),
        kid = token.kid.map(sanitize),
        typ = token.typ.map(sanitize),
        alg = token.algorithm.map(sanitize),
        key_source = token.key_source,
        "token rejected"
    );
}

/// Bounds the length and replaces characters that could forge or hide parts of the log.
fn sanitize(text: &str) -> String {
    text.chars()
        .take(MAX_LOGGED_CHARS)
        .map(|c| match c {
            c if c.is_control() || is_invisible(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// Number of rejections by reason.
#[derive(Debug)]
pub struct RejectionCounters([Counter; RejectionReason::COUNT]);

impl Default for RejectionCounters {
    fn default() -> Self {
        Self(array::from_fn(|_| Counter::default()))
    }
}

impl RejectionCounters {
    pub(super) fn increment(&self, reason: RejectionReason) {
        let counted = RejectionReason::iter().zip(&self.0);
        for (_, counter) in counted.filter(|(other, _)| *other == reason) {
            counter.inc();
        }
    }

    /// The number of rejections for each reason.
    pub fn by_reason(&self) -> [(&'static str, u64); RejectionReason::COUNT] {
        let mut reasons = RejectionReason::iter();
        array::from_fn(|index| {
            let reason = reasons.next().map_or("", RejectionReason::as_str);
            (reason, self.0.get(index).map_or(0, Counter::get))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejections_are_counted_by_reason() {
        let counters = RejectionCounters::default();
        counters.increment(RejectionReason::MissingToken);
        counters.increment(RejectionReason::InvalidClaim);
        counters.increment(RejectionReason::InvalidClaim);
        let counted: Vec<_> = counters
            .by_reason()
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(counted, [("missing_token", 1), ("invalid_claim", 2)]);
    }

    #[test]
    fn logged_text_is_bounded_and_has_no_control_characters() {
        assert_eq!(
            sanitize("a\nb\u{202e}c\u{1b}[31m"),
            "a\u{fffd}b\u{fffd}c\u{fffd}[31m"
        );
        assert_eq!(sanitize(&"ä".repeat(1000)).chars().count(), 128);
    }
}
