//! Path parameters.

use std::{
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use crate::common::{
    Code, Error, FieldError, Result,
    ids::{ErpId, Id, IdKind},
};

/// A value that is a path parameter, with the parameter's name.
pub trait PathValue: FromStr<Err = FieldError> + 'static {
    const NAME: &'static str;
}

impl<K: IdKind> PathValue for ErpId<K> {
    const NAME: &'static str = K::PATH_PARAM;
}

impl<K: IdKind> PathValue for Id<K> {
    const NAME: &'static str = K::PATH_PARAM;
}

/// Extracts a path parameter.
pub struct PathParam<T>(pub T);

impl<T: PathValue> FromRequest for PathParam<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(path_param(request).map(Self))
    }
}

/// Parses a path parameter, or fails with [`Code::InvalidParameter`].
pub fn path_param<T: PathValue>(request: &HttpRequest) -> Result<T> {
    let text = request.match_info().get(T::NAME).unwrap_or_default();
    text.parse().map_err(|error: FieldError| {
        let error = FieldError {
            pointer: T::NAME.to_owned(),
            ..error
        };
        Error::field_errors(Code::InvalidParameter, vec![error])
    })
}
