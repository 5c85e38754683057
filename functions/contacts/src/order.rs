//! The order of a search's results, and the cursors of its pages.

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::paging::Position;
use api::parse::{Parser, list, nested, parsed, variant};
use domain::contact::Contact;
use domain::filter::{Direction, FieldName, Sort, SortPosition, SortValue};
use domain::ids::ContactId;
use domain::limits::SORTS_MAX;

/// Parses the rules of an order. Without a rule it is the order of creation.
pub(crate) fn sorts() -> impl Parser<Output = Vec<SortRule>> {
    list(0..=SORTS_MAX, nested::<SortRule>()).about(
        "The order of the results. Without a rule it is the order of creation, which is that of `hs_object_id`. Numbers \
         are sorted as numbers and before instants, and instants before all other texts. Texts are sorted without case, \
         by their first 100 characters. Contacts without the field come last in both directions. Contacts with equal \
         values are in the order of creation.",
    )
}

/// A rule of an order.
pub(crate) struct SortRule(Sort);

impl FromFields for SortRule {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let field = parsed::<FieldName>().about("A property, or any other field that filters accept.");
        let field = fields.required("propertyName", field);
        let direction = variant::<Direction>().about("The direction.");
        let direction = fields.optional("direction", direction.default_value(Direction::Ascending.as_str()));
        Ok(Self(Sort { field: field?, direction: direction?.unwrap_or(Direction::Ascending) }))
    }
}

documented! { SortRule as "Sort": "The field by which results are sorted." }

/// Returns the order of a list of rules.
pub(crate) fn sort(rules: Vec<SortRule>) -> Sort {
    rules.into_iter().next().map(|SortRule(sort)| sort).unwrap_or_default()
}

/// A place in the results of a search, together with their order. A cursor of one order is not valid in another. The
/// cursors in the order of creation are those of the list of contacts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SearchPosition {
    pub(crate) sort: Sort,
    pub(crate) place: SortPosition,
}

impl SearchPosition {
    /// Returns the place of a contact.
    pub(crate) fn of(sort: &Sort, contact: &Contact) -> Self {
        Self { sort: sort.clone(), place: sort.position(contact.id, contact) }
    }
}

/// The text of a place at which the field is absent.
const ABSENT: &str = "-";

impl Position for SearchPosition {
    const KIND: &'static str = ContactId::KIND;

    fn to_text(&self) -> String {
        let Self { sort, place: SortPosition { value, id } } = self;
        if *sort == Sort::default() {
            return Position::to_text(id);
        }
        let value = value.as_ref().map_or_else(|| ABSENT.to_owned(), SortValue::to_text);
        format!("{}:{}:{id}:{value}", sort.direction, sort.field)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ':');
        let (direction, field) = (parts.next()?, parts.next());
        let Some(field) = field else {
            let id = <ContactId as Position>::from_text(text)?;
            return Some(Self { sort: Sort::default(), place: SortPosition { value: None, id } });
        };
        let sort = Sort { field: field.parse().ok()?, direction: direction.parse().ok()? };
        let id = parts.next()?.parse().ok()?;
        let value = match parts.next()? {
            ABSENT => None,
            value => Some(SortValue::from_text(value)?),
        };
        Some(Self { sort, place: SortPosition { value, id } })
    }
}

#[cfg(test)]
mod tests {
    use api::paging::{cursor, position};
    use domain::filter::{Fields, Value};
    use domain::limits::{CURSOR_CHARS_MAX, PROPERTY_NAME_CHARS_MAX, SORT_VALUE_CHARS_MAX};

    use super::*;

    /// A contact with one field.
    struct Held<'a>(Option<Value<'a>>);

    impl Fields for Held<'_> {
        fn field(&self, _: &FieldName) -> Option<Value<'_>> {
            self.0
        }
    }

    fn place(field: &str, direction: Direction, text: Option<&str>) -> SearchPosition {
        let sort = Sort { field: field.parse().unwrap(), direction };
        let id = ContactId::from_number(891_046_875_642_556).unwrap();
        let place = sort.position(id, &Held(text.map(Value::Text)));
        SearchPosition { sort, place }
    }

    #[test]
    fn cursor_contains_the_order_and_the_place() {
        for direction in [Direction::Ascending, Direction::Descending] {
            for field in ["city", "email", "created_at", "hs_object_id"] {
                for text in [None, Some("Köln: a:b"), Some("-"), Some("-12.50"), Some("2026-11-21T00:00:00Z")]
                {
                    let place = place(field, direction, text);
                    assert_eq!(position(&cursor(&place)), Some(place));
                }
            }
        }
    }

    #[test]
    fn cursor_in_the_order_of_creation_is_that_of_the_list() {
        let created = place("hs_object_id", Direction::Ascending, None);
        assert_eq!(cursor(&created), cursor(&created.place.id));
        let newest_first = place("hs_object_id", Direction::Descending, None);
        assert_eq!(position::<ContactId>(&cursor(&newest_first)), None);
    }

    #[test]
    fn longest_cursor_fits_into_a_request() {
        let field = "f".repeat(PROPERTY_NAME_CHARS_MAX);
        let text = "\u{1F600}".repeat(SORT_VALUE_CHARS_MAX + 1);
        let longest = cursor(&place(&field, Direction::Descending, Some(&text)));
        assert!(longest.len() <= CURSOR_CHARS_MAX, "{}", longest.len());
        assert!(position::<SearchPosition>(&longest).is_some());
    }
}
