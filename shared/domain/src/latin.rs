//! The conversion of Latin letters to ASCII letters.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The combining marks in canonical decompositions of Latin letters.
const MARKS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// Returns the text in lower case, with plain letters instead of Latin letters with marks or special forms. `Größe`
/// becomes `grosse`, and `Łódź` becomes `lodz`. `ß` becomes `ss` by the German convention. Letters of other scripts
/// stay, in NFC.
pub(crate) fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(&lower);
    let mut plain = String::with_capacity(decomposed.len());
    for c in decomposed.chars() {
        match spelt_out(c) {
            Some(letters) => plain.push_str(letters),
            None if MARKS.contains(&c) && plain.ends_with(|base: char| base.is_ascii_alphabetic()) => {}
            None => plain.push(c),
        }
    }
    composed(&plain)
}

/// Returns the text in NFC, in which two encodings of the same characters are equal.
pub(crate) fn composed(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Returns the plain letters for a Latin letter that Unicode does not decompose.
fn spelt_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'ŋ' => "n",
        'ŧ' => "t",
        'ə' => "e",
        'ſ' => "s",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_letters_become_plain() {
        for (text, expected) in [
            ("Größe", "grosse"),
            ("GRÜẞE", "grusse"),
            ("Prénom", "prenom"),
            ("Pre\u{301}nom", "prenom"),
            ("Łódź Ångström Ħal", "lodz angstrom hal"),
            ("Smørrebrød Đorđe Æsir œuvre Þór ð", "smorrebrod dorde aesir oeuvre thor d"),
            ("İstanbul ılık Việt", "istanbul ilik viet"),
            ("имя Имейл 名前 ド 이메일 5_a", "имя имейл 名前 ド 이메일 5_a"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
