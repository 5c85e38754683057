//! Characters that leave nothing to see.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Returns true for white space, control characters, and characters that Unicode calls default ignorable, such as
/// zero-width spaces, byte order marks and marks of direction.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_whitespace() || c.is_control() || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Returns the text without the unseen characters at its ends. They are pasted along with what people type into forms.
#[must_use]
pub fn trim_unseen(text: &str) -> &str {
    text.trim_matches(is_unseen)
}

/// Returns true if the text has a character that can be seen.
#[must_use]
pub fn is_visible(text: &str) -> bool {
    !text.chars().all(is_unseen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unseen_characters_are_trimmed_at_the_ends_alone() {
        for unseen in [
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
        ] {
            assert_eq!(
                trim_unseen(&format!("{unseen}a{unseen}b{unseen}")),
                format!("a{unseen}b"),
                "{unseen:?}"
            );
            assert!(!is_visible(unseen), "{unseen:?}");
            assert!(is_visible(&format!("{unseen}.{unseen}")), "{unseen:?}");
        }
        assert_eq!((trim_unseen(""), is_visible("")), ("", false));
    }

    #[test]
    fn letters_marks_and_symbols_are_seen() {
        for seen in ["a", "é", "名", "\u{1F600}", "-", "\u{fffd}", "ש"] {
            assert!(is_visible(seen), "{seen:?}");
        }
    }
}
