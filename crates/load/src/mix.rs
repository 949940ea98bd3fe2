//! What the spans of the load say: two mixes, told apart by how well they compress.
//!
//! [`Mix::Plain`] is what instrumented services send when nobody records anything special: values from small pools, with IDs,
//! times and a few numbers that differ from span to span. LZ4 over 256 KiB shrinks it 5.0 ± 0.7 times. [`Mix::Hard`] is SQL
//! with literals, UUIDs, URLs with tokens and stack traces: 2.5 ± 0.4 times. A test below holds both to that, because every
//! figure about memory means nothing without it.

mod hard;
mod plain;

use crate::template::put_fixed_attribute;
use otlp::wire::put_len;

/// Which content the spans have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mix {
    /// Values from small pools.
    #[default]
    Plain,
    /// SQL texts, UUIDs, URLs with tokens, stack traces.
    Hard,
}

/// Where in its service a span stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// The span that serves a call from outside.
    Entry,
    /// A call of the service's own.
    Call,
}

/// What one span template says.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) name: String,
    /// `Span.SpanKind`.
    pub(crate) kind: u64,
    /// Always ten.
    pub(crate) attributes: Vec<(&'static str, Field)>,
    /// The attributes of an `exception` event.
    pub(crate) exception: Option<Vec<(&'static str, Field)>>,
    /// The message of a status ERROR.
    pub(crate) error: Option<String>,
}

/// An attribute's value.
#[derive(Debug)]
pub(crate) enum Field {
    Int(i64),
    /// An integer of `len` varint bytes, drawn anew for each span.
    Roll {
        len: u8,
    },
    /// `#` and `~` are digits drawn anew for each span.
    Text(String),
}

impl Mix {
    /// How many different templates a place in a trace has.
    pub(crate) fn variants(self) -> u32 {
        match self {
            Self::Plain => 48,
            Self::Hard => 96,
        }
    }

    /// What variant number `variant` of the spans at a place says.
    pub(crate) fn content(self, service: u32, position: Position, failed: bool, variant: u32) -> Content {
        let mut content = match self {
            Self::Plain => plain::content(service, position, failed, variant),
            Self::Hard => hard::content(service, position, failed, variant),
        };
        if failed {
            content.error = Some("upstream connect error or disconnect before headers".to_owned());
            content.exception = Some(exception(service, variant));
        }
        content
    }
}

/// The name of service number `service`.
pub(crate) fn service_name(service: u32) -> String {
    SERVICES.get(service as usize).map_or_else(|| format!("service-{service}"), |name| (*name).to_owned())
}

/// The fields of a ResourceSpans before its scope_spans: a resource with seven attributes.
pub(crate) fn resource(service: u32, instance: u32) -> Vec<u8> {
    let name = service_name(service);
    let mut attributes = Vec::new();
    for (key, value) in [
        ("service.name", name.as_str()),
        ("service.namespace", "shop"),
        ("service.version", "2.14.3"),
        ("service.instance.id", &format!("627cc493-f310-47de-96bd-71410b7d{service:02x}{instance:02x}")),
        ("host.name", &format!("{name}-7d9c5b6f4d-{instance:05}")),
        ("deployment.environment.name", "production"),
        ("telemetry.sdk.language", ["java", "go", "python", "nodejs"][service as usize % 4]),
    ] {
        put_fixed_attribute(&mut attributes, 1, key, value);
    }
    let mut out = Vec::new();
    put_len(&mut out, 1, &attributes);
    out
}

/// The fields of a ScopeSpans before its spans.
pub(crate) fn scope(service: u32) -> Vec<u8> {
    let mut scope = Vec::new();
    put_len(
        &mut scope,
        1,
        format!("io.opentelemetry.{}", ["tomcat-10.0", "net/http", "flask", "http"][service as usize % 4]).as_bytes(),
    );
    put_len(&mut scope, 2, b"2.20.1-alpha");
    let mut out = Vec::new();
    put_len(&mut out, 1, &scope);
    out
}

/// How a stack trace looks in most languages: long, and the same from one failure to the next.
fn exception(service: u32, variant: u32) -> Vec<(&'static str, Field)> {
    let class = ["java.net.SocketTimeoutException", "java.lang.IllegalStateException", "java.io.IOException"]
        [variant as usize % 3];
    let name = service_name(service);
    let mut stack = format!("{class}: Read timed out");
    for frame in 0..6 {
        let line = 40 + (variant * 31 + frame * 17) % 400;
        stack.push_str(&format!("\n\tat com.example.{name}.Handler{frame}.invoke(Handler{frame}.java:{line})"));
    }
    vec![
        ("exception.type", Field::Text(class.to_owned())),
        ("exception.message", Field::Text("Read timed out".to_owned())),
        ("exception.stacktrace", Field::Text(stack)),
    ]
}

fn text(value: impl Into<String>) -> Field {
    Field::Text(value.into())
}

const SERVICES: [&str; 12] = [
    "frontend",
    "checkout",
    "cart",
    "payment",
    "inventory",
    "shipping",
    "recommendation",
    "catalog",
    "currency",
    "email",
    "advert",
    "fraud",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{render::Renderer, schedule::Plan, trace::Shape};

    #[test]
    fn the_mixes_compress_as_they_promise() {
        for (mix, ratio, tolerance) in [(Mix::Plain, 5.0, 0.7), (Mix::Hard, 2.5, 0.4)] {
            let (bytes, spans, compressed) = sample(mix);
            let found = bytes as f64 / compressed as f64;
            println!("{mix:?}: {} bytes a span, ratio {found:.2}", bytes / spans);
            assert!((found - ratio).abs() <= tolerance, "{mix:?} compresses {found:.2} times");
            assert!((400..=560).contains(&(bytes / spans)), "{mix:?} has {} bytes a span", bytes / spans);
        }
    }

    /// Bytes and spans of some requests of all services, and what LZ4 makes of them in pieces of 256 KiB.
    fn sample(mix: Mix) -> (usize, usize, usize) {
        let shape = Shape { spans: 10, services: 5, error_share: 0.01, slow_share: 0.01, seed: 1 };
        let mut renderer = Renderer::new(&shape, mix);
        let mut requests = Vec::new();
        for first in 0..4 {
            for service in 0..5 {
                let plan = Plan {
                    service,
                    first_trace: first,
                    stride: 4,
                    traces: 256,
                    spans: shape.spans_of(service),
                    began_ns: 1_700_000_000_000_000_000,
                    began_trace: 0,
                    pace_ns: 20_000,
                };
                renderer.render(&plan, &mut requests);
            }
        }
        let compressed = requests.chunks(256 << 10).map(|piece| lz4_flex::block::compress(piece).len()).sum();
        (requests.len(), 5 * 4 * 512, compressed)
    }
}
