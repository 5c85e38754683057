//! E-mail addresses: validation, and the key by which two spellings of one address are equal.

use std::fmt;

use email_address::Options;
use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use thiserror::Error;

use crate::limits::{ADDRESS_BYTES_MAX, LOCAL_PART_BYTES_MAX};
use crate::unseen::is_blank;

/// An e-mail address (RFC 5321, with the international forms of RFC 6531): the given spelling in NFC, and the key by
/// which addresses compare.
///
/// `==` compares the spelling too. [`EmailAddress::same_as`] compares the keys only. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    given: String,
    key: String,
}

/// The error for a text that is not one e-mail address. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// The text is empty.
    #[error("expected an e-mail address such as ada@example.org, got an empty text")]
    Empty,
    /// The text has white space before or after the address.
    #[error("expected an e-mail address without spaces around it")]
    Surrounded,
    /// The text contains white space, control characters, invisible characters or unassigned code points.
    #[error("expected an e-mail address without white space, control characters or invisible characters")]
    Invisible,
    /// The address is too long for mail, in its given spelling or in its key.
    #[error(
        "expected an e-mail address of at most {ADDRESS_BYTES_MAX} bytes, {LOCAL_PART_BYTES_MAX} before the @"
    )]
    TooLong,
    /// The text has no `@`.
    #[error("expected an e-mail address such as ada@example.org, with an @")]
    NoAt,
    /// The part before the last `@` is not a valid local part.
    #[error("expected an e-mail address such as ada@example.org: the part before the @ is not valid")]
    LocalPart,
    /// The part after the last `@` is not a domain name.
    #[error("expected an e-mail address such as ada@example.org: the part after the @ is not a domain name")]
    Domain,
}

impl EmailAddress {
    /// Parses one address, without a display name, with a domain name of two labels or more.
    ///
    /// # Errors
    /// See [`AddressError`]. Spaces around the address are rejected, because forms remove them before.
    pub fn parse(given: &str) -> Result<Self, AddressError> {
        check_characters(given)?;
        let given = ComposingNormalizerBorrowed::new_nfc().normalize(given).into_owned();
        let (local, domain) = given.rsplit_once('@').ok_or(AddressError::NoAt)?;
        let local_key = local_key(local);
        if local.len().max(local_key.len()) > LOCAL_PART_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        if !is_local_part(&local_key) {
            return Err(AddressError::LocalPart);
        }
        let key = format!("{local_key}@{}", domain_key(domain)?);
        if given.len().max(key.len()) > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        Ok(Self { given, key })
    }

    /// Creates an address from its stored parts. The key that an older version stored may differ from the key that
    /// [`Self::parse`] computes today. The address is found under the stored key.
    #[must_use]
    pub fn from_stored(given: String, key: String) -> Self {
        Self { given, key }
    }

    /// Returns the given spelling, in NFC.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Returns the key by which addresses compare: the local part under NFC and simple case folding, the domain in its
    /// ASCII form (UTS #46).
    ///
    /// Simple folding unites both lower cases of a Greek sigma. It does not unite `ß` with `ss`, nor ligatures with
    /// their letters, because uniting two persons is a worse error than storing one person twice.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns true if both are spellings of one address.
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

/// The maximum size in bytes of a text that is at most [`ADDRESS_BYTES_MAX`] long in NFC. Normalisation shortens a text
/// to no less than a third.
const UNNORMALISED_BYTES_MAX: usize = 3 * ADDRESS_BYTES_MAX;

fn check_characters(given: &str) -> Result<(), AddressError> {
    if given.is_empty() {
        return Err(AddressError::Empty);
    }
    // This check is first because the later ones cost more for a longer text.
    if given.len() > UNNORMALISED_BYTES_MAX {
        return Err(AddressError::TooLong);
    }
    if given.trim() != given {
        return Err(AddressError::Surrounded);
    }
    if given.chars().any(is_unseen) {
        return Err(AddressError::Invisible);
    }
    Ok(())
}

/// Returns true for a character that is invisible in a text or is not a character at all. These are white space,
/// control characters, default ignorable code points (joiners, marks of direction, zero-width spaces, soft hyphens),
/// noncharacters and other unassigned code points, and U+FFFD.
///
/// Such characters are copied along without being noticed, and would create a second contact for the same person.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() || c == ' ';
    }
    is_blank(c)
        || c == char::REPLACEMENT_CHARACTER
        || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Unassigned
}

/// Returns the key of a local part that is in NFC.
fn local_key(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let cases = CaseMapper::new();
    let folded: String = local.chars().map(|c| cases.simple_fold(c)).collect();
    // Folding may produce a letter and a mark that have a composed form.
    ComposingNormalizerBorrowed::new_nfc().normalize(&folded).into_owned()
}

/// Returns true for a local part of RFC 5321. According to RFC 6531 any non-ASCII character counts as a letter.
fn is_local_part(local: &str) -> bool {
    // `email_address` accepts non-ASCII letters but not the combining marks of many scripts. So every non-ASCII
    // character is replaced by a letter first.
    let as_ascii: String = local.chars().map(|c| if c.is_ascii() { c } else { 'x' }).collect();
    let options = Options::default().without_display_text().without_domain_literal();
    email_address::EmailAddress::parse_with_options(&format!("{as_ascii}@example.org"), options).is_ok()
}

/// Returns the domain in ASCII and lower case. It must have two labels or more, because a top-level domain alone
/// receives no mail. Its last label must not be a number, because that would be an IP address.
fn domain_key(domain: &str) -> Result<String, AddressError> {
    let key = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| AddressError::Domain)?;
    match key.rsplit_once('.') {
        Some((_, last)) if !last.bytes().all(|byte| byte.is_ascii_digit()) => Ok(key.into_owned()),
        _ => Err(AddressError::Domain),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> String {
        EmailAddress::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).key
    }

    #[test]
    fn address_keeps_its_spelling_and_has_one_key() {
        let table = [
            ("ada@example.org", "ada@example.org"),
            ("Ada.Lovelace+News@Example.ORG", "ada.lovelace+news@example.org"),
            ("ü@bücher.example", "ü@xn--bcher-kva.example"),
            ("Ü@BÜCHER.example", "ü@xn--bcher-kva.example"),
            ("ü@XN--BCHER-KVA.example", "ü@xn--bcher-kva.example"),
            ("a@straße.example", "a@xn--strae-oqa.example"),
            ("a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"),
            ("संपर्क@डाटामेल.भारत", "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c"),
            ("a@r3---sn.example", "a@r3---sn.example"),
            // Simple folding has no lower case for this letter.
            ("İ@example.org", "İ@example.org"),
            ("ΧΡΉΣΤΟΣ@example.org", "χρήστοσ@example.org"),
            ("χρήστος@example.org", "χρήστοσ@example.org"),
            ("Straẞe@example.org", "straße@example.org"),
            ("ﬁ@example.org", "ﬁ@example.org"),
            ("Ａ@example.org", "ａ@example.org"),
            ("\"Much.More(Unusual\"@example.org", "\"much.more(unusual\"@example.org"),
            ("\"a@b\"@example.org", "\"a@b\"@example.org"),
        ];
        for (given, expected) in table {
            let address = EmailAddress::parse(given).unwrap();
            assert_eq!(address.given(), given);
            assert_eq!(address.key(), expected, "{given}");
        }
    }

    #[test]
    fn spellings_of_one_address_are_the_same() {
        let parse = |text| EmailAddress::parse(text).unwrap();
        assert!(parse("ADA@bücher.example").same_as(&parse("ada@xn--bcher-kva.example")));
        assert!(parse("ADA@example.org") != parse("ada@example.org"));
        assert!(!parse("a.da@example.org").same_as(&parse("ada@example.org")));
        assert!(!parse("ada+x@example.org").same_as(&parse("ada@example.org")));
        assert!(!parse("straße@example.org").same_as(&parse("strasse@example.org")));
        assert!(!parse("ﬁ@example.org").same_as(&parse("fi@example.org")));
    }

    #[test]
    fn spelling_is_kept_in_composed_form() {
        for (given, kept) in [
            ("jose\u{301}@example.org", "josé@example.org"),
            ("\u{212a}elvin@example.org", "Kelvin@example.org"),
            ("a@bu\u{308}cher.example", "a@bücher.example"),
        ] {
            let address = EmailAddress::parse(given).unwrap();
            assert_eq!(address.given(), kept);
            assert!(address.same_as(&EmailAddress::parse(kept).unwrap()));
        }
        let stored = EmailAddress::from_stored("Jose\u{301}@x.org".into(), "jose\u{301}@x.org".into());
        assert_eq!((stored.given(), stored.key()), ("Jose\u{301}@x.org", "jose\u{301}@x.org"));
    }

    #[test]
    fn text_that_is_not_one_address_is_rejected() {
        let table = [
            ("", AddressError::Empty),
            (" ", AddressError::Surrounded),
            (" ada@example.org", AddressError::Surrounded),
            ("ada@example.org\n", AddressError::Surrounded),
            ("ada@example.org\u{a0}", AddressError::Surrounded),
            ("ada\u{a0}b@example.org", AddressError::Invisible),
            ("ada\u{2028}b@example.org", AddressError::Invisible),
            ("ada\u{3000}b@example.org", AddressError::Invisible),
            ("ada\u{200d}b@example.org", AddressError::Invisible),
            ("ada\u{fe0f}@example.org", AddressError::Invisible),
            ("ada\u{fdd0}@example.org", AddressError::Invisible),
            ("ada\u{1ffff}@example.org", AddressError::Invisible),
            ("ada\u{378}@example.org", AddressError::Invisible),
            ("ada\u{fffd}@example.org", AddressError::Invisible),
            ("a da@example.org", AddressError::Invisible),
            ("\"a da\"@example.org", AddressError::Invisible),
            ("ada@exa mple.org", AddressError::Invisible),
            ("Ada <ada@example.org", AddressError::Invisible),
            ("ada@gmail", AddressError::Domain),
            ("ada@127.0.0.1", AddressError::Domain),
            ("ada@example.123", AddressError::Domain),
            ("ada\r\nbcc:x@example.org", AddressError::Invisible),
            ("\"a\tb\"@example.org", AddressError::Invisible),
            ("ada\u{200b}@example.org", AddressError::Invisible),
            ("\u{202e}ada@example.org", AddressError::Invisible),
            ("ada", AddressError::NoAt),
            ("ada.example.org", AddressError::NoAt),
            ("@example.org", AddressError::LocalPart),
            (".ada@example.org", AddressError::LocalPart),
            ("a..da@example.org", AddressError::LocalPart),
            ("ada@example.org, bob@example.org", AddressError::Invisible),
            ("ada@bob@example.org", AddressError::LocalPart),
            ("\"@example.org", AddressError::LocalPart),
            ("\"\"@example.org", AddressError::LocalPart),
            ("Ada <ada@example.org>", AddressError::Invisible),
            ("<ada@example.org>", AddressError::LocalPart),
            ("ada@", AddressError::Domain),
            ("ada@example.org>", AddressError::Domain),
            ("ada@[127.0.0.1]", AddressError::Domain),
            ("ada@example..org", AddressError::Domain),
            ("ada@.example.org", AddressError::Domain),
            ("ada@example.org.", AddressError::Domain),
            ("ada@-example.org", AddressError::Domain),
            ("ada@exa_mple.org", AddressError::Domain),
            ("ada@xn--a", AddressError::Domain),
            ("ada@\u{fffd}.org", AddressError::Invisible),
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

        // `Ⱥ` has two bytes and its lower case three.
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

    /// Returns texts that are often addresses, with characters whose cases are irregular.
    fn near_addresses() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9.+\"ÄäßẞİıΣςσȺΩ𝐀\u{308}-]{1,12}@[a-zA-Z0-9äÖßẞİΣςＡ𝐀\u{308}。.-]{1,16}"
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*|[\\s\\S]{0,300}") {
            let _ = EmailAddress::parse(&text);
        }

        #[test]
        fn key_is_an_address_with_itself_as_key(text in near_addresses()) {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(key(address.key()), address.key());
                prop_assert!(!address.key().contains(|c: char| c.is_ascii_uppercase()));
                prop_assert!(address.key().len() <= ADDRESS_BYTES_MAX);
            }
        }

        #[test]
        fn key_and_spelling_have_no_unseen_character(
            before in "[a-zä]{0,3}", c in any::<char>(), after in "[a-zä]{0,3}@[a-zä]{1,3}", end in any::<char>(),
        ) {
            for text in [format!("{before}{c}{after}.org"), format!("{before}x{after}{end}x.org")] {
                if let Ok(address) = EmailAddress::parse(&text) {
                    prop_assert!(!address.key().chars().any(is_unseen));
                    prop_assert!(!address.given().chars().any(is_unseen));
                }
            }
        }

        /// Checks that neither the case of letters nor the composition of marks changes the key of a local part.
        #[test]
        fn spellings_with_the_same_folding_have_one_key(text in near_addresses(), upper in any::<u64>(), apart in any::<bool>()) {
            let cases = CaseMapper::new();
            let (local, domain) = text.split_once('@').unwrap();
            let decomposed = if apart {
                icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(local).into_owned()
            } else {
                local.to_owned()
            };
            let respelt: String = decomposed
                .chars()
                .enumerate()
                .map(|(at, c)| {
                    let other = cases.simple_uppercase(c);
                    // Some letters have an upper case that folds to another letter.
                    let same = cases.simple_fold(other) == cases.simple_fold(c);
                    if upper >> (at % 64) & 1 == 1 && same { other } else { c }
                })
                .collect();
            let respelt = format!("{respelt}@{domain}");
            if let (Ok(one), Ok(other)) = (EmailAddress::parse(&text), EmailAddress::parse(&respelt)) {
                prop_assert_eq!(one.key(), other.key(), "{:?}", respelt);
            }
        }

        #[test]
        fn ascii_addresses_compare_without_case(
            local in "[a-z0-9]{1,20}(\\.[a-z0-9+_-]{1,9})?", domain in "[a-z0-9]{1,20}(\\.[a-z]{1,9}){1,3}",
        ) {
            let lower = format!("{local}@{domain}");
            prop_assert_eq!(key(&lower), lower.clone());
            prop_assert_eq!(key(&lower.to_uppercase()), lower);
        }
    }
}
