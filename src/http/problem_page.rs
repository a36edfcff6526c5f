//! HTML pages behind the `type` URIs of problems: an index, and one page per code.

use std::fmt::Write as _;

use actix_web::{HttpResponse, get};
use strum::IntoEnumIterator as _;

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

/// The texts of a code in one language.
struct Texts {
    title: String,
    detail: String,
    remedy: String,
}

impl Texts {
    fn new(lang: Lang, code: Code) -> Self {
        let (title, detail) = i18n::problem_text(lang, code, &[]);
        Self {
            title: escape(&title),
            detail: escape(&without_placeholders(&detail)),
            remedy: escape(&i18n::attribute(lang, code.as_str(), "remedy")),
        }
    }
}

/// Lists all problem codes.
#[get("/problems")]
pub async fn index() -> HttpResponse {
    let mut content = String::from(
        "<h1>Problems</h1>\n<p>Every error response has a <code>code</code>. Each links to its \
         explanation.</p>\n<div lang=\"de\"><h2>Probleme</h2><p>Jede Fehlermeldung hat einen \
         <code>code</code>. Jeder führt zu seiner Erläuterung.</p></div>\n",
    );
    let is_problem = |code: &Code| !code.is_field_code();
    content += &table(Code::iter().filter(is_problem));
    content += "<h2>Codes in <code>errors</code></h2>\n";
    content += &table(Code::iter().filter(|code| code.is_field_code()));
    page("Problems", &content)
}

/// A table of codes with their status and titles.
fn table(codes: impl Iterator<Item = Code>) -> String {
    let mut rows = String::from(
        "<table><thead><tr><th>HTTP</th><th>code</th><th>English</th><th>Deutsch</th></tr></thead>\
         <tbody>\n",
    );
    for code in codes {
        let name = code.as_str();
        let status = code.status().as_u16();
        let en = Texts::new(Lang::En, code).title;
        let de = Texts::new(Lang::De, code).title;
        // writing to a string cannot fail
        let _ = writeln!(
            rows,
            "<tr><td>{status}</td><td><a href=\"/problems/{name}\"><code>{name}</code></a></td>\
             <td>{en}</td><td lang=\"de\">{de}</td></tr>"
        );
    }
    rows + "</tbody></table>\n"
}

/// Explains a problem code in English and German.
#[get("/problems/{code}")]
pub async fn explain(code: Result<PathParam<ProblemCode>, Error>) -> Result<HttpResponse> {
    let PathParam(ProblemCode(code)) = code.map_err(|_| Error::client(Code::NotFound))?;
    let en = Texts::new(Lang::En, code);
    let de = Texts::new(Lang::De, code);
    let name = code.as_str();
    let status = code.status();
    let content = format!(
        "<p><a href=\"/problems\">Problems</a> · <code>{name}</code> · HTTP {status}</p>\n\
         <h1>{}</h1><p>{}</p><p class=\"remedy\"><strong>What to do:</strong> {}</p>\n\
         <div lang=\"de\"><h2>{}</h2><p>{}</p><p class=\"remedy\"><strong>Abhilfe:</strong> {}</p>\
         </div>\n",
        en.title, en.detail, en.remedy, de.title, de.detail, de.remedy
    );
    Ok(page(name, &content))
}

fn page(title: &str, content: &str) -> HttpResponse {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"/docs/pages.css\">\n\
         <body>\n{content}</body></html>\n"
    );
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(page)
}

/// Escapes a text for HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
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
    use super::{escape, without_placeholders};

    #[rstest::rstest]
    #[case::two("at most {$max} of {$kind}.", "at most … of ….")]
    #[case::none("nothing to fill", "nothing to fill")]
    fn placeholders_become_ellipses(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(without_placeholders(text), expected);
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("a < b & c > d"), "a &lt; b &amp; c &gt; d");
    }
}
