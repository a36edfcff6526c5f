//! Deserializes a JSON body and reports every member with the wrong type, not only the first one.
//!
//! serde stops at the first error. This deserializer wraps that of `serde_json` and checks each
//! value against the type that is requested. If it differs, the error is recorded, and
//! deserialization continues with a placeholder: `false`, `0`, an empty string, list or object.
//! Unknown and repeated members are recorded and skipped. The errors are therefore independent of
//! serde's English messages.
//!
//! Objects are only accepted where a struct is expected, and may not have members that the struct
//! does not have.

use std::cell::RefCell;

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IgnoredAny, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
};

use super::field_errors::{MAX_NAME, data_error, escape_member};
use crate::common::{
    Code, FieldError, draft::append_validation, error::MAX_FIELD_ERRORS,
    normalize::truncate_untrusted,
};

/// Prefix of the names by which `serde_json` recognizes its own types, such as `RawValue`.
const JSON_TYPE_PREFIX: &str = "$serde_json";

/// A deserialized value, with the errors that were replaced by placeholders.
pub struct Parsed<T> {
    pub value: T,
    /// In the order of the body.
    pub field_errors: Vec<FieldError>,
}

/// Why a body could not be deserialized.
pub enum Failure {
    /// It is not JSON.
    Malformed(serde_json::Error),
    /// It has no value even with placeholders.
    Invalid(Vec<FieldError>),
}

/// Deserializes a body.
///
/// # Errors
///
/// A body that is not JSON, unless an earlier member is invalid. A value whose type rejects it
/// without support for placeholders.
pub fn deserialize<'b, T: Deserialize<'b>>(json: &'b [u8]) -> Result<Parsed<T>, Failure> {
    let errors = Errors::default();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let root = Value {
        inner: &mut deserializer,
        at: Position {
            path: &Path::Root,
            errors: &errors,
        },
    };
    let value = T::deserialize(root).and_then(|value| deserializer.end().map(|()| value));
    let mut field_errors = errors.recorded.into_inner();
    match value {
        Ok(value) => Ok(Parsed {
            value,
            field_errors,
        }),
        Err(error) => {
            if error.is_data() {
                let pointer = errors.failed_at.into_inner().unwrap_or_default();
                let rejected = data_error(&pointer, &error.to_string());
                append_validation(&mut field_errors, vec![rejected]);
            }
            Err(if field_errors.is_empty() {
                Failure::Malformed(error)
            } else {
                Failure::Invalid(field_errors)
            })
        }
    }
}

#[derive(Default)]
struct Errors {
    recorded: RefCell<Vec<FieldError>>,
    /// Pointer of the value whose type rejected it.
    failed_at: RefCell<Option<String>>,
}

/// The path from the root to a value.
enum Path<'p> {
    Root,
    Member(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(parent, name) => format!("{}/{}", parent.pointer(), escape_member(name)),
            Self::Item(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }
}

/// Where a value is, and where its errors are recorded.
#[derive(Clone, Copy)]
struct Position<'p> {
    path: &'p Path<'p>,
    errors: &'p Errors,
}

impl Position<'_> {
    fn record(&self, field_error: FieldError) {
        let mut recorded = self.errors.recorded.borrow_mut();
        if recorded.len() < MAX_FIELD_ERRORS {
            recorded.push(field_error);
        }
    }

    fn record_failure(&self) {
        let mut failed_at = self.errors.failed_at.borrow_mut();
        failed_at.get_or_insert_with(|| self.path.pointer());
    }
}

/// The type of a value, as requested by the type to be deserialized.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    Boolean,
    Integer,
    Number,
    String,
    List,
    /// An object with these members; `None` for any members.
    Object(Option<&'static [&'static str]>),
}

impl Expected {
    /// The argument of the message.
    fn name(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::List => "list",
            Self::Object(_) => "object",
        }
    }
}

/// The deserializer of one value.
struct Value<'p, D> {
    inner: D,
    at: Position<'p>,
}

impl<'de, D: Deserializer<'de>> Value<'_, D> {
    fn expect<V: Visitor<'de>>(self, expected: Expected, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(TypeCheck {
            visitor,
            expected,
            at: self.at,
        })
    }
}

macro_rules! expect {
    ($($method:ident: $expected:ident,)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
                self.expect(Expected::$expected, visitor)
            }
        )+
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Value<'_, D> {
    type Error = D::Error;

    expect! {
        deserialize_any: Anything,
        deserialize_unit: Anything,
        deserialize_bytes: Anything,
        deserialize_byte_buf: Anything,
        deserialize_bool: Boolean,
        deserialize_i8: Integer,
        deserialize_i16: Integer,
        deserialize_i32: Integer,
        deserialize_i64: Integer,
        deserialize_u8: Integer,
        deserialize_u16: Integer,
        deserialize_u32: Integer,
        deserialize_u64: Integer,
        deserialize_f32: Number,
        deserialize_f64: Number,
        deserialize_char: String,
        deserialize_str: String,
        deserialize_string: String,
        deserialize_identifier: String,
        deserialize_seq: List,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(OptionVisitor {
            visitor,
            at: self.at,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if name.starts_with(JSON_TYPE_PREFIX) {
            self.inner.deserialize_newtype_struct(name, visitor)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.expect(Expected::Anything, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.expect(Expected::List, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.expect(Expected::List, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.expect(Expected::Object(None), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.expect(Expected::Object(Some(fields)), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }
}

/// Passes values of the expected type on to the visitor, and replaces other ones.
struct TypeCheck<'p, V> {
    visitor: V,
    expected: Expected,
    at: Position<'p>,
}

impl<'de, V: Visitor<'de>> TypeCheck<'_, V> {
    /// Records the wrong type and visits a placeholder.
    fn replace<E: Error>(self) -> Result<V::Value, E> {
        let field_error = FieldError::new(self.at.path.pointer(), Code::WrongType);
        self.at
            .record(field_error.with("expected", self.expected.name()));
        match self.expected {
            Expected::Anything => self.visitor.visit_unit(),
            Expected::Boolean => self.visitor.visit_bool(false),
            Expected::Integer => self.visitor.visit_i64(0),
            Expected::Number => self.visitor.visit_f64(0.0),
            Expected::String => self.visitor.visit_str(""),
            Expected::List => {
                let empty = SeqDeserializer::<_, E>::new(std::iter::empty::<()>());
                self.visitor.visit_seq(empty)
            }
            Expected::Object(_) => {
                let empty = MapDeserializer::<_, E>::new(std::iter::empty::<((), ())>());
                self.visitor.visit_map(empty)
            }
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for TypeCheck<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        match self.expected {
            Expected::Boolean | Expected::Anything => self.visitor.visit_bool(value),
            _ => self.replace(),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        match self.expected {
            Expected::Integer | Expected::Number | Expected::Anything => {
                self.visitor.visit_i64(value)
            }
            _ => self.replace(),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        match self.expected {
            Expected::Integer | Expected::Number | Expected::Anything => {
                self.visitor.visit_u64(value)
            }
            _ => self.replace(),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match self.expected {
            Expected::Number | Expected::Anything => self.visitor.visit_f64(value),
            Expected::Integer if value.fract() == 0.0 => self.visitor.visit_f64(value),
            _ => self.replace(),
        }
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        match self.expected {
            Expected::String | Expected::Anything => self.visitor.visit_borrowed_str(text),
            _ => self.replace(),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        match self.expected {
            Expected::String | Expected::Anything => self.visitor.visit_str(text),
            _ => self.replace(),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        match self.expected {
            Expected::Anything => self.visitor.visit_unit(),
            _ => self.replace(),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<V::Value, A::Error> {
        match self.expected {
            Expected::List | Expected::Anything => self.visitor.visit_seq(Items {
                inner: seq,
                next: 0,
                at: self.at,
            }),
            _ => {
                // recorded even if the rest of the list is malformed
                let replaced = self.replace()?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(replaced)
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<V::Value, A::Error> {
        let members = match self.expected {
            Expected::Object(members) => members,
            Expected::Anything => None,
            _ => {
                let replaced = self.replace()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(replaced);
            }
        };
        self.visitor.visit_map(Members {
            inner: map,
            members,
            seen: Vec::new(),
            name: String::new(),
            at: self.at,
        })
    }
}

struct OptionVisitor<'p, V> {
    visitor: V,
    at: Position<'p>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OptionVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Value { inner, at: self.at })
    }
}

struct Items<'p, A> {
    inner: A,
    next: usize,
    at: Position<'p>,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let path = Path::Item(self.at.path, self.next);
        self.next += 1;
        let at = Position {
            path: &path,
            errors: self.at.errors,
        };
        self.inner.next_element_seed(Seed { seed, at })
    }
}

struct Members<'p, A> {
    inner: A,
    /// The allowed members.
    members: Option<&'static [&'static str]>,
    seen: Vec<&'static str>,
    /// The name of the current member.
    name: String,
    at: Position<'p>,
}

impl<A> Members<'_, A> {
    /// The error of a member with this name, if it must be skipped.
    fn name_error(&mut self, name: &str) -> Option<FieldError> {
        let allowed = self.members?;
        let pointer = || Path::Member(self.at.path, name).pointer();
        let Some(member) = allowed.iter().find(|member| **member == name) else {
            let shown = truncate_untrusted(name, MAX_NAME);
            let error = FieldError::new(pointer(), Code::UnknownMember);
            return Some(error.with("member", shown));
        };
        if self.seen.contains(member) {
            let error = FieldError::new(pointer(), Code::WrongType);
            return Some(error.with("expected", "once"));
        }
        self.seen.push(member);
        None
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        while let Some(name) = self.inner.next_key::<String>()? {
            match self.name_error(&name) {
                None => {
                    self.name = name;
                    let name = self.name.as_str().into_deserializer();
                    return seed.deserialize(name).map(Some);
                }
                Some(error) => {
                    self.at.record(error);
                    self.inner.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let path = Path::Member(self.at.path, &self.name);
        let at = Position {
            path: &path,
            errors: self.at.errors,
        };
        self.inner.next_value_seed(Seed { seed, at })
    }
}

/// Deserializes an item or a member.
struct Seed<'p, S> {
    seed: S,
    at: Position<'p>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let at = self.at;
        let value = self.seed.deserialize(Value { inner, at });
        value.inspect_err(|_| at.record_failure())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        flag: bool,
        count: i64,
        text: String,
        optional: Option<String>,
        list: Vec<Inner>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        a: String,
        b: Vec<String>,
    }

    fn parse(json: &str) -> Parsed<Outer> {
        deserialize(json.as_bytes()).unwrap_or_else(|_| panic!("{json} has no value"))
    }

    /// The errors, as `pointer code argument`.
    fn errors(json: &str) -> Vec<String> {
        let errors = parse(json).field_errors.into_iter();
        errors
            .map(|error| {
                let (_, argument) = &error.args[0];
                format!("{} {} {argument}", error.pointer, error.code.as_str())
            })
            .collect()
    }

    #[test]
    fn valid_body_equals_that_of_serde_json() {
        let json = r#"{"flag": true, "count": 3, "text": "t\u0065xt", "optional": null,
            "list": [{"a": "x", "b": ["1", "2"]}, {}]}"#;
        let parsed = parse(json);
        assert_eq!(parsed.field_errors, []);
        assert_eq!(parsed.value, serde_json::from_str::<Outer>(json).unwrap());
    }

    #[test]
    fn all_wrong_types_are_reported_in_order() {
        let json = r#"{"flag": "yes", "count": 1.5, "text": [1], "optional": {"x": 1},
            "list": [3, {"a": null, "b": ["1", 2, [], "4", false]}]}"#;
        assert_eq!(
            errors(json),
            [
                "/flag wrong_type boolean",
                "/count wrong_type integer",
                "/text wrong_type string",
                "/optional wrong_type string",
                "/list/0 wrong_type object",
                "/list/1/a wrong_type string",
                "/list/1/b/1 wrong_type string",
                "/list/1/b/2 wrong_type string",
                "/list/1/b/4 wrong_type string",
            ]
        );
    }

    #[test]
    fn unknown_and_repeated_members_are_skipped() {
        let json = r#"{"x/y": [{"z": 1}], "count": 1, "count": 2, "list": [{"c": 1, "a": "x"}]}"#;
        assert_eq!(
            errors(json),
            [
                "/x~1y unknown_member x/y",
                "/count wrong_type once",
                "/list/0/c unknown_member c",
            ]
        );
        let value = parse(json).value;
        assert_eq!((value.count, value.list[0].a.as_str()), (1, "x"));
    }

    #[test]
    fn number_of_errors_is_limited() {
        let json = format!(r#"{{"list": [{}1]}}"#, "1,".repeat(1000));
        assert_eq!(parse(&json).field_errors.len(), MAX_FIELD_ERRORS);
    }

    #[test]
    fn malformed_rest_is_reported_only_without_other_errors() {
        let fails = |json: &str| deserialize::<Outer>(json.as_bytes()).err().unwrap();
        assert!(matches!(fails(r#"{"flag": true"#), Failure::Malformed(_)));
        assert!(matches!(
            fails(r#"{"flag": 1, "x""#),
            Failure::Invalid(errors) if errors.len() == 2 || errors.len() == 1
        ));
        assert!(
            matches!(fails(&"[".repeat(100_000)), Failure::Invalid(errors) if errors.len() == 1)
        );
    }

    #[test]
    fn raw_values_and_missing_members_without_default_are_supported() {
        #[derive(Debug, Deserialize)]
        struct Raw<'b> {
            #[serde(borrow)]
            raw: Vec<&'b RawValue>,
            #[expect(dead_code, reason = "only its absence matters")]
            required: bool,
        }
        let json = br#"{"raw": [1, {"a": 2}], "required": true}"#;
        let parsed: Parsed<Raw<'_>> = deserialize(json).ok().unwrap();
        assert_eq!(parsed.value.raw[1].get(), r#"{"a": 2}"#);
        let Err(Failure::Invalid(errors)) = deserialize::<Raw<'_>>(br#"{"raw": [1]}"#) else {
            panic!("the member is not required")
        };
        assert_eq!(errors, [FieldError::new("/required", Code::Required)]);
    }
}
