//! References to contacts in requests: by id or by address, one contact or a list.

use domain::address::EmailAddress;
use domain::limits::{ADDRESS_BYTES_MAX, STATUS_CONTACTS_MAX};
use store::ContactRef;
use utoipa::openapi::schema::KnownFormat;

use crate::describe::documented;
use crate::fields::{Either, Fields, FromFields, Reported};
use crate::parse::{Parser, checked, list, nested, opaque_id, string};

/// One contact as a request names it.
#[derive(Clone)]
pub struct NamedContact {
    reference: ContactRef,
    given: Given,
}

/// The id or address in the request, which the response repeats for a contact that is not found.
#[derive(Clone)]
enum Given {
    Id(String),
    Email(String),
}

impl NamedContact {
    /// Returns the reference that the store looks up.
    #[must_use]
    pub fn reference(&self) -> &ContactRef {
        &self.reference
    }

    /// Returns the id in the request, well-formed or not. `None` if the request has an address.
    #[must_use]
    pub fn given_id(&self) -> Option<&str> {
        match &self.given {
            Given::Id(id) => Some(id),
            Given::Email(_) => None,
        }
    }

    /// Returns the address in the request. `None` if the request has an id.
    #[must_use]
    pub fn given_email(&self) -> Option<&str> {
        match &self.given {
            Given::Id(_) => None,
            Given::Email(email) => Some(email),
        }
    }

    fn by_id(id: String) -> Self {
        Self { reference: id.parse().map_or(ContactRef::Unknown, ContactRef::Id), given: Given::Id(id) }
    }

    fn by_email(email: EmailAddress) -> Self {
        Self { given: Given::Email(email.given().to_owned()), reference: ContactRef::Email(email) }
    }
}

impl FromFields for NamedContact {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let id = opaque_id().about("The contact's id.");
        match fields.either(("id", id), ("email", email().about("The contact's address.")))? {
            Either::First(id) => Ok(Self::by_id(id)),
            Either::Second(email) => Ok(Self::by_email(email)),
        }
    }
}

documented! { NamedContact as "NamedContact": "A contact, by its id or by its address." }

/// Parses an email address.
pub fn email() -> impl Parser<Output = EmailAddress> {
    let address = checked(string(), |text| EmailAddress::parse(&text));
    address.format(KnownFormat::Email).with(|object| object.max_length = Some(ADDRESS_BYTES_MAX))
}

/// Parses the contacts of a request: 1 to [`STATUS_CONTACTS_MAX`] of them.
pub fn named_contacts() -> impl Parser<Output = Vec<NamedContact>> {
    list(1..=STATUS_CONTACTS_MAX, nested::<NamedContact>())
}

/// Returns the references that the store looks up, in the same order.
#[must_use]
pub fn references(contacts: &[NamedContact]) -> Vec<ContactRef> {
    contacts.iter().map(|contact| contact.reference.clone()).collect()
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::ids::ContactId;
    use serde_json::{Value, json};

    use super::*;
    use crate::fields::{Errors, read_object};

    struct Body(Vec<NamedContact>);

    impl FromFields for Body {
        fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
            fields.required("contacts", named_contacts()).map(Self)
        }
    }

    fn wrong(contacts: &Value) -> Vec<String> {
        let mut errors = Errors::default();
        assert!(read_object::<Body>(json!({"contacts": contacts}), &mut errors).is_err());
        errors.check().unwrap_err().errors().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn contacts_are_named_by_id_or_by_address() {
        let id = ContactId::new(Timestamp::MIN, 1);
        let mut errors = Errors::default();
        let body = json!({"contacts": [{"id": id.to_string()}, {"email": "no@one.example"}, {"id": "042"}, {"id": "acc_1"}]});
        let Body(contacts) = read_object(body, &mut errors).unwrap();
        let references = references(&contacts);
        assert!(matches!(references[0], ContactRef::Id(found) if found == id));
        assert!(matches!(&references[1], ContactRef::Email(email) if email.given() == "no@one.example"));
        assert!(matches!(references[2..], [ContactRef::Unknown, ContactRef::Unknown]));
        assert_eq!((contacts[1].given_email(), contacts[1].given_id()), (Some("no@one.example"), None));
        assert_eq!((contacts[2].given_email(), contacts[2].given_id()), (None, Some("042")));
    }

    #[test]
    fn each_bad_entry_is_named() {
        assert_eq!(
            wrong(&json!([
                {}, {"id": "a", "email": "b@c.example"}, {"email": "not an address"}, {"id": 5}, "a@b", {"id": ""},
                {"id": "x".repeat(101)}, {"id": "a", "name": "Ada"}, {"id": null}, {"email": "a@b.example"},
            ])),
            [
                "contacts[0]",
                "contacts[1]",
                "contacts[2].email",
                "contacts[3].id",
                "contacts[4]",
                "contacts[5].id",
                "contacts[6].id",
                "contacts[7].name",
                "contacts[8].id",
            ]
        );
    }

    #[test]
    fn list_has_1_to_1000_contacts() {
        let some = |count: usize| json!(vec![json!({"id": "a"}); count]);
        let mut errors = Errors::default();
        assert!(read_object::<Body>(json!({"contacts": some(1000)}), &mut errors).is_ok());
        for bad in [some(0), some(1001), json!({"id": "a"}), json!(null)] {
            assert_eq!(wrong(&bad), ["contacts"]);
        }
        assert!(read_object::<Body>(json!({}), &mut errors).is_err());
    }
}
