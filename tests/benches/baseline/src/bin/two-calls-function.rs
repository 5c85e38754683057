//! A minimal HTTP function that makes the two calls. The request's body contains the items' keys.

use baseline::{Keys, set_marketing};
use lambda_http::{Body, Error, Request, Response, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = baseline::client()?;
    let client = &client;
    lambda_http::run(service_fn(move |request: Request| async move {
        let line = std::str::from_utf8(request.body())?;
        set_marketing(client, &Keys::read(line)?).await?;
        Ok::<_, Error>(Response::new(Body::Empty))
    }))
    .await
}
