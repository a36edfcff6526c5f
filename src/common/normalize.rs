//! Texts made comparable: for searching, sorting, and telling names apart.

use std::{fmt, mem};

use unicode_normalization::{
    IsNormalized, UnicodeNormalization as _, char::is_combining_mark, is_nfc_quick,
};
use writeable::Writeable as _;

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

/// Folds the case of a text and nothing else: names that differ by it only are the same name.
pub fn fold_case(text: &str) -> String {
    icu_casemap::CaseMapper::new()
        .fold_string(&text.nfc().collect::<String>())
        .nfc()
        .collect()
}

/// [`fold_case`] into a buffer that is used again and again: nothing is allocated but for a text that was not composed.
pub fn fold_case_into(text: &str, folded: &mut Vec<u8>) {
    folded.clear();
    let highest = text.bytes().fold(0, u8::max);
    if highest <= LATIN_1 {
        folded.extend_from_slice(text.as_bytes());
        folded.make_ascii_lowercase();
        if !highest.is_ascii() {
            fold_latin(folded);
        }
        return;
    }
    if is_nfc_quick(text.chars()) != IsNormalized::Yes {
        folded.extend_from_slice(fold_case(text).as_bytes());
        return;
    }
    // a Vec takes whatever is written to it, and what is written is text
    let _ = icu_casemap::CaseMapper::new()
        .fold(text)
        .write_to(&mut Bytes(folded));
    let cased = str::from_utf8(folded).unwrap_or_default();
    if is_nfc_quick(cased.chars()) != IsNormalized::Yes {
        *folded = cased.nfc().collect::<String>().into_bytes();
    }
}

struct Bytes<'v>(&'v mut Vec<u8>);

impl fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The highest byte that begins a character of Latin-1 in UTF-8.
const LATIN_1: u8 = 0xC3;

/// Folds the letters of Latin-1 that are not ASCII, without tables: most texts here keep to it, all of it is composed, and each
/// of its letters folds by itself to as many bytes.
fn fold_latin(text: &mut [u8]) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(0xC2, LATIN_1, rest) {
        let letters = mem::take(&mut rest).get_mut(at..);
        let Some((letter, after)) = letters.and_then(|it| it.split_at_mut_checked(2)) else {
            return;
        };
        match *letter {
            [LATIN_1, 0x9F] => letter.copy_from_slice(b"ss"),
            // À to Þ without the multiplication sign
            [LATIN_1, second @ (0x80..=0x96 | 0x98..=0x9E)] => {
                letter.copy_from_slice(&[LATIN_1, second + 0x20])
            }
            // the micro sign
            [0xC2, 0xB5] => letter.copy_from_slice("μ".as_bytes()),
            _ => {}
        }
        rest = after;
    }
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
    fn folding_into_a_buffer_is_folding() {
        let mut buffer = b"left over".to_vec();
        let texts = [
            "",
            "VPN-Zugang",
            "Änderung ÄÖÜ ß",
            "STRAẞE",
            "a\u{308}B",
            "İstanbul ǰ",
            "\u{3b1}\u{345}\u{301}",
        ];
        let letters = ('\0'..'\u{2000}').map(|c| c.to_string());
        for text in texts.map(ToOwned::to_owned).into_iter().chain(letters) {
            fold_case_into(&text, &mut buffer);
            assert_eq!(
                String::from_utf8(buffer.clone()).unwrap(),
                fold_case(&text),
                "{text:?}"
            );
        }
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
