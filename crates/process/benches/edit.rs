//! Nanoseconds a span of the processors: `cargo bench -p process`.
//!
//! The input is what the product is measured with: spans of about 450 bytes with ten attributes and random IDs, 512 or 10
//! to a request. The best of many rounds is printed; on a machine that does other work too, it is the one that repeats.

use otlp::Signal;
use otlp::wire::{put_fixed32, put_fixed64, put_len, put_uint};
use process::attributes::{Attributes, AttributesSettings};
use process::filter::{Filter, FilterSettings};
use process::resource::{Resource, ResourceSettings};
use process::span::{Span, SpanSettings};
use process::{Edited, Moment, Processor};
use settings::{Decode, Node};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 200;
const REQUESTS: usize = 16;
const MOMENT: Moment<'static> = Moment::at(1_760_000_000_000_000_000, 7);

const UPSERT: &str = "{attributes: [{key: deployment.environment, value: test, action: upsert}]}";
const INSERT_DELETE: &str = "{actions: [{key: tenant, value: acme, action: insert}, {key: user.id, action: delete}]}";
const MATCHED: &str =
    "{include: {match_type: strict, span_names: [GET /api/products/3]}, actions: [{key: a, value: 1, action: insert}]}";
const HASHED: &str = "{actions: [{key: user.id, action: hash}]}";
const DROP: &str = "{traces: {span: ['attributes[\"http.route\"] == \"/healthz\"']}}";
const DROP_NAME: &str = "{traces: {span: ['name == \"GET /api/products/3\"']}}";
const DROP_RESOURCE: &str = "{traces: {span: ['resource.attributes[\"host.name\"] == \"other\"']}}";
const RENAME: &str = "{name: {from_attributes: [http.request.method, http.route], separator: ' '}}";

fn main() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let resource =
        || Box::new(Resource::new(&decode::<ResourceSettings>(UPSERT)).expect("right")) as Box<dyn Processor>;
    let attributes =
        |yaml| Box::new(Attributes::new(&decode::<AttributesSettings>(yaml)).expect("right")) as Box<dyn Processor>;
    let filter = |yaml| Box::new(Filter::new(&decode::<FilterSettings>(yaml)).expect("right")) as Box<dyn Processor>;
    let span = || Box::new(Span::new(&decode::<SpanSettings>(RENAME)).expect("right")) as Box<dyn Processor>;
    for spans in [512, 10] {
        let requests: Vec<Vec<u8>> = (0..REQUESTS).map(|_| request(&mut random, spans)).collect();
        let bytes: usize = requests.iter().map(Vec::len).sum();
        println!("{spans} spans a request, {} bytes a span with its share of the envelope", bytes / REQUESTS / spans);
        measure("resource, upsert", &requests, spans, &[resource()]);
        measure("attributes, insert and delete", &requests, spans, &[attributes(INSERT_DELETE)]);
        measure("attributes, hash", &requests, spans, &[attributes(HASHED)]);
        measure("attributes, included by name", &requests, spans, &[attributes(MATCHED)]);
        measure("filter, by attribute", &requests, spans, &[filter(DROP)]);
        measure("filter, by name", &requests, spans, &[filter(DROP_NAME)]);
        measure("filter, by resource attribute", &requests, spans, &[filter(DROP_RESOURCE)]);
        measure("span, from attributes", &requests, spans, &[span()]);
        measure(
            "resource, attributes, filter",
            &requests,
            spans,
            &[resource(), attributes(INSERT_DELETE), filter(DROP)],
        );
    }
}

fn measure(name: &str, requests: &[Vec<u8>], spans: usize, chain: &[Box<dyn Processor>]) {
    let best = best_ns(|| {
        for request in requests {
            black_box(edit(chain, black_box(request)));
        }
    });
    println!("  {name}: {:.1} ns a span", best / (requests.len() * spans) as f64);
}

fn edit(chain: &[Box<dyn Processor>], request: &[u8]) -> Vec<u8> {
    let mut body: Option<Vec<u8>> = None;
    for processor in chain {
        let input = body.as_deref().unwrap_or(request);
        let Edited { body: edited, .. } =
            processor.edit(Signal::Traces, input, MOMENT).expect("the requests are valid");
        let edited = match edited {
            std::borrow::Cow::Owned(edited) => Some(edited),
            std::borrow::Cow::Borrowed(_) => None,
        };
        body = edited.or(body);
    }
    body.unwrap_or_default()
}

fn decode<T: Decode>(yaml: &str) -> T {
    let (tree, _, mut problems) = settings::load(&[format!("yaml:v: {yaml}")], &[], &|_| None);
    let tree = tree.unwrap_or_else(Node::null);
    let decoded = T::decode(tree.lookup("v").unwrap_or(&tree), &mut problems);
    assert!(!problems.has_errors(), "{yaml}");
    decoded.expect("no problems")
}

fn best_ns(mut run: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    best
}

fn request(random: &mut Random, spans: usize) -> Vec<u8> {
    let mut resource = Vec::new();
    for (key, value) in [
        ("service.name", "checkout"),
        ("service.version", "1.42.0"),
        ("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"),
        ("deployment.environment", "production"),
        ("telemetry.sdk.language", "java"),
        ("host.name", "checkout-7c9d8f6b5-x2x4z"),
    ] {
        put_len(&mut resource, 1, &text(key, value));
    }
    let mut scope = Vec::new();
    put_len(&mut scope, 1, b"io.opentelemetry.tomcat-10.0");
    let mut scope_spans = Vec::new();
    put_len(&mut scope_spans, 1, &scope);
    for _ in 0..spans {
        put_len(&mut scope_spans, 2, &span(random));
    }
    let mut resource_spans = Vec::new();
    put_len(&mut resource_spans, 1, &resource);
    put_len(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    put_len(&mut request, 1, &resource_spans);
    request
}

fn span(random: &mut Random) -> Vec<u8> {
    let mut span = Vec::new();
    let id = [random.next().to_le_bytes(), random.next().to_le_bytes()].concat();
    put_len(&mut span, 1, &id);
    put_len(&mut span, 2, &random.next().to_le_bytes());
    put_len(&mut span, 4, &random.next().to_le_bytes());
    put_len(&mut span, 5, format!("GET /api/products/{}", random.next() % 10).as_bytes());
    put_uint(&mut span, 6, 2);
    let start_ns = 1_760_000_000_000_000_000 + random.next() % 1_000_000_000;
    put_fixed64(&mut span, 7, start_ns);
    put_fixed64(&mut span, 8, start_ns + random.next() % 1_000_000_000);
    let product = random.next() % 100_000;
    put_len(&mut span, 9, &text("http.request.method", "GET"));
    put_len(
        &mut span,
        9,
        &text("url.full", &format!("https://shop.example.com/api/products/{product}?currency=EUR&language=de")),
    );
    put_len(&mut span, 9, &text("url.scheme", "https"));
    put_len(&mut span, 9, &text("http.route", "/api/products/{id}"));
    put_len(&mut span, 9, &int("http.response.status_code", 200));
    put_len(&mut span, 9, &text("server.address", "products.shop.svc.cluster.local"));
    put_len(&mut span, 9, &int("server.port", 443));
    put_len(&mut span, 9, &int("http.response.body.size", random.next() % 1_000_000));
    put_len(&mut span, 9, &text("user.id", &format!("user-{}", random.next() % 1_000_000)));
    put_len(&mut span, 9, &boolean("cache.hit", random.next().is_multiple_of(2)));
    let mut status = Vec::new();
    if random.next().is_multiple_of(20) {
        put_uint(&mut status, 3, 2);
    }
    put_len(&mut span, 15, &status);
    put_fixed32(&mut span, 16, 0x101);
    span
}

fn text(key: &str, value: &str) -> Vec<u8> {
    let mut any = Vec::new();
    put_len(&mut any, 1, value.as_bytes());
    attribute(key, &any)
}

fn int(key: &str, value: u64) -> Vec<u8> {
    let mut any = Vec::new();
    put_uint(&mut any, 3, value);
    attribute(key, &any)
}

fn boolean(key: &str, value: bool) -> Vec<u8> {
    let mut any = Vec::new();
    put_uint(&mut any, 2, u64::from(value));
    attribute(key, &any)
}

fn attribute(key: &str, any: &[u8]) -> Vec<u8> {
    let mut attribute = Vec::new();
    put_len(&mut attribute, 1, key.as_bytes());
    put_len(&mut attribute, 2, any);
    attribute
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
