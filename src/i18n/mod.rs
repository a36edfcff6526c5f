//! What people read, in German and English: one Fluent file per language, looked up by code when an answer is written.

use std::{cell::RefCell, collections::HashMap, sync::LazyLock};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use icu_list::{ListFormatter, options::ListFormatterOptions};
use icu_locale_core::Locale;
use unic_langid::LanguageIdentifier;

use crate::common::{
    change::EntityTag,
    error::{Code, MessageArg},
};

/// A language the service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, strum::EnumIter)]
pub enum Lang {
    #[default]
    En,
    De,
}

impl Lang {
    /// As in `Content-Language`.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language and the edition of its texts, for entity tags: other words are another representation.
    pub fn content_hash(self) -> &'static str {
        static CONTENT_HASHES: LazyLock<[String; 2]> = LazyLock::new(|| {
            [(Lang::En, SOURCES[0]), (Lang::De, SOURCES[1])].map(|(lang, source)| {
                format!("{}.{}", lang.code(), EntityTag::hashed(source).as_str())
            })
        });
        let [en, de] = &*CONTENT_HASHES;
        match self {
            Self::En => en,
            Self::De => de,
        }
    }

    /// The language of a tag such as `de-AT`, if it is one of ours.
    pub fn from_code(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "de" => Some(Self::De),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// Title and detail of a code, with its facts filled in.
pub fn problem_text(lang: Lang, code: Code, facts: &[MessageArg]) -> (String, String) {
    let args: FluentArgs<'_> = facts
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_str()))
        .collect();
    let title = text(lang, code.as_str(), None, &args).unwrap_or_else(|| code.as_str().to_owned());
    let detail = text(lang, code.as_str(), Some("detail"), &args).unwrap_or_else(|| title.clone());
    (title, detail)
}

/// The phrase of an id, with its arguments filled in; the id itself where there is none, which a test rules out.
pub fn message<'a>(
    lang: Lang,
    id: &str,
    args: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
) -> String {
    text(lang, id, None, &args.into_iter().collect()).unwrap_or_else(|| id.to_owned())
}

/// An attribute of a phrase.
pub fn attribute(lang: Lang, id: &str, attribute: &str) -> String {
    text(lang, id, Some(attribute), &FluentArgs::new()).unwrap_or_else(|| id.to_owned())
}

/// How the items of a list are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListKind {
    And,
    Or,
}

/// A list as the language writes it: `A, B und C`.
pub fn list(lang: Lang, kind: ListKind, items: &[String]) -> String {
    thread_local! {
        // not to be shared between threads
        static FORMATTERS: RefCell<HashMap<(Lang, ListKind), Option<ListFormatter>>> = RefCell::default();
    }
    FORMATTERS.with_borrow_mut(|formatters| {
        let formatter = formatters
            .entry((lang, kind))
            .or_insert_with(|| formatter(lang, kind));
        formatter.as_ref().map_or_else(
            || items.join(", "),
            |formatter| formatter.format_to_string(items.iter()),
        )
    })
}

fn formatter(lang: Lang, kind: ListKind) -> Option<ListFormatter> {
    let locale: Locale = lang.code().parse().ok()?;
    match kind {
        ListKind::And => {
            ListFormatter::try_new_and(locale.into(), ListFormatterOptions::default()).ok()
        }
        ListKind::Or => {
            ListFormatter::try_new_or(locale.into(), ListFormatterOptions::default()).ok()
        }
    }
}

type Bundle = FluentBundle<FluentResource>;

/// The texts in English and in German.
const SOURCES: [&str; 2] = [include_str!("en.ftl"), include_str!("de.ftl")];

static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::En, SOURCES[0]));
static DE: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::De, SOURCES[1]));

fn bundle(lang: Lang, source: &str) -> Bundle {
    let language = lang
        .code()
        .parse::<LanguageIdentifier>()
        .unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    // a message that cannot be parsed is missing, which a test notices
    let resource =
        FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, _)| readable);
    bundle.add_resource_overriding(resource);
    bundle
}

fn text(lang: Lang, id: &str, attribute: Option<&str>, args: &FluentArgs<'_>) -> Option<String> {
    let bundle = match lang {
        Lang::En => &*EN,
        Lang::De => &*DE,
    };
    let message = bundle.get_message(id)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let mut unfilled = Vec::new();
    Some(
        bundle
            .format_pattern(pattern, Some(args), &mut unfilled)
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use strum::IntoEnumIterator as _;

    use ticket_policy::{creation::CreationReason, evaluator::Step};

    use super::*;
    use crate::ticket_filter::{Field, Operator};

    /// Each message of a file: its id, its attributes, and the facts it mentions.
    fn messages(source: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut messages = BTreeMap::<_, BTreeSet<_>>::new();
        let mut id = "";
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(" =").next().unwrap_or_default();
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                id = name;
            }
            let said = messages.entry(id).or_default();
            said.extend(
                line.trim_start()
                    .starts_with('.')
                    .then_some(name.trim_start()),
            );
            said.extend(
                line.split('$')
                    .skip(1)
                    .filter_map(|rest| rest.split([' ', '}']).next()),
            );
        }
        messages
    }

    #[test]
    fn every_code_field_operator_and_word_has_a_text_in_every_language() {
        let none = FluentArgs::new();
        for lang in Lang::iter() {
            for code in Code::iter() {
                assert!(
                    text(lang, code.as_str(), None, &none).is_some(),
                    "{lang:?} lacks {}",
                    code.as_str()
                );
                assert!(
                    text(lang, code.as_str(), Some("detail"), &none).is_some(),
                    "{lang:?}: {}",
                    code.as_str()
                );
            }
            for field in Field::iter() {
                let id = format!("field-{}", field.as_str());
                assert!(
                    text(lang, &id, Some("inline"), &none).is_some(),
                    "{lang:?} lacks {id}"
                );
                for word in field.words() {
                    assert!(
                        text(lang, &format!("word-{word}"), None, &none).is_some(),
                        "{lang:?} lacks word-{word}"
                    );
                }
            }
            let steps = Step::iter()
                .map(<&str>::from)
                .chain(CreationReason::iter().map(<&str>::from));
            for id in steps.map(|step| format!("step-{step}")) {
                assert!(
                    text(lang, &id, None, &none).is_some(),
                    "{lang:?} lacks {id}"
                );
            }
            for operator in Operator::iter() {
                for id in ["operator", "clause"].map(|sort| format!("{sort}-{}", operator.as_str()))
                {
                    assert!(
                        text(lang, &id, None, &none).is_some(),
                        "{lang:?} lacks {id}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_language_has_a_text_for_a_code_that_is_gone() {
        for name in SOURCES.into_iter().flat_map(messages).map(|(name, _)| name) {
            let of_filters = [
                "field-",
                "operator-",
                "word-",
                "clause-",
                "joined-",
                "group-",
                "period-",
                "step-",
            ];
            let other = ["sentence", "quoted", "more", "time-pattern", ""].contains(&name);
            let known = other || of_filters.iter().any(|prefix| name.starts_with(prefix));
            assert!(known || name.parse::<Code>().is_ok(), "{name} is no code");
        }
    }

    #[test]
    fn both_languages_have_the_same_texts_and_mention_the_same_facts() {
        let [en, de] = SOURCES.map(messages);
        assert_eq!(en, de);
    }

    #[test]
    fn facts_are_filled_in() {
        let facts = [("active_accesses".into(), "3".to_owned())];
        let (title, detail) = problem_text(Lang::De, Code::LastArea, &facts);
        assert_eq!(title, "Letzter Bereich");
        assert_eq!(
            detail,
            "Der letzte Bereich kann nicht entfernt werden, solange Zugänge aktiv sind (3)."
        );
        let expired = [("reason".into(), "expired".to_owned())];
        assert_eq!(
            problem_text(Lang::En, Code::InvalidToken, &expired).1,
            "The token has expired."
        );
    }
}
