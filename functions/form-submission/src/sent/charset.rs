//! The character encoding of form posts, because pages in other encodings than UTF-8 still exist.
//!
//! Labels are those of the WHATWG Encoding standard. The field `_charset_` counts first, because the browser fills it
//! with the encoding that it used. The media type's `charset` counts second. The default is UTF-8.

use encoding_rs::{Encoding, UTF_8};

/// The field in which a browser states the encoding of a form post (HTML, "form-data set").
pub(super) const CHARSET_FIELD: &[u8] = b"_charset_";

/// Returns the encoding of a form post from its `_charset_` and its media type's `charset`. Unknown labels are ignored.
pub(super) fn encoding(field: Option<&[u8]>, media_type: Option<&str>) -> &'static Encoding {
    let labels = [field, media_type.map(str::as_bytes)];
    let known = labels.into_iter().flatten().find_map(Encoding::for_label);
    // Browsers use UTF-8 instead of encodings that form posts cannot have, such as UTF-16.
    known.map_or(UTF_8, Encoding::output_encoding)
}

/// Returns the text of these bytes, with U+FFFD for bytes that are invalid in the encoding.
pub(super) fn decode(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_with_bom_removal(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charset_field_precedes_media_type_and_utf8() {
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
    fn bytes_invalid_in_the_encoding_are_replaced() {
        let windows = encoding(Some(b"windows-1252"), None);
        assert_eq!(decode(windows, b"Jos\xe9 \x80"), "José €");
        assert_eq!(decode(UTF_8, b"\xef\xbb\xbfJos\xe9"), "Jos\u{FFFD}");
    }
}
