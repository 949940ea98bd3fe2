//! Whom Tailrace's own telemetry is sent to: OTLP over gRPC or HTTP, or standard output.

use crate::configuration::telemetry::push::{OtlpPush, PushCompression, PushExporter, PushProtocol};
use bytes::Bytes;
use net::{
    budget::{Budget, Class},
    exporter::{
        Batch, Exporter,
        compress::{Compression, Encoding},
        otlp_grpc::{GrpcEndpoint, OtlpGrpc, OtlpGrpcSettings},
        otlp_http::{OtlpHttp, OtlpHttpSettings},
    },
    tls::{Material, Pem, TlsClient},
};
use otlp::Signal;
use parking_lot::Mutex;
use settings::Secret;
use std::{
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// Failures are told at most this often.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// A peer for one signal.
pub(crate) struct Peer {
    signal: Signal,
    way: Way,
    budget: Arc<Budget>,
    warned_at: Mutex<Option<Instant>>,
}

enum Way {
    Exporter { exporter: Box<dyn Exporter>, timeout: Duration, place: String },
    Console,
}

impl Peer {
    /// As the settings want it.
    ///
    /// # Errors
    /// What it cannot be built from, in words.
    pub(crate) fn new(settings: &PushExporter, signal: Signal, budget: Arc<Budget>) -> Result<Self, String> {
        let way = match settings {
            PushExporter::Console => Way::Console,
            PushExporter::Otlp(otlp) => {
                let (exporter, place) = exporter(otlp, signal)?;
                Way::Exporter { exporter, timeout: otlp.timeout(), place }
            }
        };
        Ok(Self { signal, way, budget, warned_at: Mutex::new(None) })
    }

    /// Sends a request within this time; tells whether it was taken.
    pub(crate) async fn send(&self, request: Vec<u8>, time_max: Duration) -> bool {
        let (exporter, timeout, place) = match &self.way {
            Way::Exporter { exporter, timeout, place } => (exporter, *timeout, place),
            Way::Console => return self.print(&request),
        };
        let charge = self.budget.charge_always(Class::Batches, request.len());
        let body = Bytes::from(request);
        let batch = Batch {
            signal: self.signal,
            body: body.clone(),
            items: 1,
            notes: Vec::new(),
            client: None,
            charge,
            tokens: Vec::new(),
        };
        let outcome = tokio::time::timeout(time_max.min(timeout), exporter.export(body, &batch)).await;
        match outcome {
            Ok(Ok(delivered)) if delivered.rejected == 0 => return true,
            Ok(Ok(delivered)) => {
                self.warn(place, &format!("{} of it rejected: {}", delivered.rejected, delivered.message));
                return true;
            }
            Ok(Err(error)) => self.warn(place, &error.message),
            Err(_) => self.warn(place, "no answer in time"),
        }
        false
    }

    fn print(&self, request: &[u8]) -> bool {
        let Ok(mut line) = otlp::json::encode(self.signal, request) else { return false };
        line.push(b'\n');
        std::io::stdout().lock().write_all(&line).is_ok()
    }

    fn warn(&self, place: &str, message: &str) {
        let mut warned_at = self.warned_at.lock();
        if warned_at.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL) {
            *warned_at = Some(Instant::now());
            tracing::warn!(target: OWN, signal = %self.signal, %place, "cannot push Tailrace's own telemetry: {message}");
        }
    }
}

/// Log lines about pushing are not pushed themselves.
pub(crate) const OWN: &str = "tailrace::push";

/// The exporter, and where it sends to.
fn exporter(otlp: &OtlpPush, signal: Signal) -> Result<(Box<dyn Exporter>, String), String> {
    let headers: Vec<(String, Secret)> =
        listed(otlp.headers_list.as_ref()).chain(otlp.headers.iter().cloned()).collect();
    let compression = Compression::of(match otlp.compression {
        Some(PushCompression::Gzip) => Encoding::Gzip,
        Some(PushCompression::None) | None => Encoding::Identity,
    });
    let pem = |path: &Option<String>| path.as_ref().map(|path| Pem::File(PathBuf::from(path)));
    let material = Material {
        ca: pem(&otlp.certificate),
        certificate: pem(&otlp.client_certificate),
        key: pem(&otlp.client_key),
        ..Material::default()
    };
    let scheme = if otlp.insecure == Some(true) { "http" } else { "https" };
    match otlp.protocol {
        PushProtocol::Grpc => {
            let endpoint = otlp.endpoint.clone().unwrap_or_else(|| format!("{scheme}://localhost:4317"));
            // A path means nothing to gRPC.
            let base = endpoint.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
            let parsed = GrpcEndpoint::parse(&base)?;
            let tls = TlsClient { insecure: !parsed.https, material, ..TlsClient::default() };
            let settings = OtlpGrpcSettings {
                compression,
                headers,
                tls,
                timeout: otlp.timeout(),
                ..OtlpGrpcSettings::new(parsed)
            };
            Ok((Box::new(OtlpGrpc::new(&settings, signal, None)?), endpoint))
        }
        PushProtocol::HttpProtobuf => {
            let endpoint = otlp.endpoint.clone().unwrap_or_else(|| format!("{scheme}://localhost:4318"));
            let has_path = endpoint.splitn(4, '/').nth(3).is_some();
            let mut settings = OtlpHttpSettings::new(endpoint.clone());
            if has_path {
                // Written as it is to be used, unlike the endpoint of an exporter.
                settings.metrics_endpoint.clone_from(&endpoint);
                settings.logs_endpoint.clone_from(&endpoint);
            }
            settings.http.tls = TlsClient { material, ..TlsClient::default() };
            (settings.http.headers, settings.http.compression) = (headers, compression);
            settings.http.timeout = otlp.timeout();
            Ok((Box::new(OtlpHttp::new(&settings, signal, None)?), endpoint))
        }
    }
}

/// `name=value,other=value`, with values in percent encoding.
fn listed(text: Option<&Secret>) -> impl Iterator<Item = (String, Secret)> {
    let pairs = text.map(Secret::expose).unwrap_or_default().split(',');
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.trim().to_owned(), percent(value.trim())));
    pairs.filter_map(pair).map(|(name, value)| (name, Secret::new(value))).collect::<Vec<_>>().into_iter()
}

/// Takes the percent encoding away; what is none stays as it is.
fn percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = text.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_in_one_text() {
        let text = Secret::new("api-key=a%20b, x=1=2,nothing");
        let pairs: Vec<(String, String)> =
            listed(Some(&text)).map(|(name, value)| (name, value.expose().to_owned())).collect();
        assert_eq!(pairs, [("api-key".into(), "a b".into()), ("x".into(), "1=2".into())]);
        assert_eq!(percent("100%, %zz, %41"), "100%, %zz, A");
    }
}
