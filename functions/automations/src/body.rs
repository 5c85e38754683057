//! Bodies of requests about automations.

use std::collections::BTreeSet;

use api::contacts::{NamedContact, references};
use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::filter::{FILTER_GROUPS, filter_groups};
use api::parse::{Parser, boolean, list, name, nested, parsed, variant, whole};
use domain::automation::Trigger;
use domain::decision::Command;
use domain::ids::{FormId, SegmentId};
use domain::limits::{AUTOMATION_FORMS_MAX, AUTOMATION_TEST_MAX, USAGE_MAX};
use domain::patch::Patch;
use domain::string_enum::string_enum;
use store::{ContactRef, NewAutomation, UpdateAutomation, Waiting};

/// The changes that enrol a contact.
struct EnrolBody(Trigger);

impl FromFields for EnrolBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let one = fields.exactly_one(&[FILTER_GROUPS, "form_ids", "segment_id"]);
        let filter = fields.optional(FILTER_GROUPS, filter_groups());
        let forms = list(1..=AUTOMATION_FORMS_MAX, parsed::<FormId>()).about(
            "Submissions of these forms enrol. The first submission of a contact enrols it, and a later one only with \
             `re_enrol`. A repeated delivery never does.",
        );
        let forms = fields.optional("form_ids", forms);
        let segment = parsed::<SegmentId>().about(
            "A contact is enrolled when it comes to match the segment's filter, or is added to the static list.",
        );
        let segment = fields.optional("segment_id", segment);
        one?;
        let trigger = match (filter?, forms?, segment?) {
            (Some(filter), ..) => Trigger::Filter(filter),
            (_, Some(forms), _) => Trigger::Forms(forms.into_iter().collect::<BTreeSet<_>>()),
            (.., Some(segment)) => Trigger::Segment(segment),
            // Exactly one is present, so this is never reached.
            _ => return fields.reject("segment_id", "is required"),
        };
        Ok(Self(trigger))
    }
}

documented! { EnrolBody as "Enrol": "The changes that enrol a contact. With a filter, a contact is enrolled when a change \
makes it match and it did not match before." }

fn display_name() -> impl Parser<Output = String> {
    name().about("The display name, which the histories of the contacts show.")
}

fn enrol() -> impl Parser<Output = EnrolBody> {
    nested::<EnrolBody>().about("The changes that enrol a contact.")
}

fn action() -> impl Parser<Output = Command> {
    variant::<Command>().about("The command for each enrolled contact.")
}

fn re_enrol() -> impl Parser<Output = bool> {
    boolean().about("True if a contact is enrolled again each time that it comes back.").default_value(false)
}

fn max_per_day() -> impl Parser<Output = u64> {
    whole(1..=USAGE_MAX).about(
        "The maximum number of contacts that are set, kept or queued on one day of the account's calendar. Further \
         contacts wait for the next day, in order. Without it there is no maximum.",
    )
}

fn pause_above() -> impl Parser<Output = u64> {
    whole(1..=USAGE_MAX).about(
        "The number of contacts within the last hour above which the automation is paused. The contacts that wait are \
         kept until it is resumed. Without it there is no brake.",
    )
}

fn enabled() -> impl Parser<Output = bool> {
    boolean().about("True if the automation works. Changes while it is disabled are not caught up.")
}

/// Reads the confirmed number of existing contacts to enrol. `enables` is true if the request enables the automation.
fn existing(fields: &mut impl Fields, enables: bool) -> Result<Option<u64>, Reported> {
    let enrol = boolean().about(
        "True to enrol the contacts that match now as well. It is allowed with a request that enables the automation.",
    );
    let enrol = fields.optional("enrol_existing", enrol.default_value(false));
    let count = whole(0..=USAGE_MAX).about(
        "The number of contacts that match now, as the caller has confirmed it. It is required with `enrol_existing`.",
    );
    let count = fields.optional("confirm_count", count);
    match (enrol?.unwrap_or(false), count?) {
        (true, None) => fields.reject("confirm_count", "is required with enrol_existing"),
        (true, Some(_)) if !enables => {
            fields.reject("enrol_existing", "is allowed only with a request that enables the automation")
        }
        (false, Some(_)) => fields.reject("confirm_count", "is allowed only with enrol_existing"),
        (_, count) => Ok(count),
    }
}

/// An automation to create.
pub(crate) struct NewAutomationBody(pub(crate) NewAutomation);

impl FromFields for NewAutomationBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.required("name", display_name());
        let enabled = fields.optional("enabled", enabled().default_value(false));
        let enrol = fields.required("enrol", enrol());
        let re_enrol = fields.optional("re_enrol", re_enrol());
        let action = fields.required("action", action());
        let max_per_day = fields.nullable("max_per_day", max_per_day());
        let pause_above = fields.nullable("pause_above", pause_above());
        // An unreadable value has an error of its own.
        let enables = !matches!(enabled, Ok(Some(false) | None));
        let enrol_existing = existing(fields, enables);
        let EnrolBody(trigger) = enrol?;
        let automation = NewAutomation {
            name: name?,
            trigger,
            action: action?,
            re_enrol: re_enrol?.unwrap_or(false),
            max_per_day: max_per_day?.initial(),
            pause_above: pause_above?.initial(),
            enabled: enabled?.unwrap_or(false),
            enrol_existing: enrol_existing?,
        };
        Ok(Self(automation))
    }
}

documented! { NewAutomationBody as "NewAutomation": "An automation to create." }

/// A change of an automation.
pub(crate) struct UpdateAutomationBody(pub(crate) UpdateAutomation);

impl FromFields for UpdateAutomationBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", display_name());
        let enabled = fields.optional("enabled", enabled());
        let enrol = fields.optional("enrol", enrol());
        let re_enrol = fields.optional("re_enrol", re_enrol());
        let action = fields.optional("action", action());
        let max_per_day: Result<Patch<u64>, _> = fields.nullable("max_per_day", max_per_day());
        let pause_above = fields.nullable("pause_above", pause_above());
        // An unreadable value has an error of its own.
        let enables = !matches!(enabled, Ok(Some(false) | None));
        let enrol_existing = existing(fields, enables);
        let change = UpdateAutomation {
            name: name?,
            trigger: enrol?.map(|EnrolBody(trigger)| trigger),
            action: action?,
            re_enrol: re_enrol?,
            max_per_day: max_per_day?,
            pause_above: pause_above?,
            enabled: enabled?,
            enrol_existing: enrol_existing?,
        };
        Ok(Self(change))
    }
}

documented! { UpdateAutomationBody as "UpdateAutomation": "A change of an automation. Fields that are left out do not \
change." }

string_enum! {
    /// The treatment of contacts that wait.
    enum WaitingText {
        /// They have their turn.
        Keep = "keep",
        /// They are dropped.
        Drop = "drop",
    }
}

/// The resumption of a paused automation.
pub(crate) struct ResumeBody {
    pub(crate) waiting: Waiting,
}

impl FromFields for ResumeBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let waiting = variant::<WaitingText>()
            .about("`keep` lets the contacts that wait have their turn, and `drop` drops them.");
        Ok(Self {
            waiting: match fields.required("waiting", waiting)? {
                WaitingText::Keep => Waiting::Keep,
                WaitingText::Drop => Waiting::Drop,
            },
        })
    }
}

documented! { ResumeBody as "ResumeAutomation": "The resumption of a paused automation." }

/// A test of an automation.
pub(crate) struct TestBody {
    pub(crate) contacts: Vec<ContactRef>,
}

impl FromFields for TestBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let contacts = list(0..=AUTOMATION_TEST_MAX, nested::<NamedContact>());
        let contacts = fields.optional("contacts", contacts.about("The contacts to test, by id or address."));
        Ok(Self { contacts: references(&contacts?.unwrap_or_default()) })
    }
}

documented! { TestBody as "TestAutomation": "A test of an automation, which changes nothing." }

#[cfg(test)]
mod tests {
    use api::reading::{read, wrong};
    use serde_json::json;

    use super::*;

    #[test]
    fn trigger_is_exactly_one_of_three_kinds() {
        let body = |enrol| json!({"name": "a", "action": "set-marketing", "enrol": enrol});
        for enrol in [
            json!({"filterGroups": []}),
            json!({"form_ids": ["frm_01k0000000000000000000000a"]}),
            json!({"segment_id": "seg_01k0000000000000000000000a"}),
        ] {
            assert!(read::<NewAutomationBody>(&body(enrol)).is_ok());
        }
        for enrol in [json!({}), json!({"form_ids": []}), json!({"filterGroups": [], "segment_id": "x"})] {
            assert!(!wrong::<NewAutomationBody>(&body(enrol)).is_empty());
        }
    }

    #[test]
    fn budget_and_brake_of_zero_are_refused() {
        let body = json!({"name": "a", "action": "set-marketing", "enrol": {"filterGroups": []},
                          "max_per_day": 0, "pause_above": 0});
        assert_eq!(wrong::<NewAutomationBody>(&body), ["max_per_day", "pause_above"]);
        assert_eq!(wrong::<UpdateAutomationBody>(&json!({"max_per_day": 0})), ["max_per_day"]);
        let body: UpdateAutomationBody = read(&json!({"max_per_day": null})).unwrap();
        assert_eq!(body.0.max_per_day, Patch::Remove);
    }

    #[test]
    fn existing_contacts_need_a_number_and_an_enabled_automation() {
        let body = |more: serde_json::Value| {
            let mut body = json!({"name": "a", "action": "set-marketing", "enrol": {"filterGroups": []}});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let fine = body(json!({"enabled": true, "enrol_existing": true, "confirm_count": 3}));
        assert_eq!(read::<NewAutomationBody>(&fine).unwrap().0.enrol_existing, Some(3));
        for (more, field) in [
            (json!({"enabled": true, "enrol_existing": true}), "confirm_count"),
            (json!({"enrol_existing": true, "confirm_count": 3}), "enrol_existing"),
            (json!({"enabled": true, "confirm_count": 3}), "confirm_count"),
        ] {
            assert_eq!(wrong::<NewAutomationBody>(&body(more)), [field]);
        }
    }
}
