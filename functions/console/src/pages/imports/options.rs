//! The options of an import: as it has them, as a person chooses them, and as the API takes them.

use std::collections::BTreeMap;

use api::Problem;
use contact_files::{Delimiter, Encoding};
use domain::import::ImportMode;
use domain::limits::SEGMENTS_MAX;
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use store::{Import, Segment};

use crate::parts::{date_text, number};
use crate::request::Failure;
use crate::signed::Signed;
use crate::text::imports as words;
use crate::typed::Typed;

/// The options of an import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choices {
    pub(super) mode: ImportMode,
    pub(super) set_marketing: bool,
    /// The id of the list to which the contacts are added, or an empty text.
    pub(super) list: String,
    pub(super) automations: bool,
    pub(super) dry_run: bool,
    pub(super) clear_flags: bool,
    /// The encoding, or an empty text for the one that is found out.
    pub(super) encoding: String,
    /// The delimiter, likewise.
    pub(super) delimiter: String,
    /// The columns with a chosen target. `None` is a column that is left out.
    pub(super) mapping: BTreeMap<String, Option<String>>,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            mode: ImportMode::Both,
            set_marketing: false,
            list: String::new(),
            automations: true,
            dry_run: false,
            clear_flags: false,
            encoding: String::new(),
            delimiter: String::new(),
            mapping: BTreeMap::new(),
        }
    }
}

impl Choices {
    /// Returns the options that an import has.
    pub(super) fn of_import(import: &Import) -> Result<Self, Failure> {
        let reading = file_jobs::read_options(&import.reading);
        let reading = reading.map_err(|error| Failure::Problem(Problem::internal(error)))?;
        let terms = &import.terms;
        Ok(Self {
            mode: terms.mode,
            set_marketing: terms.set_marketing,
            list: terms.add_to_segment.map(|list| list.to_string()).unwrap_or_default(),
            automations: terms.automations,
            dry_run: terms.dry_run,
            clear_flags: reading.clear_flags,
            encoding: reading.encoding.map(Encoding::name).unwrap_or_default().to_owned(),
            delimiter: reading.delimiter.map(Delimiter::as_str).unwrap_or_default().to_owned(),
            mapping: reading.mapping.into_iter().map(|(column, target)| (column, target.into())).collect(),
        })
    }

    /// Returns the options in a form, without the mapping.
    pub(super) fn of_form(typed: &Typed) -> Self {
        // A tab is a value of the list, so spaces at the ends count.
        let delimiter = typed.all("delimiter").next().unwrap_or_default();
        Self {
            mode: typed.get("mode").parse().unwrap_or(ImportMode::Both),
            set_marketing: typed.has("marketing"),
            list: typed.get("list").to_owned(),
            automations: !typed.has("without_automations"),
            dry_run: typed.has("dry_run"),
            clear_flags: typed.has("clear_flags"),
            encoding: typed.get("encoding").to_owned(),
            delimiter: delimiter.to_owned(),
            mapping: BTreeMap::new(),
        }
    }

    /// Returns the options as the API takes them.
    pub(super) fn json(&self) -> Value {
        let mut options = Map::new();
        let mut set = |name: &str, value: Value| options.insert(name.to_owned(), value);
        set("mode", json!(self.mode.as_str()));
        set("set_marketing", json!(self.set_marketing));
        set("automations", json!(self.automations));
        set("dry_run", json!(self.dry_run));
        set("clear_flags", json!(self.clear_flags));
        set("mapping", json!(self.mapping));
        for (name, value) in
            [("add_to_segment", &self.list), ("encoding", &self.encoding), ("delimiter", &self.delimiter)]
        {
            if !value.is_empty() {
                set(name, json!(value));
            }
        }
        Value::Object(options)
    }
}

/// Returns the static lists, to which an import can add its contacts.
pub(super) async fn lists(signed: &Signed) -> Result<Vec<Segment>, Failure> {
    let listed = signed.store().segments(signed.account.id, None, SEGMENTS_MAX).await?.items;
    Ok(listed.into_iter().filter(|segment| segment.filter.is_none()).collect())
}

/// Returns the fields of the rules for the contacts.
pub(super) fn fields(signed: &Signed, choices: &Choices, lists: &[Segment]) -> Markup {
    html! {
        div class="field" {
            label for="mode" { (words::MODE) }
            select id="mode" name="mode" class="w-l" {
                @for mode in ImportMode::ALL {
                    option value=(mode) selected[*mode == choices.mode] { (words::mode(*mode)) }
                }
            }
        }
        div class="field" {
            label for="list" { (words::LIST) }
            select id="list" name="list" class="w-l" {
                option value="" { (words::NO_LIST) }
                @for list in lists {
                    @let id = list.id.to_string();
                    option value=(id) selected[id == choices.list] { (list.name) }
                }
            }
        }
        @if signed.may_edit() && signed.period().marketing_contacts {
            (check("marketing", words::SET_MARKETING, &if_set(signed), choices.set_marketing))
        }
        (check("without_automations", words::WITHOUT_AUTOMATIONS, words::WITHOUT_AUTOMATIONS_HINT,
            !choices.automations))
        (check("clear_flags", words::CLEAR_FLAGS, words::CLEAR_FLAGS_HINT, choices.clear_flags))
        (check("dry_run", words::DRY_RUN, words::DRY_RUN_HINT, choices.dry_run))
    }
}

fn if_set(signed: &Signed) -> String {
    let period = signed.period();
    let usage =
        [period.marketing, period.tier.limit_for(period.marketing)].map(|count| number(signed, count));
    words::if_set(&usage, &date_text(signed, period.ends_at))
}

fn check(name: &str, label: &str, hint: &str, is_on: bool) -> Markup {
    let id = format!("{name}-h");
    html! {
        div class="field" {
            label class="check" {
                input type="checkbox" name=(name) value="true" checked[is_on] aria-describedby=(id);
                (label)
            }
            p class="hint quiet" id=(id) { (hint) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_has_safe_defaults_and_keeps_a_tab() {
        assert_eq!(Choices::of_form(&Typed::default()), Choices::default());
        let typed =
            Typed::parse(b"delimiter=%09&marketing=true&without_automations=true&mode=update&list=seg_1");
        let options = Choices::of_form(&typed).json();
        let expected = json!({
            "mode": "update", "set_marketing": true, "automations": false, "dry_run": false, "clear_flags": false,
            "mapping": {}, "add_to_segment": "seg_1", "delimiter": "\t",
        });
        assert_eq!(options, expected);
    }
}
