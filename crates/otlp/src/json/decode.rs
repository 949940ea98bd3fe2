//! OTLP/JSON to protobuf bytes, in one pass.
//!
//! Each message is written into one buffer in the order in which its keys come. A *run* notes where a field begins; when
//! the object closes, the runs are put into ascending field order (most senders write them nearly so), of a scalar that
//! came twice the last one stays, and tag and length are pushed in front of the body.
//!
//! ```text
//! out   … │ traceId │ name │ attributes attributes │ spanId │     runs: 1 5 9 2  →  reorder 1 2 5 9
//!         └ start of the span's body
//! ```

use super::{
    JsonError, attribute, base64,
    digits::{hex_value, short_decimal},
    text::{Fault, Text},
};
use crate::Signal;
use crate::schema::{self, Field, Kind, Presence, Shape};
use crate::wire::{DEPTH_MAX, WireType, put_fixed32, put_fixed64, put_len, put_tag, put_uint, put_varint, varint_len};

/// Turns an OTLP/JSON request of `signal`, such as an `ExportTraceServiceRequest`, into its protobuf bytes. What follows the
/// object is ignored.
///
/// # Errors
/// Where the text is not JSON or a known key has a value that is not its kind; nothing of such a request is used.
pub fn decode(signal: Signal, json: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut decoder = Decoder {
        text: Text::new(json),
        // Protobuf is about half of JSON; growing once more is cheaper than holding twice too much.
        out: Vec::with_capacity(json.len() / 2),
        runs: Vec::new(),
        sorted: Vec::new(),
        scratch: Vec::new(),
    };
    if json.is_empty() {
        let parts = match signal {
            Signal::Traces => "resourceSpans",
            Signal::Metrics => "resourceMetrics",
            Signal::Logs => "resourceLogs",
        };
        return Err(*decoder.text.error(format!("the body is empty, expected an object with `{parts}`")));
    }
    match decoder.request(signal) {
        Ok(()) => Ok(decoder.out),
        Err(fault) => Err(*fault),
    }
}

struct Decoder<'a> {
    text: Text<'a>,
    out: Vec<u8>,
    /// The runs of all open messages, outermost first.
    runs: Vec<Run>,
    /// Only used while a message closes.
    sorted: Vec<Run>,
    /// Only used while a message closes.
    scratch: Vec<u8>,
}

/// Consecutive bytes of one field; they end where the next run or the message ends.
#[derive(Clone, Copy)]
struct Run {
    field: u32,
    start: usize,
    end: usize,
    /// Whether a later run of the same field replaces this one.
    is_single: bool,
    /// Whether a later run of any field of the `oneof` does.
    is_choice: bool,
}

impl Decoder<'_> {
    fn request(&mut self, signal: Signal) -> Result<(), Fault> {
        if self.text.null()? { Ok(()) } else { self.object(schema::Message::request(signal), 0) }
    }

    /// Reads an object into the body of a message at the end of `out`.
    fn object(&mut self, kind: schema::Message, depth: u32) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            return Err(self.text.error(format!("messages are nested deeper than {DEPTH_MAX} levels")));
        }
        self.text.open(b'{')?;
        let message = Message { first_run: self.runs.len(), start: self.out.len() };
        let fields = schema::fields(kind);
        let mut is_first = true;
        let mut next = 0;
        while let Some(key) = self.text.key(&mut is_first)? {
            match schema::by_name(fields, &key, &mut next) {
                Some(field) => self.field(&message, field, depth).map_err(|error| error.within(field.camel))?,
                None => self.text.skip()?,
            }
        }
        self.close(&message);
        Ok(())
    }

    fn field(&mut self, message: &Message, field: &Field, depth: u32) -> Result<(), Fault> {
        match field.kind {
            Kind::Messages(_) | Kind::Texts => return self.elements(message, field, depth),
            Kind::Doubles | Kind::Fixed64s | Kind::Uint64s => return self.numbers(message, field),
            _ => {}
        }
        if self.text.peek() == Some(b'n') {
            return self.null(message, field);
        }
        self.begin_run(message, field);
        match field.kind {
            Kind::Message(child) => self.child(child, field.number, depth),
            kind => self.scalar(kind, field.number, field.presence != Presence::Implicit),
        }
    }

    /// `null` is a field's default. In a `oneof` it selects text and containers, as the reference decoder has it.
    fn null(&mut self, message: &Message, field: &Field) -> Result<(), Fault> {
        if let Kind::Id(_) | Kind::Bytes = field.kind {
            return Err(self.text.error("expected a string, found null"));
        }
        self.text.null()?;
        match (field.kind, field.presence) {
            (Kind::Text | Kind::Message(_), Presence::Choice) => {
                self.begin_run(message, field);
                put_len(&mut self.out, field.number, b"");
            }
            (_, Presence::Choice) | (Kind::Message(_), _) => {}
            _ => self.begin_run(message, field),
        }
        Ok(())
    }

    fn elements(&mut self, message: &Message, field: &Field, depth: u32) -> Result<(), Fault> {
        if self.text.null()? {
            return Ok(());
        }
        self.text.open(b'[')?;
        let mut is_first = true;
        let mut index = 0usize;
        while self.text.element(&mut is_first)? {
            self.begin_run(message, field);
            self.element(field, depth).map_err(|error| error.within(&format!("[{index}]")))?;
            index += 1;
        }
        Ok(())
    }

    /// One element; `null` is an empty one.
    fn element(&mut self, field: &Field, depth: u32) -> Result<(), Fault> {
        if self.text.null()? {
            put_len(&mut self.out, field.number, b"");
            return Ok(());
        }
        if let Kind::Messages(child) = field.kind {
            return self.child(child, field.number, depth);
        }
        let text = self.text.string()?;
        put_len(&mut self.out, field.number, &text);
        Ok(())
    }

    /// A list of numbers, packed; nothing if it is empty.
    fn numbers(&mut self, message: &Message, field: &Field) -> Result<(), Fault> {
        if self.text.null()? {
            return Ok(());
        }
        self.text.open(b'[')?;
        self.begin_run(message, field);
        let before = self.out.len();
        let start = self.begin_enclosed(field.number);
        let mut is_first = true;
        let mut index = 0usize;
        while self.text.element(&mut is_first)? {
            self.number(field.kind).map_err(|error| error.within(&format!("[{index}]")))?;
            index += 1;
        }
        if index > 0 {
            self.end_enclosed(start);
        } else {
            self.out.truncate(before);
        }
        Ok(())
    }

    fn number(&mut self, kind: Kind) -> Result<(), Fault> {
        let at = self.text.position();
        let value = match kind {
            Kind::Doubles => self.double(at)?.to_bits(),
            _ => self.integer::<u64>(at)?,
        };
        match kind.shape() {
            Shape::Varints => put_varint(&mut self.out, value),
            _ => self.out.extend_from_slice(&value.to_le_bytes()),
        }
        Ok(())
    }

    /// Writes a message. A long deep body moves once per level, at most [`DEPTH_MAX`] times.
    fn child(&mut self, kind: schema::Message, number: u32, depth: u32) -> Result<(), Fault> {
        if kind == schema::Message::KeyValue
            && let Some(len) = attribute::decode(self.text.rest(), &mut self.out, number, depth)
        {
            self.text.advance(len);
            return Ok(());
        }
        let start = self.begin_enclosed(number);
        self.object(kind, depth + 1)?;
        self.end_enclosed(start);
        Ok(())
    }

    /// Writes the tag of what comes in a length, and room for that: one byte, which is enough for most. Gives where the body
    /// begins.
    fn begin_enclosed(&mut self, number: u32) -> usize {
        put_tag(&mut self.out, number, WireType::Len);
        self.out.push(0);
        self.out.len()
    }

    /// Writes the length of the body that began at `start`; where it takes more than a byte the body moves.
    fn end_enclosed(&mut self, start: usize) {
        let end = self.out.len();
        let mut len = (end - start) as u64;
        let more = varint_len(len) - 1;
        if more > 0 {
            self.out.extend_from_slice(&[0; LENGTH_BYTES_MAX][..more]);
            self.out.copy_within(start..end, start + more);
        }
        for byte in &mut self.out[start - 1..start + more] {
            *byte = len as u8 | 0x80;
            len >>= 7;
        }
        self.out[start + more - 1] &= 0x7f;
    }

    /// A default is left out, unless being there means something.
    fn scalar(&mut self, kind: Kind, number: u32, keeps_default: bool) -> Result<(), Fault> {
        let at = self.text.position();
        match kind {
            Kind::Text => {
                let text = self.text.string()?;
                if keeps_default || !text.is_empty() {
                    put_len(&mut self.out, number, &text);
                }
            }
            Kind::Bytes => {
                let text = self.text.string()?;
                let bytes = base64::decode(&text)
                    .ok_or_else(|| self.text.error_at(at, "expected base64 with the standard alphabet and padding"))?;
                put_len(&mut self.out, number, &bytes);
            }
            Kind::Id(len) => self.id(len, number, at)?,
            Kind::Double => {
                let value = self.double(at)?;
                // Minus zero is a default, too.
                if keeps_default || value != 0.0 {
                    put_fixed64(&mut self.out, number, value.to_bits());
                }
            }
            Kind::Fixed64 | Kind::Sfixed64 => {
                let value = match kind {
                    Kind::Fixed64 => self.integer::<u64>(at)?,
                    _ => self.integer::<i64>(at)? as u64,
                };
                if keeps_default || value != 0 {
                    put_fixed64(&mut self.out, number, value);
                }
            }
            Kind::Fixed32 => match self.integer::<u32>(at)? {
                0 if !keeps_default => {}
                value => put_fixed32(&mut self.out, number, value),
            },
            Kind::Bool | Kind::Int64 | Kind::Uint32 | Kind::Sint32 | Kind::Enum(_) => match self.varint(kind, at)? {
                0 if !keeps_default => {}
                value => put_uint(&mut self.out, number, value),
            },
            // The caller has dealt with these, and indices have no name in JSON.
            Kind::Index | Kind::Message(_) | Kind::Messages(_) => {}
            Kind::Texts | Kind::Doubles | Kind::Fixed64s | Kind::Uint64s => {}
        }
        Ok(())
    }

    /// What stands on the wire for a number that is a varint there.
    fn varint(&mut self, kind: Kind, at: usize) -> Result<u64, Fault> {
        Ok(match kind {
            Kind::Bool => u64::from(self.text.boolean()?),
            Kind::Int64 => self.integer::<i64>(at)? as u64,
            // Zigzag: small numbers are short, whatever their sign.
            Kind::Sint32 => self.integer::<i32>(at).map(|value| u64::from((value << 1 ^ value >> 31) as u32))?,
            // A negative enum is a varint of ten bytes, as protobuf extends its sign.
            Kind::Enum(names) => i64::from(self.enumerated(names, at)?) as u64,
            _ => u64::from(self.integer::<u32>(at)?),
        })
    }

    /// The empty text is no ID at all.
    fn id(&mut self, len: usize, number: u32, at: usize) -> Result<(), Fault> {
        let text = self.text.string()?;
        if text.is_empty() {
            return Ok(());
        }
        if text.len() != 2 * len {
            let message = format!("expected {} hexadecimal digits, found {} characters", 2 * len, text.len());
            return Err(self.text.error_at(at, message));
        }
        let mut bytes = [0u8; 16];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let value = hex_value(pair[0]).zip(hex_value(pair[1])).map(|(high, low)| high << 4 | low);
            *byte = value.ok_or_else(|| {
                self.text.error_at(at, format!("expected {} hexadecimal digits, found another character", 2 * len))
            })?;
        }
        put_len(&mut self.out, number, &bytes[..len]);
        Ok(())
    }

    /// A number without fraction and exponent, or the same as text.
    fn integer<T: Integer>(&mut self, at: usize) -> Result<T, Fault> {
        match self.text.peek() {
            Some(b'"') => {
                let text = self.text.string()?;
                if let Some(value) = short_decimal(&text).and_then(|value| T::try_from(value).ok()) {
                    return Ok(value);
                }
                let value =
                    str::from_utf8(&text).ok().filter(|text| T::is_written_so(text)).and_then(|text| text.parse().ok());
                value.ok_or_else(|| self.text.error_at(at, format!("expected {}, found {}", T::NAME, quoted(&text))))
            }
            Some(b'-' | b'0'..=b'9') => {
                let text = self.text.number()?;
                if let Some(value) = short_decimal(text.as_bytes()).and_then(|value| T::try_from(value).ok()) {
                    return Ok(value);
                }
                text.parse().map_err(|_| {
                    self.text.error_at(at, format!("expected {}, found {}", T::NAME, quoted(text.as_bytes())))
                })
            }
            _ => Err(self.text.unexpected(T::NAME)),
        }
    }

    /// A number, or text that also may say `NaN` and `Infinity`. What does not fit is refused, not made infinite.
    fn double(&mut self, at: usize) -> Result<f64, Fault> {
        let text = match self.text.peek() {
            Some(b'"') => self.text.string()?,
            Some(b'-' | b'0'..=b'9') => self.text.number()?.as_bytes().into(),
            _ => return Err(self.text.unexpected("a number or a number as text")),
        };
        let value = str::from_utf8(&text).ok().and_then(|text| text.parse::<f64>().ok());
        let overflows = |value: &f64| value.is_infinite() && text.iter().any(u8::is_ascii_digit);
        value
            .filter(|value| !overflows(value))
            .ok_or_else(|| self.text.error_at(at, format!("expected a double, found {}", quoted(&text))))
    }

    fn enumerated(&mut self, names: &[&str], at: usize) -> Result<i32, Fault> {
        match self.text.peek() {
            Some(b'-' | b'0'..=b'9') => self.integer::<i32>(at),
            Some(b'"') => {
                let name = self.text.string()?;
                let index = names.iter().position(|known| known.as_bytes() == &*name);
                index.and_then(|index| i32::try_from(index).ok()).ok_or_else(|| {
                    let message =
                        format!("unknown name {}, expected an integer or one of {}", quoted(&name), names.join(", "));
                    self.text.error_at(at, message)
                })
            }
            _ => Err(self.text.unexpected("an integer")),
        }
    }

    /// Notes that bytes of `field` follow; elements of the same list share a run.
    fn begin_run(&mut self, message: &Message, field: &Field) {
        let is_choice = field.presence == Presence::Choice;
        let is_single = is_choice || !field.kind.merges();
        let start = self.out.len();
        let own = self.runs.get_mut(message.first_run..).unwrap_or_default();
        if let Some(last) = own.last_mut() {
            if last.field == field.number && !is_single {
                return;
            }
            last.end = start;
        }
        self.runs.push(Run { field: field.number, start, end: start, is_single, is_choice });
    }

    /// Puts the fields of the message at the end of `out` in order.
    fn close(&mut self, message: &Message) {
        let end = self.out.len();
        if let Some(last) = self.runs.get_mut(message.first_run..).and_then(<[Run]>::last_mut) {
            last.end = end;
            self.reorder(message);
        }
        self.runs.truncate(message.first_run);
    }

    fn reorder(&mut self, message: &Message) {
        let runs = &self.runs[message.first_run..];
        let is_ordered = |one: &Run, next: &Run| one.field < next.field;
        if runs.is_sorted_by(is_ordered) && runs.iter().filter(|run| run.is_choice).count() <= 1 {
            return;
        }
        let chosen = runs.iter().rfind(|run| run.is_choice).map(|run| run.start);
        self.sorted.clear();
        self.sorted.extend(runs.iter().filter(|run| !run.is_choice || Some(run.start) == chosen));
        self.sorted.sort_by_key(|run| run.field);
        self.scratch.clear();
        for (index, run) in self.sorted.iter().enumerate() {
            let is_replaced = run.is_single && self.sorted.get(index + 1).is_some_and(|next| next.field == run.field);
            if !is_replaced {
                self.scratch.extend_from_slice(&self.out[run.start..run.end]);
            }
        }
        self.out.truncate(message.start);
        self.out.extend_from_slice(&self.scratch);
    }
}

/// A message that is being written: its part of `runs` and of `out`.
struct Message {
    first_run: usize,
    start: usize,
}

trait Integer: std::str::FromStr + TryFrom<u64> {
    const NAME: &'static str;

    /// Whether Go's `strconv` takes the text: a sign for signed ones only, digits, nothing else.
    fn is_written_so(text: &str) -> bool;
}

impl Integer for i64 {
    const NAME: &'static str = "a 64-bit integer";

    fn is_written_so(text: &str) -> bool {
        text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+'))
    }
}

impl Integer for i32 {
    const NAME: &'static str = "a 32-bit integer";

    fn is_written_so(text: &str) -> bool {
        i64::is_written_so(text)
    }
}

impl Integer for u64 {
    const NAME: &'static str = "an unsigned 64-bit integer";

    fn is_written_so(text: &str) -> bool {
        text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl Integer for u32 {
    const NAME: &'static str = "an unsigned 32-bit integer";

    fn is_written_so(text: &str) -> bool {
        u64::is_written_so(text)
    }
}

/// The beginning of a text in backticks, safe to print.
fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..QUOTED_MAX).unwrap_or(text));
    format!("`{}`", text.escape_debug())
}

/// A length takes at most ten bytes.
const LENGTH_BYTES_MAX: usize = 10;

/// How much of a wrong value an error message repeats.
const QUOTED_MAX: usize = 40;
