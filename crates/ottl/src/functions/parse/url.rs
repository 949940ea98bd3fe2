//! The parts of a URL, named as the semantic conventions name them, read by the rules of Go's `net/url`.
//!
//! `url.original` is not the text that was given but the URL written anew, as in otelcol: percent signs may have come or gone.
//! A text that begins with `?` is a query alone and becomes a map of its parameters.

mod escape;

use crate::value::{List, Map, Opaque, Value};
use escape::{Place, escape, is_escaped, unescape};
use std::net::Ipv6Addr;

/// A URL taken apart. Text is unescaped where nothing else is said.
#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    /// What follows the scheme, if that is not a path.
    opaque: Vec<u8>,
    user: Option<User>,
    /// Name and port.
    host: Vec<u8>,
    has_no_authority: bool,
    path: Vec<u8>,
    /// The path as it was written.
    raw_path: Vec<u8>,
    has_empty_query: bool,
    raw_query: Vec<u8>,
    fragment: Vec<u8>,
    /// The fragment as it was written.
    raw_fragment: Vec<u8>,
}

struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

/// The map of the URL's parts.
pub(super) fn parse(text: &[u8]) -> Result<Map<'static>, &'static str> {
    if let Some(query) = text.strip_prefix(b"?") {
        return parameters(query);
    }
    let url = Url::new(text)?;
    let (host, port) = split_port(&url.host);
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    let mut parts = vec![
        ("url.original", Value::string(url.to_text())),
        ("url.domain", Value::string(host)),
        ("url.scheme", Value::string(&*url.scheme)),
        ("url.path", Value::string(&*url.path)),
    ];
    let mut push = |key, text: &[u8]| {
        if !text.is_empty() {
            parts.push((key, Value::string(text)));
        }
    };
    push("url.fragment", &url.fragment);
    push("url.query", &url.raw_query);
    push("url.extension", url.path.iter().rposition(|byte| *byte == b'.').map_or(&[][..], |dot| &url.path[dot + 1..]));
    if let Some(user) = &url.user {
        push("url.username", &user.name);
        parts.push(("url.user_info", Value::string(user.to_text())));
        parts.extend(user.password.as_ref().map(|password| ("url.password", Value::string(&**password))));
    }
    if !port.is_empty() {
        let port = std::str::from_utf8(port).ok().and_then(|port| port.parse().ok());
        parts.push(("url.port", Value::Opaque(Opaque::Foreign(port.ok_or("the port is out of range")?))));
    }
    Ok(Map::native(parts.into_iter().map(|(key, value)| (key.as_bytes().into(), value)).collect()))
}

/// A query's parameters, each with the list of its values.
fn parameters(query: &[u8]) -> Result<Map<'static>, &'static str> {
    let mut parameters: Vec<(Vec<u8>, Vec<Value<'static>>)> = Vec::new();
    let pairs = query.split(|byte| *byte == b'&');
    if pairs.clone().nth(PARAMETERS_MAX).is_some() {
        return Err("the query has too many parameters");
    }
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        if pair.contains(&b';') {
            return Err("a semicolon in the query");
        }
        let (key, value) = cut(pair, b'=');
        let key = unescape(key, Place::Query)?;
        let value = Value::string(unescape(value.unwrap_or_default(), Place::Query)?);
        match parameters.iter_mut().find(|(name, _)| *name == key) {
            Some((_, values)) => values.push(value),
            None => parameters.push((key, vec![value])),
        }
    }
    if parameters.is_empty() {
        return Ok(Map::native(Vec::new()));
    }
    let parameters = parameters.into_iter().map(|(key, values)| (key.into(), Value::List(List::native(values))));
    Ok(Map::native(vec![(b"query".into(), Value::Map(Map::native(parameters.collect())))]))
}

/// Go's limit is 10 000; ours keeps the search among them short.
const PARAMETERS_MAX: usize = 1000;

/// What stands before the first `at`, and what after it.
fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(index) => (&text[..index], Some(&text[index + 1..])),
        None => (text, None),
    }
}

/// The host and the digits of its port, if what follows the last colon is such.
fn split_port(host: &[u8]) -> (&[u8], &[u8]) {
    match host.iter().rposition(|byte| *byte == b':') {
        Some(colon) if is_port(&host[colon..]) => (&host[..colon], &host[colon + 1..]),
        _ => (host, b""),
    }
}

/// Nothing, or a colon and digits.
fn is_port(text: &[u8]) -> bool {
    text.split_first().is_none_or(|(colon, digits)| *colon == b':' && digits.iter().all(u8::is_ascii_digit))
}

impl Url {
    fn new(text: &[u8]) -> Result<Self, &'static str> {
        let (text, fragment) = cut(text, b'#');
        let mut url = Self::without_fragment(text)?;
        if let Some(fragment) = fragment {
            url.fragment = unescape(fragment, Place::Fragment)?;
            url.raw_fragment = fragment.to_vec();
        }
        Ok(url)
    }

    fn without_fragment(text: &[u8]) -> Result<Self, &'static str> {
        if text.iter().any(u8::is_ascii_control) {
            return Err("a control character in the URL");
        }
        let mut url = Self::default();
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.has_empty_query = query == Some(b"");
        url.raw_query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("a colon in the first segment of the path");
            }
        }
        let may_have_authority = !url.scheme.is_empty() || !rest.starts_with(b"///");
        if let Some(after) = rest.strip_prefix(b"//").filter(|_| may_have_authority) {
            let end = after.iter().position(|byte| *byte == b'/').unwrap_or(after.len());
            url.set_authority(&after[..end])?;
            rest = &after[end..];
        } else {
            url.has_no_authority = !url.scheme.is_empty() && rest.starts_with(b"/");
        }
        url.path = unescape(rest, Place::Path)?;
        url.raw_path = rest.to_vec();
        Ok(url)
    }

    fn set_authority(&mut self, authority: &[u8]) -> Result<(), &'static str> {
        let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
            self.host = host(&self.scheme, authority)?;
            return Ok(());
        };
        self.host = host(&self.scheme, &authority[at + 1..])?;
        let user = &authority[..at];
        if !user.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte)) {
            return Err("a character that user and password cannot have");
        }
        let (name, password) = cut(user, b':');
        let password = password.map(|password| unescape(password, Place::User)).transpose()?;
        self.user = Some(User { name: unescape(name, Place::User)?, password });
        Ok(())
    }

    /// The URL written anew.
    fn to_text(&self) -> Vec<u8> {
        let mut text = self.scheme.clone();
        text.extend((!self.scheme.is_empty()).then_some(b':'));
        if self.opaque.is_empty() {
            self.push_authority(&mut text);
            self.push_path(&mut text);
        } else {
            text.extend_from_slice(&self.opaque);
        }
        if self.has_empty_query || !self.raw_query.is_empty() {
            text.push(b'?');
            text.extend_from_slice(&self.raw_query);
        }
        if !self.fragment.is_empty() {
            text.push(b'#');
            if is_escaped(&self.raw_fragment, Place::Fragment) {
                text.extend_from_slice(&self.raw_fragment);
            } else {
                escape(&self.fragment, Place::Fragment, &mut text);
            }
        }
        text
    }

    fn push_authority(&self, text: &mut Vec<u8>) {
        let has_some = !self.host.is_empty() || self.user.is_some();
        if !has_some && (self.scheme.is_empty() || self.has_no_authority) {
            return;
        }
        if has_some || !self.path.is_empty() {
            text.extend_from_slice(b"//");
        }
        if let Some(user) = &self.user {
            text.extend_from_slice(&user.to_text());
            text.push(b'@');
        }
        escape(&self.host, Place::Host, text);
    }

    fn push_path(&self, text: &mut Vec<u8>) {
        let mut path = Vec::new();
        if self.path == b"*" || !self.raw_path.is_empty() && is_escaped(&self.raw_path, Place::Path) {
            path.extend_from_slice(&self.raw_path);
        } else {
            escape(&self.path, Place::Path, &mut path);
        }
        if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
            text.push(b'/');
        }
        // A colon in the first segment would make it a scheme.
        if text.is_empty() && cut(&path, b'/').0.contains(&b':') {
            text.extend_from_slice(b"./");
        }
        text.extend_from_slice(&path);
    }
}

impl User {
    fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        escape(&self.name, Place::User, &mut text);
        if let Some(password) = &self.password {
            text.push(b':');
            escape(password, Place::User, &mut text);
        }
        text
    }
}

/// The scheme, or nothing, and the rest.
fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let len = text.iter().take_while(|byte| is_of_scheme(byte)).count();
    match text.get(len) {
        Some(b':') if len == 0 => Err("no scheme before the colon"),
        Some(b':') if text[0].is_ascii_alphabetic() => Ok((&text[..len], &text[len + 1..])),
        _ => Ok((b"", text)),
    }
}

/// A host with its port, unescaped.
fn host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, &'static str> {
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => return ip_literal(host),
        Some(_) => return Err("a bracket in the host"),
        None => {}
    }
    // URLs of databases name several hosts with a port each; then the last port counts.
    let is_colon = |byte: &u8| *byte == b':';
    let is_one = matches!(scheme, b"http" | b"https");
    let colon = if is_one { host.iter().position(is_colon) } else { host.iter().rposition(is_colon) };
    if colon.is_some_and(|colon| !is_port(&host[colon..])) {
        return Err("what follows the host is no port");
    }
    unescape(host, Place::Host)
}

/// `[fe80::1%25en0]:80`.
fn ip_literal(host: &[u8]) -> Result<Vec<u8>, &'static str> {
    let end = host.iter().rposition(|byte| *byte == b']').ok_or("no bracket closes the address")?;
    let (name, port) = (&host[1..end], &host[end + 1..]);
    if !is_port(port) {
        return Err("what follows the host is no port");
    }
    let zone = name.windows(3).position(|window| window == b"%25").unwrap_or(name.len());
    let address = unescape(&name[..zone], Place::Host)?;
    let zone = unescape(&name[zone..], Place::Zone)?;
    let is_address = std::str::from_utf8(&address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok());
    if !is_address || zone.len() == 1 {
        return Err("what stands in brackets is no address of IPv6");
    }
    Ok([b"[", &*address, &zone, b"]", port].concat())
}
