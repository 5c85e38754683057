//! Tests of an account's changes, of the instants for a sandbox's clock, and of the account's view.

use domain::calendar::{Calendar, Term, TimeZone, parse_date};
use domain::patch::Patch;
use domain::period::{Period, Terms};
use domain::tier::Tier;
use serde_json::{Value, json};

use super::*;
use api::reading::{read, wrong};

fn change(body: &Value) -> UpdateAccount {
    let UpdateAccountBody(change) = read(body).unwrap();
    change
}

#[test]
fn change_has_sent_settings_and_leaves_the_rest() {
    let empty = change(&json!({}));
    assert!(empty.name.is_none() && empty.time_zone.is_none() && empty.term.is_none());
    assert!(empty.renewal_date.is_none() && empty.marketing_contacts.is_none());
    assert!(empty.index_changes.is_none());
    assert!(empty.external_form.is_none() && empty.chatflow.is_none() && empty.chatflows.is_none());
    assert_eq!((empty.cap, empty.tier, empty.tier_limit_at_renewal), (Patch::Keep, None, Patch::Keep));
    assert_eq!(empty.by, ChangedBy::Admin);

    let full = change(&json!({
        "name": "Ada & Co", "time_zone": "Europe/Berlin", "term": "monthly", "renewal_date": "2027-01-31", "cap": 0,
        "marketing_contacts": false, "index_changes": true, "tier_limit_at_renewal": 2000, "tier": {"included": 5, "block": 1},
        "defaults": {
            "external_form": false, "forms_may_raise_tier": true, "chatflow": true,
            "chatflows": {"a": true, "b": false},
        },
    }));
    assert_eq!(full.name.as_deref(), Some("Ada & Co"));
    assert_eq!(full.time_zone.map(TimeZone::as_str), Some("Europe/Berlin"));
    assert_eq!((full.term, full.renewal_date), (Some(Term::Monthly), parse_date("2027-01-31").ok()));
    assert_eq!((full.cap, full.tier_limit_at_renewal), (Patch::Set(0), Patch::Set(2000)));
    assert_eq!((full.marketing_contacts, full.tier), (Some(false), Tier::new(5, 1).ok()));
    assert_eq!((full.external_form, full.chatflow), (Some(false), Some(true)));
    assert_eq!((full.forms_may_raise_tier, full.index_changes), (Some(true), Some(true)));
    assert_eq!(full.chatflows, Some(BTreeMap::from([("a".into(), true), ("b".into(), false)])));
}

#[test]
fn null_removes_cap_and_cancels_limit_at_renewal() {
    let removed = change(&json!({"cap": null, "tier_limit_at_renewal": null}));
    assert_eq!((removed.cap, removed.tier_limit_at_renewal), (Patch::Remove, Patch::Remove));
    let nulls = json!({"name": null, "time_zone": null, "defaults": null, "marketing_contacts": null});
    assert_eq!(wrong::<UpdateAccountBody>(&nulls), ["name", "time_zone", "marketing_contacts", "defaults"]);
}

#[test]
fn change_may_contain_part_of_the_defaults() {
    let part = change(&json!({"defaults": {"chatflow": true}}));
    assert_eq!((part.external_form, part.chatflow, part.chatflows), (None, Some(true), None));
    let none = change(&json!({"defaults": {"chatflows": {}}}));
    assert_eq!(none.chatflows, Some(BTreeMap::new()));
}

#[test]
fn change_with_several_errors_lists_all() {
    let body = json!({
        "name": " ", "time_zone": "Berlin", "term": "weekly", "renewal_date": "2027-02-30", "cap": -1,
        "marketing_contacts": "no", "defaults": {"external_form": 1, "forms": true, "chatflows": {"": true, "a": 1}},
        "tier_limit_at_renewal": USAGE_MAX + 1, "id": "acc_1",
    });
    assert_eq!(
        wrong::<UpdateAccountBody>(&body),
        [
            "name",
            "time_zone",
            "term",
            "renewal_date",
            "tier_limit_at_renewal",
            "marketing_contacts",
            "cap",
            "defaults.external_form",
            "defaults.chatflows.",
            "defaults.chatflows.a",
            "defaults.forms",
            "id",
        ]
    );
}

#[test]
fn chat_flows_beyond_their_bounds_are_rejected() {
    let of = |count: usize| {
        let flows: BTreeMap<String, bool> = (0..count).map(|flow| (flow.to_string(), true)).collect();
        json!({"defaults": {"chatflows": flows}})
    };
    assert_eq!(change(&of(CHATFLOWS_MAX)).chatflows.map(|flows| flows.len()), Some(CHATFLOWS_MAX));
    assert_eq!(wrong::<UpdateAccountBody>(&of(CHATFLOWS_MAX + 1)), ["defaults.chatflows"]);
    assert!(chatflow_id(&"x".repeat(ID_CHARS_MAX)).is_ok());
    assert!(chatflow_id(&"x".repeat(ID_CHARS_MAX + 1)).is_err());
    assert!(chatflow_id("a\u{0}").is_err());
}

#[test]
fn clock_instant_outside_allowed_years_is_rejected() {
    for (now, fits) in [
        ("1999-12-31T23:59:59.999Z", false),
        ("2000-01-01T00:00:00.000Z", true),
        ("2000-01-01T00:00:00.000+01:00", false),
        ("2199-12-31T23:59:59.999Z", true),
        ("2200-01-01T00:00:00.000Z", false),
        ("2026-11-21", false),
    ] {
        assert_eq!(read::<AdvanceTestClock>(&json!({"now": now})).is_ok(), fits, "{now}");
    }
    assert_eq!(wrong::<AdvanceTestClock>(&json!({})), ["now"]);
    assert_eq!(wrong::<AdvanceTestClock>(&json!({"now": "2026-11-21T00:00:00Z", "by": 1})), ["by"]);
}

fn account(tier: Tier, cap: Option<u64>, test_clock: Option<&str>) -> store::Account {
    let created = "2026-11-21T19:59:01.123Z".parse().unwrap();
    let calendar = Calendar {
        term: Term::Annual,
        renewal_date: parse_date("2027-06-15").unwrap(),
        time_zone: "Europe/Berlin".parse().unwrap(),
    };
    let test_clock = test_clock.map(|at| at.parse().unwrap());
    let period = Period::first(Terms { calendar, tier, cap, marketing_contacts: true, test_clock }, created);
    store::Account {
        portal: domain::ids::PortalId::new(0),
        id: AccountId::new(created, 1),
        name: "Ada & Co".into(),
        defaults: AccountDefaults {
            chatflows: BTreeMap::from([("a".into(), true)]),
            ..AccountDefaults::default()
        },
        period: Period { marketing: 1001, ..period },
        created_at: created,
    }
}

#[test]
fn account_view_has_all_changeable_settings() {
    let account = account(Tier::new(1000, 500).unwrap(), Some(2000), None);
    assert_eq!(
        serde_json::to_value(AccountView::new(&account)).unwrap(),
        json!({
            "id": account.id.to_string(), "portal_id": 10_000_000, "name": "Ada & Co",
            "time_zone": "Europe/Berlin", "term": "annual", "renewal_date": "2027-06-15", "marketing_contacts": true,
            "tier": {"included": 1000, "block": 500, "limit": 1500}, "cap": 2000,
            "period": {"number": 1, "starts_at": "2026-11-21T19:59:01.123Z", "ends_at": "2026-11-30T23:00:00.000Z"},
            "index_changes": false,
            "defaults": {
                "external_form": true, "forms_may_raise_tier": false, "chatflow": false, "chatflows": {"a": true},
            },
            "created_at": "2026-11-21T19:59:01.123Z",
        })
    );
}

#[test]
fn sandbox_view_has_clock_and_limit_at_renewal() {
    let tier = Tier::new(1000, 500).unwrap().with_limit_at_renewal(Some(1000), 1001).unwrap();
    let view =
        serde_json::to_value(AccountView::new(&account(tier, None, Some("2030-01-01T00:00:00Z")))).unwrap();
    assert_eq!(view["test_clock"], "2030-01-01T00:00:00.000Z");
    assert_eq!(view["period"]["starts_at"], "2030-01-01T00:00:00.000Z");
    assert_eq!((&view["cap"], &view["tier"]["limit_at_renewal"]), (&Value::Null, &json!(1000)));
}
