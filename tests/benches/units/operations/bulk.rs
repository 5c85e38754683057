//! Requests of segments and bulk jobs, with the items that they must read.

use serde_json::{Value, json};
use testkit::{Api, Tenant};

use crate::units::least::Need;
use crate::units::operations::{Operation, World, operation};

/// A segment with a filter, a static list with one member, and a job that waits.
pub(super) struct Selections {
    segment: String,
    list: String,
    job: String,
}

/// Returns a filter that matches one contact.
fn ada() -> Value {
    json!([{"filters": [{"propertyName": "firstname", "operator": "EQ", "value": "Ada"}]}])
}

impl Selections {
    /// Creates segments and a job. The contact is the list's member and the job's only contact.
    pub(super) async fn create(api: &Api, tenant: &Tenant, contact: &str) -> Self {
        let created = async |path: &str, body: Value, status| {
            api.post(path).token(&tenant.token).json(&body).await.expect(status)
        };
        let id = |value: &Value| value.as_str().expect("an id").to_owned();
        let contacts = json!([{"id": contact}]);
        let segment = created("/v1/segments", json!({"name": "Ada", "filterGroups": ada()}), 201).await;
        let list = created("/v1/segments", json!({"name": "Friends", "contacts": contacts}), 201).await;
        let job = json!({"action": "set-marketing", "selection": {"contacts": contacts}});
        let job = created("/v1/bulk/jobs", job, 202).await;
        Self { segment: id(&segment["id"]), list: id(&list["id"]), job: id(&job["job"]["id"]) }
    }
}

impl World {
    /// Returns the requests of bulk jobs.
    pub(super) fn bulk_operations(&self) -> Vec<Operation> {
        let every = || vec![self.own("PERIOD"), Need::all(format!("CONTACT#{}#", self.account), "")];
        let preview = json!({"action": "set-marketing", "selection": {"filterGroups": ada()}});
        let mut confirmed = preview.clone();
        confirmed["confirm_count"] = json!(1);
        let job = &self.selections.job;
        let item = || self.own(&format!("JOB#{job}"));
        let queue = || self.own("JOBS");
        vec![
            operation("POST", "/v1/bulk/preview", Some(preview), every()).with(", 100 contacts"),
            operation("POST", "/v1/bulk/jobs", Some(confirmed), [every(), vec![queue()]].concat())
                .with(", 100 contacts"),
            operation("GET", "/v1/bulk/jobs", None, vec![Need::all(self.account_pk(), "JOB#")]),
            operation("GET", "/v1/bulk/jobs/{id}", None, vec![item()]).at(job),
            operation("POST", "/v1/bulk/jobs/{id}/cancel", None, vec![self.own("PERIOD"), item(), queue()])
                .at(job),
            operation("POST", "/v1/review", Some(json!({"unengaged": {}})), every()).with(", 100 contacts"),
        ]
    }

    /// Returns the requests of segments.
    pub(super) fn segment_operations(&self) -> Vec<Operation> {
        let (segment, list) = (&self.selections.segment, &self.selections.list);
        let item = |id: &str| self.own(&format!("SEGMENT#{id}"));
        let new = json!({"name": "Other", "filterGroups": ada()});
        let add = json!({"add": [{"id": self.contact.to_string()}]});
        let members = || Need::all(format!("MEMBER#{}#{list}#", self.account), "");
        let member = self.contact_item(self.free[0]);
        let contacts = "/v1/segments/{id}/contacts";
        let one = "/v1/segments/{id}";
        vec![
            operation("GET", "/v1/segments", None, vec![Need::all(self.account_pk(), "SEGMENT#")]),
            operation("POST", "/v1/segments", Some(new), vec![self.own("PERIOD"), self.own("ACCOUNT")]),
            operation("GET", one, None, vec![item(segment)]).at(segment),
            operation("PATCH", one, Some(json!({"name": "Other"})), vec![item(segment)]).at(segment),
            operation("DELETE", one, None, vec![item(segment), self.own("ACCOUNT")])
                .at(segment)
                .with(", a filter"),
            operation("DELETE", one, None, vec![item(list), self.own("ACCOUNT"), self.own("JOBS")])
                .at(list)
                .with(", a list"),
            operation("GET", contacts, None, vec![item(list), self.own("PERIOD"), members(), member])
                .at(list)
                .with(", a list of one"),
            operation(
                "POST",
                "/v1/segments/{id}/members",
                Some(add),
                vec![item(list), self.contact_item(self.contact)],
            )
            .at(list)
            .with(", 1 to add"),
        ]
    }
}
