//! The definitions of properties: those that every account has, and those of the account itself.
//!
//! The account's own definitions are items of the store. A request whose names are all standard reads none of them.
//! Otherwise it reads all of them in one query. They are not cached, because another process may change them.

pub(crate) mod standard;
mod value;

use std::collections::BTreeMap;

use api::Context;
use domain::Timestamp;
use domain::ids::AccountId;
use domain::property::PropertyName;
use domain::property_definition::{Choice, FieldType, PropertyDefinition, ValueType, is_standard};
use store::{DefinedProperty, StoreError};

use crate::envelope::Failure;

pub(crate) use value::ValueError;

/// The definition of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) value_type: ValueType,
    pub(crate) field_type: FieldType,
    pub(crate) group: String,
    pub(crate) description: String,
    pub(crate) options: Vec<Choice>,
    pub(crate) display_order: i64,
    pub(crate) is_hidden: bool,
    pub(crate) is_form_field: bool,
    /// True if only the program sets the value.
    pub(crate) is_read_only: bool,
    /// True for an enumeration whose options are not part of the definition. Its values are not compared with any.
    pub(crate) has_external_options: bool,
    /// The times of the account's own definition. `None` for one that every account has.
    pub(crate) account: Option<Times>,
}

/// The times of a definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Times {
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) archived_at: Option<Timestamp>,
}

/// The definitions that a request knows, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definitions(BTreeMap<String, Definition>);

impl Definitions {
    /// Reads all definitions of an account.
    pub(crate) async fn load(context: &Context, account: AccountId) -> Result<Self, Failure> {
        let own = context.store.definitions(account).await?;
        let active = own.into_iter().filter(|defined| defined.archived_at.is_none());
        Ok(Self(active.map(Definition::from).map(|own| (own.name.clone(), own)).collect()))
    }

    /// Reads the definitions of properties with these names. Nothing is read if all of them are standard.
    pub(crate) async fn of<'n>(
        context: &Context,
        account: AccountId,
        mut names: impl Iterator<Item = &'n str>,
    ) -> Result<Self, Failure> {
        // An invalid name has no definition.
        let is_own = |name: &str| !is_standard(name) && PropertyName::parse(name).is_ok();
        if names.any(is_own) { Self::load(context, account).await } else { Ok(Self::default()) }
    }

    /// Returns the definition of a property.
    pub(crate) fn get(&self, name: &str) -> Option<&Definition> {
        standard::get(name).or_else(|| self.0.get(name))
    }

    /// Returns all definitions: those that every account has, then those of the account.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Definition> + '_ {
        // A name that became standard later has two definitions.
        standard::all().chain(self.0.values().filter(|own| !is_standard(&own.name)))
    }
}

impl From<DefinedProperty> for Definition {
    fn from(defined: DefinedProperty) -> Self {
        let DefinedProperty { definition, created_at, updated_at, archived_at } = defined;
        let PropertyDefinition {
            name,
            label,
            value_type,
            field_type,
            group,
            description,
            options,
            display_order,
            is_hidden,
            is_form_field,
        } = definition;
        // An enumeration without options has no value that it could accept.
        let has_external_options = false;
        Self {
            name: name.to_string(),
            label,
            value_type,
            field_type,
            group,
            description,
            options,
            display_order,
            is_hidden,
            is_form_field,
            is_read_only: false,
            has_external_options,
            account: Some(Times { created_at, updated_at, archived_at }),
        }
    }
}

/// Returns the account's own definition of a name, also if it is archived.
pub(crate) async fn own(
    context: &Context,
    account: AccountId,
    name: &PropertyName,
) -> Result<Option<Definition>, StoreError> {
    Ok(context.store.definition(account, name).await?.map(Definition::from))
}
