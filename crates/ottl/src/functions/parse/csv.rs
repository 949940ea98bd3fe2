//! One record of CSV by the rules of Go's `encoding/csv`, and a record that spans lines as otelcol joins it.
//!
//! Each line is read as a record of its own, empty lines aside; the first field of a line continues the last one of the line
//! before. Where Go reports a line as broken after some of its fields, otelcol takes those fields and reads on with the next
//! line; only a line that yields no field at all is an error.

/// How records are read.
pub(super) struct Dialect {
    pub(super) delimiter: char,
    pub(super) quotes: Quotes,
}

/// What a quote means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// It opens a field and closes it, and stands nowhere else.
    Strict,
    /// It may also stand within a field.
    Lazy,
    /// It is a character like any other, and so are line ends.
    Ignored,
}

/// The parts of a text between delimiters.
pub(super) fn split(text: &[u8], delimiter: char) -> Vec<&[u8]> {
    let mut buffer = [0; 4];
    let delimiter = delimiter.encode_utf8(&mut buffer).as_bytes();
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, delimiter) {
        parts.push(&rest[..at]);
        rest = &rest[at + delimiter.len()..];
    }
    parts.push(rest);
    parts
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

impl Dialect {
    /// The fields of the record that the text is.
    pub(super) fn fields(&self, text: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
        if self.quotes == Quotes::Ignored {
            return Ok(split(text, self.delimiter).into_iter().map(<[u8]>::to_vec).collect());
        }
        if matches!(self.delimiter, '\0' | '"' | '\r' | '\n' | char::REPLACEMENT_CHARACTER) {
            return Err("this delimiter cannot separate fields");
        }
        let mut buffer = [0; 4];
        let delimiter = self.delimiter.encode_utf8(&mut buffer).as_bytes();
        let mut reader = Reader { rest: text, delimiter, is_lazy: self.quotes == Quotes::Lazy };
        let mut fields: Vec<Vec<u8>> = Vec::new();
        while let Some(line) = reader.line_with_content() {
            let (record, error) = reader.record(line);
            if let Some(error) = error.filter(|_| record.is_empty()) {
                return Err(error);
            }
            let mut record = record.into_iter();
            if let (Some(last), Some(first)) = (fields.last_mut(), record.as_slice().first()) {
                last.push(b'\n');
                last.extend_from_slice(first);
                record.next();
            }
            fields.extend(record);
        }
        if fields.is_empty() { Err("there are no lines of CSV") } else { Ok(fields) }
    }
}

struct Reader<'t> {
    rest: &'t [u8],
    delimiter: &'t [u8],
    is_lazy: bool,
}

/// A line without its end, and whether it had one.
#[derive(Clone, Copy)]
struct Line<'t> {
    text: &'t [u8],
    has_end: bool,
}

impl<'t> Reader<'t> {
    fn line_with_content(&mut self) -> Option<Line<'t>> {
        loop {
            let line = self.line()?;
            if !line.text.is_empty() {
                return Some(line);
            }
        }
    }

    /// The next line; `\r\n` counts as `\n`, and a `\r` at the very end as nothing.
    fn line(&mut self) -> Option<Line<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (text, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(Line { text: text.strip_suffix(b"\r").unwrap_or(text), has_end: end.is_some() })
    }

    /// The fields of a record that begins with this line, up to the error if there is one.
    fn record(&mut self, first: Line<'t>) -> (Vec<Vec<u8>>, Option<&'static str>) {
        let mut fields = Vec::new();
        let mut line = first;
        loop {
            let Some(quoted) = line.text.strip_prefix(b"\"") else {
                let end = find(line.text, self.delimiter);
                let field = &line.text[..end.unwrap_or(line.text.len())];
                if !self.is_lazy && field.contains(&b'"') {
                    return (fields, Some("a quote in a field that is not quoted"));
                }
                fields.push(field.to_vec());
                let Some(end) = end else { return (fields, None) };
                line.text = &line.text[end + self.delimiter.len()..];
                continue;
            };
            line.text = quoted;
            let mut field = Vec::new();
            let end = self.quoted(&mut line, &mut field);
            if end != End::Broken {
                fields.push(field);
            }
            match end {
                End::Field => {}
                End::Record => return (fields, None),
                End::Broken => return (fields, Some("a quote that ends no field")),
            }
        }
    }

    /// The rest of a quoted field, which may go on over lines.
    fn quoted(&mut self, line: &mut Line<'t>, field: &mut Vec<u8>) -> End {
        loop {
            let Some(at) = line.text.iter().position(|byte| *byte == b'"') else {
                field.extend_from_slice(line.text);
                field.extend(line.has_end.then_some(b'\n'));
                let Some(next) = self.line() else { return if self.is_lazy { End::Record } else { End::Broken } };
                *line = next;
                continue;
            };
            field.extend_from_slice(&line.text[..at]);
            line.text = &line.text[at + 1..];
            if let Some(after) = line.text.strip_prefix(b"\"") {
                line.text = after;
                field.push(b'"');
            } else if let Some(after) = line.text.strip_prefix(self.delimiter) {
                line.text = after;
                return End::Field;
            } else if line.text.is_empty() {
                return End::Record;
            } else if self.is_lazy {
                field.push(b'"');
            } else {
                return End::Broken;
            }
        }
    }
}

/// How a quoted field ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a delimiter.
    Field,
    /// With the line or the text.
    Record,
    /// By mistake.
    Broken,
}
