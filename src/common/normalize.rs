//! Texts made comparable: for searching, sorting, and telling names apart.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

pub use ticket_policy::fold::fold_case;

/// Folds a text for searching and sorting: case, accents and compatibility forms are levelled, so that `Müller`,
/// `MULLER` and `muller` are found by each other and `Änderung` sorts beside `Anderung`, not behind `Z`.
///
/// Compatibility forms are taken apart first, because what they hide has a case (`ℋ` is an `H`), and once more at the
/// end, because a folded case can be one.
pub fn fold(text: &str) -> String {
    let bare: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    icu_casemap::CaseMapper::new()
        .fold_string(&bare)
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .collect()
}

/// What a name is sorted by: folded, and short enough for an index. Folding can make a text many times longer (one
/// character of 18 is known), and PostgreSQL refuses index entries of more than 2,704 bytes; ties are broken by ids anyway.
pub fn sort_key(text: &str) -> String {
    fold(text).chars().take(MAX_SORT_KEY).collect()
}

/// Longest sort key, in Unicode scalar values of at most four bytes.
const MAX_SORT_KEY: usize = 200;

/// The beginning of a text that a stranger made up, as far as it may be repeated: at most `max` characters (and an ellipsis
/// where something is missing), and none that would command a terminal.
pub fn truncate_untrusted(text: &str, max: usize) -> String {
    let mut rest = text.chars();
    let shown: String = rest
        .by_ref()
        .take(max)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if rest.next().is_some() {
        shown + "…"
    } else {
        shown
    }
}

/// The words of a search, folded. A text of which folding leaves nothing, such as a lone accent, is one word as it stands:
/// no folded text contains it, so it finds nothing, while no words at all would find everything.
pub fn search_words(text: &str) -> Vec<String> {
    let words: Vec<_> = fold(text)
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    match text.trim() {
        lost if words.is_empty() && !lost.is_empty() => vec![lost.to_owned()],
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_made_up_is_repeated_in_part_and_without_control_characters() {
        assert_eq!(truncate_untrusted("äöü", 3), "äöü");
        assert_eq!(truncate_untrusted("äöüß", 3), "äöü…");
        assert_eq!(
            truncate_untrusted("a\u{1b}[2J\0\u{85}", 9),
            "a\u{fffd}[2J\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn folding_levels_case_accents_and_sharp_s() {
        assert_eq!(fold("STRAẞE Élan ﬁne"), fold("strasse elan fine"));
        assert_eq!(search_words("  Müller  ANNA "), ["muller", "anna"]);
    }

    #[rstest::rstest]
    #[case("ℋotel ㎒ ™", "hotel mhz tm")]
    #[case("Ⅻ ① ﬁ ſ", "xii 1 fi s")]
    #[case("İstanbul ǰ ŉ", "istanbul j ʼn")]
    #[case("Straße", "STRASSE")]
    fn folding_sees_the_case_of_compatibility_forms(#[case] one: &str, #[case] other: &str) {
        assert_eq!(fold(one), fold(other));
    }

    #[test]
    fn folding_twice_is_folding_once() {
        // all planes that have letters or compatibility forms
        for c in '\0'..'\u{30000}' {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?} {:x}", u32::from(c));
        }
    }

    #[test]
    fn a_search_for_what_folding_removes_is_not_a_search_for_everything() {
        assert_eq!(search_words(" \u{301}\u{308} "), ["\u{301}\u{308}"]);
        assert_eq!(search_words("´"), ["´"]);
        assert_eq!(search_words(" \u{a0} "), [""; 0]);
        assert_eq!(search_words("\u{301} x"), ["x"]);
    }

    #[test]
    fn sort_keys_fit_an_index() {
        assert_eq!(sort_key("Öztürk"), "ozturk");
        // one character that folds to 18
        assert!(fold("\u{fdfa}").chars().count() == 18);
        assert_eq!(sort_key(&"\u{fdfa}".repeat(200)).chars().count(), 200);
    }
}
