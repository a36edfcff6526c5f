//! Lists in bodies.

use serde::{Deserialize, Serialize};

use crate::kernel::{
    error::{Code, Fault},
    text::Check,
};

/// A list of `MIN` to `MAX` items of which no two are equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Distinct<T, const MIN: usize, const MAX: usize>(pub Vec<T>);

impl<T: Check + PartialEq, const MIN: usize, const MAX: usize> Check for Distinct<T, MIN, MAX> {
    fn check(&self) -> Result<(), Fault> {
        if self.0.len() < MIN {
            return Err(Fault::new("", Code::Required));
        }
        if self.0.len() > MAX {
            return Err(Fault::new("", Code::TooManyValues).with("max", MAX));
        }
        self.0.check()?;
        let again = self
            .0
            .iter()
            .enumerate()
            .position(|(index, item)| self.0.iter().take(index).any(|it| it == item));
        again.map_or(Ok(()), |index| {
            Err(Fault::new(format!("/{index}"), Code::DuplicateValue))
        })
    }
}

impl<T, const MIN: usize, const MAX: usize> Default for Distinct<T, MIN, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::ContactId;

    #[rstest::rstest]
    #[case(&["a"], None)]
    #[case(&["a", "b", "c"], None)]
    #[case(&[], Some(("", Code::Required)))]
    #[case(&["a", "b", "c", "d"], Some(("", Code::TooManyValues)))]
    #[case(&["a", "-"], Some(("/1", Code::InvalidId)))]
    #[case(&["a", "b", "a"], Some(("/2", Code::DuplicateValue)))]
    fn items_are_counted_judged_and_compared(
        #[case] ids: &[&str],
        #[case] expected: Option<(&str, Code)>,
    ) {
        let list: Distinct<ContactId, 1, 3> =
            serde_json::from_value(serde_json::json!(ids)).unwrap();
        let fault = list.check().err().map(|fault| (fault.pointer, fault.code));
        assert_eq!(
            fault,
            expected.map(|(pointer, code)| (pointer.to_owned(), code))
        );
    }
}
