//! `POST /v1/eligibility`.

use serde_json::{Value, json};

use super::one_account;

const MARKETING: [&str; 4] = ["marketing_email", "form_follow_up_email", "automation_email", "ads_audience"];
const OTHERS: [&str; 6] = [
    "sales_email",
    "chat_transcript_email",
    "registration_email",
    "ticket_reply_email",
    "transactional_email",
    "feedback_survey",
];

#[tokio::test(start_paused = true)]
async fn denied_contact_lists_every_reason() {
    let (api, account) = one_account(json!({})).await;
    let token = &account.token;
    let create = async |body: Value| api.contact(token, body).await;
    let fine = create(json!({"email": "fine@example.org", "marketing": true})).await;
    let leaving = create(json!({"email": "leaving@example.org", "marketing": true})).await;
    let _ = api.queue(token, &[&leaving]).await;
    let free = create(json!({"email": "free@example.org"})).await;
    let unengaged = create(
        json!({"email": "unengaged@example.org", "marketing": true, "unsubscribed": true, "bounced": true}),
    )
    .await;
    let nothing = create(json!({"unsubscribed": true})).await;

    let contacts = json!([{"id": fine}, {"id": leaving}, {"id": free}, {"email": "Unengaged@example.org"}, {"id": nothing},
                          {"email": "no@one.example"}, {"id": "42"}]);
    let check = async |tool: &str| {
        let body = json!({"tool": tool, "contacts": contacts});
        api.post("/v1/eligibility").token(token).json(&body).await.expect(200)
    };
    let denied = |reasons: Value| (false, reasons);
    for tool in MARKETING {
        let answer = check(tool).await;
        let expected = [
            (true, json!([])),
            (true, json!([])),
            denied(json!(["non-marketing"])),
            denied(json!(["unsubscribed", "bounced"])),
            denied(json!(["non-marketing", "unsubscribed", "no-email"])),
            denied(json!(["not-found"])),
            denied(json!(["not-found"])),
        ];
        for (result, (allowed, reasons)) in answer["results"].as_array().unwrap().iter().zip(expected) {
            assert_eq!(
                (&result["allowed"], &result["reasons"]),
                (&json!(allowed), &reasons),
                "{tool} {result}"
            );
        }
        let reasons =
            json!({"bounced": 1, "no-email": 1, "non-marketing": 2, "not-found": 2, "unsubscribed": 2});
        assert_eq!(answer["summary"], json!({"allowed": 2, "not_allowed": 5, "reasons": reasons}));
    }
    for tool in OTHERS {
        let answer = check(tool).await;
        let reasons = json!({"no-email": 1, "not-found": 2});
        assert_eq!(answer["summary"], json!({"allowed": 4, "not_allowed": 3, "reasons": reasons}), "{tool}");
        let results = &answer["results"];
        assert_eq!(results[3]["id"], json!(unengaged), "found by its address");
        assert_eq!(results[3]["email"], "unengaged@example.org");
        assert_eq!(
            results[5],
            json!({"email": "no@one.example", "allowed": false, "reasons": ["not-found"]})
        );
        assert_eq!(results[6], json!({"id": "42", "allowed": false, "reasons": ["not-found"]}));
    }
    api.assert_exact(&account).await;
}

#[tokio::test(start_paused = true)]
async fn eligibility_request_requires_a_tool_and_contacts() {
    let (api, account) = one_account(json!({})).await;
    for (body, fields) in [
        (json!({}), vec!["tool", "contacts"]),
        (json!({"tool": "fax", "contacts": []}), vec!["tool", "contacts"]),
        (json!({"tool": "sales_email", "contacts": vec![json!({"id": "a"}); 1001]}), vec!["contacts"]),
        (json!({"tool": null, "contacts": [{}], "dry_run": true}), vec!["tool", "contacts[0]", "dry_run"]),
    ] {
        let reply = api.post("/v1/eligibility").token(&account.token).json(&body).await;
        assert_eq!(reply.invalid_fields(), fields, "{body}");
    }
}
