//! Text normalization for searching, sorting and comparing names.

use std::{fmt, mem};

use unicode_normalization::{
    IsNormalized, UnicodeNormalization as _, char::is_combining_mark, is_nfc_quick,
};
use writeable::Writeable as _;

/// Folds case, accents and compatibility forms, for searching and sorting. `Müller`, `MULLER` and
/// `muller` become equal, and `Änderung` sorts next to `Anderung` instead of after `Z`.
///
/// Compatibility forms are decomposed twice: before case folding, because `ℋ` contains an `H`, and
/// after it, because case folding can produce compatibility forms.
pub fn fold(text: &str) -> String {
    let without_marks: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    icu_casemap::CaseMapper::new()
        .fold_string(&without_marks)
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .collect()
}

/// Folds case only, for comparing names: names that differ only in case are equal.
pub fn fold_case(text: &str) -> String {
    icu_casemap::CaseMapper::new()
        .fold_string(&text.nfc().collect::<String>())
        .nfc()
        .collect()
}

/// [`fold_case`] into a reusable buffer. Allocates only if the text is not in NFC.
pub fn fold_case_into(text: &str, folded: &mut Vec<u8>) {
    folded.clear();
    let highest = text.bytes().fold(0, u8::max);
    if highest <= LATIN_1_MAX_LEAD {
        folded.extend_from_slice(text.as_bytes());
        folded.make_ascii_lowercase();
        if !highest.is_ascii() {
            fold_latin_1(folded);
        }
        return;
    }
    if is_nfc_quick(text.chars()) != IsNormalized::Yes {
        folded.extend_from_slice(fold_case(text).as_bytes());
        return;
    }
    // writing to a `Vec` cannot fail
    let _ = icu_casemap::CaseMapper::new()
        .fold(text)
        .write_to(&mut Utf8Writer(folded));
    let cased = str::from_utf8(folded).unwrap_or_default();
    if is_nfc_quick(cased.chars()) != IsNormalized::Yes {
        *folded = cased.nfc().collect::<String>().into_bytes();
    }
}

/// Appends text to a byte buffer.
struct Utf8Writer<'v>(&'v mut Vec<u8>);

impl fmt::Write for Utf8Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The highest lead byte of a Latin-1 character in UTF-8.
const LATIN_1_MAX_LEAD: u8 = 0xC3;

/// Folds the case of the non-ASCII Latin-1 letters in place. This is the fast path for most text:
/// Latin-1 is always in NFC, and each letter folds to the same number of bytes.
fn fold_latin_1(text: &mut [u8]) {
    let mut rest = text;
    while let Some(start) = memchr::memchr2(0xC2, LATIN_1_MAX_LEAD, rest) {
        let letters = mem::take(&mut rest).get_mut(start..);
        let Some((letter, after)) = letters.and_then(|bytes| bytes.split_at_mut_checked(2)) else {
            return;
        };
        match *letter {
            [LATIN_1_MAX_LEAD, 0x9F] => letter.copy_from_slice(b"ss"),
            // À to Þ, except the multiplication sign
            [LATIN_1_MAX_LEAD, second @ (0x80..=0x96 | 0x98..=0x9E)] => {
                letter.copy_from_slice(&[LATIN_1_MAX_LEAD, second + 0x20])
            }
            // the micro sign
            [0xC2, 0xB5] => letter.copy_from_slice("μ".as_bytes()),
            _ => {}
        }
        rest = after;
    }
}

/// The sort key of a name: folded, and truncated to fit into an index.
///
/// Folding can make text many times longer (one character folds to 18), and PostgreSQL rejects
/// index entries over 2,704 bytes. Ids break the ties that truncation creates.
pub fn sort_key(text: &str) -> String {
    fold(text).chars().take(MAX_SORT_KEY).collect()
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
    let terms: Vec<_> = fold(text)
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
    fn fold_ignores_case_accents_and_sharp_s() {
        assert_eq!(fold("STRAẞE Élan ﬁne"), fold("strasse elan fine"));
        assert_eq!(search_terms("  Müller  ANNA "), ["muller", "anna"]);
    }

    #[rstest::rstest]
    #[case("ℋotel ㎒ ™", "hotel mhz tm")]
    #[case("Ⅻ ① ﬁ ſ", "xii 1 fi s")]
    #[case("İstanbul ǰ ŉ", "istanbul j ʼn")]
    #[case("Straße", "STRASSE")]
    fn fold_ignores_case_of_compatibility_forms(#[case] one: &str, #[case] other: &str) {
        assert_eq!(fold(one), fold(other));
    }

    #[test]
    fn fold_case_into_equals_fold_case() {
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
    fn fold_is_idempotent() {
        // covers all planes with letters or compatibility forms
        for c in '\0'..'\u{30000}' {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?} {:x}", u32::from(c));
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
        assert_eq!(fold("\u{fdfa}").chars().count(), 18);
        assert_eq!(sort_key(&"\u{fdfa}".repeat(200)).chars().count(), 200);
    }
}
