//! Words in a text, and patterns of words with `*`.
//!
//! Callers control both the pattern and the text. Matching searches one text between two `*` after the other with
//! `str::find`, which takes linear time. The leftmost match of each text leaves the most for the next, so matching never
//! backtracks.

use super::operand::fold;

/// A pattern for a word.
#[derive(Clone)]
pub(super) struct Pattern {
    word: Glob,
    /// The pattern for a subdomain of the domain that the pattern looks like.
    subdomain: Option<Glob>,
}

/// A pattern for a whole text, in which `*` matches any run of characters. Its texts are folded.
#[derive(Clone)]
struct Glob {
    /// The text before the first `*`, or the whole pattern.
    start: String,
    /// The part after the first `*`, if there is one.
    rest: Option<Rest>,
    /// True if the pattern has characters other than letters, digits and `*`.
    has_marks: bool,
}

#[derive(Clone)]
struct Rest {
    /// The non-empty texts between two `*`.
    pieces: Vec<String>,
    /// The text after the last `*`.
    end: String,
}

fn folded(text: &str) -> String {
    fold(text).collect()
}

impl Pattern {
    /// Parses a pattern, or returns the expected format.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.contains(char::is_whitespace) {
            return Err("expected one word, without spaces");
        }
        let is_domain = text.contains('.') && !text.contains('@');
        let subdomain = is_domain.then(|| Glob::read(&format!("*.{text}")));
        Ok(Self { word: Glob::read(text), subdomain })
    }

    /// Returns true if a word of the text matches.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.split_whitespace().any(|token| {
            self.word.is(token)
                || (!self.word.has_marks && self.is_inside(token))
                || self.subdomain.as_ref().is_some_and(|subdomain| self.is_domain_of(subdomain, token))
        })
    }

    /// Returns true if one of the token's runs of letters and digits matches and the token is longer than that run.
    fn is_inside(&self, token: &str) -> bool {
        token
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() < token.len())
            .any(|word| self.word.is(word))
    }

    /// Returns true if the token is an address, perhaps in brackets or before a comma, and its domain or a domain above
    /// that one matches.
    fn is_domain_of(&self, subdomain: &Glob, token: &str) -> bool {
        token.rsplit_once('@').is_some_and(|(_, domain)| {
            let domain = domain.trim_end_matches(|c: char| !c.is_alphanumeric());
            self.word.is(domain) || subdomain.is(domain)
        })
    }
}

impl Glob {
    fn read(text: &str) -> Self {
        let has_marks = text.chars().any(|c| c != '*' && !c.is_alphanumeric());
        let Some((start, rest)) = text.split_once('*') else {
            return Self { start: folded(text), rest: None, has_marks };
        };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let pieces = middle.split('*').filter(|piece| !piece.is_empty()).map(folded).collect();
        Self { start: folded(start), rest: Some(Rest { pieces, end: folded(end) }), has_marks }
    }

    fn is(&self, word: &str) -> bool {
        let word = folded(word);
        let Some(mut left) = word.strip_prefix(&self.start) else { return false };
        let Some(Rest { pieces, end }) = &self.rest else { return left.is_empty() };
        for piece in pieces {
            match left.split_once(piece) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is(pattern: &str, word: &str) -> bool {
        Glob::read(pattern).is(word)
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
