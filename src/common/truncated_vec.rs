//! Lists of which no more is kept than is needed to see that they are too long.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

/// The first `KEPT` items of a list; what comes after them is read over. A body of empty objects would otherwise take a hundred
/// times its size in memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TruncatedVec<T, const KEPT: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const KEPT: usize> Deserialize<'de> for TruncatedVec<T, KEPT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfSeq<T, const KEPT: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const KEPT: usize> Visitor<'de> for OfSeq<T, KEPT> {
            type Value = TruncatedVec<T, KEPT>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < KEPT {
                    match seq.next_element()? {
                        Some(item) => kept.push(item),
                        None => return Ok(TruncatedVec(kept)),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(TruncatedVec(kept))
            }
        }

        deserializer.deserialize_seq(OfSeq(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_read_over() {
        let read =
            |json: &str| serde_json::from_str::<TruncatedVec<u8, 2>>(json).map(|list| list.0);
        assert_eq!(read("[1]").unwrap(), [1]);
        assert_eq!(read("[1, 2, {\"x\": [3]}, 4]").unwrap(), [1, 2]);
        assert!(read("[1, {}, 2]").is_err());
        assert!(read("{}").is_err());
    }
}
