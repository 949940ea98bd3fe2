//! `otlp_http` (old name `otlphttp`): OTLP over HTTP, protobuf or JSON.
//!
//! The path `/v1/traces` is appended to `endpoint`; `traces_endpoint` is used as it is. 429, 502, 503, 504 and a connection
//! that fails are tried again, Retry-After being the least wait; everything else is final.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;

use super::answer;
use super::compress::Encoding;
use super::http::{HttpSettings, Poster, retried_by_otlp};
use super::{Batch, Delivered, ExportError, Exporter, Kind, QueueSettings, RetrySettings};
use crate::BoxFuture;

/// Settings of an `otlp_http` exporter.
#[derive(Clone, Debug)]
pub struct OtlpHttpSettings {
    /// The client. Its endpoint may be empty if there is a `traces_endpoint`.
    pub http: HttpSettings,
    /// The whole URL for traces, in place of `endpoint`.
    pub traces_endpoint: String,
    /// For metrics: kept to be printed.
    pub metrics_endpoint: String,
    /// For logs: kept to be printed.
    pub logs_endpoint: String,
    /// For profiles: kept to be printed.
    pub profiles_endpoint: String,
    /// How requests are encoded.
    pub encoding: BodyEncoding,
    /// The queue.
    pub queue: QueueSettings,
    /// Retries.
    pub retry: RetrySettings,
}

/// How a request is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyEncoding {
    /// Protobuf.
    Proto,
    /// JSON.
    Json,
}

impl OtlpHttpSettings {
    /// The defaults, for an endpoint.
    #[must_use]
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            http: HttpSettings::new(endpoint, Duration::from_secs(30), Encoding::Gzip),
            traces_endpoint: String::new(),
            metrics_endpoint: String::new(),
            logs_endpoint: String::new(),
            profiles_endpoint: String::new(),
            encoding: BodyEncoding::Proto,
            queue: QueueSettings::default(),
            retry: RetrySettings::default(),
        }
    }

    /// Where traces go to.
    #[must_use]
    pub fn traces_url(&self) -> String {
        match self.traces_endpoint.as_str() {
            "" => format!("{}/v1/traces", self.http.endpoint.strip_suffix('/').unwrap_or(&self.http.endpoint)),
            url => url.to_owned(),
        }
    }
}

/// Sends OTLP over HTTP.
pub struct OtlpHttp {
    poster: Poster,
    encoding: BodyEncoding,
}

impl OtlpHttp {
    /// Reads certificates; connects with the first request.
    ///
    /// # Errors
    /// What is wrong with the certificates, the URL or the headers.
    pub fn new(settings: &OtlpHttpSettings) -> Result<Self, String> {
        let content_type = match settings.encoding {
            BodyEncoding::Proto => "application/x-protobuf",
            BodyEncoding::Json => "application/json",
        };
        let poster = Poster::new(&settings.http, &settings.traces_url(), content_type)?;
        Ok(Self { poster, encoding: settings.encoding })
    }

    async fn call(&self, body: Bytes) -> Result<Delivered, ExportError> {
        let body = match self.encoding {
            BodyEncoding::Proto => body,
            BodyEncoding::Json => encode_json(body).await?,
        };
        let answer = self.poster.post(body, retried_by_otlp).await?;
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
}

/// On a blocking thread: 4 MiB of protobuf are a lot of text.
async fn encode_json(body: Bytes) -> Result<Bytes, ExportError> {
    let encoded = tokio::task::spawn_blocking(move || otlp::json::encode(&body)).await;
    match encoded {
        Ok(Ok(json)) => Ok(json.into()),
        Ok(Err(error)) => Err(ExportError::new(Kind::Refused, error)),
        Err(error) => Err(ExportError::new(Kind::Permanent, error)),
    }
}

impl Exporter for OtlpHttp {
    fn export<'a>(&'a self, body: Bytes, _batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(self.call(body))
    }
}

#[cfg(test)]
mod tests;
