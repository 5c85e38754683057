//! The settings of a form that can be edited.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::fields::{Control, Field};
use super::form::{Back, Part};
use super::view::{View, page_of};
use crate::parts::key;
use crate::request::Refusal;
use crate::signed::Signed;
use crate::text::forms as words;
use crate::typed::Typed;

/// The settings that a form has when it is created, too.
pub(super) const NAME: &str = "name";
pub(super) const BUDGET: &str = "max_new_marketing_per_day";
pub(super) const ORIGINS: &str = "allowed_origins";
pub(super) const REDIRECT: &str = "redirect_url";

const MAY_RAISE_TIER: &str = "may_raise_tier";
const OVERWRITE: &str = "overwrite";
const ANSWER: &str = "answer";

/// All settings on the page of a form.
pub(super) const SHOWN: [&str; 7] = [NAME, BUDGET, ORIGINS, REDIRECT, MAY_RAISE_TIER, OVERWRITE, ANSWER];

/// Returns the section with the settings.
pub(super) fn section(signed: &Signed, view: &View, back: Option<&Back>) -> Markup {
    let back = back.filter(|back| back.part == Part::Settings);
    let refusal = back.and_then(|back| back.refusal.as_ref());
    let typed = back.map(|back| &back.typed);
    html! {
        section aria-labelledby="settings" {
            h2 id="settings" { (words::SETTINGS) }
            @if !view.may_widen(signed) { p class="quiet" { (words::SETTINGS_NARROWER) } }
            form method="post" action=(page_of(view.id)) class="gap" {
                (key(signed))
                (name(&value(view, typed, NAME), refusal))
                (budget(&value(view, typed, BUDGET), refusal))
                (may_raise_tier(signed, &value(view, typed, MAY_RAISE_TIER), refusal))
                (overwrite(&value(view, typed, OVERWRITE), refusal))
                @if view.provider().is_native() {
                    (answer(&value(view, typed, ANSWER), refusal))
                    (origins(&value(view, typed, ORIGINS), refusal))
                    (redirect(&value(view, typed, REDIRECT), refusal))
                }
                div class="row" { button { (words::SAVE_SETTINGS) } }
            }
        }
    }
}

/// Returns a setting as the person typed it, or else as it is.
fn value(view: &View, typed: Option<&Typed>, name: &str) -> String {
    if let Some(typed) = typed {
        return typed.get(name).to_owned();
    }
    match name {
        BUDGET => view.number(name).map(|number| number.to_string()).unwrap_or_default(),
        MAY_RAISE_TIER => view.flag(name).map(|flag| flag.to_string()).unwrap_or_default(),
        ORIGINS => view.list(name).collect::<Vec<_>>().join("\n"),
        _ => view.text(name).to_owned(),
    }
}

pub(super) fn name(value: &str, refusal: Option<&Refusal>) -> Markup {
    Field::new(NAME, words::NAME, refusal).hint(words::NAME_HINT).show(&Control::Required(value))
}

pub(super) fn budget(value: &str, refusal: Option<&Refusal>) -> Markup {
    Field::new(BUDGET, words::BUDGET, refusal).hint(words::BUDGET_HINT).show(&Control::Digits(value))
}

pub(super) fn origins(value: &str, refusal: Option<&Refusal>) -> Markup {
    Field::new(ORIGINS, words::ORIGINS, refusal).hint(words::ORIGINS_HINT).show(&Control::Lines(value))
}

pub(super) fn redirect(value: &str, refusal: Option<&Refusal>) -> Markup {
    Field::new(REDIRECT, words::REDIRECT, refusal).hint(words::REDIRECT_HINT).show(&Control::Address(value))
}

fn may_raise_tier(signed: &Signed, value: &str, refusal: Option<&Refusal>) -> Markup {
    let choices = vec![
        ("", words::tier_default(signed.period().forms_may_raise_tier)),
        ("true", words::YES.to_owned()),
        ("false", words::NO.to_owned()),
    ];
    let field = Field::new(MAY_RAISE_TIER, words::MAY_RAISE_TIER, refusal);
    field.hint(words::MAY_RAISE_TIER_HINT).show(&Control::Choice(choices, value))
}

fn overwrite(value: &str, refusal: Option<&Refusal>) -> Markup {
    Field::new(OVERWRITE, words::OVERWRITE, refusal).show(&choice(&words::OVERWRITES, value))
}

fn answer(value: &str, refusal: Option<&Refusal>) -> Markup {
    let field = Field::new(ANSWER, words::ANSWER, refusal);
    field.hint(words::ANSWER_HINT).show(&choice(&words::ANSWERS, value))
}

fn choice<'a>(choices: &[(&'a str, &str)], selected: &'a str) -> Control<'a> {
    Control::Choice(choices.iter().map(|&(value, name)| (value, name.to_owned())).collect(), selected)
}

/// Returns the change of all settings.
pub(super) fn change(typed: &Typed, is_native: bool) -> Value {
    let may_raise_tier = match typed.get(MAY_RAISE_TIER) {
        "" => Value::Null,
        "true" => json!(true),
        "false" => json!(false),
        other => json!(other),
    };
    let mut change = Map::new();
    let mut set = |name: &str, value: Value| change.insert(name.to_owned(), value);
    set(NAME, json!(typed.get(NAME)));
    set(BUDGET, whole(typed.get(BUDGET)));
    set(MAY_RAISE_TIER, may_raise_tier);
    set(OVERWRITE, json!(typed.get(OVERWRITE)));
    if is_native {
        set(ANSWER, json!(typed.get(ANSWER)));
        set(ORIGINS, lines(typed.get(ORIGINS)));
        set(REDIRECT, typed.filled(REDIRECT).map_or(Value::Null, |url| json!(url)));
    }
    Value::Object(change)
}

/// Returns a number, or nothing for an empty text. Any other text stays one, for which the API has a message.
pub(super) fn whole(text: &str) -> Value {
    match text.parse::<u64>() {
        Ok(number) => json!(number),
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => json!(text),
    }
}

/// Returns the lines that are not empty.
pub(super) fn lines(text: &str) -> Value {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_settings_are_removed_and_wrong_ones_are_kept() {
        let typed = Typed::parse(
            b"name=News&max_new_marketing_per_day=&may_raise_tier=&overwrite=never&answer=full\
              &allowed_origins=+https%3A%2F%2Fa.example%0D%0A%0D%0Anot+one&redirect_url=",
        );
        let expected = json!({
            "name": "News", "max_new_marketing_per_day": null, "may_raise_tier": null, "overwrite": "never",
            "answer": "full", "allowed_origins": ["https://a.example", "not one"], "redirect_url": null,
        });
        assert_eq!(change(&typed, true), expected);
        assert_eq!(change(&typed, false).as_object().unwrap().len(), 4, "a provider posts from no page");
        assert_eq!(["12", "1,200", "-1"].map(whole), [json!(12), json!("1,200"), json!("-1")]);
    }
}
