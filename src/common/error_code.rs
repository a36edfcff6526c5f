//! Stable, machine-readable error codes and their classification.

/// Stable, machine-readable reason of a rejection. Part of the API: a code is never renamed or
/// reused.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::EnumIter,
)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    // unreadable request
    MalformedJson,
    UnknownMember,
    WrongType,
    InvalidParameter,
    UnknownParameter,
    InvalidCursor,
    BadRequest,
    // authentication and authorization
    MissingToken,
    InvalidToken,
    TokenExpired,
    InsufficientScope,
    PartnerRestricted,
    // unknown resource or route
    NotFound,
    UnknownRoute,
    MethodNotAllowed,
    // conflict with the current state
    IntegrationInactive,
    IntegrationIncomplete,
    LastArea,
    LastTicketType,
    DuplicateEmail,
    DuplicateContact,
    DuplicateName,
    AreaInUse,
    TagInUse,
    IncompleteOrder,
    LimitReached,
    RevisionNotReached,
    PreconditionFailed,
    // transport limits
    BodyTooLarge,
    UriTooLong,
    HeadersTooLarge,
    UnsupportedMediaType,
    RequestTimeout,
    TooManyRequests,
    TooManyConcurrentRequests,
    // invalid content
    ValidationFailed,
    ApproverRole,
    UnknownReference,
    RetiredReference,
    AreaNotGranted,
    UnknownAccess,
    // a single field
    Required,
    ExactlyOne,
    TooShort,
    TooLong,
    OutOfRange,
    ControlCharacter,
    InvisibleCharacter,
    InvalidId,
    InvalidEmail,
    InvalidColor,
    UnknownValue,
    DuplicateValue,
    InvalidTime,
    InvalidDuration,
    TooDeep,
    TooManyConditions,
    TooManyValues,
    TooManyComparisons,
    FilterTooLarge,
    NoArea,
    NoTicketType,
    // server errors
    InternalError,
    Unavailable,
    Overloaded,
    StorageFull,
}

/// The class of a code. It determines the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Unreadable,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    PreconditionFailed,
    TooLarge,
    UriTooLong,
    HeadersTooLarge,
    UnsupportedMediaType,
    TooSlow,
    TooMany,
    Invalid,
    Internal,
    Unavailable,
    StorageFull,
}

impl Code {
    /// The code as used in JSON and in the problem's URI.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The class of this code.
    pub fn kind(self) -> Kind {
        use Code::*;
        match self {
            MalformedJson | UnknownMember | WrongType | InvalidParameter | UnknownParameter
            | InvalidCursor | BadRequest => Kind::Unreadable,
            MissingToken | InvalidToken | TokenExpired => Kind::Unauthenticated,
            InsufficientScope | PartnerRestricted => Kind::Forbidden,
            NotFound | UnknownRoute => Kind::NotFound,
            MethodNotAllowed => Kind::MethodNotAllowed,
            IntegrationInactive
            | IntegrationIncomplete
            | LastArea
            | LastTicketType
            | DuplicateEmail
            | DuplicateContact
            | DuplicateName
            | AreaInUse
            | TagInUse
            | IncompleteOrder
            | LimitReached
            | RevisionNotReached => Kind::Conflict,
            PreconditionFailed => Kind::PreconditionFailed,
            BodyTooLarge => Kind::TooLarge,
            UriTooLong => Kind::UriTooLong,
            HeadersTooLarge => Kind::HeadersTooLarge,
            TooManyRequests | TooManyConcurrentRequests => Kind::TooMany,
            UnsupportedMediaType => Kind::UnsupportedMediaType,
            RequestTimeout => Kind::TooSlow,
            ValidationFailed | ApproverRole | UnknownReference | RetiredReference
            | AreaNotGranted | UnknownAccess | Required | ExactlyOne | TooShort | TooLong
            | OutOfRange | ControlCharacter | InvisibleCharacter | InvalidId | InvalidEmail
            | InvalidColor | UnknownValue | DuplicateValue | InvalidTime | InvalidDuration
            | TooDeep | TooManyConditions | TooManyValues | TooManyComparisons | FilterTooLarge
            | NoArea | NoTicketType => Kind::Invalid,
            InternalError => Kind::Internal,
            Unavailable | Overloaded => Kind::Unavailable,
            StorageFull => Kind::StorageFull,
        }
    }

    /// Whether the code is used for single members of a body only, never for a whole problem.
    pub fn is_field_code(self) -> bool {
        use Code::*;
        matches!(
            self,
            Required
                | ExactlyOne
                | TooShort
                | TooLong
                | OutOfRange
                | ControlCharacter
                | InvisibleCharacter
                | InvalidId
                | InvalidEmail
                | InvalidColor
                | UnknownValue
                | DuplicateValue
                | InvalidTime
                | InvalidDuration
                | TooDeep
                | TooManyConditions
                | TooManyValues
                | TooManyComparisons
                | FilterTooLarge
                | NoArea
                | NoTicketType
        )
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn code_text_parses_back_to_same_code() {
        for code in Code::iter() {
            assert_eq!(code.as_str().parse(), Ok(code));
        }
    }
}
