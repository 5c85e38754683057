//! Links by which a caller sends or receives one file without any other permission.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use chrono::TimeDelta;
use domain::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{FileError, call_error};
use crate::files::Files;

/// The characters of a file's name that a header percent-encodes (RFC 5987, `attr-char`).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// A request that is signed already. It is a secret: each holder can use it until it expires, any number of times.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The URL.
    pub url: String,
    /// The headers that the request must have, because the signature includes them.
    pub headers: Vec<(String, String)>,
    /// The end of the link's validity.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Files {
    /// Returns a link that stores one file by `PUT`, for at most a week. `now` is the caller's clock, from which
    /// `expires_at` follows. The signature contains the machine's own time, because S3 compares it with its own.
    ///
    /// A link also ends with the credentials that signed it. Those of a function last for hours.
    ///
    /// The request stores the file once: its header `If-None-Match: *` is signed, so S3 answers 412 if a file is there. So
    /// no holder of the link can replace a file that was looked at.
    ///
    /// # Errors
    ///
    /// [`FileError::Fault`] if the link would be valid for more than a week.
    pub async fn upload_link(&self, key: &str, valid: Duration, now: Timestamp) -> Result<Link, FileError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key).if_none_match("*");
        let signed = put.presigned(validity(valid)?).await;
        Ok(link(&signed.map_err(|error| call_error(FAILED, error))?, valid, now))
    }

    /// Returns a link that receives a file by `GET`, for at most a week. A browser stores it under this name. The clock is
    /// that of [`Self::upload_link`].
    ///
    /// # Errors
    ///
    /// [`FileError::Fault`] if the link would be valid for more than a week.
    pub async fn download_link(
        &self,
        key: &str,
        file_name: &str,
        content_type: &str,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, FileError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let get = get.response_content_type(content_type).response_content_disposition(attachment(file_name));
        let signed = get.presigned(validity(valid)?).await;
        Ok(link(&signed.map_err(|error| call_error(FAILED, error))?, valid, now))
    }
}

impl Files {
    /// Returns the origin of all links, such as `https://files.s3.eu-central-1.amazonaws.com`. A page allows its script to
    /// send files there.
    ///
    /// # Errors
    ///
    /// [`FileError::Fault`] if no link can be signed.
    pub async fn origin(&self) -> Result<String, FileError> {
        // The address of a bucket is a name or a path, by the client's configuration. Only the client knows which one.
        let put = self.client.put_object().bucket(&self.bucket).key("any");
        let signed = put.presigned(validity(Duration::from_secs(1))?).await;
        let signed = signed.map_err(|error| call_error(FAILED, error))?;
        origin(signed.uri()).ok_or_else(|| FileError::Fault(FAILED, "the link has no origin".into()))
    }
}

/// Returns the scheme, the host and the port of a URL.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next().filter(|host| !host.is_empty())?;
    Some(format!("{scheme}://{host}"))
}

/// The message of a link that could not be signed.
const FAILED: &str = "a link was not created";

fn validity(valid: Duration) -> Result<PresigningConfig, FileError> {
    PresigningConfig::expires_in(valid).map_err(|error| FileError::Fault(FAILED, error.into()))
}

fn link(signed: &PresignedRequest, valid: Duration, now: Timestamp) -> Link {
    let headers = signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let valid = TimeDelta::from_std(valid).unwrap_or_default();
    Link { url: signed.uri().to_owned(), headers, expires_at: now.plus(valid) }
}

/// Returns the header that makes a browser store a file instead of showing it (RFC 6266). It has the name twice: programs
/// that do not know the second form take the first, in which other characters than ASCII are missing.
fn attachment(file_name: &str) -> String {
    let is_plain = |char: &char| char.is_ascii_graphic() && !matches!(char, '"' | '\\' | '%') || *char == ' ';
    let plain: String = file_name.chars().filter(is_plain).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(file_name, ENCODED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_that_of_a_name_and_of_a_path() {
        for (url, expected) in [
            (
                "https://files.s3.eu-central-1.amazonaws.com/any?x-id=1",
                "https://files.s3.eu-central-1.amazonaws.com",
            ),
            ("http://127.0.0.1:4567/files/any", "http://127.0.0.1:4567"),
            ("https://files.example.org?x=/", "https://files.example.org"),
        ] {
            assert_eq!(origin(url).as_deref(), Some(expected));
        }
        assert_eq!((origin("files"), origin("http:///x")), (None, None));
    }

    #[test]
    fn file_name_is_quoted_and_encoded() {
        assert_eq!(
            attachment("Alle Kontakte.csv"),
            "attachment; filename=\"Alle Kontakte.csv\"; filename*=UTF-8''Alle%20Kontakte.csv"
        );
        assert_eq!(
            attachment("a\"; b\r\n\\ü.csv"),
            "attachment; filename=\"a; b.csv\"; filename*=UTF-8''a%22%3B%20b%0D%0A%5C%C3%BC.csv"
        );
    }
}
