//! Numbers of contacts that people type.

use serde_json::{Value, json};

/// The characters that people write between groups of three digits.
const GROUP_SEPARATORS: [char; 7] = [',', '.', ' ', '\'', '\u{2019}', '\u{a0}', '\u{202f}'];

/// Returns a typed number for the API. Another text stays a text, so that the API says what it expects.
pub(crate) fn typed_number(text: &str) -> Value {
    whole(text).map_or_else(|| json!(text), |number| json!(number))
}

/// Returns a whole number that was typed with or without separators between groups of three digits.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let groups: Vec<&str> = text.split(GROUP_SEPARATORS).collect();
    let is_digits = |group: &&str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let (first, rest) = groups.split_first()?;
    let is_grouped = rest.is_empty() || (first.len() <= 3 && rest.iter().all(|group| group.len() == 3));
    if is_grouped && groups.iter().all(is_digits) { groups.concat().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_numbers_may_have_groups_of_three_digits() {
        for (text, number) in [
            ("0", Some(0)),
            ("5500", Some(5_500)),
            ("5,500", Some(5_500)),
            ("5.500", Some(5_500)),
            ("1\u{202f}234\u{202f}567", Some(1_234_567)),
            ("", None),
            ("1.5", None),
            ("12,34", None),
            ("1234,567", None),
            ("-1", None),
            ("ten", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(whole(text), number, "{text}");
        }
        assert_eq!(typed_number("1.5"), json!("1.5"));
    }
}
