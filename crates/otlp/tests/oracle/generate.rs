//! Requests for the oracle: valid ones with everything that the wire allows, and broken ones that are nearly valid.
//!
//! A message is written field by field from the schema, in any order and any number of times, with unknown fields and groups
//! between, and now and then with tags and lengths in more bytes than they need. A broken case is a valid one in which a
//! field has got another wire type while it was written, or whose bytes were cut, flipped, doubled or overwritten after it.

mod logs;
mod metrics;

use crate::random::Random;
use otlp::Signal;
use otlp::wire::{WireType, put_varint};

/// Attribute keys: those that the scanner is asked for, near misses, and others.
pub(crate) const KEYS: [&str; 4] =
    ["http.route", "n", "", "a.key.that.is.longer.than.sixty.three.bytes.so.that.it.does.not.fit.into.one"];
const OTHER_KEYS: [&str; 5] = ["http.routf", "m", "service.name", "http.routes", "Http.route"];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    Key,
    Id(usize),
    Message(&'static [(u32, Kind)]),
    /// A list of varints, packed or not.
    Varints,
    Fixed64s,
}

use Kind::{Bytes, Fixed32, Fixed64, Fixed64s, Id, Key, Message, Varint, Varints};

static REQUEST: [(u32, Kind); 1] = [(1, Message(&RESOURCE_SPANS))];
static RESOURCE_SPANS: [(u32, Kind); 4] =
    [(1, Message(&RESOURCE)), (2, Message(&SCOPE_SPANS)), (2, Message(&SCOPE_SPANS)), (3, Bytes)];
static RESOURCE: [(u32, Kind); 4] =
    [(1, Message(&KEY_VALUE)), (1, Message(&KEY_VALUE)), (2, Varint), (3, Message(&ENTITY_REF))];
static ENTITY_REF: [(u32, Kind); 4] = [(1, Bytes), (2, Bytes), (3, Bytes), (4, Bytes)];
static SCOPE_SPANS: [(u32, Kind); 5] =
    [(1, Message(&SCOPE)), (2, Message(&SPAN)), (2, Message(&SPAN)), (2, Message(&SPAN)), (3, Bytes)];
static SCOPE: [(u32, Kind); 4] = [(1, Bytes), (2, Bytes), (3, Message(&KEY_VALUE)), (4, Varint)];
static SPAN: [(u32, Kind); 20] = [
    (1, Id(16)),
    (2, Id(8)),
    (3, Bytes),
    (4, Id(8)),
    (5, Bytes),
    (6, Varint),
    (7, Fixed64),
    (8, Fixed64),
    (9, Message(&KEY_VALUE)),
    (9, Message(&KEY_VALUE)),
    (9, Message(&KEY_VALUE)),
    (9, Message(&KEY_VALUE)),
    (10, Varint),
    (11, Message(&EVENT)),
    (12, Varint),
    (13, Message(&LINK)),
    (14, Varint),
    (15, Message(&STATUS)),
    (15, Message(&STATUS)),
    (16, Fixed32),
];
static EVENT: [(u32, Kind); 4] = [(1, Fixed64), (2, Bytes), (3, Message(&KEY_VALUE)), (4, Varint)];
static LINK: [(u32, Kind); 6] =
    [(1, Id(16)), (2, Id(8)), (3, Bytes), (4, Message(&KEY_VALUE)), (5, Varint), (6, Fixed32)];
static STATUS: [(u32, Kind); 3] = [(2, Bytes), (3, Varint), (3, Varint)];
static KEY_VALUE: [(u32, Kind); 3] = [(1, Key), (2, Message(&ANY_VALUE)), (3, Varint)];
static ANY_VALUE: [(u32, Kind); 8] = [
    (1, Bytes),
    (2, Varint),
    (3, Varint),
    (4, Fixed64),
    (5, Message(&ARRAY)),
    (6, Message(&MAP)),
    (7, Bytes),
    (8, Varint),
];
static ARRAY: [(u32, Kind); 1] = [(1, Message(&ANY_VALUE))];
static MAP: [(u32, Kind); 1] = [(1, Message(&KEY_VALUE))];

/// One case.
pub(crate) fn case(signal: Signal, random: &mut Random) -> Vec<u8> {
    let mut writer =
        Writer { signal, wrong_type_in: usize::MAX, odd_in: random.of(&[10, 30, 100, usize::MAX]), random, left: 0 };
    writer.left = match writer.random.below(2_000) {
        0 => writer.random.below(4_000),
        1..40 => writer.random.below(400),
        _ => writer.random.below(250),
    };
    match writer.random.below(100) {
        0..35 => writer.request(),
        35..50 => {
            writer.wrong_type_in = writer.random.of(&[3, 10, 30]);
            writer.request()
        }
        50..85 => {
            let mut bytes = writer.request();
            mutate(random, &mut bytes);
            bytes
        }
        85..98 => nested(signal, random),
        _ => {
            let len = 1 + random.below(40);
            random.bytes(len)
        }
    }
}

/// A valid request of about `len` bytes.
pub(crate) fn large(signal: Signal, random: &mut Random, len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let left = 20 + random.below(len / 20 + 1).min(20_000);
        let mut writer = Writer { signal, wrong_type_in: usize::MAX, odd_in: 200, random, left };
        bytes.extend(writer.request());
        if random.one_in(20) {
            let len = random.below(len - bytes.len().min(len) + 1);
            put(&mut bytes, 15, &random.bytes(len));
        }
    }
    bytes
}

struct Writer<'a> {
    signal: Signal,
    random: &'a mut Random,
    /// One field in so many gets a wire type that is not its own.
    wrong_type_in: usize,
    /// One field in so many is unknown, and one varint in so many longer than needed.
    odd_in: usize,
    /// How many more fields the case may have.
    left: usize,
}

impl Writer<'_> {
    fn request(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let kept = if self.random.one_in(4) { 0 } else { 1 };
        for _ in 0..kept + self.random.below(3) {
            let fields: &'static [(u32, Kind)] = match self.signal {
                Signal::Traces => &REQUEST,
                Signal::Metrics => &metrics::REQUEST,
                Signal::Logs => &logs::REQUEST,
            };
            self.message(fields, 0, &mut out);
        }
        out
    }

    /// Writes some of the fields, or all in their order as most senders do.
    fn message(&mut self, fields: &'static [(u32, Kind)], depth: u32, out: &mut Vec<u8>) {
        let in_order = !self.random.one_in(3) && !std::ptr::eq(fields, &raw const ANY_VALUE);
        if in_order {
            for &(number, kind) in fields {
                if self.random.one_in(8) {
                    continue;
                }
                self.field(number, kind, depth, out);
            }
        } else if std::ptr::eq(fields, &raw const ANY_VALUE) {
            let count = self.random.of(&[0, 1, 1, 1, 1, 1, 1, 1, 2, 3]);
            self.some(fields, count, depth, out);
        } else {
            let count = self.random.below(fields.len() + 3);
            self.some(fields, count / 2, depth, out);
            if std::ptr::eq(fields, &raw const SPAN) && !self.random.one_in(8) {
                self.field(1, Id(16), depth, out);
            }
            self.some(fields, count / 2, depth, out);
        }
    }

    fn some(&mut self, fields: &'static [(u32, Kind)], count: usize, depth: u32, out: &mut Vec<u8>) {
        for _ in 0..count {
            let (number, kind) = self.random.of(fields);
            self.field(number, kind, depth, out);
        }
    }

    fn field(&mut self, number: u32, kind: Kind, depth: u32, out: &mut Vec<u8>) {
        if self.left == 0 && !matches!(kind, Id(_)) {
            return;
        }
        self.left = self.left.saturating_sub(1);
        if self.odd() {
            unknown(self.random, 3, out);
        }
        if self.random.one_in(self.wrong_type_in) {
            let wire = self.random.of(&[0, 1, 2, 3, 4, 5, 6, 7]);
            self.varint(u64::from(number << 3 | wire), out);
            let len = self.random.below(12);
            out.extend(self.random.bytes(len));
            return;
        }
        match kind {
            Varint => {
                self.tag(number, WireType::Varint, out);
                let value = self.random.number();
                self.varint(value, out);
            }
            Fixed64 => {
                self.tag(number, WireType::Fixed64, out);
                out.extend(self.random.next().to_le_bytes());
            }
            Fixed32 => {
                self.tag(number, WireType::Fixed32, out);
                out.extend((self.random.next() as u32).to_le_bytes());
            }
            Bytes => {
                let len = self.random.of(&[0, 1, 5, 9, 20, 127, 128, 200]);
                let len = self.random.below(len + 1);
                let bytes = self.random.bytes(len);
                self.bytes(number, &bytes, out);
            }
            Key => {
                let key = if self.random.one_in(2) { self.random.of(&KEYS) } else { self.random.of(&OTHER_KEYS) };
                self.bytes(number, key.as_bytes(), out);
            }
            Id(len) => {
                let id = match self.random.below(30) {
                    0 => vec![0; len],
                    1 => vec![1; len + 1],
                    2 => Vec::new(),
                    3 => vec![0; len - 1],
                    4 => vec![0; len + 5],
                    _ => self.random.bytes(len),
                };
                self.bytes(number, &id, out);
            }
            Varints | Fixed64s => self.list(number, kind, out),
            Message(fields) => {
                let mut body = Vec::new();
                if depth < 40 {
                    self.message(fields, depth + 1, &mut body);
                }
                self.bytes(number, &body, out);
            }
        }
    }

    /// A list, packed or not, of which the packed one may be cut off.
    fn list(&mut self, number: u32, kind: Kind, out: &mut Vec<u8>) {
        let wire = if kind == Varints { WireType::Varint } else { WireType::Fixed64 };
        let is_packed = !self.random.one_in(4);
        let mut body = Vec::new();
        for _ in 0..self.random.below(5) {
            if !is_packed {
                self.tag(number, wire, &mut body);
            }
            if kind == Varints {
                let value = self.random.number();
                self.varint(value, &mut body);
            } else {
                body.extend(self.random.next().to_le_bytes());
            }
        }
        if !is_packed {
            out.extend(body);
            return;
        }
        if self.random.one_in(self.wrong_type_in) {
            body.pop();
        }
        self.bytes(number, &body, out);
    }

    fn bytes(&mut self, number: u32, bytes: &[u8], out: &mut Vec<u8>) {
        self.tag(number, WireType::Len, out);
        self.varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }

    fn tag(&mut self, number: u32, wire: WireType, out: &mut Vec<u8>) {
        self.varint(u64::from(number << 3 | wire as u32), out);
    }

    /// Writes a varint, now and then in up to ten bytes.
    fn varint(&mut self, value: u64, out: &mut Vec<u8>) {
        let start = out.len();
        put_varint(out, value);
        if self.odd() {
            let padding = self.random.below(11 - (out.len() - start));
            for _ in 0..padding {
                if let Some(last) = out.last_mut() {
                    *last |= 0x80;
                }
                out.push(0);
            }
        }
    }

    fn odd(&mut self) -> bool {
        self.odd_in != usize::MAX && self.random.one_in(self.odd_in)
    }
}

/// A field that no message has, of any wire type.
fn unknown(random: &mut Random, groups: usize, out: &mut Vec<u8>) {
    let number = random.of(&[17, 18, 40, 1_000, 100_000, (1 << 29) - 1]);
    let wire = random.of(&[0, 1, 2, 3, 5]);
    put_varint(out, number << 3 | wire);
    match wire {
        0 => put_varint(out, random.number()),
        1 => out.extend(random.bytes(8)),
        2 => {
            let len = random.below(30);
            put_varint(out, len as u64);
            out.extend(random.bytes(len));
        }
        3 => {
            if groups > 0 {
                for _ in 0..random.below(4) {
                    unknown(random, groups - 1, out);
                }
            }
            put_varint(out, number << 3 | 4);
        }
        _ => out.extend(random.bytes(4)),
    }
}

/// Breaks bytes in one or two places, in a way that often leaves them valid.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..1 + random.below(2) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.next() as u8,
            3 => drop(bytes.remove(at)),
            4 => bytes.insert(at, random.next() as u8),
            _ => {
                let end = at + random.below(bytes.len() - at + 1).min(40);
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
        }
    }
}

/// Containers or groups in each other, up to the depth limit and past it, anywhere in a request.
fn nested(signal: Signal, random: &mut Random) -> Vec<u8> {
    let mut body = match random.below(4) {
        0 => Vec::new(),
        // A text, or whatever field 1 is where it lands.
        1 => vec![0x0a, 0x01, b'x'],
        2 => vec![0x10, 0x01],
        _ => {
            let mut field = Vec::new();
            unknown(random, 1, &mut field);
            field
        }
    };
    // From the inside out. A level of an array is two messages, of a map three, of a group one.
    let messages = if random.one_in(4) { random.below(300) } else { 85 + random.below(20) };
    let style = random.below(4);
    let mut depth = 0;
    while depth < messages {
        let style = if style == 3 { random.below(3) } else { style };
        let mut outer = Vec::new();
        match style {
            0 => {
                put(&mut outer, 1, &body);
                body = outer;
                outer = Vec::new();
                put(&mut outer, 5, &body);
                depth += 2;
            }
            1 => {
                if !random.one_in(4) {
                    put(&mut outer, 1, b"n");
                }
                put(&mut outer, 2, &body);
                body = outer;
                outer = Vec::new();
                put(&mut outer, 1, &body);
                body = outer;
                outer = Vec::new();
                put(&mut outer, 6, &body);
                depth += 3;
            }
            _ => {
                let number = 17 + random.next() % 3;
                put_varint(&mut outer, number << 3 | 3);
                outer.extend_from_slice(&body);
                let end = if random.one_in(2_000) { 20 } else { number };
                put_varint(&mut outer, end << 3 | 4);
                depth += 1;
            }
        }
        body = outer;
    }
    for &number in path_to_value(signal, random) {
        let mut outer = Vec::new();
        put(&mut outer, number, &body);
        body = outer;
    }
    body
}

fn put(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The fields that lead to an AnyValue, or to a group's place, outermost last.
fn path_to_value(signal: Signal, random: &mut Random) -> &'static [u64] {
    match signal {
        Signal::Traces => random.of(&[
            &[2, 9, 2, 2, 1],
            &[2, 3, 11, 2, 2, 1],
            &[2, 4, 13, 2, 2, 1],
            &[2, 1, 1, 1],
            &[2, 3, 1, 2, 1],
            &[15, 2, 2, 1],
            &[1, 2, 1],
            &[2, 2, 1],
            &[2, 1],
            &[1],
            &[3, 1, 1],
            &[],
        ]),
        Signal::Metrics => random.of(&[
            &[2, 7, 1, 5, 2, 2, 1],
            &[2, 7, 5, 1, 7, 2, 2, 1],
            &[2, 9, 1, 9, 2, 2, 1],
            &[2, 1, 1, 10, 2, 2, 1],
            &[2, 7, 1, 11, 2, 2, 1],
            &[2, 12, 2, 2, 1],
            &[8, 1, 10, 2, 2, 1],
            &[2, 1, 1, 1],
            &[2, 3, 1, 2, 1],
            &[5, 2, 2, 1],
            &[2, 2, 1],
            &[],
        ]),
        Signal::Logs => random.of(&[
            &[5, 2, 2, 1],
            &[2, 6, 2, 2, 1],
            &[2, 1, 1, 1],
            &[2, 3, 1, 2, 1],
            &[2, 2, 1],
            &[12, 2, 2, 1],
            &[],
        ]),
    }
}
