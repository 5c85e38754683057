//! The change of an import that has not started.

use domain::Timestamp;
use domain::ids::{AccountId, ImportId};

use super::manage::{Import, ImportTerms, check_terms};
use crate::items::ImportItem;
use crate::job_state::ImportState;
use crate::keys::Key;
use crate::operation::Step;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Refused, Responder, StoreError, StoredResponse};

/// A change of an import. Parts that are `None` do not change.
#[derive(Clone, Debug)]
pub struct UpdateImport {
    /// The display name.
    pub name: Option<String>,
    /// The rules for the rows, and the options for reading the file as the reader's text.
    pub rules: Option<(ImportTerms, String)>,
}

impl Store {
    /// Changes an import that has not started.
    ///
    /// # Errors
    ///
    /// [`Refused::NotFound`], [`Refused::ImportStarted`] if the import has started or ended, and the errors of
    /// [`Store::create_import`].
    pub async fn update_import(
        &self,
        account: AccountId,
        id: ImportId,
        change: &UpdateImport,
        wall_clock: Timestamp,
        responder: Responder<'_, Import>,
    ) -> Result<StoredResponse, StoreError> {
        let op = self.operation(account, wall_clock);
        let key = Key::import(account, id);
        let list = change.rules.as_ref().and_then(|(terms, _)| terms.add_to_segment);
        let list = list.map(|segment| Key::segment(account, segment));
        let keys: Vec<Key> = [key.clone()].into_iter().chain(list).collect();
        op.mutate_in_period(&keys, responder, async |mut opened| {
            let item: Option<ImportItem> = opened.items.take(&key)?;
            let mut item = item.ok_or(Refused::NotFound("import"))?;
            if item.state != ImportState::Created {
                return Err(Refused::ImportStarted.into());
            }
            if let Some((terms, reading)) = &change.rules {
                check_terms(account, terms, &mut opened)?;
                item.apply(terms, reading);
            }
            if let Some(name) = &change.name {
                item.name.clone_from(name);
            }
            let stored = item.version;
            item.version += 1;
            let mut transaction = Transaction::default();
            transaction.put(self.put_versioned(key.clone(), &item, stored)?);
            Ok(Step::Commit(transaction, Import::from(item)))
        })
        .await
    }
}

impl ImportItem {
    fn apply(&mut self, terms: &ImportTerms, reading: &str) {
        let ImportTerms { mode, set_marketing, add_to_segment, automations, dry_run } = *terms;
        self.mode = mode;
        self.set_marketing = set_marketing;
        self.add_to_segment = add_to_segment;
        self.automations = automations;
        self.dry_run = dry_run;
        reading.clone_into(&mut self.reading);
    }
}
