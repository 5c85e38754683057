//! Views of segments and of changes to their members.

use api::contacts::NamedContact;
use api::filter::FilterGroupView;
use serde::Serialize;
use store::{MembersReport, Segment};
use utoipa::ToSchema;

/// The result of the latest complete count of a segment.
#[derive(Serialize, ToSchema)]
#[schema(as = SegmentCount)]
pub(crate) struct CountView {
    /// The number of contacts.
    contacts: u64,
    /// The time of the count.
    #[schema(format = DateTime)]
    at: String,
}

/// A segment: a stored filter, or a static list of contacts.
#[derive(Serialize, ToSchema)]
#[schema(as = Segment)]
pub(crate) struct SegmentView {
    /// The segment's id.
    id: String,
    /// The display name.
    name: String,
    /// `filter` or `list`.
    r#type: &'static str,
    /// The filter, with the instants that its dates mean. A static list has none.
    #[serde(rename = "filterGroups", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    filter_groups: Option<Vec<FilterGroupView>>,
    /// The result of the latest preview or job that counted the segment. Reading a segment does not count it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_count: Option<CountView>,
    /// The time of creation.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time of the last change of the name or the filter.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl SegmentView {
    pub(crate) fn new(segment: &Segment) -> Self {
        Self {
            id: segment.id.to_string(),
            name: segment.name.clone(),
            r#type: if segment.filter.is_some() { "filter" } else { "list" },
            filter_groups: segment.filter.as_ref().map(FilterGroupView::all),
            last_count: segment.counted.map(|(contacts, at)| CountView { contacts, at: at.to_string() }),
            created_at: segment.created_at.to_string(),
            updated_at: segment.updated_at.to_string(),
        }
    }
}

/// A created segment, with the result for a list's first members.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedSegment)]
pub(crate) struct CreatedView {
    #[serde(flatten)]
    segment: SegmentView,
    /// The result for the first members of a static list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    members: Option<MembersView>,
}

impl CreatedView {
    pub(crate) fn new(segment: &Segment, report: &MembersReport, contacts: &[NamedContact]) -> Self {
        let members = segment.filter.is_none().then(|| MembersView::new(report, contacts, &[]));
        Self { segment: SegmentView::new(segment), members }
    }
}

/// A contact of the request that does not exist.
#[derive(Serialize, ToSchema)]
#[schema(as = UnknownContact)]
struct UnknownView {
    /// The id in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The address in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
}

/// The result of a change to the members of a static list.
#[derive(Serialize, ToSchema)]
#[schema(as = MembersChange)]
pub(crate) struct MembersView {
    /// The number of contacts that became members.
    added: u64,
    /// The number of contacts to add that were members before.
    already_members: u64,
    /// The number of members that were removed.
    removed: u64,
    /// The number of contacts to remove that were no members.
    not_members: u64,
    /// The contacts of the request that do not exist. The others are added or removed all the same.
    not_found: Vec<UnknownView>,
}

impl MembersView {
    pub(crate) fn new(report: &MembersReport, add: &[NamedContact], remove: &[NamedContact]) -> Self {
        let named = |contacts: &[NamedContact], positions: &[usize]| {
            let found = positions.iter().filter_map(|position| contacts.get(*position));
            let view = |contact: &NamedContact| UnknownView {
                id: contact.given_id().map(str::to_owned),
                email: contact.given_email().map(str::to_owned),
            };
            found.map(view).collect::<Vec<_>>()
        };
        let mut not_found = named(add, &report.unknown_add);
        not_found.extend(named(remove, &report.unknown_remove));
        Self {
            added: report.added.len() as u64,
            already_members: report.already,
            removed: report.removed.len() as u64,
            not_members: report.absent,
            not_found,
        }
    }
}
