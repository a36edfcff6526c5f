//! Lists without duplicates.

use serde::{Deserialize, Serialize};

use crate::common::{
    error::{Code, FieldError},
    text::SelfCheck,
};

/// A list of `MIN` to `MAX` distinct items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UniqueVec<T, const MIN: usize, const MAX: usize>(pub Vec<T>);

impl<T: SelfCheck + PartialEq, const MIN: usize, const MAX: usize> SelfCheck
    for UniqueVec<T, MIN, MAX>
{
    fn check(&self) -> Result<(), FieldError> {
        if self.0.len() < MIN {
            return Err(FieldError::new("", Code::Required));
        }
        if self.0.len() > MAX {
            return Err(FieldError::new("", Code::TooManyValues).with("max", MAX));
        }
        self.0.check()?;
        let duplicate = self
            .0
            .iter()
            .enumerate()
            .position(|(index, item)| self.0.iter().take(index).any(|earlier| earlier == item));
        duplicate.map_or(Ok(()), |index| {
            Err(FieldError::new(format!("/{index}"), Code::DuplicateValue))
        })
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
    #[case(&["a"], None)]
    #[case(&["a", "b", "c"], None)]
    #[case(&[], Some(("", Code::Required)))]
    #[case(&["a", "b", "c", "d"], Some(("", Code::TooManyValues)))]
    #[case(&["a", "-"], Some(("/1", Code::InvalidId)))]
    #[case(&["a", "b", "a"], Some(("/2", Code::DuplicateValue)))]
    fn length_items_and_duplicates_are_checked(
        #[case] ids: &[&str],
        #[case] expected: Option<(&str, Code)>,
    ) {
        let list: UniqueVec<ContactId, 1, 3> =
            serde_json::from_value(serde_json::json!(ids)).unwrap();
        let field_error = list
            .check()
            .err()
            .map(|field_error| (field_error.pointer, field_error.code));
        assert_eq!(
            field_error,
            expected.map(|(pointer, code)| (pointer.to_owned(), code))
        );
    }
}
