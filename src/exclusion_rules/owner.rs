//! The partners to which a rule applies.

use crate::{common::ids::BusinessPartnerId, crud::Owner};

/// The owner of an exclusion rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleOwner {
    /// The rule applies to the accesses of one partner.
    Partner(BusinessPartnerId),
    /// The rule is global: it applies to the accesses of all partners.
    Global,
}

impl Owner for RuleOwner {
    /// As in the generated column `exclusion_rules.owner`; empty for global rules.
    fn key(&self) -> &str {
        match self {
            Self::Partner(partner) => partner.as_str(),
            Self::Global => "",
        }
    }
}

impl From<BusinessPartnerId> for RuleOwner {
    fn from(partner: BusinessPartnerId) -> Self {
        Self::Partner(partner)
    }
}

/// As in the column `exclusion_rules.business_partner_id`.
impl From<RuleOwner> for Option<BusinessPartnerId> {
    fn from(owner: RuleOwner) -> Self {
        match owner {
            RuleOwner::Partner(partner) => Some(partner),
            RuleOwner::Global => None,
        }
    }
}
