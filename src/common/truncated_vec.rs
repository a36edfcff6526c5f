//! Lists that are truncated while they are parsed.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

/// The first `LEN` items of a list; the rest is parsed and discarded. Choose `LEN` one larger than
/// the allowed length, so that an overlong list can still be detected.
///
/// Without this, a body of empty objects would take a hundred times its size in memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TruncatedVec<T, const LEN: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const LEN: usize> Deserialize<'de> for TruncatedVec<T, LEN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SeqVisitor<T, const LEN: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const LEN: usize> Visitor<'de> for SeqVisitor<T, LEN> {
            type Value = TruncatedVec<T, LEN>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while items.len() < LEN {
                    match seq.next_element()? {
                        Some(item) => items.push(item),
                        None => return Ok(TruncatedVec(items)),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(TruncatedVec(items))
            }
        }

        deserializer.deserialize_seq(SeqVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> serde_json::Result<Vec<u8>> {
        serde_json::from_str::<TruncatedVec<u8, 2>>(json).map(|list| list.0)
    }

    #[test]
    fn excess_items_are_discarded() {
        assert_eq!(parse("[1]").unwrap(), [1]);
        assert_eq!(parse("[1, 2, {\"x\": [3]}, 4]").unwrap(), [1, 2]);
        assert!(parse("[1, {}, 2]").is_err());
        assert!(parse("{}").is_err());
    }
}
