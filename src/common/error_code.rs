//! The stable codes a caller can act upon, and what sort of refusal each one is.

/// Stable, machine-readable reason. Part of the contract: a code is never renamed or reused.
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
    // cannot be read
    MalformedJson,
    UnknownMember,
    WrongType,
    InvalidParameter,
    UnknownParameter,
    InvalidCursor,
    BadRequest,
    // who asks
    MissingToken,
    InvalidToken,
    InsufficientScope,
    PartnerRestricted,
    // where
    NotFound,
    UnknownRoute,
    MethodNotAllowed,
    // the state forbids it
    IntegrationInactive,
    IntegrationIncomplete,
    LastArea,
    LastTicketType,
    DuplicateEmail,
    DuplicateContact,
    DuplicateName,
    AreaInUse,
    LimitReached,
    RevisionNotReached,
    PreconditionFailed,
    // how it was sent
    BodyTooLarge,
    UriTooLong,
    HeadersTooLarge,
    UnsupportedMediaType,
    RequestTimeout,
    TooManyRequests,
    // read, and wrong
    ValidationFailed,
    ApproverRole,
    UnknownReference,
    RetiredReference,
    AreaNotGranted,
    UnknownAccess,
    // single fields
    Required,
    ExactlyOne,
    TooShort,
    TooLong,
    OutOfRange,
    ControlCharacter,
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
    FilterTooLarge,
    NoArea,
    NoTicketType,
    // ours
    InternalError,
    Unavailable,
    Overloaded,
    StorageFull,
}

/// What sort of refusal a code is; HTTP derives the status from it.
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
    /// The code as it stands in JSON and in the problem's URI.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The sort of refusal this code is.
    pub fn kind(self) -> Kind {
        use Code::*;
        match self {
            MalformedJson | UnknownMember | WrongType | InvalidParameter | UnknownParameter
            | InvalidCursor | BadRequest => Kind::Unreadable,
            MissingToken | InvalidToken => Kind::Unauthenticated,
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
            | LimitReached
            | RevisionNotReached => Kind::Conflict,
            PreconditionFailed => Kind::PreconditionFailed,
            BodyTooLarge => Kind::TooLarge,
            UriTooLong => Kind::UriTooLong,
            HeadersTooLarge => Kind::HeadersTooLarge,
            TooManyRequests => Kind::TooMany,
            UnsupportedMediaType => Kind::UnsupportedMediaType,
            RequestTimeout => Kind::TooSlow,
            ValidationFailed | ApproverRole | UnknownReference | RetiredReference
            | AreaNotGranted | UnknownAccess | Required | ExactlyOne | TooShort | TooLong
            | OutOfRange | ControlCharacter | InvalidId | InvalidEmail | InvalidColor
            | UnknownValue | DuplicateValue | InvalidTime | InvalidDuration | TooDeep
            | TooManyConditions | TooManyValues | FilterTooLarge | NoArea | NoTicketType => {
                Kind::Invalid
            }
            InternalError => Kind::Internal,
            Unavailable | Overloaded => Kind::Unavailable,
            StorageFull => Kind::StorageFull,
        }
    }

    /// Whether the code only ever describes a single member of a body and never a whole problem.
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
    fn codes_are_written_and_read_alike() {
        for code in Code::iter() {
            assert_eq!(code.as_str().parse(), Ok(code));
        }
    }
}
