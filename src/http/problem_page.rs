//! The pages that problems' `type` URIs lead to: what a code means, in both languages.

use actix_web::{HttpResponse, get};

use super::params::PathParam;
use crate::{
    common::{Code, Error, FieldError, Result},
    i18n::{self, Lang},
};

/// A code in a path.
pub struct ProblemCode(Code);

impl std::str::FromStr for ProblemCode {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        text.parse()
            .map(Self)
            .map_err(|_| FieldError::new("code", Code::UnknownValue))
    }
}

impl super::params::PathValue for ProblemCode {
    const NAME: &'static str = "code";
}

/// Explains a code to people.
#[get("/problems/{code}")]
pub async fn explain(code: Result<PathParam<ProblemCode>, Error>) -> Result<HttpResponse> {
    let PathParam(ProblemCode(code)) = code.map_err(|_| Error::client(Code::NotFound))?;
    let (en, en_detail) = i18n::problem_text(Lang::En, code, &[]);
    let (de, de_detail) = i18n::problem_text(Lang::De, code, &[]);
    let (en_detail, de_detail) = (general(&en_detail), general(&de_detail));
    let (name, status) = (code.as_str(), code.status());
    // only our own texts: nothing of the request stands in the page
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\n\
         <body style=\"font-family: sans-serif; max-width: 40em; margin: 3em auto\">\n<h1>{en}</h1><p>{en_detail}</p>\n\
         <div lang=\"de\"><h2>{de}</h2><p>{de_detail}</p></div>\n<p><code>{name}</code> – HTTP {status}</p></body></html>\n"
    );
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page))
}

/// A text without the facts of a case: Fluent leaves `{$name}` where it has none.
fn general(text: &str) -> String {
    let mut parts = text.split("{$");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "…" + part.split_once('}').map_or("", |(_, rest)| rest)
    })
}

#[cfg(test)]
mod tests {
    use super::general;

    #[test]
    fn placeholders_become_ellipses() {
        assert_eq!(general("at most {$max} of {$kind}."), "at most … of ….");
        assert_eq!(general("nothing to fill"), "nothing to fill");
    }
}
