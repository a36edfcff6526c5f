//! Bodies that may be invalid, and the collection of everything that is wrong with them.
//!
//! A body is parsed and validated before its handler runs, but references and rules are checked
//! later, in the transaction of the write. A [`Draft`] carries an invalid body there, so that one
//! response reports all errors.

use crate::common::{
    Code, Error, FieldError, Result,
    error::{ClientError, Kind},
};

/// The errors of one request that concern members of its body.
///
/// The body's own errors come first. Call [`Rejections::finish`] before writing anything.
#[derive(Debug, Clone, Default)]
#[must_use = "errors must be reported"]
pub struct Rejections(Vec<ClientError>);

impl Rejections {
    /// The errors of parsing and validating a body.
    pub fn of_body(field_errors: Vec<FieldError>) -> Self {
        Self(body_error(field_errors).into_iter().collect())
    }

    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an error concerns the value at `pointer`, all of it or a part. Rules that depend on
    /// such a value cannot be checked, and it must not reach the database.
    pub fn concern(&self, pointer: &str) -> bool {
        let mut field_errors = self.field_errors();
        field_errors
            .any(|error| contains(&error.pointer, pointer) || contains(pointer, &error.pointer))
    }

    /// Whether an error concerns the value at `pointer` as a whole, such as the type of a list, but
    /// not its items.
    pub fn concern_all_of(&self, pointer: &str) -> bool {
        let mut field_errors = self.field_errors();
        field_errors.any(|error| contains(&error.pointer, pointer))
    }

    /// Collects a rejection that concerns members, except those that are already invalid. Returns
    /// the value of a success.
    ///
    /// # Errors
    ///
    /// All other errors, which end the check.
    pub fn collect<T>(&mut self, checked: Result<T>) -> Result<Option<T>> {
        match checked {
            Ok(value) => Ok(Some(value)),
            Err(Error::Client(mut error)) if !error.field_errors.is_empty() => {
                error.field_errors.retain(|field_error| {
                    let mut earlier = self.field_errors();
                    !earlier.any(|earlier| contains(&earlier.pointer, &field_error.pointer))
                });
                if !error.field_errors.is_empty() {
                    self.0.push(*error);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Fails if there are errors, with all of them. Unparsable members determine the code before
    /// invalid ones, and these before conflicts with stored data.
    ///
    /// # Errors
    ///
    /// The collected errors.
    pub fn finish(self) -> Result<()> {
        let leader = self.0.iter().min_by_key(|error| rank(error.code)).cloned();
        let Some(leader) = leader else {
            return Ok(());
        };
        let mut field_errors = Vec::new();
        let mut references = Vec::new();
        for error in self.0 {
            field_errors.extend(error.field_errors);
            references.extend(error.references);
        }
        Err(Error::field_errors(leader.code, field_errors)
            .with_args(leader.args)
            .with_references(references))
    }

    /// The result of a unit of work with the body to which these errors belong. An invalid body
    /// fails with its errors, and other reasons to fail are not reported.
    ///
    /// # Errors
    ///
    /// Those of `result`, or these errors.
    pub fn or<T>(self, result: Result<T>) -> Result<T> {
        match result {
            Err(Error::Client(error)) if !error.field_errors.is_empty() => {
                Err(Error::Client(error))
            }
            result => self.finish().and(result),
        }
    }

    fn field_errors(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter().flat_map(|error| &error.field_errors)
    }
}

/// A body that may be invalid. Its invalid members have arbitrary values.
#[derive(Debug, Clone)]
pub struct Draft<T> {
    body: T,
    rejections: Rejections,
}

impl<T> Draft<T> {
    /// A body with the errors of parsing and validating it.
    ///
    /// # Errors
    ///
    /// The errors, if the body as a whole is invalid. Then there is nothing else to check.
    pub fn new(body: T, field_errors: Vec<FieldError>) -> Result<Self> {
        let rejections = Rejections::of_body(field_errors);
        if rejections.concern_all_of("") {
            rejections.clone().finish()?;
        }
        Ok(Self { body, rejections })
    }

    /// The body. Its invalid members have arbitrary values.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// The errors of the body.
    pub fn rejections(&self) -> Rejections {
        self.rejections.clone()
    }

    /// The body and its errors.
    pub fn into_parts(self) -> (T, Rejections) {
        (self.body, self.rejections)
    }

    /// The body, if it is valid.
    ///
    /// # Errors
    ///
    /// All errors of the body.
    pub fn into_valid(self) -> Result<T> {
        self.rejections.finish()?;
        Ok(self.body)
    }
}

/// A body that is known to be valid.
impl<T> From<T> for Draft<T> {
    fn from(body: T) -> Self {
        Self {
            body,
            rejections: Rejections::default(),
        }
    }
}

/// Appends the errors of validating a body to those of parsing it, except those of members that
/// could not be parsed: validation saw placeholders there.
pub fn append_validation(parsing: &mut Vec<FieldError>, validation: Vec<FieldError>) {
    let unparsed = parsing.len();
    for error in validation {
        let mut unparsed = parsing.iter().take(unparsed);
        if !unparsed.any(|earlier| contains(&earlier.pointer, &error.pointer)) {
            parsing.push(error);
        }
    }
}

/// The problem with these errors of a body. The first member that could not be parsed, if any,
/// decides its code.
fn body_error(field_errors: Vec<FieldError>) -> Option<ClientError> {
    if field_errors.is_empty() {
        return None;
    }
    let unparsed = field_errors
        .iter()
        .find(|error| error.code.kind() == Kind::Unreadable);
    let code = unparsed.map_or(Code::ValidationFailed, |error| error.code);
    Some(ClientError {
        args: unparsed.map(|error| error.args.clone()).unwrap_or_default(),
        field_errors,
        ..code.into()
    })
}

/// The lowest rank determines the code of a problem with several errors.
fn rank(code: Code) -> u8 {
    match code.kind() {
        Kind::Unreadable => 0,
        Kind::Invalid => 1,
        _ => 2,
    }
}

/// Whether the value at pointer `outer` contains the one at `inner`, or is the same.
fn contains(outer: &str, inner: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field_error(pointer: &str, code: Code) -> FieldError {
        FieldError::new(pointer, code)
    }

    fn rejected(pointer: &str, code: Code) -> Result<()> {
        Err(Error::from_field(field_error(pointer, code)))
    }

    /// The code of a rejection, and its field errors.
    fn summary(result: Result<()>) -> (Code, Vec<(String, Code)>) {
        let Err(Error::Client(error)) = result else {
            panic!("not a client error")
        };
        let field_errors = error.field_errors.into_iter();
        let field_errors = field_errors.map(|error| (error.pointer, error.code));
        (error.code, field_errors.collect())
    }

    #[test]
    fn invalid_members_determine_the_code_before_conflicts() {
        let mut rejections = Rejections::default();
        rejections
            .collect(rejected("/email", Code::DuplicateEmail))
            .unwrap();
        rejections
            .collect(rejected("/approver", Code::ApproverRole))
            .unwrap();
        let (code, field_errors) = summary(rejections.finish());
        assert_eq!(code, Code::ApproverRole);
        assert_eq!(field_errors.len(), 2);
    }

    #[test]
    fn body_errors_determine_the_code_before_rules() {
        let body = vec![
            field_error("/email", Code::InvalidEmail),
            field_error("/color", Code::UnknownMember),
        ];
        let mut rejections = Rejections::of_body(body);
        rejections
            .collect(rejected("/approver", Code::ApproverRole))
            .unwrap();
        let (code, field_errors) = summary(rejections.finish());
        assert_eq!(code, Code::UnknownMember);
        let pointers: Vec<_> = field_errors.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(pointers, ["/email", "/color", "/approver"]);
    }

    #[test]
    fn second_error_of_a_member_is_left_out() {
        let mut rejections =
            Rejections::of_body(vec![field_error("/filter/filters/0", Code::WrongType)]);
        let unknown = rejected("/filter/filters/0/values/1", Code::UnknownReference);
        rejections.collect(unknown).unwrap();
        let unknown = rejected("/filter/filters/01", Code::UnknownReference);
        rejections.collect(unknown).unwrap();
        let (_, field_errors) = summary(rejections.finish());
        assert_eq!(field_errors.len(), 2);
    }

    #[test]
    fn error_without_member_is_not_collected() {
        let mut rejections = Rejections::default();
        let missing: Result<()> = Err(Error::client(Code::NotFound));
        assert!(rejections.collect(missing).is_err());
        assert!(rejections.finish().is_ok());
    }

    #[test]
    fn body_errors_are_reported_instead_of_missing_resource() {
        let rejections = Rejections::of_body(vec![field_error("/name", Code::Required)]);
        let missing: Result<()> = Err(Error::client(Code::NotFound));
        assert_eq!(summary(rejections.or(missing)).0, Code::ValidationFailed);
        let missing: Result<()> = Err(Error::client(Code::NotFound));
        assert_eq!(summary(Rejections::default().or(missing)).0, Code::NotFound);
        let rejections = Rejections::of_body(vec![field_error("/name", Code::Required)]);
        assert_eq!(summary(rejections.or(Ok(()))).0, Code::ValidationFailed);
    }

    #[test]
    fn rejections_concern_containing_and_contained_values() {
        let rejections = Rejections::of_body(vec![field_error("/sort/0", Code::WrongType)]);
        assert!(rejections.concern("/sort"));
        assert!(rejections.concern("/sort/0/field"));
        assert!(!rejections.concern("/sort/1"));
        assert!(!rejections.concern("/so"));
        assert!(rejections.concern_all_of("/sort/0/field"));
        assert!(!rejections.concern_all_of("/sort"));
    }
}
