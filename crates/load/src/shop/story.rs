//! Tells one trace: spans open and close around calls, and a clock advances only where somebody works or waits.
//!
//! ```text
//! story.serve("GET /product", |story| {      frontend  ├──────────────────────────┤
//!     story.work(1, 4);                                ├─┤
//!     story.call(Catalog, "Catalog/Get", |story| {     │  ├────────────────────┤    frontend, CLIENT
//!         story.query("SELECT …", 1, 5);               │   ├────────────────┤      catalog, SERVER
//!     });                                              │      ├──────┤             catalog, CLIENT
//! })
//! ```
//! Invariants: a span ends when its closure returns, so children lie within their parents, except where a queue or a broken
//! proxy is between them; nothing but the seed decides anything.

use super::cast::{Service, Value, attribute};
use crate::random::Random;
use opentelemetry_proto::tonic::trace::v1::{
    Span, Status,
    span::{Event, SpanKind},
    status::StatusCode,
};

/// A trace while it is being told.
#[derive(Debug)]
pub(super) struct Story<'a> {
    random: &'a mut Random,
    trace_id: [u8; 16],
    /// Nanoseconds since the trace began.
    now_ns: u64,
    spans: Vec<(Service, Span)>,
    /// The open spans, outermost first.
    open: Vec<usize>,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Failed,
    Fine,
}

impl<'a> Story<'a> {
    pub(super) fn new(random: &'a mut Random) -> Self {
        let trace_id = u128::from(random.next()) << 64 | u128::from(random.next() | 1);
        Self { trace_id: trace_id.to_be_bytes(), random, now_ns: 0, spans: Vec::new(), open: Vec::new() }
    }

    /// The trace's ID and spans; times count from its beginning.
    pub(super) fn end(self) -> ([u8; 16], Vec<(Service, Span)>) {
        (self.trace_id, self.spans)
    }

    /// A request from a browser to the frontend.
    pub(super) fn serve(&mut self, method: &str, route: &str, path: &str, body: impl FnOnce(&mut Self)) {
        self.open(Service::Frontend, SpanKind::Server, format!("{method} {route}"));
        self.set("http.request.method", method);
        self.set("http.route", route);
        self.set("url.path", path);
        self.set("url.scheme", "https");
        self.set("server.address", "shop.example.com");
        self.set("network.protocol.version", "2");
        let (third, last) = (self.below(256), self.below(254));
        self.set("client.address", format!("203.0.{third}.{}", last + 1));
        let user_agent = self.pick(&USER_AGENTS);
        self.set("user_agent.original", user_agent);
        body(self);
        let status = if self.has_failed() { 500 } else { 200 };
        self.set("http.response.status_code", status);
        self.close();
    }

    /// A gRPC call from the service of the open span to another one.
    pub(super) fn call(&mut self, callee: Service, method: &str, body: impl FnOnce(&mut Self)) -> Outcome {
        let caller = self.service();
        self.open(caller, SpanKind::Client, method.to_owned());
        self.set_rpc(callee, method);
        self.wait_us(150, 900);
        self.open(callee, SpanKind::Server, method.to_owned());
        self.set_rpc(callee, method);
        body(self);
        let outcome = self.close();
        self.wait_us(150, 900);
        if outcome == Outcome::Failed {
            self.set_failed("rpc failed");
        }
        self.set("rpc.grpc.status_code", if outcome == Outcome::Failed { 14 } else { 0 });
        self.close()
    }

    /// A call to somebody who sends no spans.
    pub(super) fn fetch(&mut self, host: &str, path: &str, low_ms: u64, high_ms: u64) {
        self.open(self.service(), SpanKind::Client, "POST".to_owned());
        self.set("http.request.method", "POST");
        self.set("url.full", format!("https://{host}{path}"));
        self.set("server.address", host);
        self.set("server.port", 443);
        self.set("http.response.status_code", 200);
        self.work(low_ms, high_ms);
        self.close();
    }

    /// A database query that takes `low_us..high_us`.
    pub(super) fn query(&mut self, system: &str, operation: &str, text: &str, low_us: u64, high_us: u64) {
        let service = self.service();
        let collection = text.split_whitespace().skip_while(|word| !matches!(*word, "FROM" | "INTO" | "UPDATE")).nth(1);
        let collection = collection.unwrap_or("keys");
        self.open(service, SpanKind::Client, format!("{operation} {collection}"));
        self.set("db.system.name", system);
        self.set("db.namespace", service.name());
        self.set("db.collection.name", collection);
        self.set("db.operation.name", operation);
        self.set("db.query.text", text);
        self.set("server.address", format!("{system}-{}.shop.internal", service.name()));
        self.wait_us(low_us, high_us);
        self.close();
    }

    /// A message through a queue: `consumer` takes it after the open span has gone on.
    pub(super) fn publish(&mut self, topic: &str, consumer: Service, body: impl FnOnce(&mut Self)) {
        self.open(self.service(), SpanKind::Producer, format!("send {topic}"));
        self.set_messaging(topic, "send");
        self.wait_us(200, 1200);
        let sent_ns = self.now_ns;
        self.work(5, 60);
        self.open(consumer, SpanKind::Consumer, format!("process {topic}"));
        self.set_messaging(topic, "process");
        body(self);
        self.close();
        self.now_ns = sent_ns;
        self.close();
    }

    /// A call through a proxy that starts a span of its own and never sends it: what comes behind it has lost its parent.
    pub(super) fn call_through_broken_proxy(&mut self, callee: Service, method: &str, body: impl FnOnce(&mut Self)) {
        let caller = self.service();
        self.open(caller, SpanKind::Client, method.to_owned());
        self.set_rpc(callee, method);
        self.wait_us(400, 2000);
        self.open(callee, SpanKind::Server, method.to_owned());
        self.set_rpc(callee, method);
        let nobody = self.random.next().to_be_bytes().to_vec();
        self.span().parent_span_id = nobody;
        body(self);
        self.close();
        self.close();
    }

    /// Time passes, in milliseconds.
    pub(super) fn work(&mut self, low_ms: u64, high_ms: u64) {
        self.wait_us(low_ms * 1000, high_ms * 1000);
    }

    /// Sets an attribute of the open span.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        let pair = attribute(key, value);
        self.span().attributes.push(pair);
    }

    /// The open span fails with an exception.
    pub(super) fn throw(&mut self, class: &str, message: &str) {
        let stack = stack_trace(self.service(), class, message);
        let time_unix_nano = self.now_ns;
        let attributes = vec![
            attribute("exception.type", class),
            attribute("exception.message", message),
            attribute("exception.stacktrace", stack),
        ];
        let exception = Event { time_unix_nano, name: "exception".to_owned(), attributes, dropped_attributes_count: 0 };
        self.span().events.push(exception);
        self.set_failed(message);
    }

    /// The open span has the status ERROR.
    pub(super) fn set_failed(&mut self, message: &str) {
        self.span().status = Some(Status { message: message.to_owned(), code: StatusCode::Error.into() });
    }

    /// A random number below `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    /// One of several.
    pub(super) fn pick<'b>(&mut self, choices: &[&'b str]) -> &'b str {
        self.random.pick(choices)
    }

    fn open(&mut self, service: Service, kind: SpanKind, name: String) {
        let parent_span_id = self.open.last().map_or(Vec::new(), |&parent| self.spans[parent].1.span_id.clone());
        let span = Span {
            trace_id: self.trace_id.to_vec(),
            span_id: (self.random.next() | 1).to_be_bytes().to_vec(),
            parent_span_id,
            flags: 0x101,
            name,
            kind: kind.into(),
            start_time_unix_nano: self.now_ns,
            ..Default::default()
        };
        self.open.push(self.spans.len());
        self.spans.push((service, span));
    }

    fn close(&mut self) -> Outcome {
        let outcome = if self.has_failed() { Outcome::Failed } else { Outcome::Fine };
        let now_ns = self.now_ns;
        self.span().end_time_unix_nano = now_ns;
        self.open.pop();
        outcome
    }

    fn wait_us(&mut self, low_us: u64, high_us: u64) {
        self.now_ns += self.random.between(low_us * 1000, high_us * 1000);
    }

    fn set_rpc(&mut self, callee: Service, method: &str) {
        let (service, method) = method.split_once('/').unwrap_or((callee.name(), method));
        self.set("rpc.system", "grpc");
        self.set("rpc.service", format!("shop.{service}"));
        self.set("rpc.method", method);
        self.set("server.address", format!("{}.shop.internal", callee.name()));
        self.set("server.port", 8080);
    }

    fn set_messaging(&mut self, topic: &str, operation: &str) {
        self.set("messaging.system", "kafka");
        self.set("messaging.destination.name", topic);
        self.set("messaging.operation.type", operation);
    }

    fn span(&mut self) -> &mut Span {
        let open = *self.open.last().expect("BUG: a story does something outside of its spans");
        &mut self.spans[open].1
    }

    fn has_failed(&mut self) -> bool {
        self.span().status.is_some()
    }

    fn service(&self) -> Service {
        self.open.last().map_or(Service::Frontend, |&open| self.spans[open].0)
    }
}

fn stack_trace(service: Service, class: &str, message: &str) -> String {
    let name = service.name();
    match service.language() {
        "python" => format!(
            "Traceback (most recent call last):\n  File \"/app/{name}/server.py\", line 88, in handle\n    \
             return model.rank(request)\n  File \"/app/{name}/model.py\", line 41, in rank\n{class}: {message}"
        ),
        "java" => format!(
            "{class}: {message}\n\tat com.example.{name}.Service.handle(Service.java:112)\n\tat \
             com.example.{name}.Endpoint.call(Endpoint.java:57)\n\tat java.base/java.lang.Thread.run(Thread.java:1583)"
        ),
        _ => format!("{class}: {message}\n    at {name}.handle ({name}:112)\n    at server.dispatch (server:40)"),
    }
}

const USER_AGENTS: [&str; 3] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
    "shop-app/3.2 (Android 15)",
];
