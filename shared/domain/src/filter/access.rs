//! The contacts that must be read to find all matches of a filter.

use std::collections::BTreeSet;

use super::Filter;
use super::condition::Condition;
use super::field::FieldName;
use super::operand::{Operand, id_number};
use crate::address::EmailAddress;
use crate::ids::ContactId;

/// The contacts among which all matches of a filter are. Others need not be read. A contact among them matches only if
/// the filter does. `Debug` shows no address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// The contacts with these ids or addresses.
    Keys {
        /// The ids.
        ids: BTreeSet<ContactId>,
        /// The addresses, each one once.
        emails: Vec<EmailAddress>,
    },
    /// The contacts with these ids.
    Range {
        /// The lowest id. `None` if there is no bound.
        from: Option<ContactId>,
        /// The highest id. `None` if there is no bound.
        to: Option<ContactId>,
    },
}

impl Access {
    /// The access to all contacts.
    pub const ALL: Self = Self::Range { from: None, to: None };
}

impl Filter {
    /// Returns the contacts that must be read to find all matches.
    ///
    /// They are given by keys if every group requires an exact address or an exact id. Otherwise they are the range of
    /// ids that includes those of all groups.
    #[must_use]
    pub fn access(&self) -> Access {
        if self.groups().is_empty() {
            return Access::ALL;
        }
        let groups: Vec<_> = self.groups().iter().filter_map(|group| Some((group, ids(group)?))).collect();
        let keys: Option<Vec<Keys>> = groups.iter().map(|(group, _)| keys(group)).collect();
        if let Some(keys) = keys {
            return joined(keys);
        }
        let from = groups.iter().map(|(_, (from, _))| *from).min();
        let to = groups.iter().map(|(_, (_, to))| *to).max();
        Access::Range {
            from: from.filter(|from| *from > ContactId::LOWEST),
            to: to.filter(|to| *to < ContactId::HIGHEST),
        }
    }
}

/// The keys that one condition requires.
#[derive(Default)]
struct Keys {
    ids: BTreeSet<ContactId>,
    emails: Vec<EmailAddress>,
}

/// Returns the lowest and the highest id with which a group may match, or `None` if it matches no id.
fn ids(group: &[Condition]) -> Option<(ContactId, ContactId)> {
    let all = (id_number(ContactId::LOWEST), id_number(ContactId::HIGHEST));
    let (from, to) = group
        .iter()
        .map(Condition::ids)
        .fold(all, |(from, to), (least, most)| (from.max(least), to.min(most)));
    (from <= to).then_some((id(from)?, id(to)?))
}

fn id(number: i64) -> Option<ContactId> {
    u64::try_from(number).ok().and_then(ContactId::from_number)
}

/// Returns the keys of the condition with the fewest keys, or `None` if no condition of the group is exact.
fn keys(group: &[Condition]) -> Option<Keys> {
    group.iter().filter_map(exact).min_by_key(|keys| keys.ids.len() + keys.emails.len())
}

fn exact(condition: &Condition) -> Option<Keys> {
    let operands = condition.exact()?;
    match condition.field() {
        FieldName::HsObjectId => {
            let ids = operands.iter().filter_map(Operand::id).filter_map(id).collect();
            Some(Keys { ids, ..Keys::default() })
        }
        FieldName::Email => {
            // An operand that is not an address is compared as a text.
            let emails: Option<Vec<_>> = operands.iter().map(|operand| operand.address().cloned()).collect();
            Some(Keys { emails: emails?, ..Keys::default() })
        }
        _ => None,
    }
}

fn joined(keys: Vec<Keys>) -> Access {
    let (mut ids, mut emails) = (BTreeSet::new(), Vec::new());
    for group in keys {
        ids.extend(group.ids);
        emails.extend(group.emails);
    }
    emails.sort_unstable_by(|one, other| one.key().cmp(other.key()));
    emails.dedup_by(|one, other| one.same_as(other));
    Access::Keys { ids, emails }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::{Fields, Operator, Value};
    use super::*;

    /// A contact with an id, perhaps an address and perhaps a city.
    #[derive(Clone, Debug)]
    struct Person {
        id: u64,
        email: Option<String>,
        city: Option<String>,
    }

    impl Fields for Person {
        fn field(&self, name: &FieldName) -> Option<Value<'_>> {
            match name {
                FieldName::HsObjectId => ContactId::from_number(self.id).map(Value::Id),
                FieldName::Email => self.email.as_deref().map(Value::Text),
                _ => self.city.as_deref().map(Value::Text),
            }
        }
    }

    fn condition(name: &str, operator: &str, operands: &[&str]) -> Condition {
        let values: Vec<String> = operands.iter().map(|text| (*text).to_owned()).collect();
        let first = operands.first().copied();
        let condition = match operator {
            "IN" | "NOT_IN" => Condition::new(name, operator, None, Some(&values), None),
            "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => Condition::new(name, operator, None, None, None),
            "BETWEEN" => Condition::new(name, operator, first, None, operands.get(1).copied()),
            _ => Condition::new(name, operator, first, None, None),
        };
        condition.unwrap()
    }

    fn id(operator: &str, operands: &[&str]) -> Condition {
        condition("hs_object_id", operator, operands)
    }

    fn email(operator: &str, operands: &[&str]) -> Condition {
        condition("email", operator, operands)
    }

    fn access(groups: Vec<Vec<Condition>>) -> Access {
        Filter::new(groups).unwrap().access()
    }

    fn keys(ids: &[u64], emails: &[&str]) -> Access {
        Access::Keys {
            ids: ids.iter().filter_map(|id| ContactId::from_number(*id)).collect(),
            emails: emails.iter().map(|text| EmailAddress::parse(text).unwrap()).collect(),
        }
    }

    fn range(from: Option<u64>, to: Option<u64>) -> Access {
        let id = |id: Option<u64>| id.and_then(ContactId::from_number);
        Access::Range { from: id(from), to: id(to) }
    }

    #[test]
    fn exact_condition_in_every_group_gives_keys() {
        let city = || condition("city", "EQ", &["Rome"]);
        let (ada, bob) = ("ada@example.org", "bob@example.org");
        for (groups, expected) in [
            (vec![vec![email("EQ", &["ADA@example.org"])]], keys(&[], &["ADA@example.org"])),
            (vec![vec![email("IN", &[bob, ada, bob])]], keys(&[], &[ada, bob])),
            (vec![vec![id("EQ", &["7"])]], keys(&[7], &[])),
            (vec![vec![city(), id("IN", &["7", "5", "-1"])]], keys(&[5, 7], &[])),
            (vec![vec![id("EQ", &["7"])], vec![city(), email("EQ", &[ada])]], keys(&[7], &[ada])),
            (vec![vec![id("IN", &["7", "8"]), email("EQ", &[ada])]], keys(&[], &[ada])),
            (vec![vec![id("EQ", &["9007199254740992"])]], keys(&[], &[])),
            (vec![vec![id("LT", &["5"]), id("GT", &["5"])]], keys(&[], &[])),
            (vec![vec![id("LT", &["0"])], vec![id("EQ", &["7"])]], keys(&[7], &[])),
        ] {
            assert_eq!(access(groups.clone()), expected, "{groups:?}");
        }
    }

    #[test]
    fn other_filters_give_the_range_of_all_groups() {
        let city = || condition("city", "EQ", &["Rome"]);
        for (groups, expected) in [
            (vec![], Access::ALL),
            (vec![vec![city()]], Access::ALL),
            (vec![vec![city()], vec![id("EQ", &["7"])]], Access::ALL),
            (vec![vec![email("EQ", &["ada"])]], Access::ALL),
            (vec![vec![email("EQ", &[""])]], Access::ALL),
            (vec![vec![email("IN", &["", "ada@example.org"])]], Access::ALL),
            (vec![vec![email("NEQ", &["ada@example.org"])]], Access::ALL),
            (vec![vec![id("NEQ", &["7"])]], Access::ALL),
            (vec![vec![id("GT", &["7"])]], range(Some(8), None)),
            (vec![vec![id("GTE", &["7"]), id("LT", &["9"])]], range(Some(7), Some(8))),
            (vec![vec![id("BETWEEN", &["7", "9"])], vec![id("IN", &["2", "8"])]], range(Some(2), Some(9))),
            (vec![vec![id("LTE", &["7"])], vec![id("GT", &["9007199254740991"])]], range(None, Some(7))),
            (vec![vec![id("GTE", &["0"])]], Access::ALL),
        ] {
            assert_eq!(access(groups.clone()), expected, "{groups:?}");
        }
    }

    fn any_email() -> impl Strategy<Value = String> {
        "[abA]@(x|X)\\.org|[ab]"
    }

    fn any_person() -> impl Strategy<Value = Person> {
        let email = proptest::option::of(any_email());
        let city = proptest::option::of("[ab]?");
        (0_u64..12, email, city).prop_map(|(id, email, city)| Person { id, email, city })
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let operator = || select(Operator::ALL);
        let operands = |one: BoxedStrategy<String>| proptest::collection::vec(one, 2);
        let of = |name: &'static str, one: BoxedStrategy<String>| {
            (operator(), operands(one)).prop_map(move |(operator, operands)| {
                let operands: Vec<&str> = operands.iter().map(|text| &**text).collect();
                condition(name, operator.as_str(), &operands)
            })
        };
        prop_oneof![
            3 => of("hs_object_id", (-2_i64..14).prop_map(|id| id.to_string()).boxed()),
            2 => of("email", any_email().boxed()),
            1 => of("city", "[ab]".boxed()),
        ]
    }

    proptest! {
        #[test]
        fn every_match_is_within_the_access(
            groups in proptest::collection::vec(proptest::collection::vec(any_condition(), 1..4), 0..4),
            people in proptest::collection::vec(any_person(), 20),
        ) {
            let filter = Filter::new(groups).unwrap();
            let access = filter.access();
            for person in people.iter().filter(|person| filter.matches(*person)) {
                let id = ContactId::from_number(person.id).unwrap();
                let email = person.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
                let is_within = match &access {
                    Access::Keys { ids, emails } => {
                        let names = |own: &EmailAddress| emails.iter().any(|email| email.same_as(own));
                        ids.contains(&id) || email.as_ref().is_some_and(names)
                    }
                    Access::Range { from, to } => {
                        from.is_none_or(|from| from <= id) && to.is_none_or(|to| id <= to)
                    }
                };
                prop_assert!(is_within, "{access:?} {id}");
            }
        }
    }
}
