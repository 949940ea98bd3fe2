//! W3C trace state (`vendor=value,other=value`) as OpenTelemetry's Go API reads it, which is what contrib's policies see.
//!
//! One bad member, a second member of the same key or a 33rd member makes the whole field invalid. Members of no length are
//! skipped, blank ones are bad. Nothing allocates.

use std::fmt;

/// The field is no trace state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invalid;

/// The value of the member called `key`; `None` if there is no such member.
///
/// # Errors
/// [`Invalid`] if any part of the field is.
pub fn lookup<'a>(raw: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>, Invalid> {
    let mut keys: [&[u8]; MEMBERS_MAX] = [&[]; MEMBERS_MAX];
    let mut found = None;
    let members = raw.split(|byte| *byte == b',').filter(|member| !member.is_empty());
    for (count, member) in members.enumerate() {
        let (name, value) = parse(member).ok_or(Invalid)?;
        if keys.iter().take(count).any(|known| *known == name) {
            return Err(Invalid);
        }
        *keys.get_mut(count).ok_or(Invalid)? = name;
        if name == key {
            found = Some(value);
        }
    }
    Ok(found)
}

/// The field with the member `key` set to `value` and put in front; without room the last one goes. `None` if the member is
/// no valid one.
///
/// # Errors
/// [`Invalid`] if any part of the field is.
pub fn with_member(raw: &[u8], key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, Invalid> {
    lookup(raw, key)?;
    if !is_key(key) || !is_value(value) {
        return Ok(None);
    }
    let members = raw.split(|byte| *byte == b',').filter_map(parse);
    let others = members.filter(|(name, _)| *name != key).take(MEMBERS_MAX - 1);
    let mut text = Vec::with_capacity(raw.len() + key.len() + value.len() + 2);
    for (name, value) in std::iter::once((key, value)).chain(others) {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
    }
    Ok(Some(text))
}

/// White space goes on the left of the key and on the right of the value, nowhere else.
fn parse(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = member.iter().position(|byte| *byte == b'=')?;
    let (mut name, value) = member.split_at(at);
    let mut value = value.get(1..)?;
    while let [b' ' | b'\t', rest @ ..] = name {
        name = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    (is_key(name) && is_value(value)).then_some((name, value))
}

fn is_key(key: &[u8]) -> bool {
    match key.iter().position(|byte| *byte == b'@') {
        None => is_key_part(key, 256, false),
        Some(at) => {
            is_key_part(key.get(..at).unwrap_or_default(), 241, true)
                && is_key_part(key.get(at + 1..).unwrap_or_default(), 14, false)
        }
    }
}

fn is_key_part(part: &[u8], bytes_max: usize, digit_first: bool) -> bool {
    let Some((first, rest)) = part.split_first() else { return false };
    let starts = first.is_ascii_lowercase() || digit_first && first.is_ascii_digit();
    starts && part.len() <= bytes_max && is_key_rest(rest)
}

/// Go looks at each character's lowest byte only, so `š` (U+0161) passes for an `a`.
fn is_key_rest(rest: &[u8]) -> bool {
    if rest.is_ascii() {
        return rest.iter().all(|byte| is_key_byte(*byte) || matches!(byte, b'_' | b'-' | b'*' | b'/'));
    }
    String::from_utf8_lossy(rest)
        .chars()
        .all(|character| is_key_byte(character as u32 as u8) || matches!(character, '_' | '-' | '*' | '/'))
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// What is left of a value begins with anything visible or a space, and does not end in one.
fn is_value(value: &[u8]) -> bool {
    let is_allowed = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    (1..=256).contains(&value.len()) && value.iter().all(is_allowed)
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a W3C trace state")
    }
}

impl std::error::Error for Invalid {}

const MEMBERS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, key: &str, expected: Result<Option<&str>, Invalid>) {
        assert_eq!(lookup(raw.as_bytes(), key.as_bytes()), expected.map(|value| value.map(str::as_bytes)), "{raw}");
    }

    #[test]
    fn members_are_set() {
        for (raw, key, value, expected) in [
            ("", "a", "1", Ok(Some("a=1"))),
            ("b=2, c=3", "a", "1", Ok(Some("a=1,b=2,c=3"))),
            ("b=2,a=3", "a", "1", Ok(Some("a=1,b=2"))),
            ("b=2", "A", "1", Ok(None)),
            ("b=2", "a", "1,2", Ok(None)),
            ("b", "a", "1", Err(Invalid)),
        ] {
            let set = with_member(raw.as_bytes(), key.as_bytes(), value.as_bytes());
            let expected = expected.map(|text| text.map(|text| text.as_bytes().to_vec()));
            assert_eq!(set, expected, "{raw}");
        }
        let full = with_member(members(32).as_bytes(), b"k", b"v").unwrap().unwrap();
        assert_eq!(full.split(|byte| *byte == b',').count(), 32);
    }

    fn members(count: usize) -> String {
        (0..count).map(|number| format!("m{number}=1,")).collect()
    }

    #[test]
    fn vectors_of_the_real_collector() {
        let (v, missing) = (Ok(Some("v")), Err(Invalid));
        for (raw, key, expected) in [
            ("k1=v", "k1", v),
            ("k2=v,k2=w", "k2", missing),
            ("k3=v,,a=b", "k3", v),
            ("k4=v, ,a=b", "k4", missing),
            ("a =b,k5=v", "k5", missing),
            ("a= b,k6=v", "k6", v),
            ("A=b,k7=v", "k7", missing),
            ("a=b , k8=v ", "k8", v),
            ("a=b=c,k9=v", "k9", missing),
            ("1a=b,k10=v", "k10", missing),
            ("1a@b=c,k11=v", "k11", v),
            ("x=,k12=v", "k12", missing),
            (&(members(32) + "k13=v"), "k13", missing),
            (&(members(31) + "k14=v"), "k14", v),
            ("a=b,k15", "k15", missing),
            (" k16=v\t,b=\u{1}", "k16", missing),
            ("a*/_-=1,k17=v", "k17", v),
        ] {
            check(raw, key, expected);
        }
    }

    #[test]
    fn edges() {
        for (raw, key, expected) in [
            ("", "k", Ok(None)),
            (",,", "k", Ok(None)),
            ("a=b", "k", Ok(None)),
            ("a= b", "a", Ok(Some(" b"))),
            ("\t a=b \t", "a", Ok(Some("b"))),
            ("=b", "", Err(Invalid)),
            ("a@=b", "a@", Err(Invalid)),
            ("@a=b", "@a", Err(Invalid)),
            ("a@1b=c", "a@1b", Err(Invalid)),
            ("a@b@c=d", "a@b@c", Err(Invalid)),
            ("a\u{161}=b", "a\u{161}", Ok(Some("b"))),
            ("a\u{162}\u{100}=b", "a", Err(Invalid)),
            ("a=\u{161}", "a", Err(Invalid)),
        ] {
            check(raw, key, expected);
        }
        let key = |bytes: usize| "k".repeat(bytes);
        for (name, valid) in [
            (key(256), true),
            (key(257), false),
            (format!("{}@{}", key(241), key(14)), true),
            (format!("{}@a", key(242)), false),
            (format!("a@{}", key(15)), false),
        ] {
            check(&format!("{name}=v"), &name, if valid { Ok(Some("v")) } else { Err(Invalid) });
        }
        assert!(lookup(format!("a={}", key(256)).as_bytes(), b"a").is_ok());
        assert_eq!(lookup(format!("a={}", key(257)).as_bytes(), b"a"), Err(Invalid));
        assert_eq!(lookup(b"a\xff=b", b"k"), Err(Invalid));
    }
}
