//! How programs that were written for `HubSpot` are pointed here, and the index that makes their syncs cheap.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde_json::json;

use super::account::flag;
use super::{PATH, fixed_switch, redirect, subpage};
use crate::Console;
use crate::frame::Page;
use crate::parts::{Detail, Switch, refused, switch, time};
use crate::request::{Call, Refusal};
use crate::signed::Signed;
use crate::text::{self, hubspot as words};
use crate::typed::Typed;

/// The path of the page.
pub(super) const HUBSPOT: &str = "/console/settings/hubspot";
const INDEX: &str = "/console/settings/hubspot/index";

pub(super) fn routes() -> Router<Console> {
    Router::new().route(HUBSPOT, get(show)).route(INDEX, post(change_index))
}

/// Returns the link to the page, in the settings.
pub(super) fn section() -> Markup {
    html! {
        section class="mid" aria-labelledby="hubspot" {
            h2 id="hubspot" { (words::TITLE) }
            p class="quiet" { (words::LEDE) }
            p class="gap" { a class="button" href=(HUBSPOT) { (words::SHOW) } }
        }
    }
}

async fn show(signed: Signed) -> Response {
    let page = page(&signed, None);
    signed.finish(Ok(page))
}

async fn change_index(signed: Signed, typed: Typed) -> Response {
    let body = json!({"index_changes": flag(typed.get("index_changes"))});
    match signed.call(Call::patch("/v1/account", body).once(&typed)).await {
        Ok(_) => redirect("index"),
        Err(refusal) => {
            let page = page(&signed, Some(&refusal));
            signed.finish(Ok(page))
        }
    }
}

fn page(signed: &Signed, refusal: Option<&Refusal>) -> Page {
    let address = address(signed);
    let content = html! {
        @if let Some(refusal) = refusal { (refused(refusal, &[])) }
        p class="lede" { (words::LEDE) }
        section aria-labelledby="values" {
            h2 id="values" { (words::VALUES) }
            (copied("base-url", words::ADDRESS, &address))
            (copied("portal", words::PORTAL, &signed.account.portal.number().to_string()))
            p class="hint quiet" { (words::TOKEN) " " a href={ (PATH) "#tokens" } { (words::TOKENS) } }
        }
        section class="mid" aria-labelledby="clients" {
            h2 id="clients" { (words::CLIENTS) }
            @for (id, name, setting) in clients(&address) {
                h3 id=(id) class="gap" { (name) }
                div class="code" {
                    pre tabindex="0" role="region" aria-labelledby=(id) { code { (setting) } }
                }
            }
            p class="quiet gap" { (words::OTHERS) }
        }
        (status(signed))
        (index(signed))
    };
    subpage(words::TITLE, content).with_status_of(refusal)
}

/// Returns the address of the API: the one through which the person came, if no other is configured.
fn address(signed: &Signed) -> String {
    let configured = signed.console.context.public_url.as_deref().map(str::to_owned);
    let gateway = || signed.gateway_url.as_ref().map(|url| url.0.clone());
    configured.or_else(gateway).unwrap_or_else(|| words::UNKNOWN_ADDRESS.to_owned())
}

/// Returns a value with a button that copies it.
fn copied(id: &str, label: &str, value: &str) -> Markup {
    html! {
        div class="field" {
            label for=(id) { (label) }
            div class="copy w-full" {
                input id=(id) readonly value=(value);
                button type="button" data-copy=(id) hidden { (words::COPY) }
            }
        }
    }
}

/// Returns each client with the lines that point it here.
fn clients(address: &str) -> [(&'static str, &'static str, String); 5] {
    [
        (
            "node",
            "Node: @hubspot/api-client",
            format!("new Client({{ accessToken: \"tmk_…\", basePath: \"{address}\" }})"),
        ),
        (
            "python",
            "Python: hubspot-api-client",
            format!(
                "Client.create(access_token=\"tmk_…\", host=\"{address}\",\n              base_url=\"{address}\")"
            ),
        ),
        (
            "sdk",
            "Python, Go, Java, Ruby, PHP: hubspot-sdk",
            format!("export HUBSPOT_BASE_URL={address}\nexport HUBSPOT_ACCESS_TOKEN=tmk_…"),
        ),
        ("curl", "curl", format!("curl {address}/crm/v3/objects/contacts -H 'Authorization: Bearer tmk_…'")),
        (
            "forms",
            words::FORMS,
            format!("{address}/submissions/v3/integration/submit/{{portalId}}/{{formGuid}}"),
        ),
    ]
}

/// Returns the part about the marketing status, which `HubSpot` does not let programs write.
fn status(signed: &Signed) -> Markup {
    html! {
        section class="mid" aria-labelledby="status" {
            h2 id="status" { (words::STATUS) }
            table class="stack" {
                caption class="vh" { (words::STATUS_CAPTION) }
                thead { tr { th scope="col" { (words::WRITTEN) } th scope="col" { (words::EFFECT) } } }
                tbody {
                    @for (written, effect) in words::EFFECTS {
                        tr {
                            th scope="row" { code { (written) } }
                            td data-label=(words::EFFECT) { (effect) }
                        }
                    }
                }
            }
            p class="quiet" {
                (words::NEEDS_PERMISSION) " "
                @if signed.principal.is_admin() { a href={ (PATH) "#tokens" } { (words::TOKENS) } }
            }
        }
    }
}

/// Returns the switch of the index of changes.
fn index(signed: &Signed) -> Markup {
    let from = signed.period().indexed_from;
    let setting = Switch {
        field: "index_changes",
        name: words::INDEX,
        hides_name: false,
        is_on: from.is_some(),
        bills: false,
    };
    html! {
        section class="mid" aria-labelledby="index" {
            h2 id="index" { (words::INDEX_TITLE) }
            p { (words::INDEX_LEDE) }
            @if let Some(from) = from { p class="quiet" { (words::INDEXED_FROM) " " (time(signed, from, Detail::Zone)) } }
            div class="gap" {
                @if signed.principal.is_admin() { (switch(signed, INDEX, &setting)) } @else {
                    (fixed_switch(from.is_some(), words::INDEX, true, "index-why"))
                    p class="quiet" id="index-why" { (text::MAY_NOT_ADMINISTER) }
                }
            }
            p class="hint quiet" { (words::INDEX_COST) }
        }
    }
}
