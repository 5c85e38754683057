//! The files of the local stack: S3's protocol over a directory, for the SDK and for links.
//!
//! The server has a port of its own, because a link addresses S3 and not the API. Links are the only way for other
//! programs to use it: each request needs a signature, and the key of the signatures is random and never leaves this
//! process. So links end when the program does.

mod bucket;
mod folder;
mod stored;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody as _;
use axum::error_handling::HandleError;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use domain::limits::{FILE_PREFLIGHT_KEPT_SECONDS, FILE_UPLOAD_BYTES_MAX};
use file_store::Files;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, IF_NONE_MATCH};
use http::{Method, StatusCode};
use s3s::HttpError;
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use store::Rng;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower_http::cors::{Any, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::server::{Server, ServerLimits};

use bucket::Bucket;
use folder::Folder;

/// The name of the bucket.
pub const BUCKET: &str = "tidemark-files";

/// The key of the signatures. It is a secret, because it signs any request.
#[derive(Clone)]
pub struct AccessKey {
    /// The part that requests name.
    pub id: String,
    /// The part that signs.
    pub secret: String,
}

impl AccessKey {
    fn random(rng: &Rng) -> Self {
        let hex = || format!("{:032x}", rng.bits());
        Self { id: hex(), secret: hex() }
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey")
    }
}

/// A running server of files.
#[derive(Debug)]
pub struct FileServer {
    /// The bucket of the server.
    pub files: Files,
    /// The address at which the server listens.
    pub address: SocketAddr,
    /// The key of the signatures. Tests pass it to the processes of functions.
    pub key: AccessKey,
    server: Server,
    /// The directory of files that are not kept. It is deleted with this value.
    temporary: Option<TempDir>,
}

impl FileServer {
    /// Starts a server at this address. It stores the files in this directory, or without one in a temporary directory
    /// that is deleted when the server stops. It needs a tokio runtime.
    ///
    /// The body of a request may have [`FILE_UPLOAD_BYTES_MAX`], of any duration, but `body_time` is the longest pause in
    /// it. The other bounds are those of `limits`.
    ///
    /// # Errors
    ///
    /// An error if the address is not available, or the directory cannot be created or written.
    pub fn start(
        address: SocketAddr,
        directory: Option<&Path>,
        limits: ServerLimits,
        rng: &Rng,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let (parent, temporary) = match directory {
            Some(directory) => (directory.to_owned(), None),
            None => {
                let temporary = tempfile::tempdir()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        let bucket = Bucket::new(BUCKET, Folder::open(&parent.join("files"))?, rng.clone());
        let key = AccessKey::random(rng);
        let service = service(bucket, &key);
        let server = Server::start(listener, router(service, limits), limits);
        let url = format!("http://{address}");
        let files = Files::at_endpoint(&url, &key.id, &key.secret, BUCKET.to_owned());
        Ok(Self { files, address, key, server, temporary })
    }

    /// Stops the server. It accepts no further request, and finishes running ones within `grace`.
    ///
    /// # Errors
    ///
    /// An error if a temporary directory cannot be deleted.
    pub async fn stop(self, grace: Duration) -> io::Result<()> {
        self.server.stop(grace).await;
        self.temporary.map_or(Ok(()), TempDir::close)
    }
}

/// Returns the service that checks the signatures of requests and calls the bucket.
fn service(bucket: Bucket, key: &AccessKey) -> S3Service {
    let mut config = S3Config::default();
    // A form of a browser is read into memory before its signature is checked. Links do not use it.
    config.post_object_max_file_size = 0;
    let mut service = S3ServiceBuilder::new(bucket);
    service.set_auth(SimpleAuth::from_single(&*key.id, &*key.secret));
    service.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    service.build()
}

/// Returns the router of the service, with the bounds of bodies and with the cross-origin rules of the deployed bucket.
fn router(service: S3Service, limits: ServerLimits) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers([CONTENT_TYPE, IF_NONE_MATCH])
        .max_age(Duration::from_secs(FILE_PREFLIGHT_KEPT_SECONDS));
    Router::new()
        .fallback_service(HandleError::new(service, failed))
        .layer(RequestBodyLimitLayer::new(FILE_UPLOAD_BYTES_MAX))
        .layer(RequestBodyTimeoutLayer::new(limits.body_time))
        .layer(from_fn(name_length))
        .layer(cors)
}

/// Names the length of an empty body. The service requires a length, and the layer that bounds the pauses of a body hides
/// the length of one without a header.
async fn name_length(mut request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    next.run(request).await
}

/// Returns the response to a request for which the service has none.
async fn failed(error: HttpError) -> StatusCode {
    let error: s3s::StdError = error.into();
    tracing::error!(error = api::problem::chain(&*error), "a request for a file failed");
    StatusCode::INTERNAL_SERVER_ERROR
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn temporary_files_are_deleted_at_the_end() {
        for is_stopped in [true, false] {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let server = FileServer::start(address, None, ServerLimits::default(), &Rng::system()).unwrap();
            let directory = server.temporary.as_ref().unwrap().path().to_owned();
            server.files.put("key", "text/csv", b"name\n".to_vec()).await.unwrap();
            assert!(directory.join("files/stored/key").is_file());
            if is_stopped {
                server.stop(Duration::from_secs(1)).await.unwrap();
            } else {
                drop(server);
            }
            assert!(!directory.exists());
        }
    }
}
