//! The size of a contact, which limits the number of contacts in a transaction or a page.

use domain::contact::Contact;
use domain::source::Cause;

/// Returns an upper estimate of a contact's item in bytes: its texts, and fixed amounts for the rest.
pub(crate) fn approximate_bytes(contact: &Contact) -> usize {
    /// Keys, address, flags, instants and the names of the attributes.
    const REST: usize = 1_024;
    /// Instant, states and position, with their brackets and commas.
    const CHANGE: usize = 32;
    /// Actor, type and the names of the members.
    const CAUSE: usize = 128;
    let changes = &contact.marketing.history.recent;
    let causes = changes.iter().enumerate().filter(|(n, change)| {
        // A cause is stored once.
        let earlier = changes.iter().take(*n);
        !earlier.into_iter().any(|other| (&other.source, other.actor) == (&change.source, change.actor))
    });
    let causes = causes.map(|(_, change)| {
        // Some characters are percent-encoded as three bytes.
        3 * (change.source.name.len() + change.source.id.as_ref().map_or(0, String::len)) + CAUSE
    });
    let edited = contact.edited.as_ref().map_or(0, |Cause { source, .. }| {
        3 * (source.name.len() + source.id.as_ref().map_or(0, String::len)) + CAUSE
    });
    contact.properties.bytes() + edited + causes.sum::<usize>() + changes.len() * CHANGE + REST
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use domain::Timestamp;
    use domain::address::EmailAddress;
    use domain::ids::{AccountId, ContactId, FormId, UserId};
    use domain::marketing::{Change, EffectiveState, Marketing, StoredState};
    use domain::property::{Properties, PropertyName};
    use domain::source::{Actor, Source, SourceType};

    use super::*;
    use crate::items::{ContactItem, encode};
    use crate::keys::Key;

    /// Returns a value's size as DynamoDB counts it.
    fn bytes(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
            AttributeValue::M(map) => {
                3 + map.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>()
            }
            AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
            _ => 1,
        }
    }

    /// Returns a contact with this number of properties and changes, all of them long.
    fn contact(properties: usize, changes: usize, id: Option<String>) -> Contact {
        let (made, actor) = (Timestamp::from_millis(1_000), Actor::User(UserId::new(Timestamp::MIN, 1)));
        let source = Source { kind: SourceType::ExternalForm, name: "n".repeat(200), id };
        let mut marketing =
            Marketing::new(StoredState::Marketing, EffectiveState::Marketing, made, source.clone(), actor);
        let change = Change {
            at: made,
            from: Some(EffectiveState::Marketing),
            to: EffectiveState::Leaving,
            source,
            actor,
        };
        marketing.history.recent = vec![change; changes];
        let mut all = Properties::new();
        for n in 0..properties {
            let name = PropertyName::parse(&format!("property_{n}")).unwrap();
            all.insert(name, "v".repeat(300)).unwrap();
        }
        Contact {
            id: ContactId::new(made, 1),
            email: Some(EmailAddress::parse(&format!("{}@{}.org", "a".repeat(60), "b".repeat(60))).unwrap()),
            properties: all,
            unsubscribed: false,
            bounced: false,
            marketing,
            created_at: made,
            updated_at: made,
            version: 1,
            deleted_at: None,
            chain: Vec::new(),
            unenrolled: false,
            imported: None,
            edited: None,
        }
    }

    #[test]
    fn estimate_is_an_upper_bound_and_close() {
        let account = AccountId::new(Timestamp::MIN, 1);
        let form = FormId::new(Timestamp::MIN, 1).to_string();
        for (properties, changes, id) in
            [(0, 1, None), (200, 1, None), (0, 5, None), (0, 5, Some(form.clone())), (200, 5, Some(form))]
        {
            let contact = contact(properties, changes, id);
            let item = encode(
                Key::contact(account, contact.id),
                &ContactItem::of(account, &contact, contact.updated_at, true),
            )
            .unwrap();
            let size: usize = item.iter().map(|(name, value)| name.len() + bytes(value)).sum();
            let estimate = approximate_bytes(&contact);
            assert!(
                size <= estimate && estimate <= 2 * size + 1_024,
                "{properties}, {changes}: {estimate} for {size}"
            );
        }
    }
}
