//! Limits of the local stack's server.

use std::time::Duration;

/// The time for which the local stack waits for the head of a request, and for which a kept-alive connection may be
/// idle. Without it, a client that sends nothing would keep its connections forever.
pub const REQUEST_HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// The time for which the local stack waits for the whole body of a request. API Gateway allows a whole request this
/// time.
pub const REQUEST_BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// The maximum number of connections that the local stack serves at once. Further ones wait until another is closed.
/// Each may need a second one to the engine, and a process has 1,024 open files by default.
pub const CONNECTIONS_MAX: usize = 256;

/// The pause of the local stack after it could not accept a connection, so a lack of open files does not keep a
/// processor busy.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The maximum size of a file that one request sends to the local stack, in bytes: the limit of S3, 5 GiB.
pub const FILE_UPLOAD_BYTES_MAX: usize = 5 * 1024 * 1024 * 1024;
