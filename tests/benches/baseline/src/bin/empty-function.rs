//! The emptiest HTTP function with one SDK client: it answers without calling anything.

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = baseline::client()?;
    let client = &client;
    lambda_http::run(service_fn(move |_: Request| async move {
        // Nothing is called, but the client is there for what would be.
        let answer = format!("{:?}", client.config().region());
        Ok::<_, Error>(Response::new(Body::from(answer)))
    }))
    .await
}
