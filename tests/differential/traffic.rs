//! Random traces as OTLP/JSON requests: several services, attributes of all kinds of values, odd times, states and flags,
//! cut into pieces that come in any order and are packed in different ways.

use crate::dice::Dice;
use serde_json::{Map, Value, json};

/// What policies and conditions may ask about; the settings' generator knows these words, too.
pub(crate) const SERVICES: &[&str] = &["frontend", "checkout", "cart", "payment"];
pub(crate) const ROUTES: &[&str] = &["/cart", "/checkout", "/api/v1/pay", "/healthz", ""];
pub(crate) const USERS: &[&str] = &["alice", "bob", "carol-7", "Δelta"];
pub(crate) const NAMES: &[&str] = &["GET /cart", "POST /checkout", "query", "publish order", "charge card", ""];
pub(crate) const STATES: &[&str] =
    &["vendor=a", "vendor=b,team=core", "team=core", "ot=th:8;rv:0123456789abcd", "a =b,vendor=a", ""];
const START_NS: u64 = 1_767_225_600_000_000_000;
const MILLISECOND: u64 = 1_000_000;

/// Requests in the order in which they are to be sent.
pub(crate) struct Traffic {
    /// Before any verdict is due.
    pub(crate) first: Vec<String>,
    /// After those verdicts: late spans, and traces that are decided when the collector stops.
    pub(crate) late: Vec<String>,
    traces: Vec<(String, Vec<Piece>)>,
}

/// Spans of one trace in one resource and scope.
#[derive(Clone)]
struct Piece {
    resource: Value,
    scope: Value,
    spans: Vec<Value>,
    late: bool,
}

impl Traffic {
    /// So many traces.
    pub(crate) fn generate(dice: &mut Dice, traces: usize) -> Self {
        let traces: Vec<(String, Vec<Piece>)> = (0..traces).map(|_| trace(dice)).collect();
        let all = |late: bool| -> Vec<Piece> {
            let pieces = traces.iter().flat_map(|(_, pieces)| pieces);
            pieces.filter(|piece| piece.late == late).cloned().collect()
        };
        let (mut first, mut late) = (all(false), all(true));
        dice.shuffle(&mut first);
        dice.shuffle(&mut late);
        Self { first: pack(dice, &first), late: pack(dice, &late), traces }
    }

    /// How many traces there are.
    pub(crate) fn len(&self) -> usize {
        self.traces.len()
    }

    /// A trace's spans as they were sent.
    pub(crate) fn show(&self, id: &str) -> String {
        let pieces = self.traces.iter().filter(|(trace, _)| trace == id).flat_map(|(_, pieces)| pieces);
        let shown: Vec<String> = pieces
            .map(|piece| {
                let when = if piece.late { "late " } else { "" };
                format!("  {when}{} {} {}", piece.resource, piece.scope, Value::from(piece.spans.clone()))
            })
            .collect();
        shown.join("\n")
    }
}

fn hex(dice: &mut Dice, bytes: usize) -> String {
    (0..bytes).map(|_| format!("{:02x}", dice.below(256))).collect()
}

fn trace(dice: &mut Dice) -> (String, Vec<Piece>) {
    let id = hex(dice, 16);
    let state = dice.pick(STATES);
    let whole_late = dice.chance(4);
    let straggles = dice.chance(15);
    let mut parent = String::new();
    let mut pieces: Vec<Piece> = Vec::new();
    for index in 0..1 + dice.below(3) + dice.below(4) {
        let span = span(dice, &id, &parent, state);
        if index == 0 || dice.chance(40) {
            parent = span["spanId"].as_str().unwrap_or_default().to_owned();
        }
        let late = whole_late || (straggles && index > 1 && dice.chance(50));
        match pieces.last_mut() {
            Some(last) if last.late == late && dice.chance(50) => last.spans.push(span),
            _ => pieces.push(Piece { resource: resource(dice), scope: scope(dice), spans: vec![span], late }),
        }
    }
    (id, pieces)
}

fn attributes(pairs: Vec<(&str, Value)>) -> Value {
    pairs.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn string(text: &str) -> Value {
    json!({ "stringValue": text })
}

fn int(number: i64) -> Value {
    json!({ "intValue": number.to_string() })
}

fn resource(dice: &mut Dice) -> Value {
    let mut pairs = vec![("service.name", string(dice.pick(SERVICES)))];
    if dice.chance(50) {
        pairs.push(("region", string(dice.pick(&["eu", "us", ""]))));
    }
    if dice.chance(50) {
        pairs.push(("shard", int(dice.between(-2, 5))));
    }
    if dice.chance(20) {
        pairs.push(("canary", json!({"boolValue": dice.chance(50)})));
    }
    let mut resource = json!({ "attributes": attributes(pairs) });
    if dice.chance(10) {
        resource["droppedAttributesCount"] = json!(dice.between(1, 3));
    }
    resource
}

fn scope(dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => json!({}),
        1 => json!({"name": "app", "version": "1.0"}),
        2 => json!({"name": "lib", "version": "2.3", "attributes": attributes(vec![("sa", string("x"))])}),
        _ => json!({"name": "lib"}),
    }
}

fn span(dice: &mut Dice, trace: &str, parent: &str, state: &str) -> Value {
    let (start, end) = times(dice);
    let mut span = json!({
        "traceId": trace,
        "spanId": hex(dice, 8),
        "name": dice.pick(NAMES),
        "kind": dice.below(6),
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": span_attributes(dice),
        "traceState": state,
        "flags": dice.pick(&[0, 0, 0, 1, 256, 257]),
    });
    if !parent.is_empty() {
        span["parentSpanId"] = json!(parent);
    }
    match dice.below(10) {
        0 => span["status"] = json!({"code": 2, "message": "timeout"}),
        1 => span["status"] = json!({"code": 1}),
        2 => span["status"] = json!({"code": 2}),
        _ => {}
    }
    if dice.chance(30) {
        span["events"] = (0..=dice.below(2)).map(|_| event(dice, start)).collect();
    }
    if dice.chance(10) {
        span["links"] = json!([{"traceId": hex(dice, 16), "spanId": hex(dice, 8)}]);
    }
    if dice.chance(10) {
        span["droppedEventsCount"] = json!(dice.between(1, 3));
    }
    span
}

/// Mostly some milliseconds to seconds; now and then missing, backwards or absurd.
fn times(dice: &mut Dice) -> (u64, u64) {
    let start = START_NS + dice.next() % (2_000 * MILLISECOND);
    let longest = dice.pick(&[10, 100, 1_000, 5_000]);
    let end = start + dice.next() % (longest * MILLISECOND);
    match dice.below(60) {
        0 => (0, end),
        1 => (start, 0),
        2 => (end, start),
        3 => (start, start),
        4 => (start / MILLISECOND * MILLISECOND, start / MILLISECOND * MILLISECOND + 1_000 * MILLISECOND),
        _ => (start, end),
    }
}

fn span_attributes(dice: &mut Dice) -> Value {
    let mut pairs = Vec::new();
    if dice.chance(60) {
        pairs.push(("http.route", string(dice.pick(ROUTES))));
    }
    if dice.chance(60) {
        pairs.push(("http.status", status(dice)));
    }
    if dice.chance(30) {
        pairs.push(("retry", int(dice.between(-1, 5))));
    }
    if dice.chance(30) {
        pairs.push(("score", json!({"doubleValue": dice.pick(&[0.0, 0.5, 1.0, 1.5, -2.25, 1.0e21])})));
    }
    if dice.chance(30) {
        pairs.push(("cached", json!({"boolValue": dice.chance(50)})));
    }
    if dice.chance(30) {
        pairs.push(("user", string(dice.pick(USERS))));
    }
    if dice.chance(15) {
        let items: Vec<Value> = dice.some(&[string("a"), string("b"), int(3), json!({"doubleValue": 1.5}), json!({})]);
        pairs.push(("tags", json!({"arrayValue": {"values": items}})));
    }
    if dice.chance(15) {
        let values = attributes(dice.some(&[("k", string("v")), ("i", int(7)), ("n", json!({}))]));
        pairs.push(("ctx", json!({"kvlistValue": {"values": values}})));
    }
    if dice.chance(10) {
        pairs.push(("raw", json!({"bytesValue": dice.pick(&["AAEC", "", "/w=="])})));
    }
    if dice.chance(10) {
        pairs.push(("nothing", json!({})));
    }
    if dice.chance(10) {
        pairs.push(("user", string("second")));
    }
    dice.shuffle(&mut pairs);
    attributes(pairs)
}

fn status(dice: &mut Dice) -> Value {
    match dice.below(12) {
        0 => string("500"),
        1 => string("oops"),
        2 => json!({"doubleValue": 404.5}),
        _ => int(dice.pick(&[200, 200, 200, 201, 302, 404, 500, 503])),
    }
}

fn event(dice: &mut Dice, start: u64) -> Value {
    let mut pairs = vec![("attempt", int(dice.between(0, 4)))];
    if dice.chance(40) {
        pairs.push(("exception.type", string(dice.pick(&["Timeout", "IOError"]))));
    }
    json!({
        "name": dice.pick(&["exception", "retry", "log"]),
        "timeUnixNano": (start + dice.next() % (500 * MILLISECOND)).to_string(),
        "attributes": attributes(pairs),
    })
}

/// Some pieces a request. Neighbours of one resource share it, where the packing is dense.
fn pack(dice: &mut Dice, pieces: &[Piece]) -> Vec<String> {
    let mut requests = Vec::new();
    let mut rest = pieces;
    while !rest.is_empty() {
        let (these, others) = rest.split_at((1 + dice.below(16)).min(rest.len()));
        rest = others;
        let dense = dice.chance(50);
        let mut resources: Vec<Value> = Vec::new();
        for piece in these {
            let scope_spans = json!({"scope": piece.scope, "spans": piece.spans});
            let known = resources.iter_mut().find(|one| dense && one["resource"] == piece.resource);
            match known.and_then(|one| one["scopeSpans"].as_array_mut()) {
                Some(scopes) => add_to_scope(scopes, piece, scope_spans),
                None => resources.push(json!({"resource": piece.resource, "scopeSpans": [scope_spans]})),
            }
        }
        let request = Map::from_iter([("resourceSpans".to_owned(), Value::from(resources))]);
        requests.push(Value::from(request).to_string());
    }
    requests
}

fn add_to_scope(scopes: &mut Vec<Value>, piece: &Piece, scope_spans: Value) {
    let known = scopes.iter_mut().find(|one| one["scope"] == piece.scope);
    match known.and_then(|one| one["spans"].as_array_mut()) {
        Some(spans) => spans.extend(piece.spans.iter().cloned()),
        None => scopes.push(scope_spans),
    }
}
