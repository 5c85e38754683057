//! Decimal ids in requests.

/// Parses a decimal id. Only the spelling of responses names an object.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let is_canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
    is_canonical.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spelling_of_a_number_names_nothing() {
        assert_eq!((decimal("0"), decimal("891046875643903")), (Some(0), Some(891_046_875_643_903)));
        for text in ["", "01", "+1", "-1", "1.0", " 1", "seg_1", "99999999999999999999999"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
