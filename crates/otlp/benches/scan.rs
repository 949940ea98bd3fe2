//! Nanoseconds a span of the scanner and of the assembler: `cargo bench -p otlp`.
//!
//! The input is what the product is measured with: spans of about 450 bytes with ten attributes and random IDs, 512 or 10
//! to a request. The best of many rounds is printed; on a machine that does other work too, it is the one that repeats.

use otlp::assemble::Builder;
use otlp::scan::Scan;
use otlp::wire::{put_fixed32, put_fixed64, put_len, put_uint};
use otlp::{KeyId, Keys};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: usize = 400;
const REQUESTS: usize = 16;

fn main() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for spans in [512, 10] {
        let requests: Vec<Vec<u8>> = (0..REQUESTS).map(|_| request(&mut random, spans)).collect();
        let bytes: usize = requests.iter().map(Vec::len).sum();
        println!("{spans} spans a request, {} bytes a span with its share of the envelope", bytes / REQUESTS / spans);
        scan(&requests, spans, &[]);
        scan(
            &requests,
            spans,
            &["http.response.status_code", "http.route", "error.type", "user.id", "deployment.environment"],
        );
        build(&requests, spans);
    }
}

fn scan(requests: &[Vec<u8>], spans: usize, names: &[&str]) {
    let mut keys = Keys::default();
    let ids: Vec<KeyId> = names.iter().map(|name| keys.intern(name)).collect();
    let mut scan = Scan::new(Arc::new(keys));
    let mut hits = 0;
    let best = best_ns(|| {
        hits = 0;
        for request in requests {
            scan.run(black_box(request)).expect("the requests are valid");
            hits += scan.spans.iter().map(|span| scan.span_hits(span).len()).sum::<usize>();
        }
    });
    let total = (requests.len() * spans) as f64;
    println!("  scan, {} keys: {:.1} ns a span, {:.1} hits a span", ids.len(), best / total, hits as f64 / total);
}

fn build(requests: &[Vec<u8>], spans: usize) {
    let scans: Vec<Scan> = requests
        .iter()
        .map(|request| {
            let mut scan = Scan::new(Arc::default());
            scan.run(request).expect("the requests are valid");
            scan
        })
        .collect();
    let mut builder = Builder::new();
    let (mut push, mut finish) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for (request, scan) in requests.iter().zip(&scans) {
            let mut group = None;
            for span in &scan.spans {
                let index = match group {
                    Some((number, index)) if number == span.group => index,
                    _ => {
                        let of = &scan.groups[span.group as usize];
                        let resource = scan.resource_header(request, &scan.resources[of.resource as usize]);
                        builder.group(resource, scan.scope_header(request, of))
                    }
                };
                group = Some((span.group, index));
                builder.push(index, span.body.of(request));
            }
        }
        push = push.min(start.elapsed().as_nanos() as f64);
        let start = Instant::now();
        black_box(builder.finish());
        finish = finish.min(start.elapsed().as_nanos() as f64);
    }
    let total = (requests.len() * spans) as f64;
    println!("  builder: push {:.1}, finish {:.1} ns a span", push / total, finish / total);
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
