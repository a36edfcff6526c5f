//! Validation of enumerations in request bodies.

pub use ticket_policy::LenientEnum;

use crate::common::{
    error::{Code, FieldError},
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
