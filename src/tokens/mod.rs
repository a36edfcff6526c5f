//! Bearer tokens: JWTs (RFC 9068) of trusted issuers, judged as RFC 8725 advises.
//!
//! Whom to trust comes from configuration ([`settings`]): each issuer has an audience and keys, and each key fits few algorithms
//! ([`jwks`]). Nothing that a token says chooses a key beyond these: its `kid` is compared, its `jku`, `x5u`, `jwk` and `x5c` are
//! not looked at. Keys that an issuer publishes are read again and again in the background ([`keys`]).
//!
//! What was verified is remembered by the token's hash ([`verifier`]), for no longer than the token and its key live: a signature
//! takes longer to verify than most requests take to answer.

mod claims;
mod header;
mod jwks;
pub mod key_refresh;
mod settings;
mod verifier;

pub use claims::{Audience, Claims, NO_SIGNER, dev_claims, sign};
pub use header::normalize_typ;
pub use settings::{IssuerSettings, KeySource, MIN_SECRET, TokenSettings};
pub use verifier::{Unverified, Verifier};
