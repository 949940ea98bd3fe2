//! Browsers that post from other origins, with the meaning of Go's rs/cors, which otelcol uses.
//!
//! Credentials are always allowed, so a bare `*` answers `*` and fails in browsers when they send any, by design. A preflight
//! is answered with 204 whether it is allowed or not; what is missing in the answer is the refusal.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use super::settings::Cors;

const TRUE: HeaderValue = HeaderValue::from_static("true");
const DEFAULT_HEADERS: [&str; 3] = ["accept", "content-type", "x-requested-with"];
const METHODS: [&str; 3] = ["GET", "POST", "HEAD"];
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// The rules, ready for use.
pub(super) struct CrossOrigin {
    any_origin: bool,
    /// Lower case, split at their `*`.
    origins: Vec<Vec<String>>,
    any_header: bool,
    headers: Vec<String>,
    exposed: Option<HeaderValue>,
    max_age: i64,
}

impl CrossOrigin {
    /// None where no origin is allowed: then there is no such thing as a preflight.
    pub(super) fn new(cors: &Cors) -> Option<CrossOrigin> {
        if cors.allowed_origins.is_empty() {
            return None;
        }
        let lower = |list: &[String]| list.iter().map(|text| text.to_ascii_lowercase()).collect::<Vec<_>>();
        let origins = lower(&cors.allowed_origins);
        let headers = match lower(&cors.allowed_headers) {
            none if none.is_empty() => DEFAULT_HEADERS.map(str::to_owned).to_vec(),
            headers => headers,
        };
        Some(CrossOrigin {
            any_origin: origins.iter().any(|origin| origin == "*"),
            origins: origins.iter().map(|origin| origin.split('*').map(str::to_owned).collect()).collect(),
            any_header: headers.iter().any(|header| header == "*"),
            headers,
            exposed: HeaderValue::from_str(&cors.exposed_headers.join(", ")).ok().filter(|value| !value.is_empty()),
            max_age: cors.max_age,
        })
    }

    /// The answer to a preflight; none if the request is another.
    pub(super) fn preflight(&self, head: &Parts) -> Option<Response<Full<Bytes>>> {
        let method = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        if head.method != Method::OPTIONS {
            return None;
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
        if self.allowed_origin(head).is_some() && allowed_method(method) && self.allowed_headers(wanted) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
            if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            }
            if self.max_age != 0 {
                headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(self.max_age.max(0)));
            }
        }
        Some(response)
    }

    /// Adds to an answer what lets the browser show it; to a preflight's only if that was allowed.
    pub(super) fn permit(&self, head: &Parts, headers: &mut HeaderMap) {
        let preflight = head.method == Method::OPTIONS && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if preflight {
            headers.append(VARY, VARY_PREFLIGHT);
        } else {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        if preflight && !headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS) {
            return;
        }
        if !preflight && !METHODS.contains(&head.method.as_str()) {
            return;
        }
        let Some(origin) = self.allowed_origin(head) else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        if let Some(exposed) = self.exposed.as_ref().filter(|_| !preflight) {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }

    /// The value of Access-Control-Allow-Origin, if the origin may.
    fn allowed_origin(&self, head: &Parts) -> Option<HeaderValue> {
        let origin = head.headers.get(ORIGIN)?;
        if self.any_origin {
            return Some(HeaderValue::from_static("*"));
        }
        let text = origin.to_str().ok()?.to_ascii_lowercase();
        self.origins.iter().any(|pattern| matches(pattern, &text)).then(|| origin.clone())
    }

    fn allowed_headers(&self, wanted: Option<&HeaderValue>) -> bool {
        let Some(wanted) = wanted else { return true };
        let Ok(wanted) = wanted.to_str() else { return false };
        let mut wanted = wanted.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty());
        self.any_header || wanted.all(|name| self.headers.contains(&name))
    }
}

fn allowed_method(method: &HeaderValue) -> bool {
    METHODS.iter().any(|allowed| method.as_bytes() == allowed.as_bytes()) || method.as_bytes() == b"OPTIONS"
}

/// Whether `text` is the pattern's parts in order with anything between them.
fn matches(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return parts.first().is_some_and(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    middle.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_an_origin_stands_for_anything() {
        let check = |pattern: &str, text: &str, expected| {
            let parts: Vec<String> = pattern.split('*').map(str::to_owned).collect();
            assert_eq!(matches(&parts, text), expected, "{pattern} and {text}");
        };
        check("https://a.example", "https://a.example", true);
        check("https://a.example", "https://a.example.org", false);
        check("https://*.example", "https://a.b.example", true);
        check("https://*.example", "https://example", false);
        check("http*://*.a.*", "https://x.a.org", true);
        check("ab*ba", "aba", false);
    }
}
