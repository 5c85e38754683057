//! The definitions of an account's properties, and their groups.
//!
//! They are in a partition of their own, with the count that limits them. An archived definition remains for some time, so
//! that the account can define the property again as it was. The change feed defines the names that contacts use.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::Put;
use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::{
    BATCH_READ_MAX, CRM_ARCHIVED_KEPT, CRM_DEFINITIONS_PER_TRANSACTION, CRM_GROUPS_MAX, CRM_PROPERTIES_MAX,
};
use domain::property::PropertyName;
use domain::property_definition::{Choice, PropertyDefinition};

use crate::conditions::{SET_TAG, tag};
use crate::expressions::number;
use crate::items::{
    ChoiceItem, DefinitionCountsItem, DefinitionItem, Entity, GroupItem, Items, Versioned as _, decode,
    unreadable,
};
use crate::keys::{DEFINITION_PREFIX, GROUP_PREFIX, Key, definitions_pk};
use crate::operation::{Operation, Step};
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Refused, StoreError};

/// A property that the account has defined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DefinedProperty {
    /// The definition.
    pub definition: PropertyDefinition,
    /// The instant of its creation by the wall clock.
    pub created_at: Timestamp,
    /// The instant of its latest change by the wall clock.
    pub updated_at: Timestamp,
    /// The instant at which it was archived.
    pub archived_at: Option<Timestamp>,
}

/// A group of properties that the account has defined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PropertyGroup {
    /// The name.
    pub name: String,
    /// The readable name.
    pub label: String,
    /// The place among the groups. Negative numbers are behind all others.
    pub display_order: i64,
}

/// The result of defining one property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Defining {
    /// The property is defined now.
    Created(DefinedProperty),
    /// The account has a property of this name.
    Exists,
    /// The account has too many properties.
    LimitReached,
}

/// The treatment of names that the account has archived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Archived {
    /// A new definition replaces the archived one.
    Replace,
    /// The archived definition stays, because a use of the name must not restore it.
    Keep,
}

impl Store {
    /// Returns the account's own definitions, archived ones included, in the order of their names.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn definitions(&self, account: AccountId) -> Result<Vec<DefinedProperty>, StoreError> {
        let items = self.all_of::<DefinitionItem>(account, DEFINITION_PREFIX).await?;
        items.into_iter().map(DefinitionItem::into_defined).collect()
    }

    /// Returns the account's own definition of a name, also if it is archived.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn definition(
        &self,
        account: AccountId,
        name: &PropertyName,
    ) -> Result<Option<DefinedProperty>, StoreError> {
        let item: Option<DefinitionItem> = self.get(Key::definition(account, name)).await?;
        item.map(DefinitionItem::into_defined).transpose()
    }

    /// Defines properties, and returns the result for each. An archived definition is replaced.
    ///
    /// Up to [`CRM_DEFINITIONS_PER_TRANSACTION`] are defined at once or not at all. An error later on leaves earlier ones
    /// defined.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn define_properties(
        &self,
        account: AccountId,
        new: &[PropertyDefinition],
        wall_clock: Timestamp,
    ) -> Result<Vec<Defining>, StoreError> {
        self.define(account, new, Archived::Replace, wall_clock).await
    }

    /// Defines the names as texts that the account has neither defined nor archived, within the limit.
    pub(crate) async fn define_used(
        &self,
        account: AccountId,
        names: &BTreeSet<PropertyName>,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        let new: Vec<_> = names.iter().cloned().map(PropertyDefinition::of_used).collect();
        self.define(account, &new, Archived::Keep, wall_clock).await.map(drop)
    }

    async fn define(
        &self,
        account: AccountId,
        new: &[PropertyDefinition],
        archived: Archived,
        wall_clock: Timestamp,
    ) -> Result<Vec<Defining>, StoreError> {
        let mut results = Vec::with_capacity(new.len());
        for chunk in new.chunks(CRM_DEFINITIONS_PER_TRANSACTION) {
            let op = self.operation(account, wall_clock);
            results.extend(op.transact(async || op.define_step(chunk, archived).await).await?);
        }
        Ok(results)
    }

    /// Changes a definition. The change receives the present one.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if the account has no such property, and the errors of the change.
    pub async fn update_definition<E: From<StoreError>>(
        &self,
        account: AccountId,
        name: &PropertyName,
        wall_clock: Timestamp,
        change: impl Fn(&mut PropertyDefinition) -> Result<(), E>,
    ) -> Result<DefinedProperty, E> {
        let op = self.operation(account, wall_clock);
        let key = Key::definition(account, name);
        loop {
            let stored: Option<DefinitionItem> = self.get(key.clone()).await?;
            let stored = stored.filter(|item| !item.is_archived());
            let item = stored.ok_or(StoreError::Refused(Refused::NotFound("property")))?;
            let version = item.version();
            let mut defined = item.into_defined()?;
            change(&mut defined.definition)?;
            defined.updated_at = wall_clock;
            let next = DefinitionItem::new(&defined, version.saturating_add(1), None);
            if op.store_next(key.clone(), &next, |_| Ok(())).await? {
                return Ok(defined);
            }
            op.retries.retry_now("the definition was changed").await?;
        }
    }

    /// Archives a property. Contacts keep their values, which the CRM API no longer shows. An archived one stays archived.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`] if the account has no such property.
    pub async fn archive_definition(
        &self,
        account: AccountId,
        name: &PropertyName,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::definition(account, name);
        op.transact(async || {
            let stored: Option<DefinitionItem> = self.get(key.clone()).await?;
            let item = stored.ok_or(Refused::NotFound("property"))?;
            if item.is_archived() {
                return Ok(Step::unchanged(()));
            }
            let version = item.version();
            let mut defined = item.into_defined()?;
            defined.archived_at = Some(wall_clock);
            let expires_at = wall_clock.plus(CRM_ARCHIVED_KEPT).seconds();
            let archived = DefinitionItem::new(&defined, version.saturating_add(1), Some(expires_at));
            let mut transaction = Transaction::default();
            transaction.put(self.put_versioned(key.clone(), &archived, version)?);
            op.count_definitions(&mut transaction, Counted::Properties, -1)?;
            Ok(Step::Commit(transaction, ()))
        })
        .await
    }

    /// Returns the account's own groups of properties, in the order of their names.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn property_groups(&self, account: AccountId) -> Result<Vec<PropertyGroup>, StoreError> {
        let items = self.all_of::<GroupItem>(account, GROUP_PREFIX).await?;
        Ok(items.into_iter().map(PropertyGroup::from).collect())
    }

    /// Returns one of the account's own groups.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn property_group(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<PropertyGroup>, StoreError> {
        let item: Option<GroupItem> = self.get(Key::definition_group(account, name)).await?;
        Ok(item.map(PropertyGroup::from))
    }

    /// Creates a group of properties. Returns false if the account has one of this name.
    ///
    /// # Errors
    ///
    /// [`Refused::LimitReached`].
    pub async fn create_property_group(
        &self,
        account: AccountId,
        group: &PropertyGroup,
        wall_clock: Timestamp,
    ) -> Result<bool, StoreError> {
        let op = self.operation(account, wall_clock);
        let (key, counts) = (Key::definition_group(account, &group.name), Key::definition_counts(account));
        op.transact(async || {
            let mut items = op.read(vec![key.clone(), counts.clone()]).await?;
            if items.take::<GroupItem>(&key)?.is_some() {
                return Ok(Step::unchanged(false));
            }
            let counted: DefinitionCountsItem = items.take(&counts)?.unwrap_or_default();
            if counted.groups >= CRM_GROUPS_MAX {
                return Err(
                    Refused::LimitReached { what: "groups of properties", max: CRM_GROUPS_MAX }.into()
                );
            }
            let mut transaction = Transaction::default();
            transaction.put(self.put_new(key.clone(), &GroupItem::new(group, 1))?);
            op.count_definitions(&mut transaction, Counted::Groups, 1)?;
            Ok(Step::Commit(transaction, true))
        })
        .await
    }

    /// Changes a group of properties. The change receives the present one.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn update_property_group(
        &self,
        account: AccountId,
        name: &str,
        wall_clock: Timestamp,
        change: impl Fn(&mut PropertyGroup),
    ) -> Result<PropertyGroup, StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::definition_group(account, name);
        loop {
            let stored: Option<GroupItem> = self.get(key.clone()).await?;
            let item = stored.ok_or(Refused::NotFound("group of properties"))?;
            let version = item.version();
            let mut group = PropertyGroup::from(item);
            change(&mut group);
            let next = GroupItem::new(&group, version.saturating_add(1));
            if op.store_next(key.clone(), &next, |_| Ok(())).await? {
                return Ok(group);
            }
            op.retries.retry_now("the group was changed").await?;
        }
    }

    /// Deletes a group of properties. The caller has checked that no property belongs to it.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn delete_property_group(
        &self,
        account: AccountId,
        name: &str,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::definition_group(account, name);
        op.transact(async || {
            let stored: Option<GroupItem> = self.get(key.clone()).await?;
            let item = stored.ok_or(Refused::NotFound("group of properties"))?;
            let mut transaction = Transaction::default();
            transaction.delete(self.delete_versioned(key.clone(), item.version())?);
            op.count_definitions(&mut transaction, Counted::Groups, -1)?;
            Ok(Step::Commit(transaction, ()))
        })
        .await
    }

    /// Reads all items of an account's definitions whose sort keys have a prefix.
    async fn all_of<E: Entity>(
        &self,
        account: AccountId,
        prefix: &'static str,
    ) -> Result<Vec<E>, StoreError> {
        let limit = CRM_PROPERTIES_MAX;
        let mut query =
            Query { pk: definitions_pk(account), prefix, after: None, limit, newest_first: false };
        let mut all = Vec::new();
        loop {
            let page = self.query(&query).await?;
            for item in page.items {
                all.push(decode(item)?);
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(all);
            }
        }
    }
}

/// A count of an account's definitions.
#[derive(Clone, Copy)]
enum Counted {
    Properties,
    Groups,
}

impl Counted {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Properties => "properties",
            Self::Groups => "groups",
        }
    }

    const fn max(self) -> usize {
        match self {
            Self::Properties => CRM_PROPERTIES_MAX,
            Self::Groups => CRM_GROUPS_MAX,
        }
    }
}

impl Operation<'_> {
    /// Attempts to define properties in one transaction, on the condition that none of them is defined and that the count
    /// stays within the limit.
    async fn define_step(
        &self,
        new: &[PropertyDefinition],
        archived: Archived,
    ) -> Result<Step<Vec<Defining>>, StoreError> {
        let counts = Key::definition_counts(self.account);
        let names: BTreeSet<&PropertyName> = new.iter().map(|definition| &definition.name).collect();
        let keys = names.iter().map(|name| Key::definition(self.account, name));
        debug_assert!(names.len() < BATCH_READ_MAX, "one batched read has all of them");
        let mut items = self.read(keys.chain([counts.clone()]).collect()).await?;
        let counted: DefinitionCountsItem = items.take(&counts)?.unwrap_or_default();
        let mut room = CRM_PROPERTIES_MAX.saturating_sub(counted.properties);
        let mut transaction = Transaction::default();
        let (mut results, mut defined) = (Vec::with_capacity(new.len()), BTreeSet::new());
        for definition in new {
            let is_first = defined.insert(&definition.name);
            let put = self.put_of(definition, archived, &mut items)?;
            results.push(match put {
                Some(_) if is_first && room == 0 => Defining::LimitReached,
                Some((put, created)) if is_first => {
                    transaction.put(put);
                    room -= 1;
                    Defining::Created(created)
                }
                _ => Defining::Exists,
            });
        }
        let created = results.iter().filter(|result| matches!(result, Defining::Created(_))).count();
        if created > 0 {
            self.count_definitions(
                &mut transaction,
                Counted::Properties,
                i64::try_from(created).unwrap_or(i64::MAX),
            )?;
        }
        Ok(Step::Commit(transaction, results))
    }

    /// Returns the write of a new definition. `None` if the account has one.
    fn put_of(
        &self,
        definition: &PropertyDefinition,
        archived: Archived,
        items: &mut Items,
    ) -> Result<Option<(Put, DefinedProperty)>, StoreError> {
        let key = Key::definition(self.account, &definition.name);
        let stored: Option<DefinitionItem> = items.take(&key)?;
        let defined = DefinedProperty {
            definition: definition.clone(),
            created_at: self.wall_clock,
            updated_at: self.wall_clock,
            archived_at: None,
        };
        let put = match stored {
            None => self.store.put_new(key, &DefinitionItem::new(&defined, 1, None))?,
            Some(item) if item.is_archived() && archived == Archived::Replace => {
                let version = item.version();
                let next = DefinitionItem::new(&defined, version.saturating_add(1), None);
                self.store.put_versioned(key, &next, version)?
            }
            Some(_) => return Ok(None),
        };
        Ok(Some((put, defined)))
    }

    /// Adds the change of a count to a transaction, on the condition that the count stays within its limit.
    fn count_definitions(
        &self,
        transaction: &mut Transaction,
        counted: Counted,
        by: i64,
    ) -> Result<(), StoreError> {
        let attribute = counted.attribute();
        let most_before = i64::try_from(counted.max()).unwrap_or(i64::MAX).saturating_sub(by);
        let expression = tag::<DefinitionCountsItem>()
            .name(attribute)
            .value("by", number(by))
            .value("most", number(most_before));
        let update = format!("{SET_TAG} ADD #{attribute} :by");
        let condition = format!("attribute_not_exists(#{attribute}) OR #{attribute} <= :most");
        let key = Key::definition_counts(self.account);
        transaction.update(self.store.update_if(key, &update, &condition, &expression)?);
        Ok(())
    }
}

impl DefinitionItem {
    /// Returns the item in a version. An archived one expires at `expires_at`, in seconds.
    pub(crate) fn new(defined: &DefinedProperty, version: u64, expires_at: Option<i64>) -> Self {
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
        } = defined.definition.clone();
        Self {
            name: name.to_string(),
            label,
            value_type,
            field_type,
            group,
            description,
            options: options.into_iter().map(ChoiceItem::from).collect(),
            display_order,
            hidden: is_hidden,
            form_field: is_form_field,
            created_at: defined.created_at,
            updated_at: defined.updated_at,
            archived_at: defined.archived_at,
            version,
            expires_at,
        }
    }

    /// Returns true if the property is archived.
    pub(crate) fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    pub(crate) fn into_defined(self) -> Result<DefinedProperty, StoreError> {
        let name = PropertyName::parse(&self.name).map_err(|_| unreadable::<Self>("name"))?;
        let definition = PropertyDefinition {
            name,
            label: self.label,
            value_type: self.value_type,
            field_type: self.field_type,
            group: self.group,
            description: self.description,
            options: self.options.into_iter().map(Choice::from).collect(),
            display_order: self.display_order,
            is_hidden: self.hidden,
            is_form_field: self.form_field,
        };
        let (created_at, updated_at, archived_at) = (self.created_at, self.updated_at, self.archived_at);
        Ok(DefinedProperty { definition, created_at, updated_at, archived_at })
    }
}

impl From<Choice> for ChoiceItem {
    fn from(Choice { value, label, description, display_order, is_hidden }: Choice) -> Self {
        Self { value, label, description, display_order, hidden: is_hidden }
    }
}

impl From<ChoiceItem> for Choice {
    fn from(ChoiceItem { value, label, description, display_order, hidden }: ChoiceItem) -> Self {
        Self { value, label, description, display_order, is_hidden: hidden }
    }
}

impl GroupItem {
    pub(crate) fn new(group: &PropertyGroup, version: u64) -> Self {
        let PropertyGroup { name, label, display_order } = group.clone();
        Self { name, label, display_order, version }
    }
}

impl From<GroupItem> for PropertyGroup {
    fn from(GroupItem { name, label, display_order, .. }: GroupItem) -> Self {
        Self { name, label, display_order }
    }
}
