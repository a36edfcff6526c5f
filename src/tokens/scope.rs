//! The scopes of the service.

use strum::{EnumString, IntoStaticStr};

/// A scope, granted to tokens by an identity provider.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    IntoStaticStr,
    EnumString,
    strum::EnumIter,
    strum::VariantNames,
)]
pub enum Scope {
    #[strum(serialize = "integration:read")]
    IntegrationRead,
    #[strum(serialize = "integration:write")]
    IntegrationWrite,
    #[strum(serialize = "global-rules:write")]
    GlobalRulesWrite,
    #[strum(serialize = "catalog:read")]
    CatalogRead,
    #[strum(serialize = "catalog:write")]
    CatalogWrite,
    #[strum(serialize = "decisions:read")]
    DecisionsRead,
    #[strum(serialize = "audit:read")]
    AuditRead,
}

impl Scope {
    /// The scope as it appears in tokens.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
