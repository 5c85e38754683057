//! The address of a form: the webhook and the secrets of a provider, or the HTML of an own form.

use domain::limits::FORM_SECRETS_MAX;
use maud::{Markup, html};

use super::fields::{Control, Field};
use super::form::{Back, Part};
use super::map::property_name;
use super::view::{View, page_of};
use crate::parts::key;
use crate::signed::Signed;
use crate::text::forms as words;

/// The field with a new secret.
pub(super) const SECRETS: &str = "secrets";

/// The number of fields, besides the address, in the HTML of a form.
const EMBEDDED: usize = 10;

/// Returns the section with the form's address.
pub(super) fn section(signed: &Signed, view: &View, back: Option<&Back>) -> Markup {
    if view.provider().is_native() { embed(view) } else { webhook(signed, view, back) }
}

/// Returns the remark about an address without the deployment's own.
fn relative(view: &View) -> Markup {
    html! { @if view.address().starts_with('/') { p class="quiet" { (words::RELATIVE) } } }
}

fn webhook(signed: &Signed, view: &View, back: Option<&Back>) -> Markup {
    html! {
        section aria-labelledby="hook" {
            h2 id="hook" { (words::WEBHOOK) }
            div class="field" {
                label for="hook-url" { (words::address_for(view.provider())) }
                div class="copy w-full" {
                    input id="hook-url" readonly value=(view.address());
                    button type="button" data-copy="hook-url" hidden { (words::COPY) }
                }
                p class="hint" { (words::setup(view.provider())) }
            }
            (relative(view))
            (secrets(signed, view, back))
        }
    }
}

fn secrets(signed: &Signed, view: &View, back: Option<&Back>) -> Markup {
    let back = back.filter(|back| back.part == Part::Secrets);
    let refusal = back.and_then(|back| back.refusal.as_ref());
    let action = format!("{}/secrets", page_of(view.id));
    let field = Field::new(SECRETS, words::NEW_SECRET, refusal).hint(words::ROTATE);
    let error = field.error.clone().or_else(|| back.and_then(|back| back.message.clone()));
    let may = view.may_widen(signed);
    html! {
        h3 id="secrets" class="gap" { (words::SECRETS) }
        @if view.secrets() == 0 { p class="quiet" { (words::NO_SECRET) } } @else { (stored(signed, view, &action)) }
        form method="post" action=(action) class="gap" {
            (key(signed))
            input type="hidden" name="count" value=(view.secrets());
            (Field { error, ..field }.show(&Control::Secret))
            div class="row" { (buttons(view.secrets(), may)) }
            @if !may { p id="secret-may-not" class="hint gap" { (words::WIDENS) } }
        }
    }
}

fn buttons(count: usize, may: bool) -> Markup {
    let button = |act: &str, name: &str| {
        html! {
            button name="act" value=(act) disabled[!may] aria-describedby=[(!may).then_some("secret-may-not")] {
                (name)
            }
        }
    };
    html! {
        @if count == 0 { (button("add", words::ADD_SECRET)) }
        @else if count < FORM_SECRETS_MAX {
            (button("add", words::ADD_SECOND))
            (button("replace", words::REPLACE_SECRET))
        } @else { (button("replace", words::REPLACE_BOTH)) }
    }
}

/// Returns the table of the stored secrets, which are never shown.
fn stored(signed: &Signed, view: &View, action: &str) -> Markup {
    let count = view.secrets();
    html! {
        form method="post" action=(action) {
            (key(signed))
            input type="hidden" name="count" value=(count);
            table {
                caption class="vh" { (words::SECRETS_CAPTION) }
                thead { tr {
                    th scope="col" { (words::SECRET) }
                    th scope="col" class="n" { (words::ACTIONS) }
                } }
                tbody {
                    @for place in 0..count {
                        @let name = words::secret_number(place, count);
                        tr {
                            th scope="row" { (name) span class="sub" { (words::NEVER_SHOWN) } }
                            td class="n" {
                                button class="link lose" name="remove" value=(place) {
                                    (words::REMOVE) span class="vh" { (words::the_secret(name)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn embed(view: &View) -> Markup {
    html! {
        section aria-labelledby="embed" {
            h2 id="embed" { (words::EMBED) }
            p class="quiet" { (words::EMBED_INTRO) }
            (relative(view))
            div class="code" {
                pre tabindex="0" role="region" aria-label=(words::EMBED_LABEL) {
                    code id="embed-code" { (snippet(view)) }
                }
                div class="row gap" {
                    button type="button" data-copy="embed-code" hidden { (words::COPY_FORM) }
                }
            }
        }
    }
}

/// Returns the HTML of a form that posts to this one, with the fields of its map.
fn snippet(view: &View) -> String {
    let map: Vec<_> = view.field_map().collect();
    let of_address = map.iter().find(|(_, target)| *target == Some("email"));
    let address = of_address.map_or("email", |(field, _)| *field);
    let properties = map.iter().filter_map(|(field, target)| {
        let property = target.filter(|target| *target != "email")?;
        Some((*field, property_name(property)))
    });
    let mut fields: Vec<_> = properties.take(EMBEDDED).collect();
    let accepted: Vec<&str> = view.list("fields").collect();
    if map.is_empty() && (accepted.is_empty() || accepted.contains(&"firstname")) {
        fields.push(("firstname", property_name("firstname")));
    }
    html_of_form(view.address(), address, &fields)
}

fn html_of_form(url: &str, address: &str, fields: &[(&str, String)]) -> String {
    // `maud` ends an element without content at once, and escapes all names.
    let form = html! { form action=(url) method="post" {} }.into_string();
    let mut lines = vec![form.trim_end_matches("</form>").to_owned()];
    let email = html! { label { (words::EMBED_EMAIL) " " input name=(address) type="email" required; } };
    lines.push(format!("  {}", email.into_string()));
    for (name, label) in fields {
        lines.push(format!("  {}", html! { label { (label) " " input name=(name); } }.into_string()));
    }
    lines.push(format!("  {}", html! { button { (words::EMBED_SEND) } }.into_string()));
    lines.push("</form>".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_to_embed_is_escaped_and_in_lines() {
        let fields = [("first \"name\"", "First name".to_owned())];
        assert_eq!(
            html_of_form("https://a.example/v1/forms/frm_1/submissions", "email", &fields),
            "<form action=\"https://a.example/v1/forms/frm_1/submissions\" method=\"post\">\n  \
             <label>Email <input name=\"email\" type=\"email\" required></label>\n  \
             <label>First name <input name=\"first &quot;name&quot;\"></label>\n  \
             <button>Subscribe</button>\n</form>"
        );
    }
}
