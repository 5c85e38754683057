//! Bodies of requests: the command, the selected contacts and the confirmed number.

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::parse::{Parser, boolean, nested, variant, whole};
use api::selection::SelectionBody;
use domain::decision::Command;
use domain::limits::USAGE_MAX;
use domain::permission::Principal;
use store::{BulkRequest, Review, Selected, Selection, Target};

fn action() -> impl Parser<Output = Command> {
    variant::<Command>().about("The command for each contact.")
}

fn selection() -> impl Parser<Output = SelectionBody> {
    nested::<SelectionBody>().about("The contacts.")
}

/// A command to preview.
pub(crate) struct PreviewBody {
    command: Command,
    selected: Selected,
}

impl FromFields for PreviewBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let command = fields.required("action", action());
        let selection = fields.required("selection", selection());
        let SelectionBody(selected) = selection?;
        Ok(Self { command: command?, selected })
    }
}

documented! { PreviewBody as "BulkChange": "A command for selected contacts." }

impl PreviewBody {
    /// Returns the request to the store.
    pub(crate) fn request(&self, principal: &Principal) -> BulkRequest {
        request(principal, self.command, Target::Selected(self.selected.clone()), None)
    }
}

/// The contacts that a review proposes.
#[derive(Clone)]
pub(crate) struct ReviewBody(Review);

impl FromFields for ReviewBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let unengaged = nested::<Unengaged>().about(
            "The unengaged contacts that are proposed. If it is `null` or left out, this step is skipped.",
        );
        let unengaged = fields.nullable("unengaged", unengaged);
        let selection = nested::<SelectionBody>()
            .about("Further contacts that are proposed. If it is `null` or left out, this step is skipped.");
        let selection = fields.nullable("selection", selection);
        let unengaged = unengaged?.initial().unwrap_or(Unengaged { unsubscribed: false, bounced: false });
        Ok(Self(Review {
            unsubscribed: unengaged.unsubscribed,
            bounced: unengaged.bounced,
            selected: selection?.initial().map(|SelectionBody(selected)| selected),
        }))
    }
}

documented! { ReviewBody as "Review": "The contacts that a review proposes to queue. Only marketing contacts that are \
not leaving are proposed." }

impl ReviewBody {
    /// Returns the request to the store. A review only queues.
    pub(crate) fn request(&self, principal: &Principal) -> BulkRequest {
        request(principal, Command::SetNonMarketingPending, Target::Review(self.0.clone()), None)
    }
}

/// The kinds of unengaged contacts that a review proposes.
struct Unengaged {
    unsubscribed: bool,
    bounced: bool,
}

impl FromFields for Unengaged {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let unsubscribed = boolean().about("Proposes unsubscribed contacts.").default_value(true);
        let unsubscribed = fields.optional("unsubscribed", unsubscribed);
        let bounced = boolean().about("Proposes contacts that have bounced.").default_value(true);
        let bounced = fields.optional("bounced", bounced);
        Ok(Self { unsubscribed: unsubscribed?.unwrap_or(true), bounced: bounced?.unwrap_or(true) })
    }
}

documented! { Unengaged as "Unengaged": "The kinds of unengaged contacts that a review proposes." }

/// A job to create.
pub(crate) struct JobBody {
    command: Command,
    target: Target,
    confirm_count: Option<u64>,
}

impl FromFields for JobBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let one = fields.exactly_one(&["selection", "review"]);
        let command = fields.required("action", action());
        let selection = fields.optional("selection", selection());
        let review = nested::<ReviewBody>().about("The same review as in `POST /v1/review`.");
        let review = fields.optional("review", review);
        let confirm_count = whole(0..=USAGE_MAX).about(
            "The number of contacts that match, as the caller has confirmed it. It is required unless `selection` \
             lists `contacts`.",
        );
        let confirm_count = fields.optional("confirm_count", confirm_count);
        one?;
        let (command, confirm_count) = (command?, confirm_count?);
        let target = match (selection?, review?) {
            (Some(SelectionBody(selected)), _) => Target::Selected(selected),
            (None, Some(ReviewBody(_))) if command == Command::SetMarketing => {
                return fields.reject("action", "expected set-non-marketing-pending: a review only queues");
            }
            (None, Some(ReviewBody(review))) => Target::Review(review),
            // Exactly one is present, so this is never reached.
            (None, None) => return fields.reject("selection", "is required"),
        };
        let names = matches!(&target, Target::Selected(Selected { by: Selection::Contacts(_), .. }));
        if confirm_count.is_none() && !names {
            return fields.reject("confirm_count", "is required: the number of contacts that match");
        }
        Ok(Self { command, target, confirm_count })
    }
}

documented! { JobBody as "NewBulkJob": "A command for many contacts, with the confirmed number of contacts." }

impl JobBody {
    /// Returns the request to the store.
    pub(crate) fn request(&self, principal: &Principal) -> BulkRequest {
        request(principal, self.command, self.target.clone(), self.confirm_count)
    }
}

fn request(
    principal: &Principal,
    command: Command,
    target: Target,
    confirm_count: Option<u64>,
) -> BulkRequest {
    BulkRequest { account: principal.account, command, target, confirm_count, actor: principal.actor() }
}

#[cfg(test)]
mod tests {
    use api::reading::{read, wrong};
    use serde_json::json;

    use super::*;

    #[test]
    fn selection_is_exactly_one_of_four_kinds() {
        let filter = json!({"filterGroups": []});
        for selection in [
            json!({"contacts": [{"id": "1"}]}),
            filter.clone(),
            json!({"segment_id": "seg_01k0000000000000000000000a"}),
            json!({"job_id": "job_01k0000000000000000000000a", "except": ["1", "x"]}),
        ] {
            let body = json!({"action": "set-marketing", "selection": selection});
            assert!(read::<PreviewBody>(&body).is_ok(), "{body}");
        }
        for selection in [
            json!({}),
            json!(null),
            json!([]),
            json!({"contacts": []}),
            json!({"except": ["1"]}),
            json!({"filterGroups": [{"filters": []}]}),
            json!({"filterGroups": [], "contacts": [{"id": "1"}]}),
            json!({"filterGroups": [], "limit": 50}),
            json!({"filterGroups": [], "after": "x"}),
            json!({"segment_id": "1"}),
        ] {
            let body = json!({"action": "set-marketing", "selection": selection});
            assert!(!wrong::<PreviewBody>(&body).is_empty(), "{body}");
        }
        assert_eq!(wrong::<PreviewBody>(&json!({"action": "x", "selection": {}})), ["action", "selection"]);
    }

    #[test]
    fn job_needs_a_confirmed_number_unless_contacts_are_named() {
        let all = json!({"action": "set-marketing", "selection": {"filterGroups": []}});
        assert_eq!(wrong::<JobBody>(&all), ["confirm_count"]);
        let named = json!({"action": "set-marketing", "selection": {"contacts": [{"id": "1"}]}});
        assert!(read::<JobBody>(&named).is_ok());
        let review = json!({"action": "set-marketing", "review": {"unengaged": {}}, "confirm_count": 0});
        assert_eq!(wrong::<JobBody>(&review), ["action"]);
        let review = json!({"action": "set-non-marketing-pending", "review": {"unengaged": null}});
        assert_eq!(wrong::<JobBody>(&review), ["confirm_count"]);
    }

    #[test]
    fn review_proposes_all_unengaged_contacts_by_default() {
        let ReviewBody(review) = read(&json!({"unengaged": {}})).unwrap();
        assert!(review.unsubscribed && review.bounced && review.selected.is_none());
        let ReviewBody(review) = read(&json!({"unengaged": {"bounced": false}, "selection": null})).unwrap();
        assert!(review.unsubscribed && !review.bounced);
        for skipped in [json!({}), json!({"unengaged": null})] {
            let ReviewBody(review) = read(&skipped).unwrap();
            assert!(!review.unsubscribed && !review.bounced);
        }
    }
}
