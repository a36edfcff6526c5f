//! HTML pages behind the `type` URIs of problems.

use actix_web::{HttpResponse, get};

use super::path_params::{PathParam, PathValue};
use crate::{
    common::{Code, Error, FieldError, Result},
    i18n::{self, Lang},
};

/// A problem code in a path.
pub struct ProblemCode(Code);

impl std::str::FromStr for ProblemCode {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        text.parse()
            .map(Self)
            .map_err(|_| FieldError::new(Self::NAME, Code::UnknownValue))
    }
}

impl PathValue for ProblemCode {
    const NAME: &'static str = "code";
}

/// Explains a problem code in English and German.
#[get("/problems/{code}")]
pub async fn explain(code: Result<PathParam<ProblemCode>, Error>) -> Result<HttpResponse> {
    let PathParam(ProblemCode(code)) = code.map_err(|_| Error::client(Code::NotFound))?;
    let (en, en_detail) = i18n::problem_text(Lang::En, code, &[]);
    let (de, de_detail) = i18n::problem_text(Lang::De, code, &[]);
    let en_detail = without_placeholders(&en_detail);
    let de_detail = without_placeholders(&de_detail);
    let name = code.as_str();
    let status = code.status();
    // Contains nothing from the request, so nothing needs escaping.
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\n\
         <body style=\"font-family: sans-serif; max-width: 40em; margin: 3em auto\">\n\
         <h1>{en}</h1><p>{en_detail}</p>\n\
         <div lang=\"de\"><h2>{de}</h2><p>{de_detail}</p></div>\n\
         <p><code>{name}</code> – HTTP {status}</p></body></html>\n"
    );
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page))
}

/// Replaces the placeholders of missing arguments, which Fluent renders as `{$name}`.
fn without_placeholders(text: &str) -> String {
    let mut parts = text.split("{$");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "…" + part.split_once('}').map_or("", |(_, rest)| rest)
    })
}

#[cfg(test)]
mod tests {
    use super::without_placeholders;

    #[rstest::rstest]
    #[case::two("at most {$max} of {$kind}.", "at most … of ….")]
    #[case::none("nothing to fill", "nothing to fill")]
    fn placeholders_become_ellipses(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(without_placeholders(text), expected);
    }
}
