//! The account: its portal number, its time zone, and its use of the API.

use api::public_url::PublicUrl;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::body::respond;
use crate::envelope::Failure;
use crate::session::Session;

/// The currency in responses. Accounts have none, and clients require one. It is the usual one of new accounts.
const CURRENCY: &str = "USD";

/// The data centre in responses. Clients require one of `HubSpot`'s own.
const HOSTING: &str = "na1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DetailsView {
    portal_id: u32,
    account_type: &'static str,
    time_zone: &'static str,
    company_currency: &'static str,
    additional_currencies: [&'static str; 0],
    utc_offset: String,
    utc_offset_milliseconds: i64,
    ui_domain: String,
    data_hosting_location: &'static str,
}

/// Returns the host of a URL, or an empty text for none.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

pub(crate) async fn details(session: Session, PublicUrl(base): PublicUrl) -> Result<Response, Failure> {
    let now = session.now();
    let account = session.context.store.account(session.account(), now).await?;
    let zone = account.period.calendar.time_zone;
    let now = account.period.now(now);
    let offset = zone.local(now).and_utc().timestamp_millis() - now.millis();
    let is_sandbox = account.period.test_clock.is_some();
    let view = DetailsView {
        portal_id: account.portal.number(),
        account_type: if is_sandbox { "SANDBOX" } else { "STANDARD" },
        time_zone: zone.as_str(),
        company_currency: CURRENCY,
        additional_currencies: [],
        utc_offset: offset_text(offset),
        utc_offset_milliseconds: offset,
        ui_domain: host(&base).to_owned(),
        data_hosting_location: HOSTING,
    };
    respond(StatusCode::OK, &view)
}

/// Returns an offset from UTC in milliseconds as a text, such as `-04:00`.
fn offset_text(offset: i64) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60_000;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

pub(crate) async fn usage(_: Session) -> Result<Response, Failure> {
    // There is no daily limit, so there is nothing to count against it.
    respond(StatusCode::OK, &json!({"results": []}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_has_a_sign_hours_and_minutes() {
        let texts = [0, 3_600_000, -14_400_000, 20_700_000].map(offset_text);
        assert_eq!(texts, ["+00:00", "+01:00", "-04:00", "+05:45"]);
    }

    #[test]
    fn host_is_the_domain_of_a_url() {
        assert_eq!(host("https://api.example.org/base"), "api.example.org");
        assert_eq!((host("http://127.0.0.1:8080"), host("")), ("127.0.0.1", ""));
    }
}
