//! The contacts that a bulk job selects, as they were confirmed.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::contact::Contact;
use domain::filter::{Access, Condition, Filter};
use domain::ids::{AccountId, ContactId, JobId, SegmentId};
use domain::limits::SELECTION_NAME_CHARS_MAX;
use domain::marketing::EffectiveState;

use super::{Review, Selected, Selection, Target};
use crate::items::{BulkDefinitionItem, BulkJobItem, FilterText, Items, PartItem, SegmentItem, unreadable};
use crate::job_state::{JobKind, SelectionKind};
use crate::keys::Key;
use crate::operation::Operation;
use crate::{Refused, StoreError};

/// A resolved selection. A contact is selected by any part, if it has the required state and is no exception.
#[derive(Clone)]
pub(crate) struct Audience {
    pub(crate) any_of: Vec<Part>,
    /// The state that a selected contact must have.
    pub(crate) state: Option<EffectiveState>,
    /// True if all contacts are read, because their number is reported as well.
    pub(crate) counts_all: bool,
    pub(crate) except: BTreeSet<ContactId>,
    /// The last contact that can be selected. A later one was created after the request, and a job could otherwise
    /// follow new contacts without an end.
    pub(crate) until: ContactId,
}

/// One part of a selection.
#[derive(Clone)]
pub(crate) enum Part {
    Filter(Filter),
    List(SegmentId),
    /// The contacts that a bulk job changed and that no other command has changed since. The text is the job's id.
    ChangedBy(String),
    Contacts(BTreeSet<ContactId>),
}

/// A contact's memberships in the static lists of an audience, each with the contact's time of creation.
pub(crate) type Memberships = Vec<(SegmentId, Timestamp)>;

/// A resolved target: the audience, and its description.
#[derive(Clone)]
pub(crate) struct Resolved {
    pub(crate) audience: Audience,
    pub(crate) kind: SelectionKind,
    /// The id of the selected segment or job.
    pub(crate) selected: Option<String>,
    /// A short description for people.
    pub(crate) name: String,
}

impl Audience {
    /// Returns true if a settled contact is selected.
    pub(crate) fn selects(&self, contact: &Contact, lists: &Memberships) -> bool {
        contact.id <= self.until
            && self.state.is_none_or(|state| contact.state() == state)
            && self.any_of.iter().any(|part| part.selects(contact, lists))
            && !self.except.contains(&contact.id)
    }

    /// Returns how few contacts have to be read. `None` if all have to be read.
    pub(crate) fn access(&self) -> Option<Access> {
        match self.any_of.as_slice() {
            [part] if !self.counts_all => Some(part.access()),
            _ => None,
        }
    }

    /// Returns a filter for exactly the selected contacts, if there is one. One for more contacts would not do,
    /// because people act on all that it selects.
    pub(crate) fn filter(&self) -> Option<Filter> {
        let among = |operator: &str, ids: &BTreeSet<ContactId>| {
            let ids: Vec<String> = ids.iter().map(ContactId::to_string).collect();
            Condition::new("hs_object_id", operator, None, Some(&ids), None).ok()
        };
        let mut groups = match (self.any_of.as_slice(), self.state) {
            ([Part::Filter(filter)], None) => filter.groups().to_vec(),
            ([Part::Contacts(ids)], None) => vec![vec![among("IN", ids)?]],
            _ => return None,
        };
        if groups.is_empty() {
            groups.push(Vec::new());
        }
        let until = Condition::new("hs_object_id", "LTE", Some(&self.until.to_string()), None, None).ok()?;
        for group in &mut groups {
            group.push(until.clone());
            if !self.except.is_empty() {
                group.push(among("NOT_IN", &self.except)?);
            }
        }
        Filter::new(groups).ok()
    }

    /// Returns the static lists of the parts.
    pub(crate) fn lists(&self) -> impl Iterator<Item = SegmentId> {
        self.any_of.iter().filter_map(|part| match part {
            Part::List(segment) => Some(*segment),
            Part::Filter(_) | Part::ChangedBy(_) | Part::Contacts(_) => None,
        })
    }

    /// Returns the item that stores the audience with a job.
    pub(crate) fn to_item(&self) -> Result<BulkDefinitionItem, StoreError> {
        let texts = |ids: &BTreeSet<ContactId>| ids.iter().map(ContactId::to_string).collect();
        let part = |part: &Part| {
            Ok(match part {
                Part::Filter(filter) => PartItem::Filter(FilterText::of(filter)?),
                Part::List(segment) => PartItem::List(*segment),
                Part::ChangedBy(job) => PartItem::ChangedBy(parse_job(job)?),
                Part::Contacts(ids) => PartItem::Contacts(texts(ids)),
            })
        };
        Ok(BulkDefinitionItem {
            any_of: self.any_of.iter().map(part).collect::<Result<_, StoreError>>()?,
            state: self.state,
            counts_all: self.counts_all,
            except: texts(&self.except),
            until: self.until,
            expires_at: None,
        })
    }

    /// Returns the audience of a stored job.
    pub(crate) fn of_item(item: BulkDefinitionItem) -> Result<Self, StoreError> {
        let part = |part: PartItem| {
            Ok(match part {
                PartItem::Filter(text) => Part::Filter(text.filter()?),
                PartItem::List(segment) => Part::List(segment),
                PartItem::ChangedBy(job) => Part::ChangedBy(job.to_string()),
                PartItem::Contacts(ids) => Part::Contacts(parse_contacts(&ids)?),
            })
        };
        Ok(Self {
            any_of: item.any_of.into_iter().map(part).collect::<Result<_, StoreError>>()?,
            state: item.state,
            counts_all: item.counts_all,
            except: parse_contacts(&item.except)?,
            until: item.until,
        })
    }
}

impl Part {
    fn selects(&self, contact: &Contact, lists: &Memberships) -> bool {
        match self {
            Self::Filter(filter) => filter.matches(contact),
            Self::List(segment) => lists.contains(&(*segment, contact.created_at)),
            Self::ChangedBy(job) => contact.marketing.last_changed_by(job),
            Self::Contacts(ids) => ids.contains(&contact.id),
        }
    }

    /// Returns how few contacts have to be read for this part.
    fn access(&self) -> Access {
        match self {
            Self::Filter(filter) => filter.access(),
            Self::Contacts(ids) => Access::Keys { ids: ids.clone(), emails: Vec::new() },
            Self::List(_) | Self::ChangedBy(_) => Access::Range { from: None, to: None },
        }
    }
}

fn parse_job(text: &str) -> Result<JobId, StoreError> {
    text.parse().map_err(|_| unreadable::<BulkDefinitionItem>("job"))
}

fn parse_contacts(texts: &[String]) -> Result<BTreeSet<ContactId>, StoreError> {
    let parse = |text: &String| text.parse().map_err(|_| unreadable::<BulkDefinitionItem>("contact"));
    texts.iter().map(parse).collect()
}

impl Target {
    /// Returns the selection, which a review may lack.
    fn selected(&self) -> Option<&Selected> {
        match self {
            Self::Selected(selected) => Some(selected),
            Self::Review(review) => review.selected.as_ref(),
        }
    }

    /// Returns the keys of the items that the target refers to.
    pub(crate) fn keys(&self, account: AccountId) -> Vec<Key> {
        match self.selected().map(|selected| &selected.by) {
            Some(Selection::Segment(segment)) => vec![Key::segment(account, *segment)],
            Some(Selection::Job(job)) => vec![Key::bulk_job(account, *job)],
            Some(Selection::Contacts(_) | Selection::Filter(_)) | None => Vec::new(),
        }
    }

    /// Refuses a target whose segment or job is not among `items`, because it was deleted since it was resolved.
    pub(crate) fn check_exists(&self, account: AccountId, items: &Items) -> Result<(), Refused> {
        let is_there = self.keys(account).iter().all(|key| items.0.contains_key(key));
        match self.selected().map(|selected| &selected.by) {
            Some(Selection::Segment(_)) if !is_there => Err(no_segment()),
            Some(Selection::Job(_)) if !is_there => Err(no_job()),
            _ => Ok(()),
        }
    }
}

impl Operation<'_> {
    /// Resolves a target. `items` contains the items of [`Target::keys`].
    ///
    /// # Errors
    ///
    /// [`Refused::Invalid`] if there is no such segment or job.
    pub(crate) async fn resolve_target(
        &self,
        target: &Target,
        items: &mut Items,
    ) -> Result<Resolved, StoreError> {
        // All ids of contacts that exist now are below this one.
        let until = ContactId::new(self.wall_clock, u128::MAX);
        let mut resolved = match target.selected() {
            Some(selected) => self.resolve_selection(selected, until, items).await?,
            None => Resolved {
                audience: Audience {
                    any_of: Vec::new(),
                    state: None,
                    counts_all: false,
                    except: BTreeSet::new(),
                    until,
                },
                kind: SelectionKind::Review,
                selected: None,
                name: String::new(),
            },
        };
        if let Target::Review(review) = target {
            resolved.kind = SelectionKind::Review;
            "Review".clone_into(&mut resolved.name);
            resolved.audience.state = Some(EffectiveState::Marketing);
            resolved.audience.counts_all = true;
            resolved.audience.any_of.extend(review.unengaged().map(Part::Filter));
        }
        Ok(resolved)
    }

    async fn resolve_selection(
        &self,
        selected: &Selected,
        until: ContactId,
        items: &mut Items,
    ) -> Result<Resolved, StoreError> {
        let (part, kind, id, name) = match &selected.by {
            Selection::Contacts(refs) => {
                let ids = self.resolve(refs).await?.into_iter().flatten().collect();
                (Part::Contacts(ids), SelectionKind::Contacts, None, "Selected contacts".to_owned())
            }
            Selection::Filter(filter) => {
                (Part::Filter(filter.clone()), SelectionKind::Filter, None, "Filter".to_owned())
            }
            Selection::Segment(segment) => {
                let item = items.take::<SegmentItem>(&Key::segment(self.account, *segment))?;
                let item = item.ok_or_else(no_segment)?;
                let part = match &item.filter {
                    Some(filter) => Part::Filter(filter.filter()?),
                    None => Part::List(*segment),
                };
                (part, SelectionKind::Segment, Some(segment.to_string()), item.name)
            }
            Selection::Job(job) => {
                let item = items.take::<BulkJobItem>(&Key::bulk_job(self.account, *job))?;
                let item = item.filter(|item| item.kind == JobKind::Change);
                let item = item.ok_or_else(no_job)?;
                let name = format!("Changes of the job \"{}\"", item.name);
                (Part::ChangedBy(job.to_string()), SelectionKind::Job, Some(job.to_string()), name)
            }
        };
        let except = selected.except.clone();
        let audience = Audience { any_of: vec![part], state: None, counts_all: false, except, until };
        Ok(Resolved {
            audience,
            kind,
            selected: id,
            name: name.chars().take(SELECTION_NAME_CHARS_MAX).collect(),
        })
    }
}

fn no_segment() -> Refused {
    Refused::Invalid { field: "selection.segment_id", message: "expected the id of a segment".to_owned() }
}

fn no_job() -> Refused {
    let message = "expected the id of a job that changes contacts".to_owned();
    Refused::Invalid { field: "selection.job_id", message }
}

impl Review {
    /// Returns the filter for the proposed unengaged contacts. `None` if none are proposed.
    fn unengaged(&self) -> Option<Filter> {
        let conditions = [("unsubscribed", self.unsubscribed), ("bounced", self.bounced)];
        let groups = conditions.into_iter().filter(|(_, proposed)| *proposed);
        let groups = groups.filter_map(|(name, _)| {
            domain::filter::Condition::new(name, "EQ", Some("true"), None, None).ok()
        });
        let groups: Vec<_> = groups.map(|condition| vec![condition]).collect();
        if groups.is_empty() { None } else { Filter::new(groups).ok() }
    }
}

/// Returns true if a request names contacts one by one, so that it needs no confirmed number.
pub(crate) fn is_named(target: &Target) -> bool {
    matches!(target, Target::Selected(Selected { by: Selection::Contacts(_), .. }))
}
