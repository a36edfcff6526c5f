//! Several values of one query parameter, separated by commas.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IntoDeserializer as _, value::StrDeserializer},
};

use crate::common::{error::FieldError, text::SelfCheck};

/// Values of a query parameter: `editor,dispatcher`. An item of a list matches any of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CommaSeparated<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for CommaSeparated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = CommaSeparated<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("values separated by commas")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let values = text.split(',').map(|value| {
                    let value: StrDeserializer<'_, E> = value.into_deserializer();
                    T::deserialize(value)
                });
                values.collect::<Result<_, _>>().map(CommaSeparated)
            }
        }

        deserializer.deserialize_str(Visitor(std::marker::PhantomData))
    }
}

impl<T: SelfCheck> SelfCheck for CommaSeparated<T> {
    fn check(&self) -> Result<(), FieldError> {
        // the values of a parameter have no pointer
        self.0.iter().try_for_each(SelfCheck::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::ids::AreaId;

    fn parse(text: &str) -> CommaSeparated<AreaId> {
        serde_json::from_value(serde_json::json!(text)).unwrap()
    }

    #[test]
    fn values_are_split_and_checked() {
        assert_eq!(parse("a,b").0.len(), 2);
        assert!(parse("a,b").check().is_ok());
        assert!(parse("a,").check().is_err());
        assert!(parse("a,-").check().is_err());
    }
}
