//! The contacts that a list shows: a tab, a search for words and the rows of a filter. It stands in the address of the
//! page, and in hidden fields of its forms.

use domain::filter::{Condition, Filter, Operator};
use domain::ids::{ContactId, JobId, SegmentId};
use domain::limits::{FILTER_CONDITIONS_MAX, FILTER_GROUPS_MAX, SEARCH_CHARS_MAX};

use crate::text::contacts as words;
use crate::typed::Typed;

/// The contacts of a tab.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Tab {
    All,
    Marketing,
    Leaving,
    Unengaged,
    Segment(SegmentId),
    /// The contacts that a job has changed.
    ChangedBy(JobId),
    /// The contacts of a job's selection that are still non-marketing.
    RefusedBy(JobId),
    /// A text that names no tab. It must not count as all contacts, on which an act would be too large.
    Unknown,
}

/// A row of the filter, as a person typed it.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Row {
    pub(crate) property: String,
    pub(crate) operator: String,
    pub(crate) value: String,
}

/// The contacts that a list shows.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) tab: Tab,
    /// The words that are searched for.
    pub(crate) words: String,
    pub(crate) rows: Vec<Row>,
    /// The contact before the page, in the order from new to old.
    pub(crate) after: Option<ContactId>,
}

/// An error in one row of the filter, or in the filter as a whole.
pub(crate) struct RowError {
    pub(crate) row: Option<usize>,
    pub(crate) message: String,
}

/// The field under which the console knows the marketing state, which the API has in two fields.
pub(crate) const STATE: &str = "state";

/// The fields in which words are searched.
const SEARCHED: [&str; 4] = ["email", "firstname", "lastname", "company"];

type Groups = Vec<Vec<Condition>>;

/// The contacts of a tab, to which the words and the rows of a view apply.
pub(crate) enum Base {
    /// The contacts that a filter selects.
    Filter(Filter),
    /// Contacts that no filter selects, so nothing can be added to it. The text is the reason, for people.
    NoFilter(&'static str),
}

impl Tab {
    /// Returns the groups that select the tab's contacts. `None` if they have to be read.
    pub(crate) fn groups(&self) -> Option<Groups> {
        Some(match self {
            Self::All => Vec::new(),
            Self::Marketing => vec![state("marketing")],
            Self::Leaving => vec![state("leaving")],
            Self::Unengaged => ["unsubscribed", "bounced"]
                .map(|flag| [state("marketing"), equal(flag, "true")].concat())
                .to_vec(),
            Self::ChangedBy(job) => changed_by(*job),
            Self::Segment(_) | Self::RefusedBy(_) | Self::Unknown => return None,
        })
    }
}

impl View {
    /// Parses the fields of a query or of a form. An unknown tab shows no contacts.
    pub(crate) fn parse(typed: &Typed) -> Self {
        let job = typed.filled("job").map(str::parse);
        let tab = match (typed.get("state"), typed.filled("segment").map(str::parse), job) {
            (_, Some(Ok(segment)), _) => Tab::Segment(segment),
            (_, Some(Err(_)), _) | (_, _, Some(Err(_))) => Tab::Unknown,
            (_, _, Some(Ok(job))) if typed.get("outcome") == "refused" => Tab::RefusedBy(job),
            (_, _, Some(Ok(job))) => Tab::ChangedBy(job),
            ("marketing", ..) => Tab::Marketing,
            ("leaving", ..) => Tab::Leaving,
            ("unengaged", ..) => Tab::Unengaged,
            ("", ..) => Tab::All,
            _ => Tab::Unknown,
        };
        let columns = [typed.all("property"), typed.all("operator"), typed.all("value")];
        let [properties, operators, values] = columns.map(|column| column.map(str::trim).collect::<Vec<_>>());
        let at = |column: &[&str], place: usize| {
            column.get(place).map(|text| (*text).to_owned()).unwrap_or_default()
        };
        let rows = (0..properties.len()).map(|place| Row {
            property: at(&properties, place),
            operator: at(&operators, place),
            value: at(&values, place),
        });
        Self {
            tab,
            words: typed.get("q").to_owned(),
            rows: rows.collect(),
            after: typed.filled("after").and_then(|after| after.parse().ok()),
        }
    }

    /// Returns the fields by which [`Self::parse`] finds the same view, without the place of the page.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = match &self.tab {
            Tab::All => Vec::new(),
            // The text is not repeated, and another one that names no tab has the same meaning.
            Tab::Unknown => vec![("state", "unknown".to_owned())],
            Tab::Marketing => vec![("state", "marketing".to_owned())],
            Tab::Leaving => vec![("state", "leaving".to_owned())],
            Tab::Unengaged => vec![("state", "unengaged".to_owned())],
            Tab::Segment(segment) => vec![("segment", segment.to_string())],
            Tab::ChangedBy(job) => vec![("job", job.to_string()), ("outcome", "changed".to_owned())],
            Tab::RefusedBy(job) => vec![("job", job.to_string()), ("outcome", "refused".to_owned())],
        };
        if !self.words.is_empty() {
            fields.push(("q", self.words.clone()));
        }
        for Row { property, operator, value } in self.filled_rows() {
            fields.push(("property", property.clone()));
            fields.push(("operator", operator.clone()));
            fields.push(("value", value.clone()));
        }
        fields
    }

    /// Returns the page's address.
    pub(crate) fn path(&self, after: Option<ContactId>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.fields());
        query.extend_pairs(after.map(|after| ("after", after.to_string())));
        let query = query.finish();
        if query.is_empty() { "/console/contacts".to_owned() } else { format!("/console/contacts?{query}") }
    }

    /// Returns true if the view may stand in an address. A text with an `@` may be somebody's e-mail address, and is
    /// posted instead.
    pub(crate) fn is_shareable(&self) -> bool {
        !self.words.contains('@') && self.rows.iter().all(|row| !row.value.contains('@'))
    }

    /// Returns the rows in which anything is chosen or typed. A value without a field is an error, and not dropped.
    pub(crate) fn filled_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.property.is_empty() || !row.value.is_empty())
    }

    /// Returns true if the view restricts the contacts of its tab.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.words.is_empty() || self.filled_rows().next().is_some()
    }

    /// Returns the filter that selects exactly the contacts of the view.
    pub(crate) fn filter(&self, base: &Base) -> Result<Filter, Vec<RowError>> {
        let whole = |message: &str| vec![RowError { row: None, message: message.to_owned() }];
        let tab = match base {
            Base::Filter(filter) => filter.groups().to_vec(),
            Base::NoFilter(reason) => return Err(whole(reason)),
        };
        let rows = self.conditions()?;
        if self.words.chars().count() > SEARCH_CHARS_MAX {
            return Err(whole(words::TOO_MANY_WORDS));
        }
        let mut groups = joined(tab, searched(&self.words));
        if !rows.is_empty() {
            groups = joined(groups, vec![rows]);
        }
        if groups.len() > FILTER_GROUPS_MAX || groups.iter().any(|group| group.len() > FILTER_CONDITIONS_MAX)
        {
            return Err(whole(words::TOO_MANY_CONDITIONS));
        }
        Filter::new(groups).map_err(|_| whole(words::TOO_MANY_CONDITIONS))
    }

    fn conditions(&self) -> Result<Vec<Condition>, Vec<RowError>> {
        let (mut conditions, mut errors) = (Vec::new(), Vec::new());
        for (place, row) in self.rows.iter().enumerate() {
            if row.property.is_empty() && row.value.is_empty() {
                // A row that was just added.
                continue;
            }
            match row.conditions() {
                Ok(of_row) => conditions.extend(of_row),
                Err(message) => errors.push(RowError { row: Some(place), message }),
            }
        }
        if errors.is_empty() { Ok(conditions) } else { Err(errors) }
    }
}

impl Row {
    fn conditions(&self) -> Result<Vec<Condition>, String> {
        if self.property.is_empty() {
            return Err(words::CHOOSE.to_owned());
        }
        if self.property == STATE {
            // The words of the page, and those of the API.
            let value = self.value.to_lowercase().replace(['-', ' '], "_");
            let known = ["marketing", "leaving", "non_marketing"].contains(&value.as_str());
            return match self.operator.as_str() {
                "EQ" if known => Ok(state(&value)),
                _ => Err(words::STATE_IS.to_owned()),
            };
        }
        let value = self.value.as_str();
        let many: Vec<String> = value.split(',').map(|value| value.trim().to_owned()).collect();
        let (single, many) = match self.operator.parse() {
            Ok(Operator::In | Operator::NotIn) => (None, Some(many)),
            Ok(Operator::HasProperty | Operator::NotHasProperty) => (None, None),
            _ => (Some(value), None),
        };
        Condition::new(&self.property, &self.operator, single, many.as_deref(), None)
            .map(|condition| vec![condition])
            .map_err(|errors| errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; "))
    }
}

/// Returns the condition that a field equals a value. Both are the console's own, so there is no error.
fn equal(field: &str, value: &str) -> Vec<Condition> {
    Condition::new(field, "EQ", Some(value), None, None).into_iter().collect()
}

/// Returns the conditions of a marketing state.
pub(crate) fn state(state: &str) -> Vec<Condition> {
    match state {
        "leaving" => equal("hs_marketable_until_renewal", "true"),
        "marketing" => {
            [equal("hs_marketable_status", "true"), equal("hs_marketable_until_renewal", "false")].concat()
        }
        _ => equal("hs_marketable_status", "false"),
    }
}

/// Returns the conditions of the contacts that a job has changed last.
pub(crate) fn changed_by(job: JobId) -> Groups {
    let by_job = equal("hs_marketable_reason_id", &job.to_string());
    vec![[equal("hs_marketable_reason_type", "bulk_job"), by_job].concat()]
}

/// Returns the groups that find words: all of them in one field, or one in the first name and one in the last.
fn searched(words: &str) -> Groups {
    let words: Vec<String> = words.split_whitespace().map(|word| format!("{word}*")).collect();
    let contains =
        |field: &str, word: &str| Condition::new(field, "CONTAINS_TOKEN", Some(word), None, None).ok();
    let in_one = |field: &&str| words.iter().filter_map(|word| contains(field, word)).collect::<Vec<_>>();
    let mut groups: Groups = SEARCHED.iter().map(in_one).filter(|group| !group.is_empty()).collect();
    if let [first, .., last] = words.as_slice() {
        let name = |first: &str, last: &str| {
            [contains("firstname", first), contains("lastname", last)].into_iter().flatten().collect()
        };
        groups.extend([name(first, last), name(last, first)]);
    }
    groups
}

/// Returns the groups that both filters require. No group is no restriction.
pub(crate) fn joined(one: Groups, other: Groups) -> Groups {
    if one.is_empty() || other.is_empty() {
        return if one.is_empty() { other } else { one };
    }
    let pairs =
        one.iter().flat_map(|first| other.iter().map(move |second| [&first[..], &second[..]].concat()));
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(query: &str) -> View {
        View::parse(&Typed::parse(query.as_bytes()))
    }

    fn base(view: &View) -> Base {
        Base::Filter(Filter::new(view.tab.groups().unwrap()).unwrap())
    }

    fn groups(query: &str) -> Result<usize, usize> {
        let view = view(query);
        view.filter(&base(&view)).map(|filter| filter.groups().len()).map_err(|errors| errors.len())
    }

    #[test]
    fn view_survives_its_address() {
        for query in [
            "",
            "state=leaving",
            "segment=seg_01k0000000000000000000000a",
            "job=job_01k0000000000000000000000a&outcome=refused",
            "q=ada+lovelace&property=city&operator=EQ&value=Paris&property=state&operator=EQ&value=leaving",
        ] {
            let path = if query.is_empty() {
                "/console/contacts".to_owned()
            } else {
                format!("/console/contacts?{query}")
            };
            assert_eq!(view(query).path(None), path);
        }
        assert_eq!(
            view("state=leaving").path(ContactId::from_number(7)),
            "/console/contacts?state=leaving&after=7"
        );
    }

    #[test]
    fn text_with_an_at_sign_stands_in_no_address() {
        assert!(view("q=ada&property=city&operator=EQ&value=Paris").is_shareable());
        assert!(!view("q=ada%40").is_shareable());
        assert!(!view("property=email&operator=EQ&value=ada%40example.org").is_shareable());
    }

    #[test]
    fn filter_joins_the_tab_the_words_and_the_rows() {
        assert_eq!(groups(""), Ok(0));
        assert_eq!(groups("state=unengaged"), Ok(2));
        assert_eq!(groups("q=ada"), Ok(4));
        assert_eq!(groups("q=ada+lovelace"), Ok(6));
        assert_eq!(groups("state=unengaged&q=ada&property=city&operator=EQ&value=Paris"), Ok(8));
        assert_eq!(groups("state=unengaged&q=ada+lovelace"), Err(1));
        assert_eq!(groups("property=&operator=EQ&value="), Ok(0));
    }

    #[test]
    fn states_are_taken_as_the_page_shows_them() {
        for (value, conditions) in
            [("Marketing", 2), ("Leaving", 1), ("Non-marketing", 1), ("non_marketing", 1)]
        {
            let row = Row { property: STATE.to_owned(), operator: "EQ".to_owned(), value: value.to_owned() };
            assert_eq!(row.conditions().map(|found| found.len()), Ok(conditions), "{value}");
        }
    }

    #[test]
    fn wrong_rows_are_named() {
        let wrong = view(
            "property=created_at&operator=LT&value=soon&property=city&operator=EQ&value=Paris&property=state&operator=LT&value=leaving",
        );
        let Err(errors) = wrong.filter(&base(&wrong)) else { panic!("the rows are wrong") };
        assert_eq!(errors.iter().map(|error| error.row).collect::<Vec<_>>(), [Some(0), Some(2)]);
    }

    #[test]
    fn unclear_view_is_never_all_contacts() {
        for query in ["segment=x", "job=x", "state=x", "state=unknown"] {
            assert_eq!(view(query).tab, Tab::Unknown, "{query}");
        }
        let row = "property=city&operator=EQ&value=Paris&";
        assert_eq!(groups(&row.repeat(10)), Ok(1));
        assert_eq!(groups(&row.repeat(11)), Err(1), "no condition is dropped");
        assert_eq!(groups("property=&operator=EQ&value=Paris"), Err(1), "a value without a field");
        assert!(view("property=&operator=EQ&value=Paris").is_filtered());
        assert_eq!(groups(&format!("q={}", "a".repeat(SEARCH_CHARS_MAX + 1))), Err(1), "too many words");
    }

    #[test]
    fn contacts_without_a_filter_are_never_all_contacts() {
        for query in
            ["segment=seg_01k0000000000000000000000a", "job=job_01k0000000000000000000000a&outcome=refused"]
        {
            let row = "&property=city&operator=EQ&value=Paris";
            for query in [query.to_owned(), format!("{query}&q=ada"), format!("{query}{row}")] {
                assert!(view(&query).filter(&Base::NoFilter("a list")).is_err(), "{query}");
            }
        }
    }
}
