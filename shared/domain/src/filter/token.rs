//! Words in a text, and patterns of words with `*`.
//!
//! Callers control both the pattern and the text. So matching reads each character once and needs at most two steps
//! for it, whatever the pattern. It searches one piece between two `*` after the other (Knuth, Morris and Pratt). The
//! leftmost match of each piece leaves the most text for the next, so matching never backtracks.

use super::operand::fold;

/// A pattern for a word, in which `*` matches any run of characters.
#[derive(Clone)]
pub(super) struct Pattern {
    /// The text before the first `*`, or the whole pattern.
    start: Vec<char>,
    /// The part after the first `*`, if there is one.
    rest: Option<Rest>,
    /// True if the pattern has characters other than letters, digits and `*`.
    has_marks: bool,
}

#[derive(Clone)]
struct Rest {
    /// The non-empty texts between two `*`.
    pieces: Vec<Piece>,
    /// The text after the last `*`.
    end: Piece,
}

/// A text for which a word is searched.
#[derive(Clone)]
struct Piece {
    chars: Vec<char>,
    /// For each number of matched characters from 1: the number of characters that still match if the match begins
    /// one or more characters later.
    shorter: Vec<usize>,
}

impl Pattern {
    /// Parses a pattern, or returns the expected format.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.contains(char::is_whitespace) {
            return Err("expected one word, without spaces");
        }
        let has_marks = text.chars().any(|c| c != '*' && !c.is_alphanumeric());
        let Some((start, rest)) = text.split_once('*') else {
            return Ok(Self { start: fold(text).collect(), rest: None, has_marks });
        };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let pieces = middle.split('*').filter(|piece| !piece.is_empty()).map(Piece::new).collect();
        let rest = Some(Rest { pieces, end: Piece::new(end) });
        Ok(Self { start: fold(start).collect(), rest, has_marks })
    }

    /// Returns true if a word of the text matches.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.split_whitespace().any(|token| self.is(token) || (!self.has_marks && self.is_inside(token)))
    }

    /// Returns true if one of the token's runs of letters and digits matches and the token is longer than that run.
    fn is_inside(&self, token: &str) -> bool {
        token
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() < token.len())
            .any(|word| self.is(word))
    }

    fn is(&self, word: &str) -> bool {
        self.is_counted(word, || ())
    }

    /// Returns true if the word matches. `on_step` is called for each comparison of two characters.
    fn is_counted(&self, word: &str, mut on_step: impl FnMut()) -> bool {
        let mut chars = fold(word);
        for expected in &self.start {
            on_step();
            if chars.next() != Some(*expected) {
                return false;
            }
        }
        let Some(Rest { pieces, end }) = &self.rest else {
            return chars.next().is_none();
        };
        let found = pieces.iter().all(|piece| piece.find(&mut chars, &mut on_step));
        found && end.is_end_of(chars, &mut on_step)
    }
}

impl Piece {
    fn new(text: &str) -> Self {
        let mut piece = Self { chars: Vec::new(), shorter: Vec::new() };
        let mut matched = 0;
        for next in fold(text) {
            if !piece.chars.is_empty() {
                matched = piece.advance(matched, next, &mut || ());
            }
            piece.chars.push(next);
            piece.shorter.push(matched);
        }
        piece
    }

    /// Reads characters up to the end of the first match. Returns false if there is no match.
    fn find(&self, chars: &mut impl Iterator<Item = char>, on_step: &mut impl FnMut()) -> bool {
        let mut matched = 0;
        while matched < self.chars.len() {
            let Some(next) = chars.next() else { return false };
            matched = self.advance(matched, next, on_step);
        }
        true
    }

    /// Returns true if the characters end with the piece.
    fn is_end_of(&self, chars: impl Iterator<Item = char>, on_step: &mut impl FnMut()) -> bool {
        if self.chars.is_empty() {
            return true;
        }
        let matched = chars.fold(0, |matched, next| self.advance(matched, next, on_step));
        matched == self.chars.len()
    }

    /// Returns the number of matched characters after `next`, given the number before it. Each iteration but the last
    /// decreases `matched`, and each call increases it by at most one.
    fn advance(&self, mut matched: usize, next: char, on_step: &mut impl FnMut()) -> usize {
        loop {
            on_step();
            if self.chars.get(matched) == Some(&next) {
                return matched + 1;
            }
            let Some(shorter) = matched.checked_sub(1).and_then(|last| self.shorter.get(last)) else {
                return 0;
            };
            matched = *shorter;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is(pattern: &str, word: &str) -> bool {
        Pattern::read(pattern).unwrap().is(word)
    }

    #[test]
    fn star_matches_any_run_of_characters() {
        let table = [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("abc", "ab", false),
            ("ABC", "aBc", true),
            ("*", "anything", true),
            ("**", "", true),
            ("ab*", "ab", true),
            ("ab*", "abc", true),
            ("ab*", "a", false),
            ("*bc", "abc", true),
            ("*bc", "abcd", false),
            ("*bc", "bcbc", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab*", "ab", false),
            ("*ab*ab*", "xaabxab", true),
            ("*aab*", "aaab", true),
            ("*aab", "aabaaab", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ΣΑΣ", "σας", true),
            ("*İ*", "xi\u{307}y", true),
        ];
        for (pattern, word, expected) in table {
            assert_eq!(is(pattern, word), expected, "{pattern} {word}");
        }
    }

    #[test]
    fn word_is_a_token_or_a_run_of_letters_and_digits() {
        let table = [
            ("love*", "ada-lovelace", true),
            ("*da", "ada-lovelace", true),
            ("ada", "ada-lovelace", true),
            ("ada-lovelace", "of ada-lovelace", true),
            ("ada-lovelace", "ada lovelace", false),
            ("ada-*", "ada lovelace", false),
            ("da*", "ada-lovelace", false),
            ("*", "", false),
            ("*", "-", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Pattern::read(pattern).unwrap().is_in(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn worst_patterns_need_two_steps_per_character() {
        let word = "a".repeat(10_000);
        let patterns = [
            format!("{}b", "*a".repeat(200)),
            format!("*{}b", "a".repeat(5_000)),
            format!("*{}b*", "a".repeat(5_000)),
            format!("*{}b*", "a*".repeat(500)),
            format!("{}*{}b", "a".repeat(100), "a".repeat(100)),
            "*ab*ba*ab".to_owned(),
        ];
        for pattern in patterns {
            let mut steps = 0;
            assert!(!Pattern::read(&pattern).unwrap().is_counted(&word, || steps += 1));
            assert!(steps <= 2 * word.len() + pattern.len(), "{steps} steps");
        }
    }

    /// Matches a pattern by the textbook definition, in exponential time.
    fn defined(pattern: &[char], word: &[char]) -> bool {
        match (pattern.split_first(), word.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => defined(rest, word),
            (Some(('*', rest)), Some((_, tail))) => defined(rest, word) || defined(pattern, tail),
            (Some((expected, rest)), Some((found, tail))) => expected == found && defined(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn match_agrees_with_the_definition(pattern in "[ab*]{1,10}", word in "[ab]{0,14}") {
            let (chars, letters): (Vec<_>, Vec<_>) = (pattern.chars().collect(), word.chars().collect());
            prop_assert_eq!(is(&pattern, &word), defined(&chars, &letters));
        }

        #[test]
        fn steps_are_linear(pattern in "[ab*]{1,60}", word in "[ab]{0,200}") {
            let mut steps = 0;
            Pattern::read(&pattern).unwrap().is_counted(&word, || steps += 1);
            prop_assert!(steps <= 2 * word.len() + pattern.len());
        }

        #[test]
        fn pattern_derived_from_a_word_matches_it(
            before in "\\w{0,9}", inside in "\\w{0,9}", after in "\\w{1,9}",
        ) {
            let word = format!("{before}{inside}{after}");
            for pattern in [word.clone(), format!("{before}*{after}"), format!("*{inside}*")] {
                prop_assert!(is(&pattern, &word));
            }
        }
    }
}
