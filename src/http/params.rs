//! Parameters in the path and the query.

use std::{
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;
use validator::Validate;

use super::{
    field_errors::{InputKind, deserialize_error, validation_errors},
    request_context::route,
};
use crate::common::{
    Code, Error, FieldError, Result,
    ids::{ErpId, Id, IdKind},
    page::{PageRequest, SortKey},
};

/// A value that stands in paths, and the name it has there.
pub trait PathValue: FromStr<Err = FieldError> + 'static {
    const NAME: &'static str;
}

impl<K: IdKind> PathValue for ErpId<K> {
    const NAME: &'static str = K::PATH_PARAM;
}

impl<K: IdKind> PathValue for Id<K> {
    const NAME: &'static str = K::PATH_PARAM;
}

/// A parameter of the path.
pub struct PathParam<T>(pub T);

impl<T: PathValue> FromRequest for PathParam<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path_param(request, T::NAME).map(Self))
    }
}

/// Reads a parameter of the path, or refuses the request with 400.
pub fn path_param<T: FromStr<Err = FieldError>>(request: &HttpRequest, name: &str) -> Result<T> {
    let text = request.match_info().get(name).unwrap_or_default();
    text.parse().map_err(|field_error: FieldError| {
        Error::field_errors(
            Code::InvalidParameter,
            vec![FieldError {
                pointer: name.to_owned(),
                ..field_error
            }],
        )
    })
}

/// Parameters that every list takes.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only documents what ListQuery reads")]
pub struct PageParams {
    /// Most items on the page.
    #[param(minimum = 1, maximum = 200, default = 50, example = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before; only valid in the same list and order.
    #[param(max_length = 2000, pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
}

/// Parameters of lists whose items have names.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only documents what ListQuery reads")]
pub struct NameParams {
    /// Order of the items, `name` when absent; ties are broken by their ids.
    #[param(inline, example = "-created_at")]
    sort: Option<SortOrder>,
    /// Words, at most 16, that all must occur in an item's name (or e-mail address, or id); case and accents do not matter.
    #[param(
        max_length = 200,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "müller"
    )]
    q: Option<String>,
}

/// Parameters of lists whose items have names and positions.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only documents what ListQuery reads")]
pub struct PositionParams {
    /// Order of the items, `position` when absent; ties are broken by their ids.
    #[param(inline, example = "-created_at")]
    sort: Option<PositionSortOrder>,
    /// Words, at most 16, that all must occur in an item's name; case and accents do not matter.
    #[param(
        max_length = 200,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        example = "müller"
    )]
    q: Option<String>,
}

/// The filters of a list that has none of its own.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// The orders of a list.
#[derive(Debug, utoipa::ToSchema)]
pub enum SortOrder {
    #[schema(rename = "name")]
    Name,
    #[schema(rename = "-name")]
    NameDescending,
    #[schema(rename = "created_at")]
    CreatedAt,
    #[schema(rename = "-created_at")]
    CreatedAtDescending,
}

/// The orders of the list of queries.
#[derive(Debug, utoipa::ToSchema)]
pub enum PositionSortOrder {
    #[schema(rename = "position")]
    Position,
    #[schema(rename = "-position")]
    PositionDescending,
    #[schema(rename = "name")]
    Name,
    #[schema(rename = "-name")]
    NameDescending,
    #[schema(rename = "created_at")]
    CreatedAt,
    #[schema(rename = "-created_at")]
    CreatedAtDescending,
}

/// The parameters of a list: its page, and its own filters `F`.
pub struct ListQuery<F> {
    pub page: PageRequest,
    pub filter: F,
}

/// The filters of a list.
pub trait ListFilter: DeserializeOwned + Validate {
    /// What the list can be ordered by; the first one is the default.
    const ORDERS: &[SortKey] = SortKey::DEFAULT;
}

impl ListFilter for NoFilter {}

impl<F: ListFilter> FromRequest for ListQuery<F> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let list = route(request).unwrap_or_default();
        ready(Self::parse(&list, request.query_string()))
    }
}

impl<F: ListFilter> ListQuery<F> {
    fn parse(list: &str, query: &str) -> Result<Self> {
        let sent: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        if let Some((name, _)) = sent
            .iter()
            .enumerate()
            .find_map(|(i, (name, _))| sent.iter().skip(i + 1).find(|(other, _)| other == name))
        {
            return Err(invalid(name, Code::DuplicateValue));
        }
        let value = |wanted: &str| {
            sent.iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| &**value)
        };
        // what is no number is as far out of range as can be
        let limit = value("limit").map(|text| text.parse().unwrap_or(u32::MAX));
        let page = PageRequest::new(
            list,
            F::ORDERS,
            limit,
            value("sort"),
            value("q"),
            value("cursor"),
        )?;
        let own: Vec<_> = sent
            .iter()
            .filter(|(name, _)| !["limit", "sort", "q", "cursor"].contains(&&**name))
            .collect();
        let own = serde_urlencoded::to_string(own).map_err(anyhow::Error::from)?;
        Ok(Self {
            page,
            filter: filter(&own)?,
        })
    }
}

fn filter<F: ListFilter>(query: &str) -> Result<F> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    let filter: F =
        serde_path_to_error::deserialize(pairs).map_err(|error| {
            match deserialize_error(&error, InputKind::Query) {
                field_error if field_error.code == Code::UnknownParameter => {
                    Error::from_field(field_error)
                }
                field_error => Error::field_errors(Code::InvalidParameter, vec![field_error]),
            }
        })?;
    filter.validate().map_err(|errors| {
        let named = validation_errors(&errors)
            .into_iter()
            .map(|field_error| FieldError {
                pointer: field_error.pointer.trim_start_matches('/').to_owned(),
                ..field_error
            });
        Error::field_errors(Code::InvalidParameter, named.collect())
    })?;
    Ok(filter)
}

fn invalid(name: &str, code: Code) -> Error {
    Error::field_errors(Code::InvalidParameter, vec![FieldError::new(name, code)])
}
