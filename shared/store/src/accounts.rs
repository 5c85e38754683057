//! Accounts.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use domain::Timestamp;
use domain::calendar::{Calendar, Term, TimeZone};
use domain::ids::{AccountId, TokenId, UserId};
use domain::period::{Period, Terms};
use domain::permission::Role;
use domain::source::AccountDefaults;

use crate::items::{AccountItem, HolderItem, PeriodItem, UserItem};
use crate::keys::{DUE_AT, DUE_SHARD, Key};
use crate::periods::Opened;
use crate::store::Store;
use crate::transaction::{Part, Transaction};
use crate::writes::{Expression, number};
use crate::{Answer, Finish, Refused, StoreError};

/// An account with its current period.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Which one.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Its settings for sources that have none of their own.
    pub defaults: AccountDefaults,
    /// Its current period, with the terms that decide.
    pub period: Period,
    /// When it was made, on the wall clock.
    pub created_at: Timestamp,
}

/// An account to be made, with its first user, who is an admin.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it agrees to.
    pub terms: Terms,
    /// The SHA-256 of the first user's token, in hexadecimal.
    pub token_sha256: &'a str,
}

/// A change of an account. What is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ChangeAccount {
    /// Its name.
    pub name: Option<String>,
    /// When update dates fall.
    pub time_zone: Option<TimeZone>,
    /// When update dates fall.
    pub term: Option<Term>,
    /// When update dates fall.
    pub renewal_date: Option<chrono::NaiveDate>,
    /// The cap; `Some(None)` removes it.
    pub cap: Option<Option<u64>>,
    /// Whether it has marketing contacts at all.
    pub marketing_contacts: Option<bool>,
    /// Whether forms that were not made here set contacts marketing.
    pub external_form: Option<bool>,
    /// Whether forms without a setting of their own may raise the tier limit.
    pub forms_may_raise_tier: Option<bool>,
    /// Whether chat flows do.
    pub chatflow: Option<bool>,
    /// Chat flows with a setting of their own: all of them.
    pub chatflows: Option<BTreeMap<String, bool>>,
    /// A lower tier limit from the renewal on; `Some(None)` takes the wish back.
    pub tier_limit_at_renewal: Option<Option<u64>>,
}

impl AccountItem {
    pub(crate) fn defaults(&self) -> AccountDefaults {
        AccountDefaults {
            external_form: self.external_form,
            chatflow: self.chatflow,
            chatflows: self.chatflows.clone(),
        }
    }

    fn into_account(self, period: Period) -> Account {
        let defaults = self.defaults();
        Account { id: self.id, name: self.name, defaults, period, created_at: self.created_at }
    }
}

impl ChangeAccount {
    fn touches_period(&self) -> bool {
        self.time_zone.is_some()
            || self.term.is_some()
            || self.renewal_date.is_some()
            || self.cap.is_some()
            || self.marketing_contacts.is_some()
            || self.forms_may_raise_tier.is_some()
            || self.tier_limit_at_renewal.is_some()
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

    /// The period under the changed terms.
    fn apply_to_period(&self, period: &Period, now: Timestamp) -> Result<Period, Refused> {
        let calendar = Calendar {
            term: self.term.unwrap_or(period.calendar.term),
            renewal_date: self.renewal_date.unwrap_or(period.calendar.renewal_date),
            time_zone: self.time_zone.unwrap_or(period.calendar.time_zone),
        };
        let mut changed =
            if calendar == period.calendar { period.clone() } else { period.with_calendar(calendar, now) };
        if let Some(cap) = self.cap {
            changed.cap = cap;
        }
        if let Some(asked) = self.tier_limit_at_renewal {
            let tier = period.tier.with_limit_at_renewal(asked, period.marketing);
            changed.tier = tier.map_err(|error| Refused::Invalid {
                field: "tier_limit_at_renewal",
                message: error.to_string(),
            })?;
        }
        changed.marketing_contacts = self.marketing_contacts.unwrap_or(period.marketing_contacts);
        changed.forms_may_raise_tier = self.forms_may_raise_tier.unwrap_or(period.forms_may_raise_tier);
        if !changed.marketing_contacts && period.marketing > 0 {
            return Err(Refused::MarketingContactsInUse { marketing: period.marketing });
        }
        changed.revision += 1;
        Ok(changed)
    }
}

impl Store {
    /// Makes an account with its first period, its first user, an admin, and that user's token.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub async fn create_account(
        &self,
        new: &NewAccount<'_>,
        wall: Timestamp,
        finish: Finish<'_, Account>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            if let Some(claim) = finish.claim {
                let mut items = self.batch_get(&[Key::answer(claim)], &mut retries).await?;
                if let Some(answer) = finish.replay(&mut items, wall)? {
                    return Ok(answer);
                }
            }
            let id = AccountId::new(wall, self.entropy().bits());
            let user = UserId::new(wall, self.entropy().bits());
            let period = Period::first(new.terms.clone(), wall);
            let account = AccountItem {
                id,
                name: new.name.to_owned(),
                external_form: AccountDefaults::default().external_form,
                chatflow: AccountDefaults::default().chatflow,
                chatflows: BTreeMap::new(),
                admins: 1,
                created_at: wall,
                version: 1,
            };
            let admin = UserItem {
                id: user,
                name: FIRST_USER_NAME.to_owned(),
                email: String::new(),
                role: Role::Admin,
                modify_marketing_contacts: true,
                created_at: wall,
                version: 1,
            };
            let mut transaction = Transaction::new(self.entropy());
            transaction.put(Part::Account, self.put_new(Key::account(id), &account)?);
            transaction.put(Part::Period, self.put_new(Key::period(id), &PeriodItem::of(id, &period))?);
            transaction.put(Part::User, self.put_new(Key::user(id, user), &admin)?);
            let token = TokenId::new(wall, self.entropy().bits());
            let holder = HolderItem::User { user };
            self.put_token(&mut transaction, id, token, new.token_sha256, &holder, wall)?;
            let answer = finish.attach(self, &mut transaction, &account.into_account(period), wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// An account with its current period.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`].
    pub async fn account(&self, id: AccountId, wall: Timestamp) -> Result<Account, StoreError> {
        let mut opened = self.open(id, wall, vec![Key::account(id)], &mut self.retries()).await?;
        Ok(take_account(id, &mut opened)?.into_account(opened.period))
    }

    /// Changes an account. A new calendar moves the end of the current period, and with it everybody who is
    /// leaving, to the next update date from now on.
    ///
    /// # Errors
    ///
    /// [`Refused::MarketingContactsInUse`] and [`Refused::Invalid`].
    pub async fn change_account(
        &self,
        id: AccountId,
        change: &ChangeAccount,
        wall: Timestamp,
        finish: Finish<'_, Account>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            let keys = std::iter::once(Key::account(id)).chain(finish.key()).collect();
            let mut opened = self.open(id, wall, keys, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut opened.items, wall)? {
                return Ok(answer);
            }
            let mut item = take_account(id, &mut opened)?;
            let mut period = opened.period;
            let mut transaction = Transaction::new(self.entropy());
            if change.touches_account() {
                let version = item.version;
                change.apply_to_account(&mut item);
                transaction.put(Part::Account, self.put_versioned(Key::account(id), &item, version)?);
            }
            if change.touches_period() {
                let changed = change.apply_to_period(&period, opened.now)?;
                transaction.update(Part::Period, self.terms(id, &period, &changed)?);
                period = changed;
            }
            let answer = finish.attach(self, &mut transaction, &item.into_account(period), wall)?;
            if self.commit(transaction, &mut retries).await? {
                return Ok(answer);
            }
        }
    }

    /// Moves a sandbox's clock forward. Periods that have ended by then are closed by the next who looks, which is
    /// the answer to this request.
    ///
    /// # Errors
    ///
    /// [`Refused::NotASandbox`] and [`Refused::ClockNotForward`].
    pub async fn move_test_clock(
        &self,
        id: AccountId,
        to: Timestamp,
        wall: Timestamp,
        finish: Finish<'_, Account>,
    ) -> Result<Answer, StoreError> {
        let mut retries = self.retries();
        loop {
            let keys = std::iter::once(Key::account(id)).chain(finish.key()).collect();
            let mut opened = self.open(id, wall, keys, &mut retries).await?;
            if let Some(answer) = finish.replay(&mut opened.items, wall)? {
                return Ok(answer);
            }
            let item = take_account(id, &mut opened)?;
            let standing = opened.period.test_clock.ok_or(Refused::NotASandbox)?;
            if to < standing {
                return Err(Refused::ClockNotForward { now: standing }.into());
            }
            let mut moved = opened.period.clone();
            moved.test_clock = Some(to);
            moved.revision += 1;
            let mut transaction = Transaction::new(self.entropy());
            transaction.update(Part::Period, self.terms(id, &opened.period, &moved)?);
            let mut after = moved.clone();
            while let Some(closing) = after.closing(to) {
                after = closing.next;
            }
            let answer = finish.attach(self, &mut transaction, &item.into_account(after), wall)?;
            if self.commit(transaction, &mut retries).await? {
                self.close_ended(id, wall).await?;
                return Ok(answer);
            }
        }
    }

    /// The update that takes the period item from the terms in `before` to those in `after` and leaves its two
    /// counts alone.
    fn terms(&self, account: AccountId, before: &Period, after: &Period) -> Result<Update, StoreError> {
        let mut sets = Vec::new();
        let mut removes = Vec::new();
        let mut expression = Expression::default().name("revision").value("as_read", number(before.revision));
        // Whether a count may stand beside the new terms is part of what was decided.
        let mut condition = "#revision = :as_read".to_owned();
        if !after.marketing_contacts {
            condition.push_str(" AND #marketing = :none");
            expression = expression.name("marketing").value("none", number(0));
        }
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
            ("tier_limit_at_renewal", after.tier.limit_at_renewal.map(number)),
            ("marketing_contacts", Some(AttributeValue::Bool(after.marketing_contacts))),
            ("forms_may_raise_tier", after.forms_may_raise_tier.then_some(AttributeValue::Bool(true))),
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

/// What the first user of an account is called until somebody says otherwise.
const FIRST_USER_NAME: &str = "Admin";

fn take_account(id: AccountId, opened: &mut Opened) -> Result<AccountItem, StoreError> {
    Ok(opened.items.take::<AccountItem>(&Key::account(id))?.ok_or(Refused::NotFound("account"))?)
}
