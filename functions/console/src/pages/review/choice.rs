//! The contacts that a person chose in a review. The choice is in hidden fields of the forms.

use api::filter::FilterGroupView;
use domain::ids::SegmentId;
use domain::limits::FILTER_GROUPS_MAX;
use maud::{Markup, html};
use serde_json::{Value, json};
use store::{Refused, Segment, StoreError};

use crate::parts::number;
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::review as words;
use crate::typed::Typed;

/// The contacts that a person chose.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) unsubscribed: bool,
    pub(super) bounced: bool,
    pub(super) segments: Vec<SegmentId>,
}

/// The reason for which chosen segments can't be reviewed together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Misfit {
    /// A list and another segment.
    ListAndOthers,
    /// More groups of conditions than one filter may have.
    Groups(usize),
    /// A segment that does not exist any more.
    Gone,
}

impl Misfit {
    pub(super) fn sentence(self, signed: &Signed) -> String {
        let count = |count: usize| number(signed, u64::try_from(count).unwrap_or_default());
        match self {
            Self::ListAndOthers => words::LIST_ALONE.to_owned(),
            Self::Groups(groups) => words::too_many_groups(&count(groups), &count(FILTER_GROUPS_MAX)),
            Self::Gone => words::SEGMENT_GONE.to_owned(),
        }
    }
}

impl Choice {
    /// The choice with which a review begins: all unengaged contacts.
    pub(super) const PROPOSED: Self = Self { unsubscribed: true, bounced: true, segments: Vec::new() };

    /// Returns the choice in a posted form.
    pub(super) fn of(typed: &Typed) -> Self {
        let mut segments = Vec::new();
        for segment in typed.all("segment").filter_map(|id| id.parse().ok()) {
            if !segments.contains(&segment) {
                segments.push(segment);
            }
        }
        Self { unsubscribed: typed.has("unsubscribed"), bounced: typed.has("bounced"), segments }
    }

    /// Returns true if unengaged contacts are chosen.
    pub(super) fn has_unengaged(&self) -> bool {
        self.unsubscribed || self.bounced
    }

    /// Returns the hidden fields of the choice about unengaged contacts.
    pub(super) fn hidden_unengaged(&self) -> Markup {
        html! {
            @if self.unsubscribed { input type="hidden" name="unsubscribed" value="true"; }
            @if self.bounced { input type="hidden" name="bounced" value="true"; }
        }
    }

    /// Returns the hidden fields of chosen segments, except those that the page shows.
    pub(super) fn hidden_segments(&self, shown: &[Segment]) -> Markup {
        html! {
            @for id in self.elsewhere(shown) { input type="hidden" name="segment" value=(id); }
        }
    }

    /// Returns the chosen segments that are not shown.
    pub(super) fn elsewhere<'a>(&'a self, shown: &'a [Segment]) -> impl Iterator<Item = &'a SegmentId> {
        self.segments.iter().filter(|id| !shown.iter().any(|segment| segment.id == **id))
    }

    /// Reads the chosen segments. The inner error is a segment that does not exist any more.
    pub(super) async fn read(&self, signed: &Signed) -> Result<Result<Vec<Segment>, Misfit>, Failure> {
        // Each segment that can be joined has a group of conditions at least.
        if self.segments.len() > FILTER_GROUPS_MAX {
            return Ok(Err(Misfit::Groups(self.segments.len())));
        }
        let mut segments = Vec::new();
        for id in &self.segments {
            match signed.store().segment(signed.account.id, *id).await {
                Ok(segment) => segments.push(segment),
                Err(StoreError::Refused(Refused::NotFound(_))) => return Ok(Err(Misfit::Gone)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ok(segments))
    }

    /// Returns the review for the API.
    pub(super) fn review(&self, segments: &[Segment]) -> Result<Value, Misfit> {
        let unengaged = json!({"unsubscribed": self.unsubscribed, "bounced": self.bounced});
        let unengaged = if self.has_unengaged() { unengaged } else { Value::Null };
        Ok(json!({"unengaged": unengaged, "selection": selection(segments)?}))
    }
}

/// Returns the selection of all contacts in any of the segments. The API takes one segment or one filter, so several
/// segments become one filter with the groups of all.
fn selection(segments: &[Segment]) -> Result<Value, Misfit> {
    match segments {
        [] => return Ok(Value::Null),
        [segment] => return Ok(json!({"segment_id": segment.id.to_string()})),
        _ => {}
    }
    let mut groups = Vec::new();
    for segment in segments {
        let filter = segment.filter.as_ref().ok_or(Misfit::ListAndOthers)?;
        if filter.groups().is_empty() {
            // A filter without a group has all contacts.
            return Ok(json!({"filterGroups": []}));
        }
        groups.extend(FilterGroupView::all(filter));
    }
    if groups.len() > FILTER_GROUPS_MAX {
        return Err(Misfit::Groups(groups.len()));
    }
    Ok(json!({"filterGroups": groups}))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::filter::{Condition, Filter};

    use super::*;

    fn segment(groups: Option<usize>) -> Segment {
        let group =
            |city: usize| vec![Condition::new("city", "EQ", Some(&city.to_string()), None, None).unwrap()];
        Segment {
            id: SegmentId::new(Timestamp::MIN, 1),
            name: "Fair".into(),
            filter: groups.map(|groups| Filter::new((0..groups).map(group).collect()).unwrap()),
            members: 0,
            counted: None,
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
            version: 1,
        }
    }

    #[test]
    fn several_segments_are_joined_into_one_filter() {
        assert_eq!(selection(&[]), Ok(Value::Null));
        let alone = json!({"segment_id": SegmentId::new(Timestamp::MIN, 1).to_string()});
        assert_eq!(selection(&[segment(None)]), Ok(alone.clone()));
        assert_eq!(selection(&[segment(Some(2))]), Ok(alone));
        let joined = selection(&[segment(Some(2)), segment(Some(3))]).unwrap();
        assert_eq!(joined["filterGroups"].as_array().map(Vec::len), Some(5));
        let all = json!({"filterGroups": []});
        assert_eq!(selection(&[segment(Some(2)), segment(Some(0))]), Ok(all));
    }

    #[test]
    fn segments_that_no_filter_can_join_are_refused() {
        assert_eq!(selection(&[segment(Some(1)), segment(None)]), Err(Misfit::ListAndOthers));
        assert_eq!(selection(&[segment(Some(6)), segment(Some(5))]), Err(Misfit::Groups(11)));
    }
}
