//! Invisible characters.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Returns true for white space, control characters, and characters that Unicode calls default ignorable, such as
/// zero-width spaces, byte order marks and marks of direction.
#[must_use]
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Returns true if the text has a character that can be seen.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    !text.chars().all(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_blank_characters_is_not_visible() {
        for blank in [
            "\u{200b}",
            "\u{feff}",
            "\u{200e}",
            "\u{202a}",
            "\u{202c}",
            "\u{2060}",
            "\u{ad}",
            "\u{3164}",
            "\u{a0}",
            "\u{3000}",
            "\u{2028}",
            "\0",
            "\u{7f}",
            " \t\r\n",
            "\u{e0020}",
            "",
        ] {
            assert!(!is_visible(blank), "{blank:?}");
            assert!(is_visible(&format!("{blank}.{blank}")), "{blank:?}");
        }
    }

    #[test]
    fn letters_marks_and_symbols_are_visible() {
        for seen in ["a", "é", "名", "\u{1F600}", "-", "\u{fffd}", "ש"] {
            assert!(is_visible(seen), "{seen:?}");
        }
    }
}
