//! Query parameters of lists.

use std::{
    borrow::Cow,
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};
use validator::Validate;

use super::{
    field_errors::{query_error, validation_errors},
    request_context::route,
};
use crate::common::{
    Code, Error, FieldError, Result,
    page::{PageRequest, RawPage, Sort, SortKey},
};

/// Parameters that belong to [`PageRequest`]; all others are filters.
const PAGE_PARAMS: [&str; 6] = ["limit", "sort", "q", "cursor", "ids", "count"];

/// Parameters of every list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what ListQuery parses")]
pub struct PageParams {
    /// Maximum number of items on the page.
    #[param(minimum = 1, maximum = 200, default = 50, example = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the previous page. Only valid for the same list and order.
    #[param(max_length = 2000, pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
}

/// Parameters that select the items of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what ListQuery parses")]
pub struct SelectionParams {
    /// Up to 16 search terms. An item matches if its name (or email address, or id) contains all
    /// of them, ignoring case and accents.
    #[param(
        max_length = 200,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "müller"
    )]
    q: Option<String>,
    /// Only items with these ids, up to 100.
    #[param(
        style = Form,
        explode = false,
        value_type = Option<Vec<String>>,
        min_items = 1,
        max_items = 100
    )]
    ids: Option<Vec<String>>,
    /// Whether to return the number of items of all pages in `total_count`. Default: false.
    #[param(example = true)]
    count: Option<bool>,
}

/// The parameter `sort` of a list with the filters `F`.
pub struct ListSort<F>(PhantomData<F>);

impl<F: ListFilter> IntoParams for ListSort<F> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let orders: Vec<_> = Sort::all(F::ORDERS).map(|sort| sort.to_string()).collect();
        let description = format!(
            "Order of the items; `{}` by default. Ties are broken by id.",
            Sort::default_of(F::ORDERS)
        );
        let example = orders.last().map(|order| order.as_str().into());
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(orders));
        let parameter = ParameterBuilder::new()
            .name("sort")
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(schema))
            .example(example)
            .build();
        vec![parameter]
    }
}

/// The filters of a list.
pub trait ListFilter: DeserializeOwned + Validate {
    /// The orders of the list; the first one is the default.
    const ORDERS: &[SortKey] = SortKey::DEFAULT;
}

/// For lists without filters.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

impl ListFilter for NoFilter {}

/// Extracts the page and the filters `F` of a list.
pub struct ListQuery<F> {
    pub page: PageRequest,
    pub filter: F,
}

impl<F: ListFilter> FromRequest for ListQuery<F> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let list = route(request).unwrap_or_default();
        ready(Self::parse(&list, request.query_string()))
    }
}

/// Extracts the query parameters of an operation that is not a list.
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for QueryParams<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let params: Vec<_> = form_urlencoded::parse(request.query_string().as_bytes()).collect();
        ready(ensure_distinct(&params).and_then(|()| parse_filter(&params).map(Self)))
    }
}

impl<F: ListFilter> ListQuery<F> {
    fn parse(list: &str, query: &str) -> Result<Self> {
        let params: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        ensure_distinct(&params)?;
        let value = |wanted: &str| {
            params
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| &**value)
        };
        // Not a number: reported as out of range.
        let limit = value("limit").map(|text| text.parse().unwrap_or(u32::MAX));
        let raw = RawPage {
            limit,
            sort: value("sort"),
            q: value("q"),
            cursor: value("cursor"),
            ids: value("ids"),
            count: value("count"),
        };
        let page = PageRequest::new(list, F::ORDERS, raw)?;
        Ok(Self {
            page,
            filter: parse_filter(&params)?,
        })
    }
}

fn ensure_distinct(params: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<()> {
    match duplicate_name(params) {
        Some(name) => Err(invalid(vec![FieldError::new(name, Code::DuplicateValue)])),
        None => Ok(()),
    }
}

fn duplicate_name<'a>(params: &'a [(Cow<'_, str>, Cow<'_, str>)]) -> Option<&'a str> {
    params.iter().enumerate().find_map(|(index, (name, _))| {
        let mut later = params.iter().skip(index + 1);
        later
            .any(|(other, _)| other == name)
            .then_some(name.as_ref())
    })
}

fn parse_filter<F: DeserializeOwned + Validate>(
    params: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Result<F> {
    let filters: Vec<_> = params
        .iter()
        .filter(|(name, _)| !PAGE_PARAMS.contains(&&**name))
        .collect();
    let query = serde_urlencoded::to_string(filters).map_err(anyhow::Error::from)?;
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    let filter: F = serde_path_to_error::deserialize(pairs)
        .map_err(|error| invalid_filter(query_error(&error)))?;
    filter.validate().map_err(|errors| {
        let errors = validation_errors(&errors).into_iter();
        let errors = errors.map(|error| FieldError {
            pointer: error.pointer.trim_start_matches('/').to_owned(),
            ..error
        });
        invalid(errors.collect())
    })?;
    Ok(filter)
}

fn invalid_filter(error: FieldError) -> Error {
    if error.code == Code::UnknownParameter {
        Error::from_field(error)
    } else {
        invalid(vec![error])
    }
}

fn invalid(errors: Vec<FieldError>) -> Error {
    Error::field_errors(Code::InvalidParameter, errors)
}
