//! Lists without duplicates.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::common::{
    error::{Code, FieldError},
    text::{SelfCheck, to_validation_error},
};

/// A list of `MIN` to `MAX` distinct items. [`Validate`] reports the errors of all items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UniqueVec<T, const MIN: usize, const MAX: usize>(pub Vec<T>);

impl<T: SelfCheck + PartialEq, const MIN: usize, const MAX: usize> UniqueVec<T, MIN, MAX> {
    /// The errors of the list. Items of a list that is too long are not checked.
    fn errors(&self) -> Vec<FieldError> {
        if self.0.len() < MIN {
            return vec![FieldError::new("", Code::Required)];
        }
        if self.0.len() > MAX {
            return vec![FieldError::new("", Code::TooManyValues).with("max", MAX)];
        }
        let items = self.0.iter().enumerate();
        items
            .flat_map(|(index, item)| self.item_errors(index, item))
            .collect()
    }

    fn item_errors(&self, index: usize, item: &T) -> Vec<FieldError> {
        let errors = item.check_all();
        if errors.is_empty() && self.0.iter().take(index).any(|earlier| earlier == item) {
            return vec![FieldError::new(format!("/{index}"), Code::DuplicateValue)];
        }
        let at_index = errors.into_iter().map(|error| FieldError {
            pointer: format!("/{index}{}", error.pointer),
            ..error
        });
        at_index.collect()
    }
}

impl<T: SelfCheck + PartialEq, const MIN: usize, const MAX: usize> Validate
    for UniqueVec<T, MIN, MAX>
{
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = ValidationErrors::new();
        for error in self.errors() {
            errors.add("", to_validation_error(error));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

impl<T, const MIN: usize, const MAX: usize> Default for UniqueVec<T, MIN, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::ids::ContactId;

    #[rstest::rstest]
    #[case(&["a"], &[])]
    #[case(&["a", "b", "c"], &[])]
    #[case(&[], &[("", Code::Required)])]
    #[case(&["a", "b", "c", "d"], &[("", Code::TooManyValues)])]
    #[case(&["-", "a", ""], &[("/0", Code::InvalidId), ("/2", Code::Required)])]
    #[case(&["a", "b", "a"], &[("/2", Code::DuplicateValue)])]
    fn length_items_and_duplicates_are_checked(
        #[case] ids: &[&str],
        #[case] expected: &[(&str, Code)],
    ) {
        let list: UniqueVec<ContactId, 1, 3> =
            serde_json::from_value(serde_json::json!(ids)).unwrap();
        let errors = list.errors();
        let errors: Vec<_> = errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code))
            .collect();
        assert_eq!(errors, expected);
        assert_eq!(list.validate().is_ok(), expected.is_empty());
    }
}
