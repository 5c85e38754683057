//! `/console`: sessions, their protection, and the acts of people.

mod acts;
mod reads;
mod sessions;

use serde_json::Value;
use testkit::{Api, Reply};

/// A browser that keeps the session's cookie and posts from the console's own pages.
pub(super) struct Browser<'a> {
    api: &'a Api,
    cookie: Option<String>,
}

const HOST: &str = "tidemark.example.org";

impl<'a> Browser<'a> {
    pub(super) fn new(api: &'a Api) -> Self {
        Self { api, cookie: None }
    }

    /// Signs in with a token.
    pub(super) async fn signed_in(api: &'a Api, token: &str) -> Self {
        let mut browser = Self::new(api);
        let reply = browser.post("/console/sign-in", &[("token", token)]).await;
        assert_eq!((reply.status, reply.header("location")), (303, Some("/console")), "{}", reply.text());
        browser.keep_cookie(&reply);
        browser
    }

    fn keep_cookie(&mut self, reply: &Reply) {
        let cookie = reply.header("set-cookie").expect("a cookie");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        let mut request = self.api.get(path).header("host", HOST);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.await
    }

    /// Returns the page of a successful request.
    pub(super) async fn page(&self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text().to_owned()
    }

    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_from("same-origin", path, fields).await
    }

    pub(super) async fn post_from(&self, site: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self.api.post(path).header("host", HOST).header("sec-fetch-site", site);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.body("application/x-www-form-urlencoded", body).await
    }
}

/// Returns the values of a hidden field of a page, in their order.
pub(super) fn hidden(page: &str, name: &str) -> Vec<String> {
    let begin = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    page.split(&begin).skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect()
}

/// Returns the id in a created resource.
pub(super) fn id(created: &Value) -> String {
    created["id"].as_str().expect("an id").to_owned()
}
