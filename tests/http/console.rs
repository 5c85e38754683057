//! `/console`: sessions, their protection, and the acts of people.

mod acts;
mod changes;
mod hubspot;
mod reads;
mod sessions;
mod transfers;

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;
use testkit::{Api, Reply};

/// A browser that keeps cookies and posts from the console's own pages.
pub(super) struct Browser<'a> {
    api: &'a Api,
    cookies: RefCell<BTreeMap<String, String>>,
}

const HOST: &str = "tidemark.example.org";

impl<'a> Browser<'a> {
    pub(super) fn new(api: &'a Api) -> Self {
        Self { api, cookies: RefCell::default() }
    }

    /// Signs in with a token.
    pub(super) async fn signed_in(api: &'a Api, token: &str) -> Self {
        let browser = Self::new(api);
        let reply = browser.post("/console/sign-in", &[("token", token)]).await;
        assert_eq!((reply.status, reply.header("location")), (303, Some("/console")), "{}", reply.text());
        browser
    }

    /// Keeps the cookies of a reply, as browsers do.
    fn keep(&self, reply: Reply) -> Reply {
        for cookie in reply.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("visible characters");
            let (name, rest) = cookie.split_once('=').expect("a name");
            let value = rest.split(';').next().unwrap_or_default();
            if rest.contains("Max-Age=0") {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// Returns another browser with the same cookies.
    pub(super) fn copy(&self) -> Self {
        Self { api: self.api, cookies: self.cookies.clone() }
    }

    fn cookies(&self) -> String {
        let cookies = self.cookies.borrow();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        let request = self.api.get(path).header("host", HOST).header("cookie", self.cookies());
        self.keep(request.await)
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
        let request = self.api.post(path).header("host", HOST).header("sec-fetch-site", site);
        let request = request.header("cookie", self.cookies());
        let request = request.header("referer", format!("https://{HOST}/console/contacts?state=leaving"));
        self.keep(request.body("application/x-www-form-urlencoded", body).await)
    }

    /// Posts a form with a file.
    pub(super) async fn post_file(&self, path: &str, fields: &[(&str, &str)], file: (&str, &[u8])) -> Reply {
        const BOUNDARY: &str = "the-boundary";
        let mut body = Vec::new();
        for (name, value) in fields {
            let part =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let (name, content) = file;
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let request = self.api.post(path).header("host", HOST).header("sec-fetch-site", "same-origin");
        let request = request.header("cookie", self.cookies());
        self.keep(request.body(&format!("multipart/form-data; boundary={BOUNDARY}"), body).await)
    }

    /// Posts a form and follows to the page that it leads to.
    pub(super) async fn act(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let reply = self.post(path, fields).await;
        match reply.header("location") {
            Some(location) if reply.status == 303 => self.get(location).await,
            _ => reply,
        }
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
