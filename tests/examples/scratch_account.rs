#![allow(warnings, clippy::all)]
use api::{Clock, Context, Identity};
use axum::body::Body;
use http::{Request, Response};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use testkit::{ManualClock, TestTable, at};

struct App { router: axum::Router, store: store::Store }
impl App {
    async fn send(&self, token: Option<&str>, method: &str, path: &str, body: Option<Value>, key: Option<&str>) -> (u16, http::HeaderMap, Value) {
        let mut b = Request::builder().method(method).uri(path);
        let mut identity = None;
        if let Some(t) = token {
            b = b.header("authorization", format!("Bearer {t}"));
            identity = if t == "op" { Some(Identity::Operator) } else {
                self.store.authenticate(&api::token::sha256_hex(t.as_bytes())).await.unwrap().map(Identity::Account) };
        }
        if let Some(k) = key { b = b.header("idempotency-key", k); }
        let body = match body { Some(v) => { b = b.header("content-type", "application/json"); Body::from(v.to_string()) } None => Body::empty() };
        let mut r = b.body(body).unwrap();
        if let Some(i) = identity { r.extensions_mut().insert(i); }
        let res = self.router.clone().oneshot(r).await.unwrap();
        let (p, b) = res.into_parts();
        let bytes = axum::body::to_bytes(b, 100_000_000).await.unwrap();
        let v = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into())) };
        (p.status.as_u16(), p.headers, v)
    }
}
macro_rules! show { ($label:expr, $r:expr) => {{ let (s,h,v) = $r; println!("{:<40} {} loc={:?}\n    {}", $label, s, h.get("location"), v.to_string().chars().take(700).collect::<String>()); v }} }

#[tokio::main]
async fn main() {
    let table = TestTable::start().await;
    let clock = ManualClock::new(at("2026-11-21T19:59:01.123Z"));
    let c = clock.clone();
    let ctx = Context::new(table.store.clone(), Clock::new(move || c.now())).with_public_url("https://api.example.org/");
    let app = App { router: api::router::with_not_found(account::router(ctx)), store: table.store.clone() };
    let acc = json!({"name":"A","term":"annual","renewal_date":"2027-06-15","time_zone":"Europe/Berlin","cap":900});
    let made = show!("create account", app.send(Some("op"), "POST", "/v1/accounts", Some(acc.clone()), Some("k1")).await);
    let again = show!("create account again", app.send(Some("op"), "POST", "/v1/accounts", Some(acc.clone()), Some("k1")).await);
    assert_eq!(made, again);
    show!("other body", app.send(Some("op"), "POST", "/v1/accounts", Some(json!({"name":"B","term":"annual","renewal_date":"2027-06-15"})), Some("k1")).await);
    show!("bad account", app.send(Some("op"), "POST", "/v1/accounts", Some(json!({"nme":"B","tier":{"included":-1,"block":0}})), None).await);
    let t = made["token"].as_str().unwrap().to_owned();
    show!("account token on accounts", app.send(Some(&t), "POST", "/v1/accounts", Some(acc.clone()), None).await);
    show!("operator on account", app.send(Some("op"), "GET", "/v1/account", None, None).await);
    show!("nobody", app.send(None, "GET", "/v1/account", None, None).await);
    let a = show!("get account", app.send(Some(&t), "GET", "/v1/account", None, None).await);
    assert_eq!(a, made["account"]);
    let e = show!("patch empty", app.send(Some(&t), "PATCH", "/v1/account", Some(json!({})), Some("e")).await);
    assert_eq!(e, a);
    show!("patch", app.send(Some(&t), "PATCH", "/v1/account", Some(json!({"name":"B","cap":null,"term":"monthly","defaults":{"chatflow":true,"chatflows":{"x":true}}})), None).await);
    show!("patch limit", app.send(Some(&t), "PATCH", "/v1/account", Some(json!({"tier_limit_at_renewal": 1500})), Some("lim")).await);
    show!("patch limit same key", app.send(Some(&t), "PATCH", "/v1/account", Some(json!({"tier_limit_at_renewal": 1500})), Some("lim")).await);
    show!("patch limit ok", app.send(Some(&t), "PATCH", "/v1/account", Some(json!({"tier_limit_at_renewal": 1000})), None).await);
    show!("patch limit null", app.send(Some(&t), "PATCH", "/v1/account", Some(json!({"tier_limit_at_renewal": null, "marketing_contacts": false})), None).await);
    show!("test clock not sandbox", app.send(Some(&t), "POST", "/v1/account/test-clock", Some(json!({"now":"2027-01-01T00:00:00Z"})), None).await);
    show!("usage", app.send(Some(&t), "GET", "/v1/usage", None, None).await);
    show!("usage ?x", app.send(Some(&t), "GET", "/v1/usage?x=1", None, None).await);
    // users
    let u = show!("create user", app.send(Some(&t), "POST", "/v1/users", Some(json!({"name":"Ada","email":"Ada@Example.org","modify_marketing_contacts":false})), Some("u1")).await);
    let uid = u["id"].as_str().unwrap();
    let us = show!("users", app.send(Some(&t), "GET", "/v1/users?limit=1", None, None).await);
    let after = us["paging"]["next"]["after"].as_str().unwrap();
    let us2 = show!("users 2", app.send(Some(&t), "GET", &format!("/v1/users?limit=1&after={after}"), None, None).await);
    let first = us["results"][0]["id"].as_str().unwrap();
    let other = us2["results"].as_array().unwrap().iter().chain(us["results"].as_array().unwrap()).find(|x| x["role"]=="admin").unwrap()["id"].as_str().unwrap().to_owned();
    show!("demote last admin", app.send(Some(&t), "PATCH", &format!("/v1/users/{other}"), Some(json!({"role":"member"})), Some("d1")).await);
    show!("unknown user", app.send(Some(&t), "PATCH", "/v1/users/usr_1", Some(json!({"role":"member"})), None).await);
    show!("patch user", app.send(Some(&t), "PATCH", &format!("/v1/users/{other}"), Some(json!({"email":"b@c","name":"Boss"})), None).await);
    // tokens
    let tok = show!("token", app.send(Some(&t), "POST", "/v1/tokens", Some(json!({"user_id":uid})), Some("t1")).await);
    let tok2 = show!("token again", app.send(Some(&t), "POST", "/v1/tokens", Some(json!({"user_id":uid})), Some("t1")).await);
    assert_eq!(tok, tok2);
    show!("token bad user", app.send(Some(&t), "POST", "/v1/tokens", Some(json!({"user_id":"usr_01arz3ndektsv4rrffq69g5fav"})), Some("t2")).await);
    show!("token integration", app.send(Some(&t), "POST", "/v1/tokens", Some(json!({"integration":{"name":"CRM","set_marketing":true}})), None).await);
    let list = show!("tokens", app.send(Some(&t), "GET", "/v1/tokens", None, None).await);
    let m = tok["token"].as_str().unwrap().to_owned();
    for (me, p, b) in [("GET","/v1/users",None),("POST","/v1/users",Some(json!({}))),("PATCH",&*format!("/v1/users/{uid}"),Some(json!({"modify_marketing_contacts":true}))),("GET","/v1/tokens",None),("POST","/v1/tokens",Some(json!({"user_id":uid}))),("DELETE","/v1/tokens/tok_1",None),("PATCH","/v1/account",Some(json!({}))),("POST","/v1/account/test-clock",Some(json!({"now":"2027-01-01T00:00:00Z"})))] {
        let (s,_,v) = app.send(Some(&m), me, p, b, None).await; println!("member {me} {p}: {s} {}", v["type"]); assert_eq!(s,403);
    }
    for p in ["/v1/account","/v1/usage","/v1/usage/statements","/v1/forms"] { let (s,_,_) = app.send(Some(&m), "GET", p, None, None).await; assert_eq!(s,200); }
    // forms
    show!("form without permission", app.send(Some(&m), "POST", "/v1/forms", Some(json!({"name":"F"})), None).await);
    let f = show!("form off", app.send(Some(&m), "POST", "/v1/forms", Some(json!({"name":"F","set_marketing":false,"field_map":{"your_email":"email","x":"firstname"},"allowed_origins":["HTTPS://Example.org:443"],"redirect_url":"https://example.org/thanks"})), Some("f")).await);
    let fid = f["id"].as_str().unwrap();
    let p = format!("/v1/forms/{fid}");
    assert_eq!(show!("get form", app.send(Some(&m), "GET", &p, None, None).await), f);
    show!("switch on", app.send(Some(&m), "PATCH", &p, Some(json!({"set_marketing":true})), None).await);
    clock.set(at("2026-11-22T19:59:01.123Z"));
    show!("patch form", app.send(Some(&t), "PATCH", &p, Some(json!({"set_marketing":true,"redirect_url":null,"field_map":{},"allowed_origins":[]})), None).await);
    show!("list", app.send(Some(&t), "GET", "/v1/forms", None, None).await);
    // other account
    let o = show!("sandbox", app.send(Some("op"), "POST", "/v1/accounts", Some(json!({"name":"S","term":"monthly","renewal_date":"2026-01-31","test_clock":"2026-01-01T00:00:00Z"})), None).await);
    let ot = o["token"].as_str().unwrap().to_owned();
    let (s,_,_) = app.send(Some(&ot), "GET", &p, None, None).await; assert_eq!(s,404);
    let (s,_,_) = app.send(Some(&ot), "PATCH", &p, Some(json!({"name":"x"})), None).await; assert_eq!(s,404);
    let (s,_,_) = app.send(Some(&ot), "DELETE", &p, None, None).await; assert_eq!(s,404);
    let (s,_,_) = app.send(Some(&ot), "PATCH", &format!("/v1/users/{uid}"), Some(json!({"name":"x"})), None).await; assert_eq!(s,404);
    let (s,_,v) = app.send(Some(&ot), "POST", "/v1/tokens", Some(json!({"user_id":uid})), None).await; assert_eq!(s,400);
    let tid = list["results"][0]["id"].as_str().unwrap();
    let (s,_,_) = app.send(Some(&ot), "DELETE", &format!("/v1/tokens/{tid}"), None, None).await; assert_eq!(s,404);
    show!("delete form", app.send(Some(&t), "DELETE", &p, None, Some("df")).await);
    show!("delete form again", app.send(Some(&t), "DELETE", &p, None, Some("df")).await);
    show!("delete form new", app.send(Some(&t), "DELETE", &p, None, None).await);
    // sandbox
    show!("too far", app.send(Some(&ot), "POST", "/v1/account/test-clock", Some(json!({"now":"2032-01-01T00:00:00Z"})), Some("far")).await);
    let t0 = std::time::Instant::now();
    show!("five years", app.send(Some(&ot), "POST", "/v1/account/test-clock", Some(json!({"now":"2031-01-01T00:00:00Z"})), Some("five")).await);
    println!("took {:?}", t0.elapsed());
    show!("five years again", app.send(Some(&ot), "POST", "/v1/account/test-clock", Some(json!({"now":"2031-01-01T00:00:00Z"})), Some("five")).await);
    show!("far kept", app.send(Some(&ot), "POST", "/v1/account/test-clock", Some(json!({"now":"2032-01-01T00:00:00Z"})), Some("far")).await);
    show!("back", app.send(Some(&ot), "POST", "/v1/account/test-clock", Some(json!({"now":"2030-01-01T00:00:00Z"})), None).await);
    show!("account", app.send(Some(&ot), "GET", "/v1/account", None, None).await);
    let st = show!("statements", app.send(Some(&ot), "GET", "/v1/usage/statements?limit=2", None, None).await);
    let after = st["paging"]["next"]["after"].as_str().unwrap();
    show!("statements 2", app.send(Some(&ot), "GET", &format!("/v1/usage/statements?limit=2&after={after}"), None, None).await);
    let all = app.send(Some(&ot), "GET", "/v1/usage/statements", None, None).await.2; println!("{} statements, paging {}", all["results"].as_array().unwrap().len(), all["paging"]);
    // delete token
    let mtid = tok["id"].as_str().unwrap();
    show!("delete token", app.send(Some(&t), "DELETE", &format!("/v1/tokens/{mtid}"), None, None).await);
    let (s,_,_) = app.send(Some(&m), "GET", "/v1/account", None, None).await; assert_eq!(s,401);
    let (s,h,v) = app.send(None, "GET", "/v1/openapi.json", None, None).await; println!("{s} {:?} {v}", h.get("content-type"));
    let (s,h,v) = app.send(None, "PUT", "/v1/forms/x", None, None).await; println!("{s} {v}");
    std::fs::write("/tmp/account-openapi.json", account::openapi().to_pretty_json().unwrap()).unwrap();
}
