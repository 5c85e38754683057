//! All HTTP functions behind one authorizer, as in API Gateway.

use std::sync::Arc;

use api::identity::RequestId;
use api::{Context, Problem, Queue};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use file_store::Files;
use http::header::AUTHORIZATION;
use store::{AutomationTask, BulkTask, FileTask, InboxTask};

/// The state of the layers between a request and the functions.
#[derive(Clone)]
struct Gateway {
    context: Context,
    operator_sha256: Arc<[String]>,
}

/// The queues to which the functions send tasks.
#[derive(Clone, Debug)]
pub struct Queues {
    /// The queue of submissions that are deferred in a burst.
    pub inbox: Queue<InboxTask>,
    /// The queue of accounts with unfinished bulk jobs.
    pub bulk: Queue<BulkTask>,
    /// The queue of automations for which contacts wait.
    pub automations: Queue<AutomationTask>,
    /// The queue of unfinished imports and exports.
    pub files: Queue<FileTask>,
}

/// The parts that the functions share.
#[derive(Clone)]
pub struct Parts {
    /// The table, the clock and the API's address.
    pub context: Context,
    /// The queues.
    pub queues: Queues,
    /// The files of imports and exports.
    pub files: Files,
}

/// Returns the router of the whole API. `operator_sha256` is the SHA-256 of the operator's token, in lower-case
/// hexadecimal.
pub fn app(parts: Parts, operator_sha256: &str) -> Router {
    let Parts { context, queues: Queues { inbox, bulk, files: file_queue, .. }, files } = parts;
    let console = console::Parts {
        context: context.clone(),
        bulk: bulk.clone(),
        files: files.clone(),
        file_queue: file_queue.clone(),
        is_secure: false,
    };
    let crm = hubspot_crm::Parts {
        context: context.clone(),
        files: files.clone(),
        file_queue: file_queue.clone(),
        bulk_queue: bulk.clone(),
    };
    let file_parts = files::Parts { context: context.clone(), files, queue: file_queue };
    let routes = account::router(context.clone())
        .merge(contacts::router(context.clone()))
        .merge(bulk_jobs::router(context.clone(), bulk.clone()))
        .merge(files::router(file_parts))
        .merge(form_submission::router(context.clone(), inbox))
        .merge(forms::router(context.clone()))
        .merge(hubspot_crm::router(crm))
        .merge(segments::router(context.clone(), bulk.clone()))
        .merge(automations::router(context.clone(), bulk.clone()))
        .merge(set_marketing::router(context.clone()))
        .merge(set_non_marketing_pending::router(context.clone()));
    let routes = routes.merge(console::router(console));
    let gateway = Gateway { context, operator_sha256: [operator_sha256.to_owned()].into() };
    let routes = api::router::with_not_found(routes).layer(from_fn_with_state(gateway.clone(), authorize));
    api::router::finished(routes).layer(from_fn_with_state(gateway, name_request))
}

/// Assigns an id to the request, as API Gateway does.
async fn name_request(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let id = format!("{:032x}", gateway.context.store.rng().bits());
    request.extensions_mut().insert(RequestId(id));
    next.run(request).await
}

/// Calls the authorizer and adds the identity to the request. Routes that need an identity answer 401 without one.
/// Public routes do not need one.
async fn authorize(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match authorizer::authorize(&gateway.context.store, &gateway.operator_sha256, header).await {
        Ok(Some(identity)) => {
            request.extensions_mut().insert(identity);
        }
        Ok(None) => {}
        Err(error) => return Problem::from(error).into_response(),
    }
    next.run(request).await
}
