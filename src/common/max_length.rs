//! The schema of a response text that has a limit, but no other form.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

/// A text of at most `MAX` characters, as the item of a list in the OpenAPI document:
/// `#[schema(inline, value_type = Vec<MaxLength<200>>)]`. Members that are texts use the attribute
/// `max_length`.
pub enum MaxLength<const MAX: usize> {}

impl<const MAX: usize> PartialSchema for MaxLength<MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MAX))
            .into()
    }
}

impl<const MAX: usize> ToSchema for MaxLength<MAX> {}
