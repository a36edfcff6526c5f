//! Case folding, for case-insensitive comparison.

use std::{fmt, mem};

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use writeable::Writeable as _;

/// Folds the case of a text and normalizes it to NFC. Accents stay: texts that differ in case only
/// become equal.
pub fn fold_case(text: &str) -> String {
    icu_casemap::CaseMapper::new()
        .fold_string(&text.nfc().collect::<String>())
        .nfc()
        .collect()
}

/// Like [`fold_case`], but writes UTF-8 to a buffer that is cleared first. Allocates only for texts
/// that are not in NFC.
pub fn fold_case_into(text: &str, folded: &mut Vec<u8>) {
    folded.clear();
    let highest = text.bytes().fold(0, u8::max);
    if highest <= LAST_LATIN_1_LEAD {
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
    // writing to a Vec cannot fail
    let _ = icu_casemap::CaseMapper::new()
        .fold(text)
        .write_to(&mut Utf8Writer(folded));
    let cased = str::from_utf8(folded).unwrap_or_default();
    if is_nfc_quick(cased.chars()) != IsNormalized::Yes {
        *folded = cased.nfc().collect::<String>().into_bytes();
    }
}

struct Utf8Writer<'v>(&'v mut Vec<u8>);

impl fmt::Write for Utf8Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The highest lead byte of a Latin-1 character in UTF-8.
const LAST_LATIN_1_LEAD: u8 = 0xC3;

/// Folds the non-ASCII letters of Latin-1 in place and without tables. Most texts contain no
/// others, they are always in NFC, and each folds to the same number of bytes.
fn fold_latin_1(text: &mut [u8]) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(0xC2, LAST_LATIN_1_LEAD, rest) {
        let tail = mem::take(&mut rest).get_mut(at..);
        let Some((letter, after)) = tail.and_then(|tail| tail.split_at_mut_checked(2)) else {
            return;
        };
        match *letter {
            // sharp s
            [0xC3, 0x9F] => letter.copy_from_slice(b"ss"),
            // À to Þ, except the multiplication sign
            [0xC3, second @ (0x80..=0x96 | 0x98..=0x9E)] => {
                letter.copy_from_slice(&[0xC3, second + 0x20]);
            }
            // micro sign
            [0xC2, 0xB5] => letter.copy_from_slice("μ".as_bytes()),
            _ => {}
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fold_case_into_agrees_with_fold_case() {
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
            let folded = String::from_utf8(buffer.clone()).unwrap();
            assert_eq!(folded, fold_case(&text), "{text:?}");
        }
    }
}
