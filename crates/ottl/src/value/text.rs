//! Values as text, the way Go writes them.

use super::{List, ListForm, Map, Opaque, Time, Value};
use crate::error::Error;
use std::io::Write;

/// The value as OTTL's JSON encoder writes it: keys sorted, `<`, `>` and `&` escaped, bytes in base64.
///
/// # Errors
/// A float that JSON cannot say.
pub fn json(value: &Value<'_>) -> Result<Vec<u8>, Error> {
    let mut json = Json { out: Vec::new(), is_for_html: true };
    json.value(value, 0)?;
    Ok(json.out)
}

/// The value as pdata's `AsString` gives it, which is what the elements of lists and maps become: base64 for bytes, `""` for
/// nil and for containers that JSON cannot say.
pub(crate) fn element_text(value: &Value<'_>) -> Vec<u8> {
    match value {
        Value::Nil => Vec::new(),
        Value::Str(text) => text.to_vec(),
        Value::Bytes(bytes) => base64(bytes),
        Value::Float(float) if float.is_nan() => b"NaN".to_vec(),
        Value::Float(f64::INFINITY) => b"Infinity".to_vec(),
        Value::Float(f64::NEG_INFINITY) => b"-Infinity".to_vec(),
        other => {
            let mut json = Json { out: Vec::new(), is_for_html: false };
            json.value(other, 0).map_or_else(|_| Vec::new(), |()| json.out)
        }
    }
}

/// Go's `%v` of a float: the shortest digits that read back, with an exponent below 1e-4 and from 1e6 on.
#[must_use]
pub fn float_text(float: f64) -> String {
    shortest(float, |exponent| !(-4..6).contains(&exponent))
}

/// The form of a float that is converted to text by itself; `None` if JSON cannot say it.
pub(crate) fn scalar_float(float: f64) -> Option<String> {
    let is_plain = float == 0.0 || (1e-6..1e21).contains(&float.abs());
    float.is_finite().then(|| shortest(float, |_| !is_plain))
}

/// That JSON cannot say a float.
pub(crate) fn no_json() -> Error {
    Error::failed("JSON has no infinity and no NaN")
}

/// The form of a float in pdata's JSON; `None` if JSON cannot say it.
#[must_use]
pub fn json_float(float: f64) -> Option<String> {
    let text = scalar_float(float)?;
    // Go cleans `e-09` up to `e-9`, and only that.
    Some(match text.rsplit_once("e-0") {
        Some((mantissa, digit)) if digit.len() == 1 => format!("{mantissa}e-{digit}"),
        _ => text,
    })
}

/// Go's `Duration.String()`: `1h2m3.5s`, `1.5ms`, `0s`.
#[must_use]
pub fn duration_text(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    let fraction = |whole: u64, rest: u64, width: usize| {
        let digits = format!("{rest:0width$}");
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() { whole.to_string() } else { format!("{whole}.{digits}") }
    };
    match ns {
        0 => "0s".to_string(),
        1..1_000 => format!("{sign}{ns}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(ns / 1_000, ns % 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(ns / 1_000_000, ns % 1_000_000, 6)),
        _ => {
            let seconds = ns / 1_000_000_000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let seconds = fraction(seconds % 60, ns % 1_000_000_000, 9);
            if hours > 0 {
                format!("{sign}{hours}h{minutes}m{seconds}s")
            } else if minutes > 0 {
                format!("{sign}{minutes}m{seconds}s")
            } else {
                format!("{sign}{seconds}s")
            }
        }
    }
}

/// RFC 3339 with as many digits of the second as it needs.
pub(crate) fn time_text(time: Time) -> String {
    let parts = time.parts();
    let mut text = format!("{:04}-{:02}-{:02}", parts.year, parts.month, parts.day);
    text += &format!("T{:02}:{:02}:{:02}", parts.hour, parts.minute, parts.second);
    if time.nanos > 0 {
        text += format!(".{:09}", time.nanos).trim_end_matches('0');
    }
    if time.offset_s == 0 {
        return text + "Z";
    }
    let minutes = time.offset_s.unsigned_abs() / 60;
    let sign = if time.offset_s < 0 { '-' } else { '+' };
    text + &format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    otlp::json::base64::encode(&mut out, bytes);
    out
}

/// The beginning of a text, for messages.
pub(crate) fn excerpt(text: &[u8]) -> String {
    const BYTES_MAX: usize = 60;
    let shown = String::from_utf8_lossy(text.get(..BYTES_MAX).unwrap_or(text)).into_owned();
    if text.len() > BYTES_MAX { shown + "…" } else { shown }
}

fn shortest(float: f64, has_exponent: impl Fn(i32) -> bool) -> String {
    if float.is_nan() {
        return "NaN".to_string();
    }
    if float.is_infinite() {
        return if float > 0.0 { "+Inf" } else { "-Inf" }.to_string();
    }
    // Rust's scientific form has the shortest digits that read back, as Go's has.
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !has_exponent(exponent) {
        return float.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Encoded containers nest at most 100 deep, literals less; what is deeper was made by a converter and is cut.
const DEPTH_MAX: u32 = 200;

/// JSON that is being written.
struct Json {
    out: Vec<u8>,
    /// Which of otelcol's two writers this is: the one of OTTL escapes what means something in HTML, and leaves `e-07`; the
    /// one of pdata writes `e-7`.
    is_for_html: bool,
}

impl Json {
    fn value(&mut self, value: &Value<'_>, depth: u32) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(Error::failed("nested too deeply"));
        }
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(bool) => self.plain(bool),
            Value::Int(int) | Value::Duration(int) | Value::Opaque(Opaque::Foreign(int)) => self.plain(int),
            Value::Float(float) => {
                let text = if self.is_for_html { scalar_float(*float) } else { json_float(*float) };
                let text = text.ok_or_else(no_json)?;
                self.out.extend_from_slice(text.as_bytes());
            }
            Value::Str(text) => self.quoted(text),
            // In Go a copy of no bytes is nil.
            Value::Bytes(bytes) if bytes.is_empty() => self.out.extend_from_slice(b"null"),
            Value::Bytes(bytes) => self.quoted(&base64(bytes)),
            Value::Time(time) => self.quoted(time_text(*time).as_bytes()),
            Value::Id(id) => {
                let items: Vec<String> = id.bytes().iter().map(u8::to_string).collect();
                self.plain(&format_args!("[{}]", items.join(",")));
            }
            Value::List(list) => self.list(list, depth)?,
            Value::Map(map) => self.map(map, depth)?,
            Value::Opaque(_) => self.out.extend_from_slice(b"{}"),
        }
        Ok(())
    }

    fn list(&mut self, list: &List<'_>, depth: u32) -> Result<(), Error> {
        self.out.push(b'[');
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            // The encoder sees no fields in a data-model container that stands in a native list.
            let is_hidden = match &item {
                Value::Map(map) => !map.is_native,
                Value::List(list) => list.form == ListForm::Data,
                _ => false,
            };
            if is_hidden && list.form == ListForm::Native {
                self.out.extend_from_slice(b"{}");
            } else {
                self.value(&item, depth + 1)?;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, map: &Map<'_>, depth: u32) -> Result<(), Error> {
        // Of equal keys the last one stays, as when Go copies the entries to a native map.
        let mut entries: Vec<_> = map.iter().enumerate().collect();
        entries.sort_by(|(i, (a, _)), (j, (b, _))| a.cmp(b).then(j.cmp(i)));
        entries.dedup_by(|(_, (later, _)), (_, (earlier, _))| later == earlier);
        self.out.push(b'{');
        for (index, (_, (key, value))) in entries.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.quoted(key);
            self.out.push(b':');
            self.value(value, depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn quoted(&mut self, text: &[u8]) {
        self.out.push(b'"');
        for chunk in text.utf8_chunks() {
            chunk.valid().chars().for_each(|char| self.char(char));
            chunk.invalid().iter().for_each(|_| self.out.extend_from_slice(br"\ufffd"));
        }
        self.out.push(b'"');
    }

    fn char(&mut self, char: char) {
        match char {
            '"' => self.out.extend_from_slice(br#"\""#),
            '\\' => self.out.extend_from_slice(br"\\"),
            '\n' => self.out.extend_from_slice(br"\n"),
            '\r' => self.out.extend_from_slice(br"\r"),
            '\t' => self.out.extend_from_slice(br"\t"),
            '<' | '>' | '&' if !self.is_for_html => self.plain(&char),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                self.plain(&format_args!("\\u{:04x}", u32::from(char)));
            }
            other => self.out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }

    fn plain(&mut self, text: &dyn std::fmt::Display) {
        write!(self.out, "{text}").expect("writing to memory does not fail");
    }
}

#[cfg(test)]
mod tests;
