//! A minimal HTTP function with one SDK client, which responds without any call.

use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = baseline::client()?;
    let client = &client;
    lambda_http::run(service_fn(move |_: Request| async move {
        // The function makes no call, but it has the client that a call would need.
        let answer = format!("{:?}", client.config().region());
        Ok::<_, Error>(Response::new(Body::from(answer)))
    }))
    .await
}
