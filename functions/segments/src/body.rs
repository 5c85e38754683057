//! Bodies of requests about segments.

use api::contacts::{NamedContact, named_contacts, references};
use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::filter::{FILTER_GROUPS, filter_groups};
use api::parse::{Parser, list, name, nested};
use domain::limits::MEMBERS_PER_REQUEST_MAX;
use store::{ChangeMembers, NewSegment, SegmentContent, UpdateSegment};

/// A segment to create.
pub(crate) struct NewSegmentBody {
    pub(crate) segment: NewSegment,
    /// The first members, as the request names them.
    pub(crate) contacts: Vec<NamedContact>,
}

impl FromFields for NewSegmentBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let one = fields.exactly_one(&[FILTER_GROUPS, "contacts"]);
        let name = fields.required("name", name().about("The display name."));
        let filter = fields.optional(FILTER_GROUPS, filter_groups());
        let contacts = list(0..=MEMBERS_PER_REQUEST_MAX, nested::<NamedContact>());
        let contacts = contacts.about("The first members of a static list. It may be empty.");
        let contacts = fields.optional("contacts", contacts);
        one?;
        let (name, filter, contacts) = (name?, filter?, contacts?.unwrap_or_default());
        let content = match filter {
            Some(filter) => SegmentContent::Filter(filter),
            None => SegmentContent::List(references(&contacts)),
        };
        Ok(Self { segment: NewSegment { name, content }, contacts })
    }
}

documented! { NewSegmentBody as "NewSegment": "A segment to create: a stored filter, or a static list." }

/// A change of a segment.
pub(crate) struct UpdateSegmentBody(pub(crate) UpdateSegment);

impl FromFields for UpdateSegmentBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", name().about("The display name."));
        let filter = fields.optional(FILTER_GROUPS, filter_groups());
        Ok(Self(UpdateSegment { name: name?, filter: filter? }))
    }
}

documented! { UpdateSegmentBody as "UpdateSegment": "A change of a segment. Fields that are left out do not change." }

/// A change of a static list's members.
pub(crate) struct MembersBody {
    pub(crate) add: Vec<NamedContact>,
    pub(crate) remove: Vec<NamedContact>,
}

impl FromFields for MembersBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let add = fields.optional("add", named_contacts().about("The contacts to add."));
        let remove = named_contacts().about("The contacts to remove. They stay contacts of the account.");
        let remove = fields.optional("remove", remove);
        let (add, remove) = (add?.unwrap_or_default(), remove?.unwrap_or_default());
        if add.is_empty() && remove.is_empty() {
            return fields.reject("add", "expected contacts to add or to remove");
        }
        Ok(Self { add, remove })
    }
}

documented! { MembersBody as "ChangeMembers": "Contacts to add to a static list, and contacts to remove from it." }

impl MembersBody {
    /// Returns the change for the store.
    pub(crate) fn change(&self) -> ChangeMembers {
        ChangeMembers { add: references(&self.add), remove: references(&self.remove) }
    }
}

#[cfg(test)]
mod tests {
    use api::reading::{read, wrong};
    use serde_json::json;

    use super::*;

    #[test]
    fn segment_is_a_filter_or_a_list() {
        assert!(read::<NewSegmentBody>(&json!({"name": "a", "filterGroups": []})).is_ok());
        assert!(read::<NewSegmentBody>(&json!({"name": "a", "contacts": []})).is_ok());
        assert_eq!(wrong::<NewSegmentBody>(&json!({"name": "a"})), [""]);
        let both = json!({"name": "", "contacts": [], "filterGroups": []});
        assert_eq!(wrong::<NewSegmentBody>(&both), ["", "name"]);
    }

    #[test]
    fn members_change_names_at_least_one_contact() {
        assert!(read::<MembersBody>(&json!({"remove": [{"id": "1"}]})).is_ok());
        assert_eq!(wrong::<MembersBody>(&json!({})), ["add"]);
        assert_eq!(wrong::<MembersBody>(&json!({"add": [], "remove": [{}]})), ["add", "remove[0]"]);
    }
}
