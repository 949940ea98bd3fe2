//! Who may send here, and who we are to others: otelcol's authenticator extensions.
//!
//! An authenticator is built once from its extension's settings. Receivers ask [`ServerAuth`] before a body is read;
//! exporters ask [`ClientAuth`] before each attempt. One extension may be both. Nothing here shows a secret: not in logs, not
//! in `Debug`, not in what a refused client is told.

pub mod basic;
pub mod bearer;
mod identity;
pub(crate) mod watched;

pub mod headers_setter;
pub mod oauth2;

use crate::BoxFuture;
use crate::client::Client;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;

pub use identity::Identity;

/// Checks the credentials of a request.
pub trait ServerAuth: fmt::Debug + Send + Sync {
    /// Whether these headers (HTTP headers or gRPC metadata) are allowed in. Never blocks the thread: what is costly by
    /// design, as a bcrypt hash is, is done elsewhere, a bounded number at a time. Gives what they say about who it is.
    fn check<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Result<Option<Identity>, Denied>>;

    /// What a refused HTTP client is told to bring, the value of `WWW-Authenticate`.
    fn challenge(&self) -> Option<HeaderValue> {
        None
    }
}

/// Adds credentials to requests.
pub trait ClientAuth: fmt::Debug + Send + Sync {
    /// The headers that this attempt is to bear. May fetch or read a token; ends in bounded time.
    ///
    /// # Errors
    /// Why there are none now, in words without secrets; the attempt is retried later.
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>>;

    /// Puts the credentials among the headers of an attempt. What [`Self::headers`] gives replaces what was there; an
    /// authenticator that does more than that, or asks who sent what is sent on, says so here.
    ///
    /// # Errors
    /// None now, as [`Self::headers`] says it, or none for this client whenever it is tried.
    fn apply<'a>(
        &'a self,
        headers: &'a mut HeaderMap,
        client: Option<&'a Client>,
    ) -> BoxFuture<'a, Result<(), NoHeaders>> {
        let _ = client;
        Box::pin(async move {
            for (name, value) in self.headers().await.map_err(NoHeaders::Now)? {
                headers.insert(name, value);
            }
            Ok(())
        })
    }

    /// The peer did not accept the credentials: a cached token is to be forgotten.
    fn rejected(&self) {}

    /// Whether, after [`Self::rejected`], the next headers may be others, so that a second attempt at once makes sense.
    fn can_refresh(&self) -> bool {
        false
    }

    /// Whether gRPC sends them over TLS only, as grpc-go's credentials demand.
    fn needs_tls(&self) -> bool {
        true
    }
}

/// Why an attempt has no headers, in words without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHeaders {
    /// There are none now; the attempt is repeated later.
    Now(String),
    /// There never will be any for what this client sent.
    Ever(String),
}

impl NoHeaders {
    fn why(self) -> String {
        match self {
            Self::Now(why) | Self::Ever(why) => why,
        }
    }
}

/// Why a request was not allowed in. The client learns nothing but which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The credentials are missing or wrong: UNAUTHENTICATED or 401.
    Credentials,
    /// Too many checks are under way: UNAVAILABLE or 503, and the client may come back.
    Busy,
}
