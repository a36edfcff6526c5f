//! Texts made comparable: for searching, sorting, and telling names apart.

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, char::is_combining_mark, is_nfc_quick};
use writeable::Writeable as _;

/// Folds a text for searching and sorting: case, accents and compatibility forms are levelled, so that `Müller`,
/// `MULLER` and `muller` are found by each other and `Änderung` sorts beside `Anderung`, not behind `Z`.
///
/// Compatibility forms are taken apart first, because what they hide has a case (`ℋ` is an `H`), and once more at the
/// end, because a folded case can be one.
pub fn fold(text: &str) -> String {
    let bare: String = text.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    icu_casemap::CaseMapper::new().fold_string(&bare).nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

/// Folds the case of a text and nothing else: names that differ by it only are the same name.
pub fn fold_case(text: &str) -> String {
    icu_casemap::CaseMapper::new().fold_string(&text.nfc().collect::<String>()).nfc().collect()
}

/// [`fold_case`] into a buffer that is used again and again: nothing is allocated but for a text that was not composed.
pub fn fold_case_into(text: &str, folded: &mut String) {
    folded.clear();
    if text.is_ascii() {
        folded.push_str(text);
        folded.make_ascii_lowercase();
        return;
    }
    if fold_latin(text, folded) {
        return;
    }
    folded.clear();
    if is_nfc_quick(text.chars()) != IsNormalized::Yes {
        *folded = fold_case(text);
        return;
    }
    // a String takes whatever is written to it
    let _ = icu_casemap::CaseMapper::new().fold(text).write_to(folded);
    if is_nfc_quick(folded.chars()) != IsNormalized::Yes {
        *folded = folded.nfc().collect();
    }
}

/// Folds Latin-1, which most texts here keep to, without the tables: all of it is composed, and each character folds by itself.
/// False if the text has other characters.
fn fold_latin(text: &str, folded: &mut String) -> bool {
    folded.reserve(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let (ascii, other) = rest.split_at(plain);
        let begin = folded.len();
        folded.push_str(ascii);
        folded.get_mut(begin..).unwrap_or_default().make_ascii_lowercase();
        let mut letters = other.chars();
        match letters.next().map(|c| (c, u8::try_from(c))) {
            None => {}
            Some(('ß', _)) => folded.push_str("ss"),
            Some(('µ', _)) => folded.push('μ'),
            // without the multiplication sign
            Some(('À'..='Ö' | 'Ø'..='Þ', Ok(byte))) => folded.push((byte + 32).into()),
            Some((c, Ok(_))) => folded.push(c),
            Some((_, Err(_))) => return false,
        }
        rest = letters.as_str();
    }
    true
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
pub fn clipped(text: &str, max: usize) -> String {
    let mut rest = text.chars();
    let shown: String = rest.by_ref().take(max).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if rest.next().is_some() { shown + "…" } else { shown }
}

/// The words of a search, folded. A text of which folding leaves nothing, such as a lone accent, is one word as it stands:
/// no folded text contains it, so it finds nothing, while no words at all would find everything.
pub fn search_words(text: &str) -> Vec<String> {
    let words: Vec<_> = fold(text).split_whitespace().map(ToOwned::to_owned).collect();
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
        assert_eq!(clipped("äöü", 3), "äöü");
        assert_eq!(clipped("äöüß", 3), "äöü…");
        assert_eq!(clipped("a\u{1b}[2J\0\u{85}", 9), "a\u{fffd}[2J\u{fffd}\u{fffd}");
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
        let mut buffer = "left over".to_owned();
        let texts = ["", "VPN-Zugang", "Änderung ÄÖÜ ß", "STRAẞE", "a\u{308}B", "İstanbul ǰ", "\u{3b1}\u{345}\u{301}"];
        let letters = ('\0'..'\u{2000}').map(|c| c.to_string());
        for text in texts.map(ToOwned::to_owned).into_iter().chain(letters) {
            fold_case_into(&text, &mut buffer);
            assert_eq!(buffer, fold_case(&text), "{text:?}");
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
