//! `otlp_http` (old name `otlphttp`): OTLP over HTTP, protobuf or JSON.
//!
//! The path `/v1/traces` (`metrics`, `logs`) is appended to `endpoint`; `traces_endpoint` is used as it is. 429, 502, 503, 504 and a connection
//! that fails are tried again, Retry-After being the least wait; everything else is final.

mod settings;

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use otlp::Signal;

use super::answer;
use super::http::{Poster, retried_by_otlp};
use super::{Batch, Delivered, ExportError, Exporter, Kind};
use crate::BoxFuture;
use crate::auth::ClientAuth;
use crate::budget::Class;

pub use settings::{BodyEncoding, OtlpHttpSettings};

/// Sends OTLP over HTTP.
pub struct OtlpHttp {
    poster: Poster,
    signal: Signal,
    encoding: BodyEncoding,
}

impl OtlpHttp {
    /// Reads certificates; connects with the first request.
    ///
    /// # Errors
    /// What is wrong with the certificates, the URL or the headers.
    pub fn new(settings: &OtlpHttpSettings, signal: Signal, auth: Option<Arc<dyn ClientAuth>>) -> Result<Self, String> {
        let content_type = match settings.encoding {
            BodyEncoding::Proto => "application/x-protobuf",
            BodyEncoding::Json => "application/json",
        };
        let url = settings.url(signal);
        let url =
            url.ok_or_else(|| format!("there is neither `endpoint` nor `{signal}_endpoint`; write one of them"))?;
        let poster = Poster::new(&settings.http, &url, content_type, auth)?;
        Ok(Self { poster, signal, encoding: settings.encoding })
    }

    async fn call(&self, body: Bytes, batch: &Batch) -> Result<Delivered, ExportError> {
        let body = match self.encoding {
            BodyEncoding::Proto => body,
            BodyEncoding::Json => self.encode_json(body).await?,
        };
        // JSON is a copy; the batch's own bytes are paid for.
        let copied_bytes = if self.encoding == BodyEncoding::Json { body.len() } else { 0 };
        let charge = batch.charge.beside(Class::Scratch, copied_bytes);
        let answer = self.poster.post(body, (&charge, batch.client.as_deref()), retried_by_otlp).await?;
        // A peer may answer in the other encoding.
        let content_type = answer.headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        if content_type.starts_with(b"application/json") {
            Ok(answer::delivered_json(&answer.body))
        } else if content_type.starts_with(b"application/x-protobuf") {
            Ok(answer::delivered_protobuf(&answer.body))
        } else {
            Ok(Delivered::default())
        }
    }

    /// On a blocking thread: 4 MiB of protobuf are a lot of text.
    async fn encode_json(&self, body: Bytes) -> Result<Bytes, ExportError> {
        let signal = self.signal;
        match tokio::task::spawn_blocking(move || otlp::json::encode(signal, &body)).await {
            Ok(Ok(json)) => Ok(json.into()),
            Ok(Err(error)) => Err(ExportError::new(Kind::Refused, error)),
            Err(error) => Err(ExportError::new(Kind::Permanent, error)),
        }
    }
}

impl Exporter for OtlpHttp {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(self.call(body, batch))
    }
}

#[cfg(test)]
mod tests;
