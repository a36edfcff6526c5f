//! Identifiers. Those of catalogue entries are the ERP's own and never invented; those of what we own are UUIDv7.

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

/// Pattern of the ERP's ids; the first character is a letter or a digit, so no id is a path of its own (`.`, `..`).
pub const ERP_ID_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$";

/// Id of something the ERP owns: 1 to 64 characters of RFC 3986's unreserved set. `K` says of what.
///
/// In a body it is read as it is and judged by [`SelfCheck`], so that all faults can be told at once; in a path it is
/// parsed by [`FromStr`] and cannot be wrong.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[serde(transparent)]
#[diesel(sql_type = Text)]
pub struct ErpId<K: 'static>(String, #[serde(skip)] PhantomData<fn() -> K>);

/// What an id identifies, as a type that has no values.
pub trait IdKind: 'static {
    /// The name of such an id as a path parameter.
    const PATH_PARAM: &'static str;
}

/// Declares a kind of id, its path parameter and its id type.
macro_rules! id_kinds {
    ($($(#[$doc:meta])* $Kind:ident, $param:literal, $IdOf:ident => $Id:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum $Kind {}

            impl IdKind for $Kind {
                const PATH_PARAM: &'static str = $param;
            }

            $(#[$doc])*
            pub type $Id = $IdOf<$Kind>;
        )+
    };
}

id_kinds! {
    /// A business partner of the catalogue.
    BusinessPartnerIdKind, "business_partner_id", ErpId => BusinessPartnerId;
    /// An area of the catalogue.
    AreaIdKind, "area_id", ErpId => AreaId;
    /// A ticket type of the catalogue.
    TicketTypeIdKind, "ticket_type_id", ErpId => TicketTypeId;
    /// A plan board of the catalogue.
    PlanBoardIdKind, "plan_board_id", ErpId => PlanBoardId;
    /// A contact person at a business partner. Contacts are not in the catalogue; only their ids are known.
    ContactIdKind, "contact_id", ErpId => ContactId;
    /// A customer access.
    AccessIdKind, "access_id", Id => AccessId;
    /// A tag.
    TagIdKind, "tag_id", Id => TagId;
    /// A ticket board query.
    QueryIdKind, "query_id", Id => QueryId;
    /// An exclusion rule.
    RuleIdKind, "rule_id", Id => RuleId;
    /// A history entry.
    HistoryEntryIdKind, "history_entry_id", Id => HistoryEntryId;
}

impl<K> ErpId<K> {
    /// The id as the ERP writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id that comes from our own database, where a constraint has judged it.
    pub(crate) fn from_trusted(id: String) -> Self {
        Self(id, PhantomData)
    }
}

/// Not derived, since that would ask the same of `K`.
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

/// Judges a text that should be an id of the ERP.
pub fn erp_id(text: &str) -> Result<(), FieldError> {
    if text.is_empty() {
        Err(FieldError::new("", Code::Required))
    } else if ticket_policy::ids::is_erp_id(text) {
        Ok(())
    } else {
        Err(FieldError::new("", Code::InvalidId))
    }
}

impl<K> SelfCheck for ErpId<K> {
    fn check(&self) -> Result<(), FieldError> {
        erp_id(&self.0)
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

/// Pattern of our own ids.
pub const ID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Id of something we own: a UUIDv7, so that ids grow with time. `K` says of what.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, AsExpression, FromSqlRow,
)]
#[serde(transparent)]
#[diesel(sql_type = crate::db::sql_types::Uuid)]
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

    /// Reads the form we write only, in lower case and with hyphens: one id, one spelling, one URL.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        ticket_policy::ids::parse_uuid(text)
            .map(Self::from)
            .ok_or_else(|| FieldError::new("", Code::InvalidId))
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
    fn erp_ids(#[case] text: &str, #[case] good: bool) {
        assert_eq!(text.parse::<ContactId>().is_ok(), good, "{text:?}");
    }

    #[test]
    fn uuids_have_one_spelling() {
        let id = Id::<ContactIdKind>::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            serde_json::from_value::<Id<ContactIdKind>>(serde_json::json!(id)).unwrap(),
            id
        );
        let schema = serde_json::json!({"pattern": ID_PATTERN});
        assert!(jsonschema::is_valid(&schema, &serde_json::json!(id)));
        let (upper, simple) = (
            id.to_string().to_uppercase(),
            id.as_uuid().simple().to_string(),
        );
        for other in [
            upper,
            simple,
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            format!(" {id}"),
        ] {
            assert!(other.parse::<Id<ContactIdKind>>().is_err(), "{other}");
            assert!(
                serde_json::from_value::<Id<ContactIdKind>>(serde_json::json!(other)).is_err(),
                "{other}"
            );
            assert!(
                !jsonschema::is_valid(&schema, &serde_json::json!(other)),
                "{other}"
            );
        }
    }
}
