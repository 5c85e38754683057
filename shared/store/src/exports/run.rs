//! The work on an export: the contacts in the order of their ids, as they were at the export's instant.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::contact::Contact;
use domain::explain::because_in;
use domain::ids::{AccountId, ContactId, ExportId};
use domain::limits::{EXPORT_COLUMNS_FOUND_MAX, EXPORT_PAGE_MAX};
use domain::marketing::Change;
use domain::property::PropertyName;

use super::manage::{Export, SEPARATOR, columns_text};
use crate::StoreError;
use crate::bulk::{Audience, Candidate, Scan};
use crate::contacts::queued_in;
use crate::items::{BulkDefinitionItem, ExportItem, unreadable};
use crate::job_state::ExportState;
use crate::keys::Key;
use crate::store::Store;

/// The work on one export by one worker.
pub struct ExportRun<'s> {
    store: &'s Store,
    account: AccountId,
    /// The export as it is stored.
    item: ExportItem,
    audience: Audience,
    scan: Option<Scan<'s>>,
    /// The last contact that was examined.
    examined: Option<ContactId>,
}

/// A contact as it was at an export's instant.
#[derive(Clone)]
pub struct ExportedContact {
    /// The contact. Its properties, address and flags are as they were read.
    pub contact: Contact,
    /// The explanation of its state.
    pub because: String,
    /// The update date at which it leaves, if it is leaving.
    pub leaves_at: Option<Timestamp>,
}

impl Store {
    /// Opens an export for work, and begins a lease. Returns `None` if the export is finished or does not exist.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn open_export(
        &self,
        account: AccountId,
        export: ExportId,
        wall_clock: Timestamp,
    ) -> Result<Option<ExportRun<'_>>, StoreError> {
        let op = self.operation(account, wall_clock);
        let (key, definition_key) = (Key::export(account, export), Key::export_definition(account, export));
        let mut items = op.read(vec![key.clone(), definition_key.clone()]).await?;
        let item: Option<ExportItem> = items.take(&key)?;
        let Some(mut item) = item.filter(|item| !item.state.is_finished()) else { return Ok(None) };
        let definition: Option<BulkDefinitionItem> = items.take(&definition_key)?;
        let definition = definition.ok_or_else(|| unreadable::<ExportItem>("definition"))?;
        item.lease(account, wall_clock);
        let examined = item.place.as_deref().map(parse_place).transpose()?;
        let audience = Audience::of_item(definition)?;
        let mut run = ExportRun { store: self, account, item, audience, scan: None, examined };
        Ok(run.save(wall_clock).await?.then_some(run))
    }
}

fn parse_place(place: &str) -> Result<ContactId, StoreError> {
    ContactId::from_sortable(place).map_err(|_| unreadable::<ExportItem>("place"))
}

impl ExportRun<'_> {
    /// Returns the export as it is stored.
    #[must_use]
    pub fn export(&self) -> Export {
        Export::from(&self.item)
    }

    /// Returns the stored state of the file. `None` if nothing of it is stored.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.item.file.as_deref()
    }

    /// Returns the properties that have columns. `None` if they must be found first, and for lines of JSON.
    ///
    /// # Errors
    ///
    /// A fault if the stored names are unreadable.
    pub fn columns(&self) -> Result<Option<Vec<PropertyName>>, StoreError> {
        if self.item.state == ExportState::Reading {
            return Ok(None);
        }
        let Some(text) = &self.item.columns else { return Ok(None) };
        let names = text.split(SEPARATOR).filter(|name| !name.is_empty()).map(PropertyName::parse);
        let names = names.collect::<Result<_, _>>().map_err(|_| unreadable::<ExportItem>("column"))?;
        Ok(Some(names))
    }

    /// Reads the selected contacts to find the properties that have columns, while `should_continue` returns true.
    /// Returns false if the work must continue in another run, or if a caller or another worker has changed the export.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn find_columns(
        &mut self,
        clock: impl Fn() -> Timestamp,
        should_continue: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        /// The number of contacts between two looks at the time.
        const CONTACTS: usize = 1_000;
        let mut names: BTreeSet<PropertyName> = BTreeSet::new();
        let known = self.item.columns.as_deref().unwrap_or_default().split(SEPARATOR);
        names.extend(known.filter_map(|name| PropertyName::parse(name).ok()));
        let mut matched = self.item.matched.unwrap_or_default();
        loop {
            let contacts = self.contacts(CONTACTS, clock()).await?;
            let is_last = contacts.is_empty();
            matched += contacts.len() as u64;
            for exported in contacts {
                for (name, _) in exported.contact.properties.iter() {
                    if !names.contains(name.as_str()) {
                        names.insert(name.clone());
                    }
                }
            }
            if names.len() > EXPORT_COLUMNS_FOUND_MAX {
                let text = format!(
                    "The contacts have more than {EXPORT_COLUMNS_FOUND_MAX} properties; name columns."
                );
                self.refuse("too-many-columns", &text, clock()).await?;
                return Ok(false);
            }
            if is_last || !should_continue() {
                let columns: Vec<PropertyName> = names.into_iter().collect();
                self.item.columns = Some(columns_text(&columns));
                self.item.matched = Some(matched);
                self.item.place = self.examined.map(ContactId::sortable);
                if is_last {
                    self.item.state = ExportState::Running;
                    self.item.place = None;
                    self.examined = None;
                    self.scan = None;
                }
                return Ok(self.save(clock()).await? && is_last);
            }
        }
    }

    /// Returns the next contacts, at most `limit`. An empty list means that there are no more.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn contacts(
        &mut self,
        limit: usize,
        wall_clock: Timestamp,
    ) -> Result<Vec<ExportedContact>, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        let mut period = op.read_current_period(Vec::new()).await?.period;
        let mut exported = Vec::new();
        while exported.len() < limit {
            let scan = match &mut self.scan {
                Some(scan) => scan,
                none => none.insert(op.scan_in_pages(&self.audience, self.examined, EXPORT_PAGE_MAX).await?),
            };
            let Some(mut candidate) = scan.next().await? else { break };
            if queued_in(&candidate.loaded.contact) > Some(period.number) {
                period = op.read_current_period(Vec::new()).await?.period;
            }
            op.settle_loaded(std::slice::from_mut(&mut candidate.loaded), &period).await?;
            self.examined = Some(candidate.id());
            let rules = Rules {
                store: self.store,
                account: self.account,
                item: &self.item,
                audience: &self.audience,
            };
            exported.extend(rules.export_of(candidate).await?);
        }
        Ok(exported)
    }

    /// Records that all contacts so far are in the stored part of the file. Returns false if a caller or another worker has
    /// changed the export.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn record(
        &mut self,
        file: String,
        rows: u64,
        wall_clock: Timestamp,
    ) -> Result<bool, StoreError> {
        self.item.file = Some(file);
        self.item.rows = rows;
        self.item.place = self.examined.map(ContactId::sortable);
        self.item.lease(self.account, wall_clock);
        self.save(wall_clock).await
    }

    /// Begins the file again, because its stored part is not usable. Returns false if a caller or another worker has changed
    /// the export.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn begin_again(&mut self, wall_clock: Timestamp) -> Result<bool, StoreError> {
        self.item.file = None;
        self.item.rows = 0;
        self.item.place = None;
        self.examined = None;
        self.scan = None;
        self.save(wall_clock).await
    }

    /// Finishes the export with its complete file. Returns false if a caller or another worker has changed the export.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn finish(&mut self, bytes: u64, rows: u64, wall_clock: Timestamp) -> Result<bool, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        let now = op.read_current_period(Vec::new()).await?.now;
        self.item.bytes = Some(bytes);
        self.item.rows = rows;
        self.item.file = None;
        self.item.place = None;
        self.item.end(ExportState::Done, now);
        self.save(wall_clock).await
    }

    /// Ends the export as failed. `slug` and `text` describe the reason. Returns false if a caller or another worker has
    /// changed the export.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn refuse(
        &mut self,
        slug: &str,
        text: &str,
        wall_clock: Timestamp,
    ) -> Result<bool, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        let now = op.read_current_period(Vec::new()).await?.now;
        self.item.problem = Some(format!("{slug} {text}"));
        self.item.end(ExportState::Failed, now);
        self.save(wall_clock).await
    }

    /// Stores the export in its next version. Returns false if a caller or another worker has changed it.
    async fn save(&mut self, wall_clock: Timestamp) -> Result<bool, StoreError> {
        let op = self.store.operation(self.account, wall_clock);
        let key = Key::export(self.account, self.item.id);
        self.item.version += 1;
        op.store_next(key, &self.item, |_| Ok(())).await
    }
}

/// The rules by which an export shows contacts.
#[derive(Clone, Copy)]
struct Rules<'r> {
    store: &'r Store,
    account: AccountId,
    item: &'r ExportItem,
    audience: &'r Audience,
}

impl Rules<'_> {
    /// Returns a candidate as it was at the export's instant. `None` if it is not selected.
    async fn export_of(self, candidate: Candidate) -> Result<Option<ExportedContact>, StoreError> {
        let Candidate { loaded, lists, .. } = candidate;
        let mut contact = loaded.contact;
        let is_statement = self.item.selection.is_none();
        if !is_statement && (!contact.is_visible() || contact.created_at > self.item.as_of) {
            return Ok(None);
        }
        let Some(marketing) = self.marketing_of(&contact).await? else { return Ok(None) };
        contact.marketing = marketing;
        let state = contact.state();
        if (is_statement && !state.is_billable()) || !self.audience.selects(&contact, &lists) {
            return Ok(None);
        }
        let because = because_in(state, &contact.marketing, self.item.period, self.item.ends_at);
        let is_leaving = state == domain::marketing::EffectiveState::Leaving;
        Ok(Some(ExportedContact { contact, because, leaves_at: is_leaving.then_some(self.item.ends_at) }))
    }

    /// Returns the marketing data of a contact at the export's instant. It reads pages of the history only if the contact
    /// has changed often since.
    async fn marketing_of(
        self,
        contact: &Contact,
    ) -> Result<Option<domain::marketing::Marketing>, StoreError> {
        let (at, number) = (self.item.as_of, self.item.period);
        let history = &contact.marketing.history;
        if let Some(marketing) = contact.marketing.as_of(at, &[], number) {
            return Ok(Some(marketing));
        }
        if history.earlier == 0 {
            return Ok(None);
        }
        let op = self.store.operation(self.account, at);
        let mut earlier: Vec<Change> = Vec::new();
        op.store.read_earlier(self.account, contact, usize::MAX, &mut earlier).await?;
        earlier.reverse();
        Ok(contact.marketing.as_of(at, &earlier, number))
    }
}
