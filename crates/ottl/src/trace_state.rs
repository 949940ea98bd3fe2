//! The W3C trace state as go.opentelemetry.io/otel reads it.

/// How many members a trace state may have.
const MEMBERS_MAX: usize = 32;

/// The value of a member, empty if it is not there. `None` if the text is no trace state.
#[must_use]
pub fn trace_state_member<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut keys: [&[u8]; MEMBERS_MAX] = [&[]; MEMBERS_MAX];
    let mut found: &[u8] = &[];
    let members = text.split(|byte| *byte == b',').filter(|member| !member.is_empty());
    for (count, member) in members.enumerate() {
        let (name, value) = parse_member(member)?;
        if keys.get(..count)?.contains(&name) {
            return None;
        }
        *keys.get_mut(count)? = name;
        if name == key {
            found = value;
        }
    }
    Some(found)
}

fn parse_member(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = member.iter().position(|byte| *byte == b'=')?;
    let is_space = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let key = &member[..equals];
    let key = &key[key.iter().take_while(|byte| is_space(byte)).count()..];
    let value = &member[equals + 1..];
    let value = &value[..value.len() - value.iter().rev().take_while(|byte| is_space(byte)).count()];
    (is_key(key) && is_value(value)).then_some((key, value))
}

fn is_key(key: &[u8]) -> bool {
    match key.iter().position(|byte| *byte == b'@') {
        None => is_simple_key(key, 256),
        Some(at) => {
            let (tenant, system) = (&key[..at], &key[at + 1..]);
            let begins = tenant.first().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
            begins && tenant.len() <= 241 && is_key_rest(&tenant[1..]) && is_simple_key(system, 14)
        }
    }
}

fn is_simple_key(key: &[u8], len_max: usize) -> bool {
    key.first().is_some_and(u8::is_ascii_lowercase) && key.len() <= len_max && is_key_rest(&key[1..])
}

fn is_key_rest(rest: &[u8]) -> bool {
    rest.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(byte))
}

fn is_value(value: &[u8]) -> bool {
    let is_char = |byte: &u8| (0x20..=0x7e).contains(byte) && *byte != b',' && *byte != b'=';
    (1..=256).contains(&value.len()) && value.iter().all(is_char) && value.last() != Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members() {
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        for (text, key, expected) in [
            ("", "a", Some("")),
            ("k1=v1", "k1", Some("v1")),
            ("k1=v1", "k2", Some("")),
            ("k=v,k=w", "k", None),
            ("k=v,,a=b", "k", Some("v")),
            ("k=v, ,a=b", "k", None),
            ("a =b,k=v", "k", None),
            ("a= b,k=v", "k", Some("v")),
            ("A=b,k=v", "k", None),
            ("a=b , k=v ", "k", Some("v")),
            ("a=b=c,k=v", "k", None),
            ("1a=b,k=v", "k", None),
            ("1a@b=c,k=v", "k", Some("v")),
            ("x=,k=v", "k", None),
            ("a=b,k", "k", None),
            (" k=v\t,b=\x01", "k", None),
            ("a*/_-=1,k=v", "k", Some("v")),
            (&many(32), "k31", Some("v")),
            (&many(33), "k31", None),
        ] {
            assert_eq!(trace_state_member(text.as_bytes(), key.as_bytes()), expected.map(str::as_bytes), "{text:?}");
        }
    }
}
