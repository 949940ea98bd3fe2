//! `cookies`: those of the one peer there is, kept in memory and sent back.
//!
//! Load balancers tie a client to a backend by a cookie. What matters of one is its name, its value and when it ends; it
//! comes from the URL that we post to and goes back there, so neither domain nor path is looked at.

use std::time::{Duration, SystemTime};

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use parking_lot::Mutex;

/// The cookies of a peer.
#[derive(Default)]
pub(super) struct Jar(Mutex<Vec<Cookie>>);

struct Cookie {
    name: String,
    value: String,
    ends: Option<SystemTime>,
}

/// More cookies are not kept.
const COOKIES_MAX: usize = 50;

/// Longer ones are not kept.
const COOKIE_BYTES_MAX: usize = 4096;

impl Jar {
    /// Keeps what an answer sets.
    pub(super) fn keep(&self, answer: &HeaderMap, now: SystemTime) {
        let set = answer.get_all(SET_COOKIE).iter().filter_map(|value| Cookie::parse(value.to_str().ok()?, now));
        for cookie in set {
            let mut jar = self.0.lock();
            jar.retain(|other| other.name != cookie.name && other.lives(now));
            if jar.len() < COOKIES_MAX && cookie.lives(now) {
                jar.push(cookie);
            }
        }
    }

    /// Puts what is kept among the headers of a request.
    pub(super) fn send(&self, request: &mut HeaderMap, now: SystemTime) {
        let jar = self.0.lock();
        let cookies: Vec<_> = jar
            .iter()
            .filter(|cookie| cookie.lives(now))
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        if let Ok(value) = HeaderValue::from_str(&cookies.join("; "))
            && !cookies.is_empty()
        {
            request.append(COOKIE, value);
        }
    }
}

impl Cookie {
    /// `name=value; Max-Age=60; …`.
    fn parse(text: &str, now: SystemTime) -> Option<Self> {
        if text.len() > COOKIE_BYTES_MAX {
            return None;
        }
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let (mut ends, mut has_age) = (None, false);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if key.eq_ignore_ascii_case("max-age") {
                let seconds = value.parse::<i64>().ok()?;
                ends = Some(now + Duration::from_secs(u64::try_from(seconds).unwrap_or(0).min(u32::MAX.into())));
                has_age = true;
            } else if key.eq_ignore_ascii_case("expires") && !has_age {
                ends = httpdate::parse_http_date(value).ok();
            }
        }
        (!name.is_empty()).then(|| Self { name: name.to_owned(), value: value.to_owned(), ends })
    }

    fn lives(&self, now: SystemTime) -> bool {
        self.ends.is_none_or(|ends| ends > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_sent_until_it_ends() {
        let jar = Jar::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let sent = |after_s: u64| {
            let mut headers = HeaderMap::new();
            jar.send(&mut headers, now + Duration::from_secs(after_s));
            headers.get(COOKIE).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
        };
        let set = |text: &str| {
            jar.keep(&HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_str(text).unwrap())]), now);
        };
        assert_eq!(sent(0), "");
        set("route=a1; Path=/; HttpOnly");
        set("short=x; max-age=60");
        set("dated=y; expires=Sun, 06 Nov 1994 08:50:07 GMT");
        set("broken");
        assert_eq!(sent(0), "route=a1; short=x; dated=y");
        assert_eq!(sent(45), "route=a1; short=x");
        assert_eq!(sent(61), "route=a1");
        set("route=b2");
        set("short=; Max-Age=0");
        assert_eq!(sent(0), "dated=y; route=b2");
        (0..100).for_each(|number| set(&format!("c{number}=1")));
        assert_eq!(sent(0).split(';').count(), COOKIES_MAX);
    }
}
