//! The names of a form's fields.

use domain::limits::FORM_FIELD_NAME_CHARS_MAX;

/// Returns the distinct names that are not blank, in the given order. Providers allow labels of any length, so each
/// name is cut to the length that a form's map accepts. Control characters are removed.
pub fn names<'n>(candidates: impl IntoIterator<Item = Option<&'n str>>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for candidate in candidates.into_iter().flatten() {
        let visible = candidate.chars().filter(|c| !c.is_control());
        let name: String = visible.take(FORM_FIELD_NAME_CHARS_MAX).collect();
        if !name.trim().is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The names of hidden fields that a page, its framework or its captcha sends to the server. Their values are not
/// answers of the person and may be long.
const ABOUT_THE_FORM: [&str; 25] = [
    "__eventargument",
    "__eventtarget",
    "__eventvalidation",
    "__requestverificationtoken",
    "__viewstate",
    "__viewstategenerator",
    "_charset_",
    "_csrf",
    "_csrf_token",
    "_gotcha",
    "_method",
    "_token",
    "_wp_http_referer",
    "_wpnonce",
    "authenticity_token",
    "bot-field",
    "cf-turnstile-response",
    "csrf_token",
    "csrfmiddlewaretoken",
    "form-name",
    "frc-captcha-solution",
    "g-recaptcha-response",
    "h-captcha-response",
    "hs_context",
    "utf8",
];

/// Returns true for the name of a hidden field that a page sends to the server.
pub fn is_about_the_form(name: &str) -> bool {
    let name = name.trim();
    ABOUT_THE_FORM.iter().any(|about| about.eq_ignore_ascii_case(name))
}

/// Returns true if a name is generated and not readable: a UUID or a ULID.
pub fn is_opaque(name: &str) -> bool {
    let is_uuid = || {
        let groups: Vec<&str> = name.split('-').collect();
        groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let is_ulid = || {
        name.len() == 26
            && name.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            && name.bytes().any(|byte| byte.is_ascii_digit())
    };
    is_uuid() || is_ulid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_is_cut_to_the_length_that_a_map_accepts() {
        let long = "é".repeat(300);
        let found = names([Some("a\nb"), None, Some(" "), Some(&long), Some("ab")]);
        assert_eq!(found, ["ab".to_owned(), "é".repeat(200)]);
    }

    #[test]
    fn technical_field_is_recognised_by_its_name_in_any_case() {
        for name in ["g-recaptcha-response", "__RequestVerificationToken", " utf8 ", "_charset_"] {
            assert!(is_about_the_form(name), "{name}");
        }
        for name in ["utf-8", "response", "token", "form name", ""] {
            assert!(!is_about_the_form(name), "{name}");
        }
    }

    #[test]
    fn generated_names_are_recognised() {
        for name in ["3f0e3bf0-8a2c-4e26-9d3c-3a4a3e1c9f10", "01HCM2K9V4Y8JQ6S5T7W3X1Z0A"] {
            assert!(is_opaque(name), "{name}");
        }
        for name in ["first_name", "email", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "what-is-your-very-own-name", ""] {
            assert!(!is_opaque(name), "{name}");
        }
    }
}
