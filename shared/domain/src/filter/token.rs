//! Words in a text, and patterns of them with `*`.
//!
//! A pattern comes from outside and so does the text. Matching therefore reads each character once and takes
//! at most two steps for it (Knuth, Morris and Pratt's search, one piece between two `*` after the other),
//! whatever the pattern: taking the leftmost place for each piece leaves the most for the next, so it never
//! has to go back.

use super::operand::fold;

/// A word to be found, in which `*` stands for any run of characters.
#[derive(Clone)]
pub(super) struct Pattern {
    /// What stands before the first `*`, or the whole word.
    start: Vec<char>,
    /// What stands after the first `*`, if there is one.
    rest: Option<Rest>,
    /// It has characters that no run of letters and digits has.
    has_marks: bool,
}

#[derive(Clone)]
struct Rest {
    /// What stands between two `*`.
    pieces: Vec<Piece>,
    /// What stands after the last `*`.
    end: Piece,
}

/// A text to be searched for.
#[derive(Clone)]
struct Piece {
    chars: Vec<char>,
    /// For each count of matched characters but zero: how many of them still match one or more characters
    /// further on.
    shorter: Vec<usize>,
}

impl Pattern {
    /// Reads a pattern, or says what was expected.
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

    /// Whether the text has such a word.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.split_whitespace().any(|token| self.is(token) || (!self.has_marks && self.is_inside(token)))
    }

    /// Whether one of the token's runs of letters and digits is such a word, if the token is more than that
    /// run.
    fn is_inside(&self, token: &str) -> bool {
        token
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() < token.len())
            .any(|word| self.is(word))
    }

    fn is(&self, word: &str) -> bool {
        self.is_counted(word, || ())
    }

    /// Whether the word is such a word; `on_step` is called for each comparison of two characters.
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

    /// Reads characters until the piece has come. False if they end before.
    fn find(&self, chars: &mut impl Iterator<Item = char>, on_step: &mut impl FnMut()) -> bool {
        let mut matched = 0;
        while matched < self.chars.len() {
            let Some(next) = chars.next() else { return false };
            matched = self.advance(matched, next, on_step);
        }
        true
    }

    /// Whether the characters end with the piece.
    fn is_end_of(&self, chars: impl Iterator<Item = char>, on_step: &mut impl FnMut()) -> bool {
        if self.chars.is_empty() {
            return true;
        }
        let matched = chars.fold(0, |matched, next| self.advance(matched, next, on_step));
        matched == self.chars.len()
    }

    /// How many characters match after `next`, when `matched` did before it. Each turn of the loop but the
    /// last makes `matched` smaller, and each call makes it larger by one at most.
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
    fn stars_stand_for_any_run() {
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
    fn a_word_is_a_token_or_a_run_of_letters_and_digits_in_it() {
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
    fn the_worst_patterns_take_two_steps_a_character() {
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

    /// The textbook definition, exponential and plain.
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
        fn agrees_with_the_definition(pattern in "[ab*]{1,10}", word in "[ab]{0,14}") {
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
        fn a_pattern_made_from_a_word_finds_it(
            before in "\\w{0,9}", inside in "\\w{0,9}", after in "\\w{1,9}",
        ) {
            let word = format!("{before}{inside}{after}");
            for pattern in [word.clone(), format!("{before}*{after}"), format!("*{inside}*")] {
                prop_assert!(is(&pattern, &word));
            }
        }
    }
}
