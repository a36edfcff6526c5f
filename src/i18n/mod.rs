//! User-facing texts in English and German: one Fluent file per language.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use crate::common::{
    error::{Code, MessageArg},
    etag::EntityTag,
    text::is_invisible,
};

const EN_SOURCE: &str = include_str!("en.ftl");
const DE_SOURCE: &str = include_str!("de.ftl");

/// A supported language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, strum::EnumIter)]
pub enum Lang {
    #[default]
    En,
    De,
}

impl Lang {
    /// The language code, as in `Content-Language`.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language code and a hash of its texts. Part of the `ETag` of localized responses, which
    /// therefore changes whenever a text changes.
    pub fn content_hash(self) -> &'static str {
        static EN: LazyLock<String> = LazyLock::new(|| content_hash(Lang::En));
        static DE: LazyLock<String> = LazyLock::new(|| content_hash(Lang::De));
        match self {
            Self::En => &EN,
            Self::De => &DE,
        }
    }

    /// Parses a language code such as `de-AT`; `None` if the language is not supported.
    pub fn from_code(code: &str) -> Option<Self> {
        let language = code.split(['-', '_']).next()?;
        match language.to_ascii_lowercase().as_str() {
            "de" => Some(Self::De),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::En => EN_SOURCE,
            Self::De => DE_SOURCE,
        }
    }

    fn bundle(self) -> &'static Bundle {
        static EN: LazyLock<Bundle> = LazyLock::new(|| parse_bundle(Lang::En));
        static DE: LazyLock<Bundle> = LazyLock::new(|| parse_bundle(Lang::De));
        match self {
            Self::En => &EN,
            Self::De => &DE,
        }
    }
}

fn content_hash(lang: Lang) -> String {
    let hash = EntityTag::hashed(lang.source());
    format!("{}.{}", lang.code(), hash.as_str())
}

/// Title and detail of a problem.
pub fn problem_text(lang: Lang, code: Code, args: &[MessageArg]) -> (String, String) {
    let args: FluentArgs<'_> = args
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_str()))
        .collect();
    let id = code.as_str();
    let title = format(lang, id, None, &args).unwrap_or_else(|| id.to_owned());
    let detail = format(lang, id, Some("detail"), &args).unwrap_or_else(|| title.clone());
    (title, detail)
}

/// The message with this id; the id itself if the message is missing, which a test rules out.
pub fn message<'a>(
    lang: Lang,
    id: &str,
    args: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
) -> String {
    format(lang, id, None, &args.into_iter().collect()).unwrap_or_else(|| id.to_owned())
}

/// An attribute of a message that takes no arguments.
pub fn attribute(lang: Lang, id: &str, attribute: &str) -> String {
    format(lang, id, Some(attribute), &FluentArgs::new()).unwrap_or_else(|| id.to_owned())
}

/// The label of a value of an enumeration.
pub fn label(lang: Lang, enumeration: &str, value: &str) -> String {
    message(lang, &format!("label-{enumeration}-{value}"), [])
}

/// The conjunction before the last item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    And,
    Or,
    /// Follows "neither".
    Nor,
}

/// Joins the items as the language does: `A, B, and C`, `A, B und C`.
pub fn list(lang: Lang, kind: ListKind, items: &[String]) -> String {
    let id = match kind {
        ListKind::And => "list-and",
        ListKind::Or => "list-or",
        ListKind::Nor => "list-nor",
    };
    match items {
        [] => String::new(),
        [item] => item.clone(),
        [first @ .., last] => message(
            lang,
            id,
            [
                ("count", items.len().into()),
                ("first", first.join(", ").into()),
                ("last", last.as_str().into()),
            ],
        ),
    }
}

/// Most values or names that a text lists one by one.
pub const MAX_LISTED: usize = 5;

/// Lists the first [`MAX_LISTED`] names, quoted, and the number of the others.
pub fn list_quoted<'n>(lang: Lang, names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let unlisted = names.len().saturating_sub(MAX_LISTED);
    let mut listed: Vec<_> = names
        .take(MAX_LISTED)
        .map(|name| quoted(lang, name))
        .collect();
    if unlisted > 0 {
        listed.push(message(lang, "more", [("count", unlisted.into())]));
    }
    list(lang, ListKind::And, &listed)
}

/// Untrusted text in quotation marks.
pub fn quoted(lang: Lang, text: &str) -> String {
    message(lang, "quoted", [("text", strip_quotes(text).into())])
}

/// Prepares untrusted text for quoting, so that it cannot be mistaken for the text around it:
/// replaces typographic quotation marks and removes invisible and bidirectional control characters.
fn strip_quotes(text: &str) -> String {
    text.chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| match c {
            '“' | '”' | '„' => '\'',
            c => c,
        })
        .collect()
}

type Bundle = FluentBundle<FluentResource>;

fn parse_bundle(lang: Lang) -> Bundle {
    let language = lang
        .code()
        .parse::<LanguageIdentifier>()
        .unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    // Messages with syntax errors are skipped here; a test detects missing messages.
    let resource =
        FluentResource::try_new(lang.source().to_owned()).unwrap_or_else(|(parsed, _)| parsed);
    bundle.add_resource_overriding(resource);
    bundle
}

/// Formats a message or one of its attributes; `None` if it does not exist.
fn format(lang: Lang, id: &str, attribute: Option<&str>, args: &FluentArgs<'_>) -> Option<String> {
    let bundle = lang.bundle();
    let message = bundle.get_message(id)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    // Missing arguments leave a placeholder in the text, which is still better than no text.
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors);
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use strum::IntoEnumIterator as _;

    use super::*;

    /// Each message of a file: its id, its attributes, and the arguments it uses.
    fn messages(source: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut messages = BTreeMap::<_, BTreeSet<_>>::new();
        let mut id = "";
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(" =").next().unwrap_or_default();
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                id = name;
            }
            let parts = messages.entry(id).or_default();
            if line.trim_start().starts_with('.') {
                parts.insert(name.trim_start());
            }
            let arguments = line.split('$').skip(1);
            parts.extend(arguments.filter_map(|rest| rest.split([' ', '}']).next()));
        }
        messages
    }

    fn assert_exists(lang: Lang, id: &str, attribute: Option<&str>) {
        assert!(
            format(lang, id, attribute, &FluentArgs::new()).is_some(),
            "{lang:?}: {id} {attribute:?} is missing"
        );
    }

    #[test]
    fn every_code_has_title_detail_and_remedy_in_every_language() {
        for lang in Lang::iter() {
            for code in Code::iter() {
                assert_exists(lang, code.as_str(), None);
                assert_exists(lang, code.as_str(), Some("detail"));
                assert_exists(lang, code.as_str(), Some("remedy"));
            }
        }
    }

    #[test]
    fn messages_of_removed_codes_are_removed() {
        const PREFIXES: [&str; 13] = [
            "field-",
            "operator-",
            "word-",
            "clause-",
            "joined-",
            "group-",
            "period-",
            "step-",
            "list-",
            "label-",
            "finding-",
            "ineffective-",
            "history-",
        ];
        const OTHER_IDS: [&str; 6] = [
            "sentence",
            "quoted",
            "more",
            "more-conditions",
            "time-pattern",
            "",
        ];
        for source in [EN_SOURCE, DE_SOURCE] {
            for id in messages(source).into_keys() {
                let known =
                    OTHER_IDS.contains(&id) || PREFIXES.iter().any(|prefix| id.starts_with(prefix));
                assert!(known || id.parse::<Code>().is_ok(), "{id} is unused");
            }
        }
    }

    #[test]
    fn both_languages_have_the_same_messages_and_arguments() {
        assert_eq!(messages(EN_SOURCE), messages(DE_SOURCE));
    }

    #[test]
    fn problem_texts_contain_their_arguments() {
        let args = [("active_accesses".into(), "3".to_owned())];
        let (title, detail) = problem_text(Lang::De, Code::LastArea, &args);
        assert_eq!(title, "Letzter Bereich");
        assert_eq!(
            detail,
            "Der letzte Bereich kann nicht entzogen werden, solange Kundenzugänge aktiv sind (3)."
        );
        let args = [("reason".into(), "audience".to_owned())];
        let (_, detail) = problem_text(Lang::En, Code::InvalidToken, &args);
        assert_eq!(detail, "The token was issued for another audience.");
    }

    #[test]
    fn lists_are_joined_as_each_language_does() {
        for (kind, en, de) in [
            (
                ListKind::And,
                ["a and b", "a, b, and c"],
                ["a und b", "a, b und c"],
            ),
            (
                ListKind::Or,
                ["a or b", "a, b, or c"],
                ["a oder b", "a, b oder c"],
            ),
            (
                ListKind::Nor,
                ["a nor b", "a, b, nor c"],
                ["a noch b", "a, b noch c"],
            ),
        ] {
            let items = ["a", "b", "c"].map(ToOwned::to_owned);
            for (lang, [two, three]) in [(Lang::En, en), (Lang::De, de)] {
                assert_eq!(list(lang, kind, &items[..0]), "");
                assert_eq!(list(lang, kind, &items[..1]), "a");
                assert_eq!(list(lang, kind, &items[..2]), two);
                assert_eq!(list(lang, kind, &items), three);
            }
        }
    }
}
