//! The character encoding of form posts. Pages of other encodings than UTF-8 still exist, and so do their visitors.
//!
//! Labels are those of the WHATWG Encoding standard. What a browser was told to say in the field `_charset_` counts
//! first, because it knows what it wrote; then the media type's `charset`; then UTF-8.

use encoding_rs::{Encoding, UTF_8};

/// The field in which a browser says the encoding of a form post (HTML, "form-data set").
pub(super) const CHARSET_FIELD: &[u8] = b"_charset_";

/// Returns the encoding of a form post from its `_charset_` and its media type's `charset`. Labels that are unknown count
/// as none.
pub(super) fn encoding(field: Option<&[u8]>, media_type: Option<&str>) -> &'static Encoding {
    let labels = [field, media_type.map(str::as_bytes)];
    let known = labels.into_iter().flatten().find_map(Encoding::for_label);
    // Browsers write UTF-8 in the place of encodings that form posts can't have, such as UTF-16.
    known.map_or(UTF_8, Encoding::output_encoding)
}

/// Returns the text of these bytes, with U+FFFD for those that are not in the encoding.
pub(super) fn decode(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_with_bom_removal(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_the_fields_or_the_media_types_or_utf8() {
        for (field, media_type, name) in [
            (None, None, "UTF-8"),
            (None, Some("ISO-8859-1"), "windows-1252"),
            (Some(&b" Shift_JIS "[..]), Some("latin1"), "Shift_JIS"),
            (Some(b"nonsense"), Some("koi8-r"), "KOI8-R"),
            (Some(b""), Some("nonsense"), "UTF-8"),
            (Some(b"utf-16"), None, "UTF-8"),
        ] {
            assert_eq!(encoding(field, media_type).name(), name);
        }
    }

    #[test]
    fn bytes_of_another_encoding_are_replaced() {
        let windows = encoding(Some(b"windows-1252"), None);
        assert_eq!(decode(windows, b"Jos\xe9 \x80"), "José €");
        assert_eq!(decode(UTF_8, b"\xef\xbb\xbfJos\xe9"), "Jos\u{FFFD}");
    }
}
