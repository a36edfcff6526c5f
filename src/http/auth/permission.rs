//! Permissions of tokens. Handlers declare a permission as a type, and `GET /me` reports all
//! permissions of the caller. Both evaluate the same definitions.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    common::{Code, Error, Result},
    tokens::{Claims, Scope},
};

/// A permission of tokens, as a type.
pub trait Permission: 'static {
    /// Checks whether the token has the permission.
    ///
    /// # Errors
    ///
    /// [`Code::InsufficientScope`] or [`Code::PartnerRestricted`].
    fn check(claims: &Claims) -> Result<()>;
}

/// Whether tokens limited to one business partner can have a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LimitedTokens {
    /// They have it for their partner.
    Accepted,
    /// They never have it, because it concerns data of all partners.
    Refused,
}

fn check(claims: &Claims, scope: Scope, limited_tokens: LimitedTokens) -> Result<()> {
    if !claims.has_scope(scope) {
        return Err(Error::client(Code::InsufficientScope).with("scope", scope.as_str()));
    }
    if limited_tokens == LimitedTokens::Refused && claims.business_partner_id.is_some() {
        return Err(Error::client(Code::PartnerRestricted));
    }
    Ok(())
}

/// The permission of every valid token.
pub struct AnyToken;

impl Permission for AnyToken {
    fn check(_: &Claims) -> Result<()> {
        Ok(())
    }
}

/// Defines the permissions, each with its member of [`Permissions`].
macro_rules! permissions {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident, $member:ident: $scope:ident, $limited_tokens:ident;
    )+) => {
        $(
            $(#[doc = $doc])+
            pub struct $name;

            impl Permission for $name {
                fn check(claims: &Claims) -> Result<()> {
                    check(claims, Scope::$scope, LimitedTokens::$limited_tokens)
                }
            }
        )+

        /// Permissions of the token. If it is limited to one business partner, they apply to that
        /// partner only.
        #[derive(Debug, Serialize, ToSchema)]
        pub struct Permissions {
            $(
                $(#[doc = $doc])+
                pub $member: bool,
            )+
        }

        impl Permissions {
            /// The permissions of a token.
            pub fn of(claims: &Claims) -> Self {
                Self {
                    $($member: $name::check(claims).is_ok(),)+
                }
            }
        }
    };
}

permissions! {
    /// Read customer integrations and everything below them.
    IntegrationRead, integration_read: IntegrationRead, Accepted;
    /// Change customer integrations and everything below them.
    IntegrationWrite, integration_write: IntegrationWrite, Accepted;
    /// Read and preview global exclusion rules.
    GlobalRulesRead, global_rules_read: IntegrationRead, Refused;
    /// Change global exclusion rules.
    GlobalRulesWrite, global_rules_write: GlobalRulesWrite, Refused;
    /// Read the catalog.
    CatalogRead, catalog_read: CatalogRead, Accepted;
    /// Read to how many partners an entry of the catalog is granted.
    CatalogUsageRead, catalog_usage_read: CatalogRead, Refused;
    /// Change the catalog.
    CatalogWrite, catalog_write: CatalogWrite, Refused;
    /// Share plan boards with partners.
    PlanBoardsShare, plan_boards_share: CatalogWrite, Accepted;
    /// Request decisions and the capabilities of accesses.
    DecisionsRead, decisions_read: DecisionsRead, Accepted;
    /// Read the history of a customer integration.
    HistoryRead, history_read: AuditRead, Accepted;
    /// Read the history of the whole system.
    SystemHistoryRead, system_history_read: AuditRead, Refused;
}
