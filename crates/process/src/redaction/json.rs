//! JSON with a `"?"` for each value and no white space: the form of a query in JSON. What is no JSON stays as it is.

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// Or the end of the list.
    FirstItem,
    Key,
    /// Or the end of the object.
    FirstKey,
    Colon,
    /// A comma, or the end of the list or object.
    Comma,
    /// Nothing but white space, which stays.
    Nothing,
}

/// As deep as Go's reader goes.
const DEPTH_MAX: usize = 10_000;

/// The form of a query.
pub(super) fn form(text: &[u8]) -> Vec<u8> {
    read(text).unwrap_or_else(|| text.to_vec())
}

fn read(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    // Whether each open list or object is an object.
    let mut open: Vec<bool> = Vec::new();
    let (mut rest, mut next) = (text, Next::Value);
    while let Some((&byte, after)) = rest.split_first() {
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            if next == Next::Nothing {
                out.push(byte);
            }
            rest = after;
            continue;
        }
        let behind = |open: &[bool]| if open.is_empty() { Next::Nothing } else { Next::Comma };
        match (next, byte) {
            (Next::Value | Next::FirstItem, b'{' | b'[') => {
                open.push(byte == b'{');
                next = if byte == b'{' { Next::FirstKey } else { Next::FirstItem };
            }
            (Next::FirstItem | Next::Comma, b']') | (Next::FirstKey | Next::Comma, b'}') => {
                if open.pop() != Some(byte == b'}') {
                    return None;
                }
                next = behind(&open);
            }
            (Next::Comma, b',') => next = if open.last() == Some(&true) { Next::Key } else { Next::Value },
            (Next::Colon, b':') => next = Next::Value,
            (Next::Key | Next::FirstKey, b'"') => {
                let end = rest.len() - string(after)?.len();
                out.extend_from_slice(rest.get(..end)?);
                rest = rest.get(end..)?;
                next = Next::Colon;
                continue;
            }
            (Next::Value | Next::FirstItem, _) => {
                rest = scalar(rest)?;
                out.extend_from_slice(br#""?""#);
                next = behind(&open);
                continue;
            }
            _ => return None,
        }
        if open.len() > DEPTH_MAX {
            return None;
        }
        out.push(byte);
        rest = after;
    }
    Some(out).filter(|_| next == Next::Nothing)
}

/// What follows a string, a number or a word.
fn scalar(text: &[u8]) -> Option<&[u8]> {
    match text.first()? {
        b'"' => string(text.get(1..)?),
        b't' => text.strip_prefix(b"true"),
        b'f' => text.strip_prefix(b"false"),
        b'n' => text.strip_prefix(b"null"),
        _ => number(text),
    }
}

/// What follows a string whose first quote has been read.
fn string(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let (byte, after) = text.split_first()?;
        text = match byte {
            b'"' => return Some(after),
            b'\\' => match after.split_first()? {
                (b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', after) => after,
                (b'u', after) if after.get(..4)?.iter().all(u8::is_ascii_hexdigit) => after.get(4..)?,
                _ => return None,
            },
            0..=0x1f => return None,
            _ => after,
        };
    }
}

fn number(text: &[u8]) -> Option<&[u8]> {
    let digits = |text: &'_ [u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let some_digits = |text| Some(digits(text)).filter(|count| *count > 0);
    let mut text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = some_digits(text)?;
    text = text.get(if text.first() == Some(&b'0') { 1 } else { whole }..)?;
    if let Some(fraction) = text.strip_prefix(b".") {
        text = fraction.get(some_digits(fraction)?..)?;
    }
    if let [b'e' | b'E', exponent @ ..] = text {
        let exponent = match exponent {
            [b'+' | b'-', exponent @ ..] => exponent,
            exponent => exponent,
        };
        text = exponent.get(some_digits(exponent)?..)?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden() {
        for (text, expected) in [
            (
                r#"{"find": "users", "filter": {"name" : "x", "age": {"$gt": 5}}} "#,
                r#"{"find":"?","filter":{"name":"?","age":{"$gt":"?"}}} "#,
            ),
            (r#" [1, true, null, "a", -1.5e+3, {}, []]"#, r#"["?","?","?","?","?",{},[]]"#),
            (r#"{"a b\"": [{"c": 1}, {"d": 2}]}"#, r#"{"a b\"":[{"c":"?"},{"d":"?"}]}"#),
            ("12 ", "\"?\" "),
        ] {
            assert_eq!(String::from_utf8_lossy(&form(text.as_bytes())), expected, "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":}",
            "{a:1}",
            "[1}",
            "01",
            "1.",
            "\"\n\"",
            "\"\\x\"",
            "1 2",
            "tru",
            "{\"a\":1,}",
            "{}]",
        ] {
            assert_eq!(form(text.as_bytes()), text.as_bytes(), "{text}");
        }
    }
}
