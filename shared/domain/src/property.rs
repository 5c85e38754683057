//! Properties: the values that an account stores of a person, by name (the crate's `README.md`, Properties).

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::digest::hex;
use crate::form::Overwrite;
use crate::latin;
use crate::limits::{
    FORM_PROPERTIES_BYTES_MAX, FORM_PROPERTIES_MAX, PROPERTIES_BYTES_MAX, PROPERTIES_MAX,
    PROPERTY_NAME_CHARS_MAX, PROPERTY_VALUE_BYTES_MAX,
};
use crate::unseen::is_visible;

/// The names of other parts of a contact in the API. A search could not distinguish a property of such a name from that
/// part.
pub const RESERVED: [&str; 7] =
    ["bounced", "created_at", "email", "id", "marketing", "unsubscribed", "updated_at"];

/// The prefix of the names that are reserved for the program, except [`STORED_WITH_PREFIX`].
pub const OWN_PREFIX: &str = "hs_";

/// The names with [`OWN_PREFIX`] under which an account stores properties: those of `HubSpot` that integrations write.
pub const STORED_WITH_PREFIX: [&str; 18] = [
    "hs_analytics_source",
    "hs_analytics_source_data_1",
    "hs_analytics_source_data_2",
    "hs_buying_role",
    "hs_content_membership_notes",
    "hs_content_membership_status",
    "hs_country_region_code",
    "hs_facebook_ad_clicked",
    "hs_facebook_click_id",
    "hs_google_click_id",
    "hs_language",
    "hs_lead_status",
    "hs_legal_basis",
    "hs_linkedin_url",
    "hs_persona",
    "hs_state_code",
    "hs_timezone",
    "hs_whatsapp_phone_number",
];

/// The prefix that [`tidy_name`] adds to a text that is not a valid name by itself.
const FIELD_PREFIX: &str = "field_";

/// The number of digest bytes in the name that [`made_name`] returns, each as two digits. A form has at most a few
/// hundred fields, so two fields of one form hardly ever receive the same name.
const MADE_NAME_BYTES: usize = 4;

/// The name of a property: a letter of `a` to `z`, then letters, digits and `_`, 100 characters at most.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PropertyName(String);

/// The error for a text that is not a valid property name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PropertyNameError {
    /// The text has other characters, or too many of them.
    #[error(
        "expected a name of a to z, 0 to 9 and _, beginning with a letter, of at most {PROPERTY_NAME_CHARS_MAX}"
    )]
    Characters,
    /// The name begins with [`OWN_PREFIX`], and is none of [`STORED_WITH_PREFIX`].
    #[error(
        "expected a name without the prefix hs_, which is reserved but for a few names of HubSpot such as \
         hs_lead_status"
    )]
    Own,
    /// The name is one of [`RESERVED`].
    #[error("this name is reserved: it is another part of the contact")]
    Reserved,
}

/// A contact's properties, ordered by name and within the limits. `Debug` shows only their number.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Properties(BTreeMap<PropertyName, String>);

/// The error for a value or a set of properties that exceeds a limit. It never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PropertyError {
    /// The value is too long.
    #[error("expected a value of at most {PROPERTY_VALUE_BYTES_MAX} bytes")]
    ValueTooLong(PropertyName),
    /// The value has control characters other than tab, line feed and carriage return.
    #[error("expected a value without control characters")]
    ControlCharacter(PropertyName),
    /// The contact would have too many properties.
    #[error("expected at most {PROPERTIES_MAX} properties on a contact")]
    TooMany,
    /// The names and values would be too long in total.
    #[error(
        "expected names and values of a contact's properties of at most {PROPERTIES_BYTES_MAX} bytes in all"
    )]
    TooLong,
}

impl PropertyName {
    /// Returns the pattern of all names, in the dialect of JSON Schema.
    #[must_use]
    pub fn pattern() -> String {
        // One letter comes before these characters.
        let more = PROPERTY_NAME_CHARS_MAX - 1;
        let (reserved, stored) = (RESERVED.join("|"), STORED_WITH_PREFIX.join("|"));
        format!("^(?!{OWN_PREFIX})(?!({reserved})$)[a-z][a-z0-9_]{{0,{more}}}$|^({stored})$")
    }

    /// Parses a name.
    ///
    /// # Errors
    /// See [`PropertyNameError`].
    pub fn parse(text: &str) -> Result<Self, PropertyNameError> {
        let begins_with_letter = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins_with_letter || !text.chars().all(is_name_char) || text.len() > PROPERTY_NAME_CHARS_MAX {
            return Err(PropertyNameError::Characters);
        }
        if text.starts_with(OWN_PREFIX) && !STORED_WITH_PREFIX.contains(&text) {
            return Err(PropertyNameError::Own);
        }
        if RESERVED.contains(&text) {
            return Err(PropertyNameError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name with a number after it, for a second field that would fill the same property.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        let suffix = format!("_{number}");
        let kept: String = self.0.chars().take(PROPERTY_NAME_CHARS_MAX - suffix.len()).collect();
        let numbered = format!("{kept}{suffix}");
        // `hs` with a number would have the reserved prefix.
        prefixed_if_needed(&numbered).unwrap_or(Self(numbered))
    }

    /// Checks that a property of this name may have this value.
    ///
    /// # Errors
    /// [`PropertyError::ValueTooLong`] or [`PropertyError::ControlCharacter`]. Control characters have no use in a
    /// text, and each of them has six bytes when it is escaped.
    pub fn check_value(&self, value: &str) -> Result<(), PropertyError> {
        if value.len() > PROPERTY_VALUE_BYTES_MAX {
            return Err(PropertyError::ValueTooLong(self.clone()));
        }
        if value.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            return Err(PropertyError::ControlCharacter(self.clone()));
        }
        Ok(())
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

impl FromStr for PropertyName {
    type Err = PropertyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for PropertyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for PropertyName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Returns the property name nearest to a form field's own name. It is in lower case and plain Latin letters, with
/// one `_` for each run of other characters inside it. The prefix `field_` is added if the result is not a valid name
/// otherwise. A valid name is its own nearest.
///
/// Returns `None` for a text that has neither a Latin letter nor a digit. It also returns `None` if all letters are of
/// other scripts, because the digits beside them would be the same for many questions.
#[must_use]
pub fn tidy_name(text: &str) -> Option<PropertyName> {
    let plain = latin::plain(text);
    let tidy = plain.split(|c| !is_name_char(c)).filter(|run| !run.is_empty()).collect::<Vec<_>>().join("_");
    let has_latin = tidy.contains(|c: char| c.is_ascii_lowercase());
    let has_other = plain.contains(|c: char| c.is_alphabetic() && !c.is_ascii());
    let has_digit = tidy.contains(|c: char| c.is_ascii_digit());
    if has_latin || (has_digit && !has_other) { prefixed_if_needed(&tidy) } else { None }
}

/// Returns a name for a form field for which [`tidy_name`] returns `None`: `field_` and eight hexadecimal digits of a
/// digest. The digest is of the field's own name, so the result is the same for every submission. Returns `None` for a
/// text without a letter or digit of any script.
#[must_use]
pub fn made_name(text: &str) -> Option<PropertyName> {
    if !text.contains(char::is_alphanumeric) {
        return None;
    }
    let digest = Sha256::digest(field_key(text));
    let digits = hex(digest.iter().take(MADE_NAME_BYTES));
    PropertyName::parse(&format!("{FIELD_PREFIX}{digits}")).ok()
}

/// Returns the key by which names of form fields compare: the name in NFC and lower case, without the `[]` with which
/// HTML forms mark a field that may have several values.
#[must_use]
pub fn field_key(name: &str) -> String {
    let name = name.trim();
    latin::composed(name.strip_suffix("[]").unwrap_or(name).trim_end()).to_lowercase()
}

fn prefixed_if_needed(text: &str) -> Option<PropertyName> {
    let cut = |name: &str| name.chars().take(PROPERTY_NAME_CHARS_MAX).collect::<String>();
    PropertyName::parse(&cut(text))
        .or_else(|_| PropertyName::parse(&cut(&format!("{FIELD_PREFIX}{text}"))))
        .ok()
}

impl Properties {
    /// Creates an empty set of properties.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates the set from stored properties. They were checked before they were stored and are not checked again,
    /// so a stored contact stays readable when a limit changes. Empty values of older items are left out.
    #[must_use]
    pub fn from_trusted(stored: BTreeMap<String, String>) -> Self {
        let stored = stored.into_iter().filter(|(_, value)| !value.is_empty());
        Self(stored.map(|(name, value)| (PropertyName(name), value)).collect())
    }

    /// Sets one property. An empty value removes it.
    ///
    /// # Errors
    /// See [`PropertyError`]. The set is then unchanged.
    pub fn insert(&mut self, name: PropertyName, value: String) -> Result<(), PropertyError> {
        self.merge(std::iter::once((name, Some(value))))
    }

    /// Removes one property and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Returns the value of one property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the names and values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&PropertyName, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// Sets the properties that a form submitted, within the part of a contact that forms may fill, and returns the
    /// number of values that did not fit.
    ///
    /// Anyone may submit a public form. So forms add new properties only up to [`FORM_PROPERTIES_MAX`], and properties
    /// grow only up to [`FORM_PROPERTIES_BYTES_MAX`]. The rest is reserved for the account. Stored properties that
    /// `overwrite` protects are unchanged and not counted. An empty value changes nothing.
    pub fn merge_submitted<'v>(
        &mut self,
        values: impl Iterator<Item = (&'v PropertyName, &'v str)>,
        overwrite: Overwrite,
    ) -> u64 {
        let mut bytes = self.bytes();
        let mut left_out = 0;
        for (name, value) in values.filter(|(_, value)| !value.is_empty()) {
            let stored = self.get(name.as_str());
            let is_protected = match (overwrite, stored) {
                (Overwrite::Always, _) | (Overwrite::IfEmpty, None) => false,
                (Overwrite::IfEmpty, Some(stored)) => is_visible(stored),
                (Overwrite::Never, _) => true,
            };
            if is_protected {
                continue;
            }
            let before = stored.map_or(0, |stored| name.0.len() + stored.len());
            let after = bytes - before + name.0.len() + value.len();
            let fits = after <= FORM_PROPERTIES_BYTES_MAX.max(bytes)
                && (stored.is_some() || self.len() < FORM_PROPERTIES_MAX)
                && name.check_value(value).is_ok();
            if fits {
                bytes = after;
                self.0.insert(name.clone(), value.to_owned());
            } else {
                left_out += 1;
            }
        }
        left_out
    }

    /// Returns the number of properties.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the total size of the names and values, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.0.len() + value.len()).sum()
    }

    /// Returns true if there are no properties.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets each property that has a value and removes each that has none. An empty text is no value. Of two changes of
    /// one property the later applies. The limits apply to the result.
    ///
    /// # Errors
    /// See [`PropertyError`]. The set is then unchanged.
    pub fn merge(
        &mut self,
        changes: impl Iterator<Item = (PropertyName, Option<String>)>,
    ) -> Result<(), PropertyError> {
        let mut merged = self.0.clone();
        for (name, value) in changes {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                name.check_value(&value)?;
                merged.insert(name, value);
            } else {
                merged.remove(&name);
            }
        }
        if merged.len() > PROPERTIES_MAX {
            return Err(PropertyError::TooMany);
        }
        let merged = Self(merged);
        if merged.bytes() > PROPERTIES_BYTES_MAX {
            return Err(PropertyError::TooLong);
        }
        *self = merged;
        Ok(())
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Properties({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> PropertyName {
        PropertyName::parse(text).unwrap()
    }

    fn properties(entries: &[(&str, &str)]) -> Properties {
        let mut properties = Properties::new();
        let changes = entries.iter().map(|(key, value)| (name(key), Some((*value).to_owned())));
        properties.merge(changes).unwrap();
        properties
    }

    #[test]
    fn name_outside_the_rules_is_rejected() {
        for text in ["a", "firstname", "first_name", "a1", "a_", "hs", "hsx_1", "emails", &"a".repeat(100)] {
            assert_eq!(name(text).to_string(), text);
        }
        let table = [
            ("", PropertyNameError::Characters),
            ("1st", PropertyNameError::Characters),
            ("_a", PropertyNameError::Characters),
            ("First", PropertyNameError::Characters),
            ("first name", PropertyNameError::Characters),
            ("größe", PropertyNameError::Characters),
            ("a\n", PropertyNameError::Characters),
            (&"a".repeat(101), PropertyNameError::Characters),
            ("hs_marketable_status", PropertyNameError::Own),
            ("hs_", PropertyNameError::Own),
            ("hs_lead_status_2", PropertyNameError::Own),
            ("email", PropertyNameError::Reserved),
            ("unsubscribed", PropertyNameError::Reserved),
            ("bounced", PropertyNameError::Reserved),
            ("created_at", PropertyNameError::Reserved),
            ("updated_at", PropertyNameError::Reserved),
            ("id", PropertyNameError::Reserved),
            ("marketing", PropertyNameError::Reserved),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<PropertyName>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn name_of_hubspot_that_integrations_write_is_valid() {
        for text in STORED_WITH_PREFIX {
            assert!(text.starts_with(OWN_PREFIX) && name(text).as_str() == text, "{text}");
            assert_eq!(tidy_name(text), Some(name(text)));
        }
        assert!(STORED_WITH_PREFIX.is_sorted());
        assert_eq!(name("hs_language").numbered(2).as_str(), "field_hs_language_2");
    }

    #[test]
    fn form_field_gets_the_nearest_name() {
        let table = [
            ("firstname", Some("firstname")),
            ("First Name", Some("first_name")),
            ("  First -- Name *", Some("first_name")),
            ("E-Mail", Some("e_mail")),
            ("Größe (cm)", Some("grosse_cm")),
            ("Grüße", Some("grusse")),
            ("Prénom", Some("prenom")),
            ("Pre\u{301}nom", Some("prenom")),
            ("Łódź, Tromsø", Some("lodz_tromso")),
            ("your_name_", Some("your_name_")),
            ("1st choice", Some("field_1st_choice")),
            ("_private", Some("field__private")),
            ("Email", Some("field_email")),
            ("id", Some("field_id")),
            ("hs_token", Some("field_hs_token")),
            ("HS-Token", Some("field_hs_token")),
            ("", None),
            (" * ", None),
            ("___", None),
            ("名前", None),
            ("имя 2", None),
            ("質問 5", None),
            ("質問 SNS", Some("sns")),
            ("(5)", Some("field_5")),
        ];
        for (text, expected) in table {
            assert_eq!(tidy_name(text).as_ref().map(PropertyName::as_str), expected, "{text:?}");
        }
        assert_eq!(tidy_name(&"X".repeat(300)).unwrap().as_str(), "x".repeat(100));
        assert_eq!(tidy_name(&"7".repeat(300)).unwrap().as_str(), format!("field_{}", "7".repeat(94)));
    }

    #[test]
    fn made_name_depends_on_the_field_name_alone() {
        let made = |text| made_name(text).map(|name| name.to_string());
        let name = made("имя").unwrap();
        assert_eq!(name, "field_63565d7f");
        for same in [" имя ", "ИМЯ", "имя[]"] {
            assert_eq!(made(same).as_ref(), Some(&name), "{same}");
        }
        assert_eq!(made("\u{30c9}"), made("\u{30c8}\u{3099}"), "one character in two spellings");
        for other in ["お名前", "שם", "имя 2", "٣"] {
            let other = made(other).unwrap();
            assert!(other != name && tidy_name(&other).is_some_and(|tidy| tidy.as_str() == other));
        }
        for nameless in ["", " ", "---", "\u{1F600}"] {
            assert_eq!(made(nameless), None);
        }
    }

    #[test]
    fn numbered_name_is_a_valid_name() {
        let longest = "a".repeat(PROPERTY_NAME_CHARS_MAX);
        for (text, number, expected) in [
            ("size", 2, "size_2".to_owned()),
            ("hs", 2, "field_hs_2".to_owned()),
            (&longest, 10, format!("{}_10", &longest[3..])),
        ] {
            assert_eq!(name(text).numbered(number).as_str(), expected);
            assert_eq!(PropertyName::parse(&expected).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn properties_are_read_by_name_and_listed_in_order() {
        let mut stored = properties(&[("b", "2"), ("a", "1"), ("c", " ")]);
        assert_eq!(stored.get("a"), Some("1"));
        assert_eq!(stored.get("c"), Some(" "));
        assert_eq!(stored.get("d"), None);
        assert_eq!(stored.remove("b"), Some("2".to_owned()));
        assert_eq!(stored.remove("b"), None);
        stored.insert(name("a"), "3".to_owned()).unwrap();
        let listed: Vec<_> = stored.iter().map(|(name, value)| (name.as_str(), value)).collect();
        assert_eq!(listed, [("a", "3"), ("c", " ")]);
        assert_eq!((stored.len(), stored.is_empty()), (2, false));
    }

    #[test]
    fn merge_sets_and_removes_and_applies_the_last_change() {
        let mut stored = properties(&[("a", "1"), ("b", "2")]);
        let change = |key: &str, value: Option<&str>| (name(key), value.map(str::to_owned));
        let changes = [
            change("a", None),
            change("b", Some("3")),
            change("c", Some("4")),
            change("c", None),
            change("x", None),
        ];
        stored.merge(changes.into_iter()).unwrap();
        assert_eq!(stored, properties(&[("b", "3")]));
    }

    #[test]
    fn empty_value_is_no_property() {
        let mut stored = properties(&[("a", "1"), ("b", "2"), ("c", "")]);
        assert_eq!(stored, properties(&[("a", "1"), ("b", "2")]));
        stored.insert(name("a"), String::new()).unwrap();
        assert_eq!(stored, properties(&[("b", "2")]));
        assert_eq!(submitted(&mut stored, &[("b", ""), ("c", "")], Overwrite::Always), 0);
        assert_eq!(stored, properties(&[("b", "2")]), "an empty field of a form changes nothing");

        let mut full = Properties::new();
        let numbered = (0..PROPERTIES_MAX).map(|number| (name(&format!("p{number}")), Some("x".to_owned())));
        full.merge(numbered.chain([(name("one_more"), Some(String::new()))])).unwrap();
        assert_eq!(full.len(), PROPERTIES_MAX);

        let old = BTreeMap::from([("a".to_owned(), String::new()), ("b".to_owned(), " ".to_owned())]);
        assert_eq!(Properties::from_trusted(old), properties(&[("b", " ")]));
    }

    #[test]
    fn rejected_value_changes_nothing() {
        let mut stored = properties(&[("a", "1")]);
        let before = stored.clone();
        let longest = "x".repeat(PROPERTY_VALUE_BYTES_MAX);
        assert_eq!(
            stored.insert(name("b"), format!("{longest}x")),
            Err(PropertyError::ValueTooLong(name("b")))
        );
        for control in ["\0", "\u{1b}[2J", "\u{7f}", "\u{85}"] {
            let changes = [(name("a"), None), (name("b"), Some(control.to_owned()))];
            assert_eq!(stored.merge(changes.into_iter()), Err(PropertyError::ControlCharacter(name("b"))));
        }
        assert_eq!(stored, before);
        stored.insert(name("b"), longest).unwrap();
        stored.insert(name("c"), "tab\tand\r\nlines".to_owned()).unwrap();
    }

    #[test]
    fn totals_are_checked_on_the_result() {
        let numbered =
            |count: usize| (0..count).map(|number| (name(&format!("p{number}")), Some("x".to_owned())));
        let mut stored = Properties::new();
        assert_eq!(stored.merge(numbered(PROPERTIES_MAX + 1)), Err(PropertyError::TooMany));
        assert!(stored.is_empty());
        stored.merge(numbered(PROPERTIES_MAX)).unwrap();
        assert_eq!(stored.insert(name("one_more"), "x".to_owned()), Err(PropertyError::TooMany));
        let swapped = [(name("one_more"), Some("x".to_owned())), (name("p0"), None)];
        stored.merge(swapped.into_iter()).unwrap();
        assert_eq!(stored.len(), PROPERTIES_MAX);

        let half = "x".repeat(PROPERTIES_BYTES_MAX / 2 - 1);
        let mut stored = properties(&[("a", &half), ("b", &half)]);
        assert_eq!(stored.insert(name("c"), "x".to_owned()), Err(PropertyError::TooLong));
        stored.insert(name("b"), "2".to_owned()).unwrap();
        stored.insert(name("c"), "3".to_owned()).unwrap();
    }

    #[test]
    fn stored_properties_are_not_checked_again() {
        let stored = BTreeMap::from([("email".to_owned(), "\0".to_owned())]);
        assert_eq!(Properties::from_trusted(stored).get("email"), Some("\0"));
    }

    #[test]
    fn neither_debug_nor_errors_show_a_value() {
        assert_eq!(format!("{:?}", properties(&[("a", "secret"), ("b", "secret")])), "Properties(2)");
        let error = Properties::new().insert(name("a"), "secret\0".to_owned()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    fn submitted(properties: &mut Properties, entries: &[(&str, &str)], overwrite: Overwrite) -> u64 {
        let entries: Vec<_> = entries.iter().map(|(key, value)| (name(key), *value)).collect();
        properties.merge_submitted(entries.iter().map(|(key, value)| (key, *value)), overwrite)
    }

    #[test]
    fn submitted_values_follow_the_overwrite_setting() {
        for (overwrite, city) in
            [(Overwrite::Always, "Rome"), (Overwrite::IfEmpty, "Berlin"), (Overwrite::Never, "Berlin")]
        {
            let mut contact = properties(&[("city", "Berlin"), ("zip", " ")]);
            let left_out = submitted(
                &mut contact,
                &[("city", "Rome"), ("zip", "00100"), ("country", "Italy")],
                overwrite,
            );
            let is_closed = overwrite == Overwrite::Never;
            assert_eq!(left_out, 0);
            assert_eq!(contact.get("city"), Some(city), "{overwrite}");
            assert_eq!(contact.get("zip"), Some(if is_closed { " " } else { "00100" }), "{overwrite}");
            assert_eq!(contact.get("country"), (!is_closed).then_some("Italy"), "{overwrite}");
        }
    }

    #[test]
    fn submitted_properties_fill_half_of_a_contact() {
        let numbered = |range: std::ops::Range<usize>| {
            range.map(|number| (format!("p{number:03}"), "x".to_owned())).collect::<Vec<_>>()
        };
        let entries = numbered(0..150);
        let entries: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let mut contact = Properties::new();
        assert_eq!(submitted(&mut contact, &entries, Overwrite::Always), 50);
        assert_eq!(contact.len(), FORM_PROPERTIES_MAX);
        assert_eq!(submitted(&mut contact, &[("p000", "y"), ("q", "z")], Overwrite::Always), 1);
        assert_eq!((contact.get("p000"), contact.get("q")), (Some("y"), None), "stored ones still change");
        assert!(contact.insert(name("own"), "z".to_owned()).is_ok(), "the account can add its own");
    }

    #[test]
    fn submitted_properties_fill_half_of_the_bytes() {
        let long = "x".repeat(FORM_PROPERTIES_BYTES_MAX - 10);
        let mut contact = Properties::new();
        assert_eq!(submitted(&mut contact, &[("a", &long), ("b", "0123456789")], Overwrite::Always), 1);
        assert_eq!(submitted(&mut contact, &[("b", "012345678")], Overwrite::Always), 1);
        assert_eq!(submitted(&mut contact, &[("b", "01234567")], Overwrite::Always), 0);
        assert_eq!(contact.bytes(), FORM_PROPERTIES_BYTES_MAX);
        let own = "y".repeat(PROPERTY_VALUE_BYTES_MAX - 10);
        contact.insert(name("own"), own.clone()).unwrap();
        assert_eq!(submitted(&mut contact, &[("b", "76543210"), ("own", "z")], Overwrite::Always), 0);
        assert_eq!(submitted(&mut contact, &[("own", &own)], Overwrite::Always), 1, "it would grow again");
    }

    proptest! {
        #[test]
        fn tidy_name_is_valid_and_its_own_nearest(
            text in "\\PC{0,150}|[a-zA-Z0-9_ -]{0,150}|(hs_|_|Email){1,3}",
        ) {
            if let Some(tidy) = tidy_name(&text) {
                prop_assert_eq!(&name(tidy.as_str()), &tidy);
                prop_assert_eq!(tidy_name(tidy.as_str()), Some(tidy));
            }
        }

        #[test]
        fn text_with_a_letter_or_digit_has_a_name(text in "\\PC{0,9}", letter in "[a-zA-Z0-9äßłимя名]") {
            let field = [text.as_str(), &letter, &text].concat();
            prop_assert!(tidy_name(&field).or_else(|| made_name(&field)).is_some());
            if letter.is_ascii() && !letter.starts_with(|c: char| c.is_ascii_digit()) {
                prop_assert!(tidy_name(&field).is_some());
            }
        }

        #[test]
        fn parsing_a_name_never_panics(text in "\\PC*|[\\s\\S]{0,120}") {
            let _ = PropertyName::parse(&text);
        }
    }
}
