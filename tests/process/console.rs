//! The function `console`: a session over HTTP events, and the permissions of its role.

use domain::limits::HISTORY_RECENT_MAX;
use serde_json::Value;

use super::events::{HttpEvent, HttpResponse, http};
use super::function::Function;
use super::queue::{FILES, Queues};
use super::setting::{ADMIN_TOKEN, Fixture, in_an_ended_period};
use crate::template::permissions::{Permission, permissions_of};

/// The function with the cookie of a session.
struct Console {
    function: Function,
    cookie: String,
}

impl Console {
    async fn start(fixture: &Fixture, queues: &Queues) -> Self {
        let function = Function::start_with_queues("console", &fixture.table, queues).await;
        Self { function, cookie: "other=1".to_owned() }
    }

    async fn invoke(&mut self, request: HttpEvent) -> HttpResponse {
        // Browsers send further cookies of the host as well.
        let request = request.cookies(&["theme=dark", &self.cookie]);
        HttpResponse::of(&self.function.invoke(request.event()).await.done())
    }

    async fn get(&mut self, path: &str, query: &str) -> HttpResponse {
        let response = self.invoke(http("GET", path).query(query)).await;
        assert_eq!(response.status, 200, "{path}: {}", response.body);
        response
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> HttpResponse {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = http("POST", path).text("application/x-www-form-urlencoded", &body);
        self.invoke(request.header("Sec-Fetch-Site", "same-origin")).await
    }

    async fn sign_in(&mut self) {
        let response = self.post("/console/sign-in", &[("token", ADMIN_TOKEN)]).await;
        assert_eq!(response.status, 303, "{}", response.body);
        let [cookie] = response.cookies.as_slice() else { panic!("{:?}", response.cookies) };
        assert!(cookie.starts_with("__Host-tidemark="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure"), "{cookie}");
        self.cookie = cookie.split(';').next().expect("a value").to_owned();
    }
}

/// Returns the permissions of the role for imports and exports. This test opens none of their pages, which
/// `http::console::transfers` tests.
fn for_files() -> impl Iterator<Item = Permission> {
    let is_for_files =
        |permission: &Permission| permission.action.starts_with("s3:") || permission.on == FILES;
    permissions_of("console").into_iter().filter(is_for_files)
}

#[tokio::test]
async fn session_lives_in_a_cookie_of_the_host() {
    let fixture = Fixture::start().await;
    let queues = Queues::start().await;
    let mut console = Console::start(&fixture, &queues).await;
    let response = console.invoke(http("GET", "/console/jobs")).await;
    assert_eq!(
        (response.status, response.headers["location"].as_str()),
        (303, "/console/sign-in?to=%2Fconsole%2Fjobs")
    );
    console.sign_in().await;
    let page = console.get("/console", "").await;
    assert!(page.body.contains("Marketing contacts now"));
    let style =
        page.body.split("<link rel=\"stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert!(console.get(style.expect("a stylesheet"), "").await.body.contains("--marketing"));
    let out = console.post("/console/sign-out", &[]).await;
    assert!(out.cookies[0].contains("Max-Age=0"), "{:?}", out.cookies);
    let lines = console.function.end().await;
    let routes: Vec<&Value> =
        lines.iter().map(|line| &line["route"]).filter(|route| !route.is_null()).collect();
    assert!(routes.contains(&&Value::from("/console/sign-in")), "{routes:?}");
}

#[tokio::test]
async fn console_uses_every_permission_of_its_role() {
    let past = in_an_ended_period();
    let fixture = Fixture::begun(past).await;
    let queues = Queues::start().await;
    let contact = fixture.contact("ada", false, past).await.to_string();
    let mut console = Console::start(&fixture, &queues).await;
    console.sign_in().await;
    for path in ["/console", "/console/contacts", "/console/jobs"] {
        console.get(path, "").await;
    }
    // A history that grows beyond the contact's item is written in pages.
    let acts = ["/marketing", "/non-marketing"].into_iter().cycle();
    for act in acts.take(HISTORY_RECENT_MAX + 1) {
        let response = console.post(&format!("/console/contacts/{contact}{act}"), &[]).await;
        assert_eq!(response.status, 303, "{}", response.body);
    }
    let job = [
        ("action", "set-marketing"),
        ("scope", "ticked"),
        ("contact", contact.as_str()),
        ("matched", "1"),
        ("confirm_count", "1"),
    ];
    let created = console.post("/console/jobs", &job).await;
    assert_eq!(created.status, 303, "{}", created.body);
    let form = console.post("/console/forms/new", &[("name", "Guests"), ("provider", "native")]).await;
    let form = form.headers["location"].split('?').next().expect("a path").to_owned();
    let deleted = console.post(&format!("{form}/delete"), &[]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.body);
    console.post("/console/sign-out", &[]).await;
    fixture.assert_exact().await;
    let besides = queues.used().into_iter().chain(for_files()).collect();
    console.function.assert_role_used_and_end("console", besides).await;
}
