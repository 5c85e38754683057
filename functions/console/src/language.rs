//! Numbers and dates as the reader's language writes them. The texts around them are English (see [`crate::text`]).

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};
use pure_rust_locales as locales;

/// A language with its way to write numbers and dates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Language {
    /// The tag (BCP 47), by which the script formats numbers alike.
    pub(crate) tag: &'static str,
    group: &'static str,
    decimal: &'static str,
    /// The spelling of a date: `D`, `M` and `Y` stand for the day, the month's name and the year.
    pattern: &'static str,
    months: &'static [&'static str],
    short_months: &'static [&'static str],
}

/// Defines the languages. The names of the months and the separators of numbers are those of the C library's locales.
macro_rules! languages {
    ($($tag:literal = $locale:ident $pattern:literal),+ $(,)?) => {
        &[$(Language {
            tag: $tag,
            group: locales::$locale::LC_NUMERIC::THOUSANDS_SEP,
            decimal: locales::$locale::LC_NUMERIC::DECIMAL_POINT,
            pattern: $pattern,
            months: locales::$locale::LC_TIME::MON,
            short_months: locales::$locale::LC_TIME::ABMON,
        }),+]
    };
}

/// All languages. The first one is for readers of any other.
static LANGUAGES: &[Language] = languages! {
    "en-GB" = en_GB "D M Y",
    "en-US" = en_US "M D, Y",
    "da" = da_DK "D. M Y",
    "de" = de_DE "D. M Y",
    "es" = es_ES "D de M de Y",
    "fi" = fi_FI "D. M Y",
    "fr" = fr_FR "D M Y",
    "it" = it_IT "D M Y",
    "nb" = nb_NO "D. M Y",
    "nl" = nl_NL "D M Y",
    "pl" = pl_PL "D M Y",
    "pt" = pt_BR "D de M de Y",
    "sv" = sv_SE "D M Y",
};

impl Language {
    /// Returns the first known language of an `Accept-Language` header (RFC 9110 §12.5.4). Browsers list them in the
    /// order of preference.
    pub(crate) fn of(accepted: &str) -> Self {
        let tags = accepted.split(',').filter_map(|entry| entry.split(';').next()).map(str::trim);
        let known = tags.filter_map(|tag| {
            let exact = LANGUAGES.iter().find(|language| language.tag.eq_ignore_ascii_case(tag));
            let primary = tag.split('-').next().unwrap_or_default();
            let same = |language: &&Self| {
                language.tag.split('-').next().is_some_and(|own| own.eq_ignore_ascii_case(primary))
            };
            exact.or_else(|| LANGUAGES.iter().find(same))
        });
        known.chain(LANGUAGES).next().copied().unwrap_or(ENGLISH)
    }

    /// Returns a number with groups of three digits.
    pub(crate) fn number(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push_str(self.group);
            }
            text.push(digit);
        }
        text
    }

    /// Returns a percentage with one digit after the decimal point.
    pub(crate) fn percent(&self, percent: f64) -> String {
        format!("{percent:.1}\u{a0}%").replace('.', self.decimal)
    }

    /// Returns a number of tenths with one digit after the decimal point, such as `5.0`.
    pub(crate) fn tenths(&self, tenths: u64) -> String {
        format!("{}{}{}", self.number(tenths / 10), self.decimal, tenths % 10)
    }

    /// Returns a date with the month's name, such as `1 December 2026`.
    pub(crate) fn date(&self, date: NaiveDate) -> String {
        self.spell(date, self.months)
    }

    /// Returns the day and the short name of the month, such as `1 Dec`, and the year if it is not `this_year`.
    pub(crate) fn short_date(&self, date: NaiveDate, this_year: i32) -> String {
        let full = self.spell(date, self.short_months);
        if date.year() != this_year {
            return full;
        }
        let year = date.year().to_string();
        full.replace(&year, "").trim_end_matches([' ', ',']).trim_end_matches(" de").to_owned()
    }

    fn spell(&self, date: NaiveDate, months: &[&str]) -> String {
        let month = usize::try_from(date.month0()).ok().and_then(|month| months.get(month));
        let mut text = String::new();
        for sign in self.pattern.chars() {
            match sign {
                'D' => text.push_str(&date.day().to_string()),
                'M' => text.push_str(month.copied().unwrap_or_default().trim()),
                'Y' => text.push_str(&date.year().to_string()),
                other => text.push(other),
            }
        }
        text
    }

    /// Returns the time of the day to the minute.
    pub(crate) fn time(&self, local: NaiveDateTime) -> String {
        format!("{:02}:{:02}", local.hour(), local.minute())
    }
}

/// The language of the texts.
const ENGLISH: Language = Language {
    tag: "en-GB",
    group: ",",
    decimal: ".",
    pattern: "D M Y",
    months: locales::en_GB::LC_TIME::MON,
    short_months: locales::en_GB::LC_TIME::ABMON,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn first_of_december() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, 1).unwrap()
    }

    #[test]
    fn numbers_and_dates_follow_the_readers_language() {
        for (accepted, number, percent, date, short) in [
            ("", "1,234,567", "82.4\u{a0}%", "1 December 2026", "1 Dec"),
            ("en-US,en;q=0.9", "1,234,567", "82.4\u{a0}%", "December 1, 2026", "Dec 1"),
            ("de-AT, en;q=0.5", "1.234.567", "82,4\u{a0}%", "1. Dezember 2026", "1. Dez"),
            ("es", "1.234.567", "82,4\u{a0}%", "1 de diciembre de 2026", "1 de dic"),
            ("xx, fr;q=0.8", "1\u{202f}234\u{202f}567", "82,4\u{a0}%", "1 décembre 2026", "1 déc."),
        ] {
            let language = Language::of(accepted);
            assert_eq!(language.number(1_234_567), number, "{accepted}");
            assert_eq!(language.percent(82.4), percent, "{accepted}");
            assert_eq!(language.date(first_of_december()), date, "{accepted}");
            assert_eq!(language.short_date(first_of_december(), 2026), short, "{accepted}");
        }
        let language = Language::of("");
        assert_eq!(language.short_date(first_of_december(), 2027), "1 Dec 2026");
        assert_eq!([0, 7, 12_345].map(|n| Language::of("de").tenths(n)), ["0,0", "0,7", "1.234,5"]);
        assert_eq!([0, 12, 999, 1_000].map(|n| language.number(n)), ["0", "12", "999", "1,000"]);
    }
}
