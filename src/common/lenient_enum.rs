//! Validation of enumerations in request bodies.

pub use ticket_policy::LenientEnum;

use crate::common::{
    error::{Code, FieldError},
    ids::Id,
    text::SelfCheck,
};

impl<T: strum::VariantNames> SelfCheck for LenientEnum<T> {
    fn check(&self) -> Result<(), FieldError> {
        match self {
            Self::Known(_) => Ok(()),
            Self::Unknown => {
                Err(FieldError::new("", Code::UnknownValue).with("allowed", T::VARIANTS.join(", ")))
            }
            Self::Missing => Err(FieldError::new("", Code::Required)),
        }
    }
}

/// An id of this service.
impl<K> SelfCheck for LenientEnum<Id<K>> {
    fn check(&self) -> Result<(), FieldError> {
        match self {
            Self::Known(_) => Ok(()),
            Self::Unknown => Err(FieldError::new("", Code::InvalidId)),
            Self::Missing => Err(FieldError::new("", Code::Required)),
        }
    }
}
