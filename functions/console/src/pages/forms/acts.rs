//! Changes of a form: its switch, its settings, its field map and its secrets.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ids::FormId;
use http::StatusCode;
use serde_json::{Value, json};

use super::form::{Back, Part, page};
use super::view::{form_id, page_of};
use super::{LIST, map, settings};
use crate::request::{Call, Failure, Refusal};
use crate::signed::Signed;
use crate::text::forms as words;
use crate::typed::Typed;

/// Switches a form on or off, or leaves it to the account's default.
pub(super) async fn switch(
    signed: Signed,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    typed: Typed,
) -> Response {
    let query = Typed::parse(query.unwrap_or_default().as_bytes());
    let setting = match typed.get("set_marketing") {
        "default" => Value::Null,
        value => json!(value == "true"),
    };
    let done = async {
        let id = form_id(&id)?;
        patch(&signed, id, json!({"set_marketing": setting}), &typed).await?;
        Ok(match query.get("to") {
            "list" => {
                let after = query.filled("after").and_then(|after| form_id(after).ok());
                let after = after.map(|after| format!("after={after}&")).unwrap_or_default();
                format!("{LIST}?{after}done=switched&form={id}")
            }
            _ => format!("{}?done=switched", page_of(id)),
        })
    };
    match done.await {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(failure) => signed.finish(Err(failure)),
    }
}

async fn patch(signed: &Signed, id: FormId, change: Value, typed: &Typed) -> Result<(), Refusal> {
    signed.call(Call::patch(format!("/v1/forms/{id}"), change).once(typed)).await.map(drop)
}

/// The reason for which a change was not made.
enum Not {
    /// The API has refused it.
    Refused(Refusal),
    /// The console has refused it, with a message for the field.
    Typed(String),
}

/// Returns the redirect to the form, or the page with the refusal.
async fn concluded(
    signed: &Signed,
    id: FormId,
    (part, code): (Part, &str),
    typed: &Typed,
    result: Result<(), Not>,
) -> Result<Response, Failure> {
    let back = match result {
        Ok(()) => return Ok(Redirect::to(&format!("{}?done={code}", page_of(id))).into_response()),
        Err(Not::Refused(refusal)) if refusal.status() == StatusCode::NOT_FOUND => return Err(refusal.into()),
        Err(Not::Refused(refusal)) => Back { refusal: Some(refusal), ..Back::new(part, typed) },
        Err(Not::Typed(message)) => Back { message: Some(message), ..Back::new(part, typed) },
    };
    let mut page = page(signed, id, None, Some(&back)).await?;
    if back.refusal.is_none() {
        page = page.with_status(StatusCode::BAD_REQUEST);
    }
    Ok(signed.finish(Ok(page)))
}

/// Returns the response, or the page about the failure.
fn finished(signed: &Signed, done: Result<Response, Failure>) -> Response {
    done.unwrap_or_else(|failure| signed.finish(Err(failure)))
}

/// Saves the settings.
pub(super) async fn save(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let done = async {
        let id = form_id(&id)?;
        // Only own forms have the settings of browsers. The provider never changes.
        let is_native = typed.has(settings::ORIGINS);
        let saved = patch(&signed, id, settings::change(&typed, is_native), &typed).await;
        concluded(&signed, id, (Part::Settings, "saved"), &typed, saved.map_err(Not::Refused)).await
    };
    let done = done.await;
    finished(&signed, done)
}

/// Saves the field map, which replaces the former one.
pub(super) async fn save_map(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let done = async {
        let id = form_id(&id)?;
        let saved = match map::change(&typed) {
            Ok(change) => patch(&signed, id, change, &typed).await.map_err(Not::Refused),
            Err(message) => Err(Not::Typed(message)),
        };
        concluded(&signed, id, (Part::Map, "mapped"), &typed, saved).await
    };
    let done = done.await;
    finished(&signed, done)
}

/// Adds, replaces or removes secrets.
pub(super) async fn change_secrets(signed: Signed, Path(id): Path<String>, typed: Typed) -> Response {
    let done = async {
        let id = form_id(&id)?;
        // The API replaces all secrets at once, so those that stay are sent again.
        let form = signed.store().form(signed.account.id, id).await?;
        let stored: Vec<&str> = form.secrets.iter().collect();
        let saved = match secrets(&stored, &typed) {
            Ok(secrets) => {
                patch(&signed, id, json!({"secrets": secrets}), &typed).await.map_err(Not::Refused)
            }
            Err(message) => Err(Not::Typed(message.to_owned())),
        };
        concluded(&signed, id, (Part::Secrets, "secrets"), &typed, saved).await
    };
    let done = done.await;
    finished(&signed, done)
}

/// Returns the secrets after the change.
///
/// # Errors
///
/// A message, if the page showed another number of secrets, or if the new one is missing.
fn secrets(stored: &[&str], typed: &Typed) -> Result<Vec<String>, &'static str> {
    if typed.get("count") != stored.len().to_string() {
        return Err(words::SECRETS_CHANGED);
    }
    let mut secrets: Vec<String> = stored.iter().map(|&secret| secret.to_owned()).collect();
    if let Some(place) = typed.filled("remove") {
        let place = place.parse().ok().filter(|place: &usize| *place < secrets.len());
        secrets.remove(place.ok_or(words::SECRETS_CHANGED)?);
        return Ok(secrets);
    }
    let new = typed.filled("secrets").ok_or(words::TYPE_A_SECRET)?.to_owned();
    if typed.get("act") == "replace" {
        secrets.clear();
    }
    secrets.push(new);
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_change_only_if_the_page_showed_them() {
        for (stored, typed, after) in [
            (&[][..], "count=0&act=add&secrets=new", Ok(vec!["new"])),
            (&["a"], "count=1&act=add&secrets=new", Ok(vec!["a", "new"])),
            (&["a"], "count=1&act=replace&secrets=new", Ok(vec!["new"])),
            (&["a", "b"], "count=2&remove=0", Ok(vec!["b"])),
            (&["a", "b"], "count=2&remove=2", Err(words::SECRETS_CHANGED)),
            (&["a"], "count=2&remove=0", Err(words::SECRETS_CHANGED)),
            (&["a"], "count=1&act=add&secrets=", Err(words::TYPE_A_SECRET)),
        ] {
            let after = after.map(|texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect());
            assert_eq!(secrets(stored, &Typed::parse(typed.as_bytes())), after, "{typed}");
        }
    }
}
