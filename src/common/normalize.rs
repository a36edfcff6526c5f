//! Text normalization: [`fold_case`] for unique names and case-insensitive comparison,
//! [`search_key`] for searching, [`sort_key`] for sorting.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

pub use ticket_policy::fold::fold_case;

/// Folds case, accents and compatibility forms. `Müller`, `MULLER` and
/// `muller` become equal, and `Änderung` sorts next to `Anderung` instead of after `Z`.
///
/// Compatibility forms are decomposed twice: before case folding, because `ℋ` contains an `H`, and
/// after it, because case folding can produce compatibility forms.
pub fn search_key(text: &str) -> String {
    let without_marks: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    icu_casemap::CaseMapper::new()
        .fold_string(&without_marks)
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .collect()
}

/// The sort key of a name: folded, and short enough for an index. Folding can expand one character
/// to 18, and PostgreSQL rejects index entries of more than 2,704 bytes. Ties are broken by id.
pub fn sort_key(text: &str) -> String {
    search_key(text).chars().take(MAX_SORT_KEY).collect()
}

/// Maximum length of a sort key in Unicode scalar values, each up to four bytes.
const MAX_SORT_KEY: usize = 200;

/// Untrusted text for logs and messages: truncated to `max` characters, with an ellipsis if
/// anything was cut off, and with control characters replaced.
pub fn truncate_untrusted(text: &str, max: usize) -> String {
    let mut chars = text.chars();
    let truncated: String = chars
        .by_ref()
        .take(max)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if chars.next().is_some() {
        truncated + "…"
    } else {
        truncated
    }
}

/// The folded terms of a search text.
///
/// If folding leaves nothing, as for a lone accent, the result is the unfolded text as one term: no
/// folded text contains it, so the search finds nothing. Without any term it would find everything.
pub fn search_terms(text: &str) -> Vec<String> {
    let terms: Vec<_> = search_key(text)
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    match text.trim() {
        unfolded if terms.is_empty() && !unfolded.is_empty() => vec![unfolded.to_owned()],
        _ => terms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_truncated_without_control_characters() {
        assert_eq!(truncate_untrusted("äöü", 3), "äöü");
        assert_eq!(truncate_untrusted("äöüß", 3), "äöü…");
        assert_eq!(
            truncate_untrusted("a\u{1b}[2J\0\u{85}", 9),
            "a\u{fffd}[2J\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn search_key_ignores_case_accents_and_sharp_s() {
        assert_eq!(
            search_key("STRAẞE Élan ﬁne"),
            search_key("strasse elan fine")
        );
        assert_eq!(search_terms("  Müller  ANNA "), ["muller", "anna"]);
    }

    #[rstest::rstest]
    #[case("ℋotel ㎒ ™", "hotel mhz tm")]
    #[case("Ⅻ ① ﬁ ſ", "xii 1 fi s")]
    #[case("İstanbul ǰ ŉ", "istanbul j ʼn")]
    #[case("Straße", "STRASSE")]
    fn search_key_ignores_case_of_compatibility_forms(#[case] one: &str, #[case] other: &str) {
        assert_eq!(search_key(one), search_key(other));
    }

    #[test]
    fn search_key_is_idempotent() {
        // all planes that have letters or compatibility forms
        for c in '\0'..'\u{30000}' {
            let once = search_key(&c.to_string());
            assert_eq!(search_key(&once), once, "{c:?} {:x}", u32::from(c));
        }
    }

    #[test]
    fn search_text_removed_by_folding_stays_one_term() {
        assert_eq!(search_terms(" \u{301}\u{308} "), ["\u{301}\u{308}"]);
        assert_eq!(search_terms("´"), ["´"]);
        assert_eq!(search_terms(" \u{a0} "), [""; 0]);
        assert_eq!(search_terms("\u{301} x"), ["x"]);
    }

    #[test]
    fn sort_key_is_truncated() {
        assert_eq!(sort_key("Öztürk"), "ozturk");
        // this character folds to 18
        assert_eq!(search_key("\u{fdfa}").chars().count(), 18);
        assert_eq!(sort_key(&"\u{fdfa}".repeat(200)).chars().count(), 200);
    }
}
