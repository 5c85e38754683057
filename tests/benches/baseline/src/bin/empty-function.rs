//! The emptiest HTTP function with one SDK client: it answers without calling anything.

use aws_sdk_dynamodb::Client;
use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::new(&baseline::sdk().await);
    let client = &client;
    lambda_http::run(service_fn(move |_: Request| async move {
        // Nothing is called, but the client is there for what would be.
        let answer = format!("{:?}", client.config().region());
        Ok::<_, Error>(Response::new(Body::from(answer)))
    }))
    .await
}
