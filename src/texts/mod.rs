//! What people read, in German and English: one Fluent file per language, looked up by code when an answer is written.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use crate::kernel::error::{Code, Fact};

/// A language the service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::EnumIter)]
pub enum Lang {
    #[default]
    En,
    De,
}

impl Lang {
    /// As in `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language of a tag such as `de-AT`, if it is one of ours.
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "de" => Some(Self::De),
            "en" => Some(Self::En),
            _ => None,
        }
    }
}

/// Title and detail of a code, with its facts filled in.
pub fn explain(lang: Lang, code: Code, facts: &[Fact]) -> (String, String) {
    let title = text(lang, code, None, facts).unwrap_or_else(|| code.as_str().to_owned());
    let detail = text(lang, code, Some("detail"), facts).unwrap_or_else(|| title.clone());
    (title, detail)
}

type Bundle = FluentBundle<FluentResource>;

static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::En, include_str!("en.ftl")));
static DE: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::De, include_str!("de.ftl")));

fn bundle(lang: Lang, source: &str) -> Bundle {
    let language = lang.tag().parse::<LanguageIdentifier>().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    // a message that cannot be parsed is missing, which a test notices
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, _)| readable);
    bundle.add_resource_overriding(resource);
    bundle
}

fn text(lang: Lang, code: Code, attribute: Option<&str>, facts: &[Fact]) -> Option<String> {
    let bundle = match lang {
        Lang::En => &*EN,
        Lang::De => &*DE,
    };
    let message = bundle.get_message(code.as_str())?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let mut args = FluentArgs::new();
    for (name, value) in facts {
        args.set(name.as_ref(), value.as_str());
    }
    let mut unfilled = Vec::new();
    Some(bundle.format_pattern(pattern, Some(&args), &mut unfilled).into_owned())
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_code_has_a_title_and_a_detail_in_every_language() {
        for lang in Lang::iter() {
            for code in Code::iter() {
                assert!(text(lang, code, None, &[]).is_some(), "{lang:?} lacks {}", code.as_str());
                assert!(text(lang, code, Some("detail"), &[]).is_some(), "{lang:?} lacks {}.detail", code.as_str());
            }
        }
    }

    #[test]
    fn no_language_has_a_text_for_a_code_that_is_gone() {
        for source in [include_str!("en.ftl"), include_str!("de.ftl")] {
            let names = source.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
            for name in names.filter_map(|line| line.split_once(" =")).map(|(name, _)| name) {
                assert!(name.parse::<Code>().is_ok(), "{name} is no code");
            }
        }
    }

    #[test]
    fn both_languages_mention_the_same_facts() {
        let facts = |source: &str| {
            let mut names: Vec<_> =
                source.split('$').skip(1).map(|rest| rest.split([' ', '}']).next().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(facts(include_str!("en.ftl")), facts(include_str!("de.ftl")));
    }

    #[test]
    fn facts_are_filled_in() {
        let facts = [("active_accesses".into(), "3".to_owned())];
        let (title, detail) = explain(Lang::De, Code::LastArea, &facts);
        assert_eq!(title, "Letzter Bereich");
        assert_eq!(detail, "Der letzte Bereich kann nicht entfernt werden, solange Zugänge aktiv sind (3).");
        let expired = [("reason".into(), "expired".to_owned())];
        assert_eq!(explain(Lang::En, Code::InvalidToken, &expired).1, "The token has expired.");
    }
}
