//! The operations of S3 that the program uses, on the files of a directory. All others are refused.

use std::io;
use std::path::PathBuf;

use domain::limits::{FILE_PART_BYTES_MIN, FILE_PARTS_MAX};
use futures_util::TryStreamExt as _;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, PutObjectInput, PutObjectOutput, StreamingBlob, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use store::Rng;
use tokio_util::io::ReaderStream;

use super::folder::{Folder, Upload};
use super::stored::{Stored, Writing};

/// A bucket over a directory.
pub(super) struct Bucket {
    name: &'static str,
    folder: Folder,
    rng: Rng,
}

impl Bucket {
    /// Creates the bucket of this name.
    pub(super) fn new(name: &'static str, folder: Folder, rng: Rng) -> Self {
        Self { name, folder, rng }
    }

    /// Returns the path of a file of this bucket.
    fn path(&self, bucket: &str, key: &str) -> S3Result<PathBuf> {
        if bucket != self.name {
            return Err(s3_error!(NoSuchBucket));
        }
        self.folder.file(key).ok_or_else(|| s3_error!(KeyTooLongError))
    }

    async fn file(&self, bucket: &str, key: &str) -> S3Result<Stored> {
        let path = self.path(bucket, key)?;
        Stored::open(&path).await.map_err(fault)?.ok_or_else(|| s3_error!(NoSuchKey))
    }

    fn upload(&self, id: &str, key: &str) -> S3Result<Upload> {
        self.folder.upload(id, key).map_err(fault)?.ok_or_else(|| s3_error!(NoSuchUpload))
    }

    /// Writes the body of a request to a file that is not finished yet.
    async fn write(&self, body: Option<StreamingBlob>) -> S3Result<Writing> {
        let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
        let mut writing = Writing::begin(self.folder.writing()).await.map_err(fault)?;
        while let Some(bytes) = body.try_next().await.map_err(|error| unread(&*error))? {
            writing.write(&bytes).await.map_err(fault)?;
        }
        Ok(writing)
    }

    /// Joins the parts of an unfinished file. Each must have the tag that the request names.
    async fn join(&self, id: &str, parts: &[CompletedPart]) -> S3Result<Writing> {
        let mut writing = Writing::begin(self.folder.writing()).await.map_err(fault)?;
        for (index, part) in parts.iter().enumerate() {
            let number = part.part_number.ok_or_else(|| s3_error!(InvalidPart))?;
            let stored = Stored::open(&self.folder.part(id, number)).await.map_err(fault)?;
            let stored = stored.ok_or_else(|| s3_error!(InvalidPart))?;
            if part.e_tag.as_ref().map(ETag::value) != Some(&*stored.head.tag) {
                return Err(s3_error!(InvalidPart));
            }
            if index + 1 < parts.len() && stored.bytes < FILE_PART_BYTES_MIN {
                return Err(s3_error!(EntityTooSmall));
            }
            writing.append(stored).await.map_err(fault)?;
        }
        Ok(writing)
    }
}

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let stored = self.file(&request.input.bucket, &request.input.key).await?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(length(stored.bytes)),
            content_type: stored.head.content_type,
            e_tag: Some(ETag::Strong(stored.head.tag)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let stored = self.file(&request.input.bucket, &request.input.key).await?;
        if let Some(ETagCondition::ETag(wanted)) = &request.input.if_match
            && wanted.value() != stored.head.tag
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let all = stored.bytes;
        let range = match &request.input.range {
            Some(range) => range.check(all)?,
            None => 0..all,
        };
        let part = request.input.range.is_some();
        let content_range = part.then(|| format!("bytes {}-{}/{all}", range.start, range.end - 1));
        let head = stored.head.clone();
        let content = stored.range(range.clone()).await.map_err(fault)?;
        Ok(S3Response::new(GetObjectOutput {
            body: Some(StreamingBlob::wrap(ReaderStream::new(content))),
            content_length: Some(length(range.end - range.start)),
            content_range,
            content_type: head.content_type,
            e_tag: Some(ETag::Strong(head.tag)),
            ..GetObjectOutput::default()
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let path = self.path(&input.bucket, &input.key)?;
        let writing = self.write(input.body).await?;
        let may_replace = match input.if_none_match {
            None => true,
            Some(ETagCondition::Any) => false,
            // S3 knows no other condition of this kind.
            Some(ETagCondition::ETag(_)) => return Err(s3_error!(NotImplemented)),
        };
        let stored = match may_replace {
            true => writing.finish(&path, input.content_type, "").await.map(Some),
            false => writing.finish_new(&path, input.content_type).await,
        };
        let tag = stored.map_err(fault)?.ok_or_else(|| s3_error!(PreconditionFailed))?;
        Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(tag)), ..PutObjectOutput::default() }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let path = self.path(&request.input.bucket, &request.input.key)?;
        match tokio::fs::remove_file(path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault(error)),
            _ => Ok(S3Response::new(DeleteObjectOutput::default())),
        }
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        self.path(&input.bucket, &input.key)?;
        let id = format!("{:032x}", self.rng.bits());
        let upload = Upload { key: input.key, content_type: input.content_type };
        self.folder.begin(&id, &upload).map_err(fault)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(upload.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        self.upload(&input.upload_id, &input.key)?;
        if !(1..=FILE_PARTS_MAX).contains(&input.part_number) {
            return Err(s3_error!(InvalidArgument));
        }
        let writing = self.write(input.body).await?;
        let path = self.folder.part(&input.upload_id, input.part_number);
        let tag = writing.finish(&path, None, "").await.map_err(fault)?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(tag)),
            ..UploadPartOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let path = self.path(&input.bucket, &input.key)?;
        let upload = self.upload(&input.upload_id, &input.key)?;
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        if parts.is_empty() {
            return Err(s3_error!(InvalidPart));
        }
        let joined = self.join(&input.upload_id, &parts).await?;
        let suffix = format!("-{}", parts.len());
        let tag = joined.finish(&path, upload.content_type, &suffix).await.map_err(fault)?;
        self.folder.end(&input.upload_id).map_err(fault)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(tag)),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.upload(&input.upload_id, &input.key)?;
        self.folder.end(&input.upload_id).map_err(fault)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

/// Returns the response to an error of the file system, which is logged.
fn fault(error: io::Error) -> S3Error {
    tracing::error!(error = api::problem::chain(&error), "a file could not be read or written");
    s3_error!(error, InternalError)
}

/// Returns the response to a body that broke, was too large or arrived too slowly.
fn unread(error: &(dyn std::error::Error + 'static)) -> S3Error {
    tracing::debug!(error = api::problem::chain(error), "the body of a file was not received");
    s3_error!(IncompleteBody)
}

/// Returns a size in the type of a header.
fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
