//! Typed ids. The ERP assigns the ids of catalog entries and contacts ([`ErpId`]); all
//! other ids are UUIDv7, assigned by this service ([`Id`]).
//!
//! The type parameter is the kind of the resource, so ids of different kinds cannot be mixed up.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
};

use diesel::{deserialize::FromSqlRow, expression::AsExpression, sql_types::Text};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, Unexpected},
};
use ticket_policy::ids::{MAX_ERP_ID, is_erp_id, parse_uuid};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema, SchemaFormat,
        schema::{KnownFormat, ObjectBuilder, Type},
    },
};

use crate::common::{
    error::{Code, FieldError},
    text::SelfCheck,
};

/// Pattern of [`ErpId`]. The first character is a letter or a digit, so no id is a relative path
/// segment (`.` or `..`).
pub const ERP_ID_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$";

/// Id assigned by the ERP to a `K`: 1 to 64 characters of RFC 3986's unreserved set.
///
/// Deserialization accepts any string and [`SelfCheck`] validates it later, so that all errors of a
/// body are reported together. [`FromStr`], used for path parameters, validates immediately.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[serde(transparent)]
#[diesel(sql_type = Text)]
pub struct ErpId<K: 'static>(String, #[serde(skip)] PhantomData<fn() -> K>);

/// The kind of resource that an id identifies; an uninhabited type.
pub trait IdKind: 'static {
    /// The name of the path parameter that holds such an id.
    const PATH_PARAM: &'static str;
}

/// Declares kinds of ids: `Kind, "path_parameter", ErpId | Id => IdType;`
macro_rules! id_kinds {
    ($($(#[$doc:meta])* $Kind:ident, $param:literal, $IdOf:ident => $Id:ident;)+) => {
        $(
            /// Kind of id:
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum $Kind {}

            impl IdKind for $Kind {
                const PATH_PARAM: &'static str = $param;
            }

            /// Id of this kind of resource:
            $(#[$doc])*
            pub type $Id = $IdOf<$Kind>;
        )+
    };
}

id_kinds! {
    /// Business partner (a customer company) in the catalog.
    BusinessPartnerIdKind, "business_partner_id", ErpId => BusinessPartnerId;
    /// Area in the catalog.
    AreaIdKind, "area_id", ErpId => AreaId;
    /// Ticket type in the catalog.
    TicketTypeIdKind, "ticket_type_id", ErpId => TicketTypeId;
    /// Plan board in the catalog.
    PlanBoardIdKind, "plan_board_id", ErpId => PlanBoardId;
    /// Contact person at a business partner. Contacts are not in the catalog, so their ids are
    /// not checked for existence.
    ContactIdKind, "contact_id", ErpId => ContactId;
    /// Customer access: the login of a portal user.
    AccessIdKind, "access_id", Id => AccessId;
    /// Tag.
    TagIdKind, "tag_id", Id => TagId;
    /// Ticket board query.
    QueryIdKind, "query_id", Id => QueryId;
    /// Exclusion rule, of a partner or global.
    RuleIdKind, "rule_id", Id => RuleId;
    /// History entry.
    HistoryEntryIdKind, "history_entry_id", Id => HistoryEntryId;
}

impl<K> ErpId<K> {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id read from the database, where a constraint guarantees its form. Not validated again.
    pub(crate) fn from_trusted(id: String) -> Self {
        Self(id, PhantomData)
    }
}

/// Not derived, because the derive would require `K: Hash`.
impl<K> Hash for ErpId<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K> fmt::Display for ErpId<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<K> fmt::Debug for ErpId<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Checks that a text has the form of an [`ErpId`].
pub fn check_erp_id(text: &str) -> Result<(), FieldError> {
    if text.is_empty() {
        Err(FieldError::new("", Code::Required))
    } else if is_erp_id(text) {
        Ok(())
    } else {
        Err(invalid_erp_id(""))
    }
}

/// The error of a text that is not an id of the ERP. It states what such an id is.
pub fn invalid_erp_id(pointer: &str) -> FieldError {
    FieldError::new(pointer, Code::InvalidId)
        .with("kind", "erp")
        .with("max", MAX_ERP_ID)
}

/// The error of a text that is not an id of this service. It states what such an id is.
pub fn invalid_uuid(pointer: &str) -> FieldError {
    FieldError::new(pointer, Code::InvalidId).with("kind", "uuid")
}

impl<K> SelfCheck for ErpId<K> {
    fn check(&self) -> Result<(), FieldError> {
        check_erp_id(&self.0)
    }
}

impl<K> FromStr for ErpId<K> {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let id = Self(text.to_owned(), PhantomData);
        id.check().map(|()| id)
    }
}

impl<K> PartialSchema for ErpId<K> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Id in the ERP: 1 to 64 characters, the first one a letter or a digit.",
            ))
            .pattern(Some(ERP_ID_PATTERN))
            .min_length(Some(1))
            .max_length(Some(64))
            .examples(["A-100"])
            .into()
    }
}

impl<K> ToSchema for ErpId<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        "ErpId".into()
    }
}

/// Pattern of [`Id`].
pub const ID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Id assigned by this service to a `K`: a UUIDv7, so ids increase with time.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, AsExpression, FromSqlRow,
)]
#[serde(transparent)]
#[diesel(sql_type = crate::common::sql::Uuid)]
pub struct Id<K: 'static>(uuid::Uuid, #[serde(skip)] PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// A new id.
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7(), PhantomData)
    }

    /// The id as a UUID.
    pub fn as_uuid(&self) -> uuid::Uuid {
        self.0
    }
}

impl<K> From<uuid::Uuid> for Id<K> {
    fn from(id: uuid::Uuid) -> Self {
        Self(id, PhantomData)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<K> FromStr for Id<K> {
    type Err = FieldError;

    /// Accepts only the canonical form, lower case with hyphens, so that each resource has one URL.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        parse_uuid(text)
            .map(Self::from)
            .ok_or_else(|| invalid_uuid(""))
    }
}

/// Deserialization has validated the id.
impl<K> SelfCheck for Id<K> {
    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|_: FieldError| {
            D::Error::invalid_value(
                Unexpected::Str(&text),
                &"a UUID in lower case, with hyphens",
            )
        })
    }
}

impl<K> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Id given by this service (UUIDv7)."))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .pattern(Some(ID_PATTERN))
            .max_length(Some(36))
            .examples(["019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60"])
            .into()
    }
}

impl<K> ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("A", true)]
    #[case("4711", true)]
    #[case("a._~-Z", true)]
    #[case(&"x".repeat(64), true)]
    #[case(&"x".repeat(65), false)]
    #[case("", false)]
    #[case(".", false)]
    #[case("-a", false)]
    #[case("a b", false)]
    #[case("ä", false)]
    #[case("a/b", false)]
    #[case("a\0", false)]
    fn erp_id_accepts_unreserved_characters(#[case] text: &str, #[case] is_valid: bool) {
        assert_eq!(text.parse::<ContactId>().is_ok(), is_valid, "{text:?}");
    }

    #[test]
    fn id_accepts_canonical_form_only() {
        let id = TagId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            serde_json::from_value::<TagId>(serde_json::json!(id)).unwrap(),
            id
        );
        let schema = serde_json::json!({"pattern": ID_PATTERN});
        assert!(jsonschema::is_valid(&schema, &serde_json::json!(id)));
        for other in [
            id.to_string().to_uppercase(),
            id.as_uuid().simple().to_string(),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            format!(" {id}"),
        ] {
            assert!(other.parse::<TagId>().is_err(), "{other}");
            assert!(
                serde_json::from_value::<TagId>(serde_json::json!(other)).is_err(),
                "{other}"
            );
            assert!(
                !jsonschema::is_valid(&schema, &serde_json::json!(other)),
                "{other}"
            );
        }
    }
}
