//! The response to a submission: its effect, and never any data of the contact.
//!
//! The response to a public submission is the same for every contact, unless the form's `answer` is `full`. So a caller
//! cannot find out whether an address is known, or whether a contact is marketing.

use api::views::SubmittedView;
use api::{Problem, respond};
use axum::body::Body;
use axum::response::Response;
use domain::form::AnswerMode;
use http::StatusCode;
use http::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use serde::Serialize;
use store::{Form, Submitted};
use url::Url;
use utoipa::ToSchema;

/// The response to a public submission, which is the same for every contact.
#[derive(Serialize, ToSchema)]
#[schema(as = SubmissionAccepted)]
pub(crate) struct AcceptedView {
    /// Always `true`.
    accepted: bool,
}

/// The response to a public submission. Its content depends on the form's `answer`.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SubmissionAnswer)]
pub(crate) enum AnswerView {
    /// The response of a form whose `answer` is `minimal`.
    Minimal(AcceptedView),
    /// The response of a form whose `answer` is `full`.
    Full(SubmittedView),
}

impl AnswerView {
    fn new(form: &Form, submitted: &Submitted) -> Self {
        match form.answer {
            AnswerMode::Minimal => Self::Minimal(AcceptedView { accepted: true }),
            AnswerMode::Full => Self::Full(SubmittedView::new(submitted)),
        }
    }
}

/// Returns the response to a public submission. A browser that posts a form without a script is redirected to the
/// form's next page instead.
///
/// # Errors
///
/// None in practice; see [`respond::ok`].
pub(crate) fn respond(
    form: &Form,
    request: &HeaderMap,
    is_form_post: bool,
    submitted: &Submitted,
) -> Result<Response, Problem> {
    match next_page(form).filter(|_| is_form_post && wants_a_page(request)) {
        Some(location) => Ok(see_other(location)),
        None => respond::ok(&AnswerView::new(form, submitted)),
    }
}

/// Returns the form's redirect URL in ASCII, as headers require.
fn next_page(form: &Form) -> Option<HeaderValue> {
    let url = Url::parse(form.redirect_url.as_deref()?).ok()?;
    HeaderValue::try_from(url.as_str()).ok()
}

/// Returns true if the client accepts HTML, as a browser does when it shows the response as a page. Scripts accept
/// `*/*` or JSON.
fn wants_a_page(request: &HeaderMap) -> bool {
    let accepted = request.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = accepted.flat_map(|value| value.split(','));
    ranges.any(|range| {
        let essence = range.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/html")
    })
}

fn see_other(location: HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::Timestamp;
    use domain::ids::{AccountId, FormId, PortalId};
    use domain::provider::Provider;
    use domain::secrets::Secrets;

    use store::{ContactEffect, MarketingEffect};

    use super::*;

    const CHROME: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    fn form(redirect_url: Option<&str>) -> Form {
        Form {
            portal: PortalId::new(0),
            id: FormId::new(Timestamp::MIN, 1),
            account: AccountId::new(Timestamp::MIN, 2),
            name: "Newsletter".into(),
            provider: Provider::Native,
            secrets: Secrets::default(),
            set_marketing: Some(true),
            max_new_marketing_per_day: None,
            may_raise_tier: None,
            overwrite: domain::form::Overwrite::Always,
            answer: domain::form::AnswerMode::Full,
            fields: None,
            event_types: None,
            field_map: BTreeMap::new(),
            allowed_origins: Vec::new(),
            redirect_url: redirect_url.map(str::to_owned),
            appearance: None,
            used_by: std::collections::BTreeSet::new(),
            created_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        }
    }

    fn answer(redirect_url: Option<&str>, accept: &'static str, is_form_post: bool) -> (u16, Option<String>) {
        let submitted = Submitted {
            contact: ContactEffect::Created,
            marketing: MarketingEffect::Set,
            reason: None,
            duplicate: false,
        };
        let request = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        let response = respond(&form(redirect_url), &request, is_form_post, &submitted).unwrap();
        let location = response.headers().get(LOCATION).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), location)
    }

    #[test]
    fn only_a_browsers_html_form_post_is_redirected() {
        let thanks = Some("https://example.org/thanks");
        assert_eq!(answer(thanks, CHROME, true), (303, thanks.map(str::to_owned)));
        assert_eq!(answer(thanks, "application/json, TEXT/HTML;q=0.1", true).0, 303);
        assert_eq!(answer(thanks, CHROME, false), (200, None));
        assert_eq!(answer(thanks, "*/*", true), (200, None));
        assert_eq!(answer(thanks, "application/json", true), (200, None));
        assert_eq!(answer(None, CHROME, true), (200, None));
    }

    #[test]
    fn minimal_answer_is_the_same_for_every_effect() {
        let form = Form { answer: AnswerMode::Minimal, ..form(None) };
        for contact in ContactEffect::ALL {
            for marketing in MarketingEffect::ALL {
                let (contact, marketing) = (*contact, *marketing);
                let reason = Some("cap-reached".to_owned());
                let submitted = Submitted { contact, marketing, reason, duplicate: true };
                let view = serde_json::to_value(AnswerView::new(&form, &submitted)).unwrap();
                assert_eq!(view, serde_json::json!({"accepted": true}));
            }
        }
    }

    #[test]
    fn redirect_location_is_ascii() {
        let answer = answer(Some("https://münchen.example/dankeschön"), CHROME, true);
        assert_eq!(answer, (303, Some("https://xn--mnchen-3ya.example/dankesch%C3%B6n".into())));
    }

    #[test]
    fn view_without_a_reason_omits_the_member() {
        let submitted = Submitted {
            contact: ContactEffect::Updated,
            marketing: MarketingEffect::NotSet,
            reason: Some("cap-reached".into()),
            duplicate: true,
        };
        assert_eq!(
            serde_json::to_value(SubmittedView::new(&submitted)).unwrap(),
            serde_json::json!({"contact": "updated", "marketing": "not_set", "duplicate": true, "reason": "cap-reached"})
        );
        let view = SubmittedView::new(&Submitted { reason: None, ..submitted });
        assert!(serde_json::to_value(view).unwrap().get("reason").is_none());
    }
}
