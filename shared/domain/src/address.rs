//! E-mail addresses: which ones are accepted, and when two are the same (`api.md`, "Contacts").

use std::fmt;

use email_address::Options;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use thiserror::Error;

use crate::limits::{ADDRESS_BYTES_MAX, LOCAL_PART_BYTES_MAX};

/// An e-mail address (RFC 5321, with the international forms of RFC 6531): the spelling given, and the form
/// in which addresses compare.
///
/// `==` compares the spelling too; [`EmailAddress::same_as`] tells whether two are one address. `Debug` shows
/// neither.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    given: String,
    key: String,
}

/// A text that is not one e-mail address. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Nothing.
    #[error("expected an e-mail address such as ada@example.org, got an empty text")]
    Empty,
    /// Spaces before or after the address.
    #[error("expected an e-mail address without spaces around it")]
    Surrounded,
    /// Line breaks, tabs and marks that nobody sees.
    #[error("expected an e-mail address without control characters or invisible characters")]
    Invisible,
    /// Longer than mail can be sent to, in the spelling given or in the form in which addresses compare.
    #[error(
        "expected an e-mail address of at most {ADDRESS_BYTES_MAX} bytes, {LOCAL_PART_BYTES_MAX} before the @"
    )]
    TooLong,
    /// No `@`.
    #[error("expected an e-mail address such as ada@example.org, with an @")]
    NoAt,
    /// What stands before the last `@` is no local part.
    #[error("expected an e-mail address such as ada@example.org: the part before the @ is not valid")]
    LocalPart,
    /// What stands after the last `@` is no domain name.
    #[error("expected an e-mail address such as ada@example.org: the part after the @ is not a domain name")]
    Domain,
}

impl EmailAddress {
    /// Reads one address, without a display name, with a domain name (of one label or more, not an IP
    /// address).
    ///
    /// # Errors
    /// See [`AddressError`]. Spaces around the address are refused: a form trims what people type.
    pub fn parse(given: &str) -> Result<Self, AddressError> {
        check_characters(given)?;
        let (local, domain) = given.rsplit_once('@').ok_or(AddressError::NoAt)?;
        let local_key = local.to_lowercase();
        if local.len().max(local_key.len()) > LOCAL_PART_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        if !is_local_part(&local_key) {
            return Err(AddressError::LocalPart);
        }
        let key = format!("{local_key}@{}", domain_key(domain)?);
        if key.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        Ok(Self { given: given.to_owned(), key })
    }

    /// The address as it was given.
    #[must_use]
    pub fn from_stored(given: String, key: String) -> Self {
        Self { given, key }
    }

    /// The spelling given.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The form in which addresses compare: the local part in lower case, the domain in its ASCII form (UTS
    /// #46).
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether both are one address, however they are spelt.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

fn check_characters(given: &str) -> Result<(), AddressError> {
    if given.is_empty() {
        return Err(AddressError::Empty);
    }
    // First of all: the checks after it cost more for a longer text.
    if given.len() > ADDRESS_BYTES_MAX {
        return Err(AddressError::TooLong);
    }
    if given.trim() != given {
        return Err(AddressError::Surrounded);
    }
    if given.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(AddressError::Invisible);
    }
    Ok(())
}

/// Soft hyphens, zero-width spaces and marks of direction. They are pasted along unseen, and would make a
/// second contact of the same person. Joiners are not among them: some scripts need them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether it is a local part of RFC 5321 in which, by RFC 6531, any non-ASCII character counts as a letter.
fn is_local_part(local: &str) -> bool {
    // `email_address` takes non-ASCII letters but not the marks that many scripts write upon them, so it is
    // shown a letter in the place of each.
    let as_ascii: String = local.chars().map(|c| if c.is_ascii() { c } else { 'x' }).collect();
    let options = Options::default().without_display_text().without_domain_literal();
    email_address::EmailAddress::parse_with_options(&format!("{as_ascii}@example.org"), options).is_ok()
}

/// The domain in ASCII and lower case.
fn domain_key(domain: &str) -> Result<String, AddressError> {
    Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| AddressError::Domain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        EmailAddress::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).key
    }

    #[test]
    fn keeps_the_spelling_and_compares_in_one_form() {
        let table = [
            ("ada@example.org", "ada@example.org"),
            ("Ada.Lovelace+News@Example.ORG", "ada.lovelace+news@example.org"),
            ("no@one", "no@one"),
            ("ü@bücher.example", "ü@xn--bcher-kva.example"),
            ("Ü@BÜCHER.example", "ü@xn--bcher-kva.example"),
            ("ü@XN--BCHER-KVA.example", "ü@xn--bcher-kva.example"),
            // The same ü as two characters.
            ("a@bu\u{308}cher.example", "a@xn--bcher-kva.example"),
            ("a@straße.example", "a@xn--strae-oqa.example"),
            ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
            ("संपर्क@डाटामेल.भारत", "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c"),
            ("a@r3---sn.example", "a@r3---sn.example"),
            ("İ@example.org", "i\u{307}@example.org"),
            ("\"Much.More Unusual\"@example.org", "\"much.more unusual\"@example.org"),
            ("\"a@b\"@example.org", "\"a@b\"@example.org"),
            ("a@127.0.0.1", "a@127.0.0.1"),
        ];
        for (given, expected) in table {
            let address = EmailAddress::parse(given).unwrap();
            assert_eq!(address.given(), given);
            assert_eq!(address.key(), expected, "{given}");
        }
    }

    #[test]
    fn one_address_in_two_spellings() {
        let parse = |text| EmailAddress::parse(text).unwrap();
        assert!(parse("ADA@bücher.example").same_as(&parse("ada@xn--bcher-kva.example")));
        assert!(parse("ADA@example.org") != parse("ada@example.org"));
        assert!(!parse("a.da@example.org").same_as(&parse("ada@example.org")));
        assert!(!parse("ada+x@example.org").same_as(&parse("ada@example.org")));
    }

    #[test]
    fn refuses_what_is_not_one_address() {
        let table = [
            ("", AddressError::Empty),
            (" ", AddressError::Surrounded),
            (" ada@example.org", AddressError::Surrounded),
            ("ada@example.org\n", AddressError::Surrounded),
            ("ada@example.org\u{a0}", AddressError::Surrounded),
            ("ada\r\nbcc:x@example.org", AddressError::Invisible),
            ("\"a\tb\"@example.org", AddressError::Invisible),
            ("ada\u{200b}@example.org", AddressError::Invisible),
            ("\u{202e}ada@example.org", AddressError::Invisible),
            ("ada", AddressError::NoAt),
            ("ada.example.org", AddressError::NoAt),
            ("@example.org", AddressError::LocalPart),
            ("a da@example.org", AddressError::LocalPart),
            (".ada@example.org", AddressError::LocalPart),
            ("a..da@example.org", AddressError::LocalPart),
            ("ada@example.org, bob@example.org", AddressError::LocalPart),
            ("ada@bob@example.org", AddressError::LocalPart),
            ("Ada <ada@example.org", AddressError::LocalPart),
            ("\"@example.org", AddressError::LocalPart),
            ("\"\"@example.org", AddressError::LocalPart),
            ("Ada <ada@example.org>", AddressError::LocalPart),
            ("<ada@example.org>", AddressError::LocalPart),
            ("ada@", AddressError::Domain),
            ("ada@example.org>", AddressError::Domain),
            ("ada@[127.0.0.1]", AddressError::Domain),
            ("ada@example..org", AddressError::Domain),
            ("ada@.example.org", AddressError::Domain),
            ("ada@example.org.", AddressError::Domain),
            ("ada@-example.org", AddressError::Domain),
            ("ada@exa_mple.org", AddressError::Domain),
            ("ada@exa mple.org", AddressError::Domain),
            ("ada@xn--a", AddressError::Domain),
            ("ada@\u{fffd}.org", AddressError::Domain),
        ];
        for (text, expected) in table {
            assert_eq!(EmailAddress::parse(text).err(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_rfc() {
        let local = "a".repeat(64);
        assert!(EmailAddress::parse(&format!("{local}@example.org")).is_ok());
        assert_eq!(EmailAddress::parse(&format!("a{local}@example.org")).err(), Some(AddressError::TooLong));

        let domain = ["b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".");
        let longest = format!("{local}@{domain}");
        assert_eq!(longest.len(), 254);
        assert!(EmailAddress::parse(&longest).is_ok());
        assert_eq!(EmailAddress::parse(&format!("{longest}d")).err(), Some(AddressError::TooLong));
        assert_eq!(
            EmailAddress::parse(&format!("a@{}.org", "b".repeat(64))).err(),
            Some(AddressError::Domain)
        );

        // `Ⱥ` takes two bytes and its lower case three.
        assert_eq!(
            EmailAddress::parse(&format!("{}@x.org", "Ⱥ".repeat(32))).err(),
            Some(AddressError::TooLong)
        );
        assert_eq!(EmailAddress::parse(&"@".repeat(1_000_000)).err(), Some(AddressError::TooLong));
    }

    #[test]
    fn neither_debug_nor_errors_show_the_address() {
        let address = EmailAddress::parse("ada@example.org").unwrap();
        assert_eq!(format!("{address:?}"), "EmailAddress(…)");
        for text in ["lovelace", "lovelace lovelace@x.org", "x@lovelace..org", "\u{200b}lovelace@x.org"] {
            let error = EmailAddress::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("lovelace"), "{error}");
        }
    }

    /// Texts that are often addresses, over characters with odd cases.
    fn near_addresses() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9.+\"ÄäßẞİıΣςσȺΩ𝐀\u{308}-]{1,12}@[a-zA-Z0-9äÖßẞİΣςＡ𝐀\u{308}。.-]{1,16}"
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*|[\\s\\S]{0,300}") {
            let _ = EmailAddress::parse(&text);
        }

        #[test]
        fn a_key_is_an_address_with_itself_as_key(text in near_addresses()) {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(key(address.key()), address.key());
                prop_assert!(address.key().to_lowercase() == address.key());
                prop_assert!(!address.key().contains(|c: char| c.is_ascii_uppercase()));
                prop_assert!(address.key().len() <= ADDRESS_BYTES_MAX);
            }
        }

        #[test]
        fn ascii_addresses_compare_without_case(
            local in "[a-z0-9]{1,20}(\\.[a-z0-9+_-]{1,9})?", domain in "[a-z0-9]{1,20}(\\.[a-z]{1,9}){0,3}",
        ) {
            let lower = format!("{local}@{domain}");
            prop_assert_eq!(key(&lower), lower.clone());
            prop_assert_eq!(key(&lower.to_uppercase()), lower);
        }
    }
}
