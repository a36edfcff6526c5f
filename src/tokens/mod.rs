//! Bearer tokens: JWT access tokens (RFC 9068) of trusted issuers, verified as RFC 8725 recommends.
//!
//! Trust comes from configuration only ([`settings`]): each issuer has an audience and keys, and
//! each key is limited to a few algorithms ([`jwks`]). A token cannot introduce a key: its `kid` is
//! compared, its `jku`, `x5u`, `jwk` and `x5c` are ignored. Published keys are refreshed in the
//! background ([`key_refresh`]).
//!
//! Verified tokens are cached by their hash ([`verifier`]) until the token expires or its key is
//! withdrawn, because verifying a signature takes longer than handling most requests.

mod claim_reader;
mod claims;
mod dev_token;
mod discovery;
mod header;
mod jwks;
mod key_refresh;
mod rejection;
mod scope;
mod settings;
mod verifier;

pub use claim_reader::ClaimNames;
pub use claims::{ActingParty, Audience, Claims};
pub use dev_token::{dev_claims, sign};
pub use discovery::{IssuerUrl, parse_key_url};
pub use header::normalize_typ;
pub use key_refresh::check_jwks_file;
pub use rejection::RejectionReason;
pub use scope::Scope;
pub use settings::{
    ACCESS_TOKEN_TYPE, IssuerSettings, KeySource, MIN_REFRESH_INTERVAL, MIN_SECRET_BYTES,
    REFRESH_INTERVAL, TokenSettings,
};
pub use verifier::{UnknownKey, Unverified, Verifier};
