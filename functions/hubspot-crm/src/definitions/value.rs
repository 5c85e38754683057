//! The values that a property may have.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Timelike, Utc};
use domain::property_definition::{Choice, FieldType, ValueType};

use super::Definition;

/// The number of options that an error names. A list of languages would hide the rest of the message.
const OPTIONS_NAMED: usize = 20;

/// The years of dates. A text of another year has another length, so it could not be compared with others.
const YEARS: std::ops::RangeInclusive<i32> = 0..=9999;

/// The reason for which a value is refused: the code that programs look for, and a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ValueError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ValueError {
    fn option(message: String) -> Self {
        Self { code: "INVALID_OPTION", message }
    }

    fn date(message: String) -> Self {
        Self { code: "INVALID_DATE", message }
    }
}

impl Definition {
    /// Returns the value as it is stored and shown. An empty one removes the property.
    ///
    /// # Errors
    ///
    /// A [`ValueError`] if the value does not have the property's type.
    pub(crate) fn normalized(&self, value: &str) -> Result<String, ValueError> {
        if matches!(self.value_type, ValueType::Text | ValueType::PhoneNumber) {
            return Ok(value.to_owned());
        }
        let value = value.trim();
        if value.is_empty() {
            return Ok(String::new());
        }
        match self.value_type {
            ValueType::Text | ValueType::PhoneNumber => Ok(value.to_owned()),
            ValueType::Number => number(value),
            ValueType::Bool => flag(value),
            ValueType::Date => date(value),
            ValueType::DateTime => instant(value),
            ValueType::Enumeration if self.has_external_options => Ok(value.to_owned()),
            ValueType::Enumeration if self.field_type == FieldType::Checkbox => self.several(value),
            ValueType::Enumeration => self.option(value).map(str::to_owned),
        }
    }

    /// Returns the option that is the value. Case matters only if there are no options but true and false.
    fn option(&self, value: &str) -> Result<&str, ValueError> {
        let ignores_case = self.field_type == FieldType::BooleanCheckbox;
        let is_value = |option: &&Choice| {
            option.value == value || (ignores_case && option.value.eq_ignore_ascii_case(value))
        };
        let found = self.options.iter().find(is_value).map(|option| option.value.as_str());
        found.ok_or_else(|| {
            let named = self.options.iter().take(OPTIONS_NAMED).map(|option| option.value.as_str());
            let mut named: Vec<&str> = named.collect();
            if self.options.len() > OPTIONS_NAMED {
                named.push("…");
            }
            let named = named.join(", ");
            ValueError::option(format!("{value} was not one of the allowed options: [{named}]"))
        })
    }

    /// Returns a value with several options, each once, in the order of the request.
    fn several(&self, value: &str) -> Result<String, ValueError> {
        if value.starts_with(';') {
            let message =
                format!("{value} adds to the stored options, which is not supported: name all of them");
            return Err(ValueError::option(message));
        }
        let mut options: Vec<&str> = Vec::new();
        for part in value.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let option = self.option(part)?;
            if !options.contains(&option) {
                options.push(option);
            }
        }
        Ok(options.join(";"))
    }
}

/// Returns a decimal number as it is, and another one in decimal form, which filters compare as a number.
fn number(value: &str) -> Result<String, ValueError> {
    let error = || ValueError { code: "INVALID_NUMBER", message: format!("{value} was not a valid number.") };
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits(whole) && are_digits(fraction) {
        return Ok(value.to_owned());
    }
    // Words such as `inf` are numbers for the parser only.
    let has_letters = value.chars().any(|c| c.is_alphabetic() && !matches!(c, 'e' | 'E'));
    let parsed = value.parse::<f64>().ok().filter(|number| number.is_finite() && !has_letters);
    parsed.map(|number| number.to_string()).ok_or_else(error)
}

fn flag(value: &str) -> Result<String, ValueError> {
    let known = ["true", "false"].into_iter().find(|flag| value.eq_ignore_ascii_case(flag));
    known.map(str::to_owned).ok_or_else(|| {
        ValueError::option(format!("{value} was not one of the allowed options: [true, false]"))
    })
}

/// Returns a day. An instant must be its first one in UTC, because a caller in another time zone may mean another day.
fn date(value: &str) -> Result<String, ValueError> {
    if let Ok(date) = NaiveDate::parse_from_str(value, "%Y-%m-%d") {
        return shown_date(date, value);
    }
    let at = parse_instant(value)
        .ok_or_else(|| ValueError::date(format!("{value} was not a valid date, such as 2026-11-21.")))?;
    let time = at.time();
    if time != NaiveTime::MIN {
        let clock = time.format("%H:%M:%S");
        let millis = time.nanosecond() / 1_000_000;
        return Err(ValueError::date(format!("{value} is at {clock}.{millis} UTC, not midnight!")));
    }
    shown_date(at.date_naive(), value)
}

fn shown_date(date: NaiveDate, value: &str) -> Result<String, ValueError> {
    use chrono::Datelike as _;
    if YEARS.contains(&date.year()) {
        Ok(date.format("%Y-%m-%d").to_string())
    } else {
        Err(ValueError::date(format!("{value} is not in the years 0 to 9999.")))
    }
}

/// Returns an instant. A day means its first one in UTC.
fn instant(value: &str) -> Result<String, ValueError> {
    use chrono::Datelike as _;
    let of_day = || {
        let date = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok()?;
        Some(date.and_time(NaiveTime::MIN).and_utc())
    };
    let at = parse_instant(value).or_else(of_day).filter(|at| YEARS.contains(&at.year()));
    at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)).ok_or_else(|| {
        ValueError::date(format!("{value} was not a valid date, such as 2026-11-21T19:59:01.123Z."))
    })
}

/// Parses milliseconds since 1970 or an instant with its offset.
fn parse_instant(value: &str) -> Option<DateTime<Utc>> {
    if let Ok(millis) = value.parse::<i64>() {
        return DateTime::from_timestamp_millis(millis);
    }
    let with_colon = DateTime::parse_from_rfc3339(value);
    let without = || DateTime::parse_from_str(value, "%Y-%m-%dT%H:%M:%S%.f%z");
    with_colon.or_else(|_| without()).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use domain::property::PropertyName;
    use domain::property_definition::PropertyDefinition;

    use super::super::standard;
    use super::*;

    /// Returns a definition of this type, with options.
    fn of(value_type: ValueType, field_type: FieldType, options: &[&str]) -> Definition {
        let mut definition = Definition::from(store::DefinedProperty {
            definition: PropertyDefinition::of_used(PropertyName::parse("own").unwrap()),
            created_at: domain::Timestamp::MIN,
            updated_at: domain::Timestamp::MIN,
            archived_at: None,
        });
        (definition.value_type, definition.field_type) = (value_type, field_type);
        let choice = |value: &&str| Choice {
            value: (*value).to_owned(),
            label: String::new(),
            description: String::new(),
            display_order: 0,
            is_hidden: false,
        };
        definition.options = options.iter().map(choice).collect();
        definition
    }

    /// Asserts the stored form of each value, or the code with which it is refused.
    fn assert_values(definition: &Definition, table: &[(&str, Result<&str, &str>)]) {
        for (value, expected) in table {
            let normalized = definition.normalized(value);
            let found = normalized.as_deref().map_err(|error| error.code);
            assert_eq!(found, *expected, "{value:?} as {}", definition.value_type);
        }
    }

    const OPTION: &str = "INVALID_OPTION";
    const DATE: &str = "INVALID_DATE";
    const NUMBER: &str = "INVALID_NUMBER";

    #[test]
    fn text_is_stored_as_it_is() {
        for value_type in [ValueType::Text, ValueType::PhoneNumber] {
            let text = of(value_type, FieldType::Text, &[]);
            assert_values(&text, &[(" a ", Ok(" a ")), ("", Ok("")), ("+49 30 12", Ok("+49 30 12"))]);
        }
    }

    #[test]
    fn number_is_stored_in_decimal_form() {
        let table = [
            ("12", Ok("12")),
            (" -0.50 ", Ok("-0.50")),
            ("12345678901234567890123", Ok("12345678901234567890123")),
            ("+7", Ok("7")),
            ("1e3", Ok("1000")),
            (".5", Ok("0.5")),
            ("", Ok("")),
            ("  ", Ok("")),
            ("12,5", Err(NUMBER)),
            ("1e999", Err(NUMBER)),
            ("inf", Err(NUMBER)),
            ("NaN", Err(NUMBER)),
            ("1 2", Err(NUMBER)),
            ("abc", Err(NUMBER)),
            ("-", Err(NUMBER)),
        ];
        assert_values(&of(ValueType::Number, FieldType::Number, &[]), &table);
    }

    #[test]
    fn flag_is_true_or_false() {
        let table = [
            ("true", Ok("true")),
            ("FALSE", Ok("false")),
            ("", Ok("")),
            ("yes", Err(OPTION)),
            ("1", Err(OPTION)),
        ];
        assert_values(&of(ValueType::Bool, FieldType::BooleanCheckbox, &[]), &table);
    }

    #[test]
    fn date_is_a_day_in_utc() {
        let table = [
            ("2026-11-21", Ok("2026-11-21")),
            ("1795219200000", Ok("2026-11-21")),
            ("2026-11-21T00:00:00Z", Ok("2026-11-21")),
            ("2026-11-21T01:00:00+01:00", Ok("2026-11-21")),
            ("-86400000", Ok("1969-12-31")),
            ("", Ok("")),
            ("1795219200001", Err(DATE)),
            ("2026-11-21T10:00:00Z", Err(DATE)),
            ("2026-02-30", Err(DATE)),
            ("21.11.2026", Err(DATE)),
            ("99999-01-01", Err(DATE)),
            ("9223372036854775807", Err(DATE)),
            ("today", Err(DATE)),
        ];
        let date = of(ValueType::Date, FieldType::Date, &[]);
        assert_values(&date, &table);
        let error = date.normalized("1795258741123").unwrap_err();
        assert_eq!(error.message, "1795258741123 is at 10:59:01.123 UTC, not midnight!");
    }

    #[test]
    fn instant_has_one_form() {
        let table = [
            ("2026-11-21T19:59:01.1239+01:00", Ok("2026-11-21T18:59:01.123Z")),
            ("2026-11-21T19:59:01+0100", Ok("2026-11-21T18:59:01.000Z")),
            ("1795219200000", Ok("2026-11-21T00:00:00.000Z")),
            ("2026-11-21", Ok("2026-11-21T00:00:00.000Z")),
            ("0", Ok("1970-01-01T00:00:00.000Z")),
            ("", Ok("")),
            ("2026-11-21T19:59:01", Err(DATE)),
            ("-99999999999999", Err(DATE)),
            ("yesterday", Err(DATE)),
        ];
        assert_values(&of(ValueType::DateTime, FieldType::Date, &[]), &table);
    }

    #[test]
    fn enumeration_has_one_of_its_options() {
        let select = of(ValueType::Enumeration, FieldType::Select, &["a", "B c"]);
        let table =
            [("a", Ok("a")), (" B c ", Ok("B c")), ("", Ok("")), ("A", Err(OPTION)), ("a;B c", Err(OPTION))];
        assert_values(&select, &table);
        let error = select.normalized("d").unwrap_err();
        assert_eq!(error.message, "d was not one of the allowed options: [a, B c]");
        assert_values(&of(ValueType::Enumeration, FieldType::Select, &[]), &[("a", Err(OPTION))]);
    }

    #[test]
    fn checkboxes_have_several_options() {
        let table = [
            ("a;b", Ok("a;b")),
            ("b; a;b;", Ok("b;a")),
            ("a", Ok("a")),
            ("", Ok("")),
            ("a;x", Err(OPTION)),
            (";a", Err(OPTION)),
        ];
        assert_values(&of(ValueType::Enumeration, FieldType::Checkbox, &["a", "b"]), &table);
    }

    #[test]
    fn standard_property_has_its_type() {
        let check = |name: &str, table: &[(&str, Result<&str, &str>)]| {
            assert_values(standard::get(name).unwrap(), table);
        };
        check("hs_marketable_status", &[("TRUE", Ok("true")), ("maybe", Err(OPTION))]);
        check("lifecyclestage", &[("lead", Ok("lead")), ("Lead", Err(OPTION))]);
        check("hs_persona", &[("persona_7", Ok("persona_7"))]);
        check("hubspot_owner_id", &[("41629779", Ok("41629779"))]);
        check("hs_legal_basis", &[("Not applicable", Ok("Not applicable")), ("none", Err(OPTION))]);
        check("hs_language", &[("de-at", Ok("de-at")), ("xx", Err(OPTION))]);
        check("closedate", &[("0", Ok("1970-01-01T00:00:00.000Z"))]);
        let error = standard::get("hs_language").unwrap().normalized("xx").unwrap_err();
        assert!(error.message.ends_with(", …]"), "{}", error.message);
    }
}
