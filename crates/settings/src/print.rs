//! A tree as YAML, in the form in which otelcol's `print-config` prints: four spaces, sorted keys, quotes only where needed.
//!
//! The same form on purpose: the output of the two programs can be compared line by line. So the odd indentation of lists
//! in lists of maps (the next multiple of four) and the rule when a float gets an exponent are yaml.v3's.

mod key_order;

use crate::node::{Node, Value};
use crate::secret::REDACTED;
use crate::yaml::scalar;

/// How secrets are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As `[REDACTED]`.
    Redacted,
    /// As they are.
    Unredacted,
}

impl Node {
    /// The tree as YAML, with a line end.
    pub fn to_yaml(&self, mode: Mode) -> String {
        let mut printer = Printer { mode, text: String::new() };
        match self.scalar_text(mode) {
            Some(text) => printer.text.push_str(&text),
            None => printer.collection(self, 0),
        }
        printer.text.push('\n');
        printer.text
    }

    /// The text of what fits behind a key: scalars and empty lists and maps.
    fn scalar_text(&self, mode: Mode) -> Option<String> {
        Some(match &self.value {
            Value::Null => "null".to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => float(*value),
            Value::Text(text) => quoted(text),
            Value::Secret(secret) => match mode {
                Mode::Redacted => quoted(REDACTED),
                Mode::Unredacted => quoted(secret.expose()),
            },
            Value::List(items) if items.is_empty() => "[]".to_string(),
            Value::Map(entries) if entries.is_empty() => "{}".to_string(),
            Value::List(_) | Value::Map(_) => return None,
        })
    }
}

struct Printer {
    mode: Mode,
    text: String,
}

impl Printer {
    /// A list or map that is not empty, its first line at the cursor, the others indented.
    fn collection(&mut self, node: &Node, indent: usize) {
        match &node.value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.line(index, indent);
                    self.text.push_str("- ");
                    match item.scalar_text(self.mode) {
                        Some(text) => self.text.push_str(&text),
                        None => self.collection(item, indent + 2),
                    }
                }
            }
            Value::Map(entries) => {
                for (index, entry) in key_order::ordered(entries, |entry| &entry.key).into_iter().enumerate() {
                    self.line(index, indent);
                    self.text.push_str(&quoted(&entry.key));
                    self.text.push(':');
                    self.behind_key(&entry.node, indent);
                }
            }
            _ => {}
        }
    }

    fn behind_key(&mut self, node: &Node, indent: usize) {
        match node.scalar_text(self.mode) {
            Some(text) => {
                self.text.push(' ');
                self.text.push_str(&text);
            }
            None => {
                let indent = (indent + INDENT) / INDENT * INDENT;
                self.line(1, indent);
                self.collection(node, indent);
            }
        }
    }

    /// Begins a line, except for the first part of a collection, which stands where the cursor is.
    fn line(&mut self, index: usize, indent: usize) {
        if index > 0 {
            self.text.push('\n');
            self.text.extend(std::iter::repeat_n(' ', indent));
        }
    }
}

const INDENT: usize = 4;

/// Go's `%g` with the shortest digits that read back: an exponent below 1e-4 and from 1e6 on.
fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_string();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    value.to_string()
}

/// A text as it must stand so that it reads back as this text.
fn quoted(text: &str) -> String {
    let is_text = matches!(scalar::resolve(text), Value::Text(_)) && !means_more_to_others(text);
    let special = |c: char| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{85}');
    if text.contains(special) || !is_text {
        double_quoted(text)
    } else if plain_allowed(text) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Texts that older YAML takes for booleans, times or base 60; yaml.v3 puts quotes around them, for those readers.
fn means_more_to_others(text: &str) -> bool {
    let old_bool = ["y", "yes", "on", "n", "no", "off"];
    let cased = [text.to_lowercase(), text.to_uppercase()].contains(&text.to_string())
        || text.get(1..).is_some_and(|rest| rest == rest.to_lowercase());
    let date = text.len() >= 10
        && text.bytes().zip(*b"dddd-dd-dd").all(|(b, form)| if form == b'd' { b.is_ascii_digit() } else { b == form });
    (cased && old_bool.contains(&text.to_lowercase().as_str())) || base_60(text) || date || text == "<<"
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9]*)?`
fn base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let Some((first, sixtieths)) = whole.split_once(':') else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && sixtieths.split(':').all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

/// Whether a text may stand without quotes behind a key in block style.
fn plain_allowed(text: &str) -> bool {
    let first = text.chars().next();
    let second_is_space = text.chars().nth(1).is_none_or(char::is_whitespace);
    let first_allowed = match first {
        None | Some(' ') => false,
        Some('-' | '?' | ':') => !second_is_space,
        Some(first) => !"#,[]{}&*!|>'\"%@`".contains(first),
    };
    let document_mark = text.starts_with("---") || text.starts_with("...");
    first_allowed && !document_mark && !text.contains(": ") && !text.contains(" #") && !text.ends_with([' ', ':'])
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() && u32::from(c) < 0x100 => quoted.push_str(&format!("\\x{:02X}", u32::from(c))),
            '\u{2028}' | '\u{2029}' | '\u{feff}' => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_otelcol_does() {
        let policy = Node::map_of([
            ("and", Node::map_of([("and_sub_policy", Node::list_of::<Node>([])), ("a", Node::list_of(["x", "y"]))])),
            ("name", Node::from("n")),
        ]);
        let tree = Node::map_of([
            ("policies", Node::list_of([policy.clone(), policy])),
            ("nested", Node::list_of([Node::list_of([1_u64.into(), Node::null()]), Node::map_of::<&str>([])])),
            ("decision_wait", std::time::Duration::from_secs(60).into()),
            ("token", Node::secret(&crate::Secret::new("hush"))),
        ]);
        let expected = "\
decision_wait: 1m0s
nested:
    - - 1
      - null
    - {}
policies:
    - and:
        a:
            - x
            - \"y\"
        and_sub_policy: []
      name: \"n\"
    - and:
        a:
            - x
            - \"y\"
        and_sub_policy: []
      name: \"n\"
token: '[REDACTED]'
";
        assert_eq!(tree.to_yaml(Mode::Redacted), expected);
        assert!(tree.to_yaml(Mode::Unredacted).contains("token: hush\n"));
    }

    #[test]
    fn quotes_where_needed() {
        for (text, expected) in [
            ("", "\"\""),
            ("plain", "plain"),
            ("b:4317", "b:4317"),
            ("http://b:4318", "http://b:4318"),
            ("/v1/traces", "/v1/traces"),
            ("name == \"x\"", "name == \"x\""),
            ("5", "\"5\""),
            ("true", "\"true\""),
            ("null", "\"null\""),
            ("yes", "\"yes\""),
            ("2024-01-01", "\"2024-01-01\""),
            ("1:30", "\"1:30\""),
            ("1:30.5", "\"1:30.5\""),
            ("127.0.0.1:4317", "127.0.0.1:4317"),
            ("1:99", "1:99"),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            ("#b", "'#b'"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            ("*a", "'*a'"),
            ("'a", "'''a'"),
            (" a", "' a'"),
            ("a ", "'a '"),
            ("a:", "'a:'"),
            ("two\nlines", "\"two\\nlines\""),
            ("\u{1b}[0m", "\"\\x1B[0m\""),
            ("$a", "$a"),
        ] {
            assert_eq!(quoted(text), expected, "{text}");
        }
    }

    #[test]
    fn floats_as_go_prints_them() {
        for (value, expected) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (10.0, "10"),
            (1.5, "1.5"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (-2.5, "-2.5"),
            (f64::INFINITY, ".inf"),
        ] {
            assert_eq!(float(value), expected);
        }
    }
}
