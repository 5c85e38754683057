//! Read and write units of every operation of the API and of bulk jobs, as the engine reports them, compared with
//! DynamoDB's minimum for the same effect.
//!
//! The minimum for reads is a consistent read of each item that the response or the decision depends on. A unit is 4
//! KB, and each item is rounded up. Adjacent items are read by one query and rounded up once. The absence of an item
//! costs nothing, because a condition of the write checks it.
//!
//! The minimum for writes follows from the table before and after the operation. Each changed item is written, and a
//! unit is 1 KB of the larger of the item's two sizes. If several items must change together, the units double. Each
//! added or removed index entry costs one more unit.

mod bulk;
mod least;
mod operations;

use std::collections::BTreeSet;
use std::future::ready;

use api::identity::Identity;
use api::{Clock, Context, Queue};
use axum::body::Body;
use axum::{Extension, Router};
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use testkit::{Units, at};
use tower::ServiceExt as _;

use crate::report::{Row, row};
use crate::units::least::{Need, Snapshot};
use crate::units::operations::{Operation, World};

/// Measures all operations, each in a new world.
pub async fn measure() {
    let count = World::create().await.operations().len();
    let mut measured = BTreeSet::new();
    for number in 0..count {
        let world = World::create().await;
        let operation = world.operations().swap_remove(number);
        measured.insert(format!("{} {}", operation.method, operation.route));
        let label = format!("`{} {}`{}", operation.method, operation.route, operation.with);
        let (units, least) = cost(&world, operation).await;
        row(&units_row(label, units, least));
    }
    assert_eq!(measured, described(), "the benchmark must measure exactly the operations of the API");
    let world = World::create().await;
    let (units, least) = authorizing(&world).await;
    row(&units_row("The authorizer, for a user's token".to_owned(), units, least));
    bulk::measure().await;
}

/// Returns the units of an operation, and the minimum units.
async fn cost(world: &World, operation: Operation) -> (Units, Units) {
    let before = Snapshot::take(&world.table).await;
    let router = router(world, &operation);
    let request = Request::builder()
        .method(operation.method)
        .uri(&operation.path)
        .header(AUTHORIZATION, "Bearer tmk_whoever-asks")
        .header(CONTENT_TYPE, "application/json");
    let body = operation.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = match operation.key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    world.table.recorder.reset();
    let Ok(response) = router.oneshot(request.body(body).expect("a request")).await;
    let units = world.table.recorder.units();
    assert!(response.status().is_success(), "{}: {}", operation.path, response.status());
    let after = Snapshot::take(&world.table).await;
    (units, Units { read: before.least_reads(&operation.needs), write: before.least_writes(&after) })
}

/// Returns a router of all functions without the authorizer's cost. The authorizer is measured separately, because one
/// authorization serves many requests.
fn router(world: &World, operation: &Operation) -> Router {
    let identity = if operation.route.starts_with("/v1/accounts") {
        Identity::Operator
    } else {
        Identity::Account(world.admin.clone())
    };
    let context = Context::new(world.table.store.clone(), Clock::new(|| at(operations::NOW)));
    let routes = account::router(context.clone())
        .merge(forms::router(context.clone()))
        .merge(contacts::router(context.clone()))
        .merge(form_submission::router(context.clone(), Queue::new(|_| ready(Ok(())))))
        .merge(bulk_jobs::router(context.clone(), Queue::new(|_| ready(Ok(())))))
        .merge(segments::router(context.clone(), Queue::new(|_| ready(Ok(())))))
        .merge(automations::router(context.clone(), Queue::new(|_| ready(Ok(())))))
        .merge(set_marketing::router(context.clone()))
        .merge(set_non_marketing_pending::router(context));
    routes.layer(Extension(identity))
}

async fn authorizing(world: &World) -> (Units, Units) {
    let before = Snapshot::take(&world.table).await;
    world.table.recorder.reset();
    let principal = world.table.store.authenticate(&world.token_sha256).await.expect("an answer");
    assert!(principal.is_some());
    let needs = [
        Need::item(format!("TOKEN#{}", world.token_sha256), "TOKEN"),
        Need::item(world.account_pk(), format!("USER#{}", world.user)),
    ];
    (world.table.recorder.units(), Units { read: before.least_reads(&needs), write: 0.0 })
}

fn units_row(label: String, units: Units, least: Units) -> Row {
    let pair = |units: Units| format!("{} + {}", units.read, units.write);
    let ratio = |measured: f64, least: f64| match (measured, least) {
        (0.0, 0.0) => "–".to_owned(),
        _ => format!("{:.2}", measured / least),
    };
    let ratios = format!("{} + {}", ratio(units.read, least.read), ratio(units.write, least.write));
    Row::new(label, pair(units), "read + write units").ratios(ratios).target(format!("least {}", pair(least)))
}

/// Returns the operations in the OpenAPI document.
fn described() -> BTreeSet<String> {
    let document: Value =
        serde_json::from_str(include_str!("../../functions/account/openapi.json")).expect("a document");
    let paths = document["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path").keys().filter(|name| *name != "parameters");
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}
