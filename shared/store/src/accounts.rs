//! Accounts and their terms.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use domain::Timestamp;
use domain::calendar::{Calendar, Term, TimeZone};
use domain::ids::{AccountId, PortalId, UserId};
use domain::patch::Patch;
use domain::period::{Period, Terms};
use domain::permission::Role;
use domain::source::AccountDefaults;
use domain::tier::{Tier, TierError};

use crate::expressions::{Expression, number};
use crate::items::{
    AccountEntryItem, AccountItem, HoldingsItem, PeriodItem, PortalItem, TokenOwnerItem, UserItem, decode,
    unreadable,
};
use crate::keys::{ACCOUNTS_PK, DUE_AT, DUE_SHARD, Key};
use crate::operation::Step;
use crate::periods::{PeriodSnapshot, current};
use crate::store::{Query, Store};
use crate::transaction::Transaction;
use crate::{Listing, Refused, Responder, StoreError, StoredResponse};

/// An account with its current period.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// The portal number.
    pub portal: PortalId,
    /// The display name.
    pub name: String,
    /// The settings for sources without a setting of their own.
    pub defaults: AccountDefaults,
    /// The current period, with its terms.
    pub period: Period,
    /// The time of creation, by the wall clock.
    pub created_at: Timestamp,
}

/// A request to create an account with its first user, who is an admin.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// The display name.
    pub name: &'a str,
    /// The terms of the contract.
    pub terms: Terms,
    /// The SHA-256 of the first user's token, in hexadecimal.
    pub token_sha256: &'a str,
}

/// The author of a change of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChangedBy {
    /// An admin of the account, who may change the contract's terms only in a sandbox.
    #[default]
    Admin,
    /// The operator.
    Operator,
}

/// A change of an account. Fields that are `None` do not change.
#[derive(Clone, Debug, Default)]
pub struct UpdateAccount {
    /// The author of the change.
    pub by: ChangedBy,
    /// The display name.
    pub name: Option<String>,
    /// The time zone of the update dates.
    pub time_zone: Option<TimeZone>,
    /// The term, which sets the interval of the update dates.
    pub term: Option<Term>,
    /// The renewal date, from which the update dates follow.
    pub renewal_date: Option<chrono::NaiveDate>,
    /// The cap.
    pub cap: Patch<u64>,
    /// True if the account may have marketing contacts.
    pub marketing_contacts: Option<bool>,
    /// True if forms of other providers set contacts marketing.
    pub external_form: Option<bool>,
    /// True if forms without a setting of their own may raise the tier limit.
    pub forms_may_raise_tier: Option<bool>,
    /// True if each write of a contact is indexed by its instant (see [`Store::changed_contacts`]).
    pub index_changes: Option<bool>,
    /// True if chat flows set contacts marketing.
    pub chatflow: Option<bool>,
    /// The settings of individual chat flows. The new map replaces the old one.
    pub chatflows: Option<BTreeMap<String, bool>>,
    /// The new tier.
    pub tier: Option<Tier>,
    /// A lower tier limit from the renewal date on. Removed, a pending one is cancelled.
    pub tier_limit_at_renewal: Patch<u64>,
}

impl AccountItem {
    pub(crate) fn defaults(&self) -> AccountDefaults {
        AccountDefaults {
            external_form: self.external_form,
            chatflow: self.chatflow,
            chatflows: self.chatflows.clone(),
        }
    }

    /// Returns the portal number.
    ///
    /// # Errors
    ///
    /// A fault if the stored number is not a valid one.
    pub(crate) fn portal(&self) -> Result<PortalId, StoreError> {
        PortalId::from_number(self.portal).ok_or_else(|| unreadable::<Self>("portal number"))
    }

    pub(crate) fn into_account(self, period: Period) -> Result<Account, StoreError> {
        let (portal, defaults) = (self.portal()?, self.defaults());
        Ok(Account { id: self.id, portal, name: self.name, defaults, period, created_at: self.created_at })
    }
}

impl UpdateAccount {
    /// Returns the fields that are terms of the account's contract.
    fn contract_terms(&self) -> Vec<&'static str> {
        let terms = [
            ("term", self.term.is_some()),
            ("renewal_date", self.renewal_date.is_some()),
            ("time_zone", self.time_zone.is_some()),
            ("tier", self.tier.is_some()),
            ("tier_limit_at_renewal", self.tier_limit_at_renewal.is_change()),
            ("marketing_contacts", self.marketing_contacts.is_some()),
        ];
        terms.into_iter().filter_map(|(field, is_there)| is_there.then_some(field)).collect()
    }

    /// Refuses an admin's change of the contract's terms. A sandbox has no contract, because it is not billed.
    fn check_authority(&self, period: &Period) -> Result<(), Refused> {
        let fields = self.contract_terms();
        let may = self.by == ChangedBy::Operator || period.test_clock.is_some() || fields.is_empty();
        if may { Ok(()) } else { Err(Refused::OperatorsTerms { fields }) }
    }

    fn touches_period(&self) -> bool {
        self.cap.is_change()
            || self.forms_may_raise_tier.is_some()
            || self.index_changes.is_some()
            || !self.contract_terms().is_empty()
    }

    fn touches_account(&self) -> bool {
        self.name.is_some()
            || self.external_form.is_some()
            || self.chatflow.is_some()
            || self.chatflows.is_some()
    }

    fn apply_to_account(&self, item: &mut AccountItem) {
        if let Some(name) = &self.name {
            item.name.clone_from(name);
        }
        item.external_form = self.external_form.unwrap_or(item.external_form);
        item.chatflow = self.chatflow.unwrap_or(item.chatflow);
        if let Some(chatflows) = &self.chatflows {
            item.chatflows.clone_from(chatflows);
        }
        item.version += 1;
    }

    /// Returns the period with the changed terms.
    fn apply_to_period(&self, period: &Period, now: Timestamp) -> Result<Period, Refused> {
        let calendar = Calendar {
            term: self.term.unwrap_or(period.calendar.term),
            renewal_date: self.renewal_date.unwrap_or(period.calendar.renewal_date),
            time_zone: self.time_zone.unwrap_or(period.calendar.time_zone),
        };
        let mut changed =
            if calendar == period.calendar { period.clone() } else { period.with_calendar(calendar, now) };
        if let Some(on) = self.index_changes {
            changed = changed.with_index(on, now);
        }
        self.cap.apply(&mut changed.cap);
        changed.tier = self.changed_tier(period).map_err(|error| Refused::Invalid {
            field: "tier_limit_at_renewal",
            message: error.to_string(),
        })?;
        changed.marketing_contacts = self.marketing_contacts.unwrap_or(period.marketing_contacts);
        changed.forms_may_raise_tier = self.forms_may_raise_tier.unwrap_or(period.forms_may_raise_tier);
        if !changed.marketing_contacts && period.marketing > 0 {
            return Err(Refused::MarketingContactsInUse { marketing: period.marketing });
        }
        changed.revision += 1;
        Ok(changed)
    }

    /// Returns the period's tier after the change. A new limit for the renewal date replaces the old one, which then
    /// need not fit the new tier.
    fn changed_tier(&self, period: &Period) -> Result<Tier, TierError> {
        let usage = period.marketing;
        let mut tier = period.tier;
        if self.tier_limit_at_renewal.is_change() {
            tier.limit_at_renewal = None;
        }
        if let Some(new) = &self.tier {
            tier = tier.changed_to(new, usage)?;
        }
        match self.tier_limit_at_renewal.change() {
            Some(limit) => tier.with_limit_at_renewal(limit, usage),
            None => Ok(tier),
        }
    }
}

impl Store {
    /// Creates an account with its first period, its first user, who is an admin, and that user's token.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn create_account(
        &self,
        new: &NewAccount<'_>,
        wall_clock: Timestamp,
        responder: Responder<'_, Account>,
    ) -> Result<StoredResponse, StoreError> {
        let id = AccountId::new(wall_clock, self.rng().bits());
        let op = self.operation(id, wall_clock);
        op.mutate(&[], responder, async |_| {
            // If another account has the portal number, the next attempt draws another one.
            let portal = PortalId::new(self.rng().bits());
            let user = UserId::new(wall_clock, self.rng().bits());
            let period = Period::first(new.terms.clone(), wall_clock);
            let account = AccountItem {
                id,
                portal: portal.number(),
                name: new.name.to_owned(),
                external_form: AccountDefaults::default().external_form,
                chatflow: AccountDefaults::default().chatflow,
                chatflows: BTreeMap::new(),
                admins: 1,
                holdings: HoldingsItem { forms: 0, users: 1, tokens: 1, segments: 0, automations: 0 },
                created_at: wall_clock,
                version: 1,
            };
            let mut transaction = Transaction::default();
            transaction.put(self.put_new(Key::account(id), &account)?);
            transaction.put(self.put_new(Key::portal(portal), &PortalItem { account: id })?);
            transaction.put(self.put_new(Key::account_entry(id), &AccountEntryItem { id })?);
            transaction.put(self.put_new(Key::period(id), &PeriodItem::of(id, &period))?);
            transaction.put(self.put_new(Key::user(id, user), &nameless_admin(user, wall_clock))?);
            op.put_token(&mut transaction, new.token_sha256, &TokenOwnerItem::User { user })?;
            Ok(Step::Commit(transaction, account.into_account(period)?))
        })
        .await
    }

    /// Returns an account with its current period.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn account(&self, id: AccountId, wall_clock: Timestamp) -> Result<Account, StoreError> {
        let op = self.operation(id, wall_clock);
        let mut opened = op.read_current_period(vec![Key::account(id)]).await?;
        take_account(id, &mut opened)?.into_account(opened.period)
    }

    /// Returns the accounts after `after`, in the order of creation. Periods that have ended are shown as they are
    /// after their closing. The account's next request closes them.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn accounts(
        &self,
        wall_clock: Timestamp,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Listing<Account>, StoreError> {
        let query = Query {
            pk: ACCOUNTS_PK.to_owned(),
            prefix: "",
            after: after.map(|account| Key::account_entry(account).sk),
            limit,
            newest_first: false,
        };
        let page = self.query(&query).await?;
        let more = page.next.is_some();
        let entries = page.items.into_iter().map(decode::<AccountEntryItem>);
        let ids = entries.map(|entry| entry.map(|entry| entry.id)).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<Key> = ids.iter().flat_map(|id| [Key::account(*id), Key::period(*id)]).collect();
        let mut found = self.batch_get(&keys, &self.retries()).await?;
        let mut items = Vec::new();
        for id in ids {
            let account = found.take::<AccountItem>(&Key::account(id))?;
            let period = found.take::<PeriodItem>(&Key::period(id))?;
            if let (Some(account), Some(period)) = (account, period) {
                items.push(account.into_account(current(period.into_period()?, wall_clock))?);
            }
        }
        Ok(Listing { items, more })
    }

    /// Changes an account. A new calendar moves the end of the current period to the next update date from now on, and
    /// with it the date at which leaving contacts leave.
    ///
    /// # Errors
    ///
    /// [`Refused::OperatorsTerms`], [`Refused::MarketingContactsInUse`] and [`Refused::Invalid`].
    pub async fn update_account(
        &self,
        id: AccountId,
        change: &UpdateAccount,
        wall_clock: Timestamp,
        responder: Responder<'_, Account>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(id, wall_clock);
        let keys = [Key::account(id)];
        op.mutate_in_period(&keys, responder, async |mut opened| {
            let mut item = take_account(id, &mut opened)?;
            let mut period = opened.period;
            change.check_authority(&period)?;
            let mut transaction = Transaction::default();
            if change.touches_account() {
                let version = item.version;
                change.apply_to_account(&mut item);
                transaction.put(self.put_versioned(Key::account(id), &item, version)?);
            }
            if change.touches_period() {
                let changed = change.apply_to_period(&period, opened.now)?;
                transaction.update(self.terms(id, &period, &changed)?);
                period = changed;
            }
            Ok(Step::Commit(transaction, item.into_account(period)?))
        })
        .await
    }

    /// Moves a sandbox's clock forward. The response shows the account after the closing of the periods that have ended
    /// by then. They are closed after the response is stored.
    ///
    /// # Errors
    ///
    /// [`Refused::NotASandbox`] and [`Refused::ClockNotForward`].
    pub async fn advance_test_clock(
        &self,
        id: AccountId,
        to: Timestamp,
        wall_clock: Timestamp,
        responder: Responder<'_, Account>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(id, wall_clock);
        let keys = [Key::account(id)];
        let attempt = async |mut opened: PeriodSnapshot| {
            let item = take_account(id, &mut opened)?;
            let now = opened.period.test_clock.ok_or(Refused::NotASandbox)?;
            if to < now {
                return Err(Refused::ClockNotForward { now }.into());
            }
            let mut moved = opened.period.clone();
            moved.test_clock = Some(to);
            moved.revision += 1;
            let mut transaction = Transaction::default();
            transaction.update(self.terms(id, &opened.period, &moved)?);
            Ok(Step::Commit(transaction, item.into_account(current(moved, wall_clock))?))
        };
        let response = op.mutate_in_period(&keys, responder, attempt).await?;
        // If the response is a stored one, the first request has closed the periods.
        if op.retries.may_be_committed() {
            self.close_ended(id, wall_clock).await?;
        }
        Ok(response)
    }

    /// Builds the update of the period item from the terms in `before` to those in `after`. It does not change the two
    /// counts.
    fn terms(&self, account: AccountId, before: &Period, after: &Period) -> Result<Update, StoreError> {
        let mut sets = Vec::new();
        let mut removes = Vec::new();
        let mut expression = Expression::default().name("revision").value("as_read", number(before.revision));
        // The new terms may require a count, so the condition includes it.
        let mut condition = "#revision = :as_read".to_owned();
        if !after.marketing_contacts {
            condition.push_str(" AND #marketing = :none");
            expression = expression.name("marketing").value("none", number(0));
        }
        // The limit in force follows the usage, and the new terms must not be below it. They are written even if the tier
        // is the same, so the condition does not depend on a change of it.
        let in_force = before.tier.limit_for(before.marketing);
        condition.push_str(" AND #marketing <= :in_force");
        expression = expression.name("marketing").value("in_force", number(in_force));
        let text = |text: &dyn ToString| Some(AttributeValue::S(text.to_string()));
        let due = after.test_clock.is_none();
        for (name, value) in [
            ("revision", Some(number(after.revision))),
            ("term", text(&after.calendar.term)),
            ("renewal_date", text(&after.calendar.renewal_date)),
            ("time_zone", text(&after.calendar.time_zone)),
            ("ends_at", text(&after.ends_at)),
            (DUE_AT, due.then(|| AttributeValue::S(after.ends_at.to_string()))),
            (DUE_SHARD, due.then(|| AttributeValue::S(crate::keys::due_shard_of(account)))),
            ("cap", after.cap.map(number)),
            ("tier_included", Some(number(after.tier.included))),
            ("tier_block", Some(number(after.tier.block))),
            ("tier_limit", Some(number(after.tier.limit))),
            ("tier_limit_at_renewal", after.tier.limit_at_renewal.map(number)),
            ("marketing_contacts", Some(AttributeValue::Bool(after.marketing_contacts))),
            ("forms_may_raise_tier", after.forms_may_raise_tier.then_some(AttributeValue::Bool(true))),
            ("indexed_from", after.indexed_from.map(|at| number(at.millis()))),
            ("test_clock", after.test_clock.map(|at| AttributeValue::S(at.to_string()))),
        ] {
            expression = expression.name(name);
            match value {
                Some(value) => {
                    sets.push(format!("#{name} = :{name}"));
                    expression = expression.value(name, value);
                }
                None => removes.push(format!("#{name}")),
            }
        }
        let remove =
            if removes.is_empty() { String::new() } else { format!(" REMOVE {}", removes.join(", ")) };
        let update = format!("SET {}{remove}", sets.join(", "));
        self.update_if(Key::period(account), &update, &condition, &expression)
    }
}

/// The name of the first admin, until the account changes it.
const FIRST_USER_NAME: &str = "Admin";

/// Returns a new admin without a name or an address of its own.
pub(crate) fn nameless_admin(id: UserId, wall_clock: Timestamp) -> UserItem {
    UserItem {
        id,
        name: FIRST_USER_NAME.to_owned(),
        email: String::new(),
        role: Role::Admin,
        modify_marketing_contacts: true,
        created_at: wall_clock,
        version: 1,
    }
}

pub(crate) fn take_account(id: AccountId, opened: &mut PeriodSnapshot) -> Result<AccountItem, StoreError> {
    Ok(opened.items.take::<AccountItem>(&Key::account(id))?.ok_or(Refused::NotFound("account"))?)
}
