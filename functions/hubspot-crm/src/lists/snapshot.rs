//! The contacts of a snapshot: those that match a filter now.

use domain::filter::Filter;
use domain::limits::{CRM_MEMBERSHIPS_MAX, CRM_SNAPSHOT_PAGES_MAX, PAGE_LIMIT_MAX};
use store::{ContactRef, Search};

use crate::envelope::Failure;
use crate::session::Session;

/// Returns the contacts that match a filter now.
///
/// # Errors
///
/// A refusal if these are too many for one request, or too many contacts have to be read to find them.
pub(super) async fn matching(session: &Session, filter: &Filter) -> Result<Vec<ContactRef>, Failure> {
    let limit = usize::try_from(PAGE_LIMIT_MAX).unwrap_or(usize::MAX);
    let (mut found, mut after) = (Vec::new(), None);
    for _ in 0..CRM_SNAPSHOT_PAGES_MAX {
        let search = Search { account: session.account(), filter: Some(filter), after, limit };
        let page = session.context.store.search(search, session.now()).await?;
        found.extend(page.contacts.iter().map(|contact| ContactRef::Id(contact.id)));
        after = page.next;
        if found.len() > CRM_MEMBERSHIPS_MAX {
            break;
        }
        if after.is_none() {
            return Ok(found);
        }
    }
    Err(Failure::invalid(format!(
        "processingType: a SNAPSHOT list is filled within its request, with at most {CRM_MEMBERSHIPS_MAX} contacts of an \
         account that is not too large; create a DYNAMIC list, or a MANUAL list and add its members"
    )))
}
