//! Credentials at the door: a receiver's `auth`, asked before a request's body is read.
//!
//! The client learns that it was refused and nothing else; the log hears of it once a minute, with a count.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Transport;
use super::rarely::Rarely;
use super::refused::{RETRY_AFTER, Refused};
use crate::auth::{Denied, Identity, ServerAuth};

/// Whom a listener asks.
pub(super) struct Gate {
    auth: Arc<dyn ServerAuth>,
    /// Parameters of the query that stand for headers.
    params: Vec<String>,
    receiver: Arc<str>,
    transport: Transport,
    told: Rarely,
}

impl Gate {
    pub(super) fn new(
        auth: Arc<dyn ServerAuth>,
        params: Vec<String>,
        receiver: &Arc<str>,
        transport: Transport,
    ) -> Gate {
        Gate { auth, params, receiver: Arc::clone(receiver), transport, told: Rarely::default() }
    }

    /// Whether a request with this head may come in, and what is known of its sender then.
    pub(super) async fn admit(&self, head: &Parts) -> Result<Option<Identity>, Refused> {
        match self.auth.check(&self.sources(head)).await {
            Ok(identity) => Ok(identity),
            Err(Denied::Busy) => Err(Refused::Overloaded(RETRY_AFTER)),
            Err(Denied::Credentials) => {
                if let Some(requests) = self.told.tell() {
                    tracing::warn!(
                        receiver = &*self.receiver,
                        protocol = %self.transport,
                        requests,
                        "requests without valid credentials were refused"
                    );
                }
                Err(Refused::Denied(self.auth.challenge()))
            }
        }
    }

    /// The headers, under those parameters of the query that were asked for.
    fn sources<'a>(&self, head: &'a Parts) -> Cow<'a, HeaderMap> {
        let query = head.uri.query().filter(|_| !self.params.is_empty());
        let Some(query) = query else { return Cow::Borrowed(&head.headers) };
        let mut headers = head.headers.clone();
        for (name, value) in query.split('&').rev().filter_map(|pair| pair.split_once('=')) {
            let (Some(name), Some(value)) = (unescaped(name), unescaped(value)) else { continue };
            // Of several values the first one counts, as everywhere.
            if self.params.contains(&name)
                && let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.insert(name, value);
            }
        }
        Cow::Owned(headers)
    }
}

/// A part of a query without its escapes; none if they are broken or hide what is not UTF-8.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next().map(char::from)?, rest.next().map(char::from)?);
                u8::try_from(high.to_digit(16)? << 4 | low.to_digit(16)?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(unescaped(text).as_deref(), expected, "{text}");
        check("plain", Some("plain"));
        check("Bearer+a%2Bb", Some("Bearer a+b"));
        check("%e4%BD%a0", Some("你"));
        check("%", None);
        check("%2", None);
        check("%zz", None);
        check("%ff", None);
    }
}
