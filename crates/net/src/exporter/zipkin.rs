//! `zipkin`: spans as Zipkin v2 JSON, in POSTs of a bounded size.
//!
//! Each Zipkin span repeats its resource, so the JSON can be many times the OTLP; what would be larger than
//! [`BODY_BYTES_MAX`] goes in halves. Unlike OTLP, Zipkin has no list of statuses to try again, and a server whose storage
//! is away answers 500: so 429 and every 5xx is tried again, as otelcol does.

mod settings;

use std::sync::Arc;

use bytes::Bytes;
use formats::zipkin::{EncodeError, Encoded, encode};

use super::http::Poster;
use super::{Batch, Delivered, ExportError, Exporter, Kind};
use crate::BoxFuture;
use crate::auth::ClientAuth;
use crate::budget::Class;

pub use settings::ZipkinSettings;

/// Sends Zipkin JSON.
pub struct Zipkin {
    poster: Poster,
    format: formats::zipkin::Settings,
}

/// The largest body that is sent, uncompressed: what Zipkin's server and its collectors take as they come.
pub const BODY_BYTES_MAX: usize = 4 << 20;

impl Zipkin {
    /// Reads certificates; connects with the first request.
    ///
    /// # Errors
    /// What is wrong with the certificates, the URL or the headers.
    pub fn new(settings: &ZipkinSettings, auth: Option<Arc<dyn ClientAuth>>) -> Result<Self, String> {
        let poster = Poster::new(&settings.http, &settings.http.endpoint, "application/json", auth)?;
        let format = formats::zipkin::Settings { default_service_name: settings.default_service_name.clone() };
        Ok(Self { poster, format })
    }

    async fn call(&self, request: Bytes, batch: &Batch) -> Result<Delivered, ExportError> {
        let encoded = self.encode(request).await?;
        if encoded.spans > 0 {
            let charge = batch.charge.beside(Class::Scratch, encoded.body.len());
            let retried = |status| matches!(status, 429 | 500..);
            self.poster.post(encoded.body.into(), (&charge, batch.client.as_deref()), retried).await?;
        }
        let message = match encoded.rejected {
            0 => String::new(),
            _ => "spans without a valid trace and span ID have no form in zipkin".to_owned(),
        };
        Ok(Delivered { rejected: encoded.rejected, message })
    }

    /// On a blocking thread: 4 MiB of OTLP are a lot of text.
    async fn encode(&self, request: Bytes) -> Result<Encoded, ExportError> {
        let format = self.format.clone();
        let encoded = tokio::task::spawn_blocking(move || encode(&request, &format, BODY_BYTES_MAX)).await;
        match encoded {
            Ok(Ok(encoded)) => Ok(encoded),
            Ok(Err(error @ EncodeError::TooLarge { .. })) => Err(ExportError::new(Kind::TooLarge, error)),
            Ok(Err(error @ EncodeError::Malformed(_))) => Err(ExportError::new(Kind::Refused, error)),
            Err(error) => Err(ExportError::new(Kind::Permanent, error)),
        }
    }
}

impl Exporter for Zipkin {
    fn export<'a>(&'a self, body: Bytes, batch: &'a Batch) -> BoxFuture<'a, Result<Delivered, ExportError>> {
        Box::pin(self.call(body, batch))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::exporter::Destination;
    use crate::exporter::peer::{Peer, Reply, batch, batch_of};

    fn accepted() -> Reply {
        Reply::Http(202, Vec::new(), Vec::new())
    }

    async fn export(peer: &Peer) -> Result<Delivered, ExportError> {
        let batch = batch(3);
        let url = format!("{}/api/v2/spans", peer.http());
        Zipkin::new(&ZipkinSettings::new(url), None).unwrap().export(batch.body.clone(), &batch).await
    }

    #[tokio::test]
    async fn sends_what_zipkin_reads() {
        let peer = Peer::start(|_, _| accepted()).await;
        assert_eq!(export(&peer).await, Ok(Delivered::default()));
        let seen = peer.seen().remove(0);
        assert_eq!(
            (seen.path.as_str(), &seen.headers["content-type"]),
            ("/api/v2/spans", &"application/json".parse().unwrap())
        );
        let spans: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(spans.as_array().unwrap().len(), 3);
        assert_eq!(spans[1]["name"], "span 1");
        assert_eq!(spans[1]["localEndpoint"]["serviceName"], "<missing service name>");
    }

    #[tokio::test]
    async fn each_status_has_its_kind() {
        let later = Kind::Retry { after: None };
        for (status, expected) in [
            (400, Kind::Refused),
            (404, Kind::Permanent),
            (413, Kind::TooLarge),
            (429, later),
            (500, later),
            (503, later),
        ] {
            let peer = Peer::start(move |_, _| Reply::Http(status, Vec::new(), Vec::new())).await;
            assert_eq!(export(&peer).await.unwrap_err().kind, expected, "status {status}");
        }
    }

    #[tokio::test]
    async fn bodies_are_bounded_and_nothing_is_lost() {
        let peer = Peer::start(|_, _| accepted()).await;
        let settings = ZipkinSettings::new(peer.http());
        let exporter = Arc::new(Zipkin::new(&settings, None).unwrap());
        let destination = Destination::start("zipkin", otlp::Signal::Traces, exporter, settings.queue, settings.retry);
        // 4.2 MB in spans of 600 KB.
        destination.offer(batch_of(&vec!["x".repeat(600_000); 7]));
        let stats = destination.drain(Instant::now() + Duration::from_secs(60)).await;
        assert_eq!((stats.delivered.items, stats.residue()), (7, (0, 0)));
        let sizes: Vec<_> = peer.seen().iter().map(|seen| seen.body.len()).collect();
        assert!(sizes.len() == 2 && sizes.iter().all(|size| *size <= BODY_BYTES_MAX), "{sizes:?}");
    }
}
