//! `headers_setter`: headers of requests set, added or taken away, and after them another authenticator's, if one is named.
//!
//! `from_context` takes a header of the request that the items came in, or with `auth.` in front, as `from_attribute`, what
//! its authenticator says of the client. Where items of many clients leave together, nothing is known of any: the
//! `default_value` stands in, and where there is none an empty one, as in otelcol. Of several values none can be chosen, now or
//! later, so what came with them is dropped at once, and does not keep others waiting until its retries end.

mod settings;

use std::sync::Arc;

use ::settings::Secret;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::BoxFuture;
use crate::auth::{ClientAuth, NoHeaders};
use crate::client::Client;

pub use settings::{Action, Asked, HeaderSettings, HeadersSetterSettings, Source};

/// Sets headers.
#[derive(Debug)]
pub struct HeadersSetter {
    headers: Vec<Header>,
    additional: Option<Arc<dyn ClientAuth>>,
}

#[derive(Debug)]
struct Header {
    action: Action,
    name: HeaderName,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Fixed(HeaderValue),
    File(String),
    /// Of a client's metadata, or what there is instead.
    Metadata(String, HeaderValue),
    /// Of what is known by a client's credentials, or what there is instead.
    Attribute(String, HeaderValue),
    /// For a header that is deleted.
    Nothing,
}

/// A larger file is no header.
const FILE_BYTES_MAX: usize = 64 << 10;

impl HeadersSetter {
    /// `additional` is the authenticator that `additional_auth` names.
    ///
    /// # Errors
    /// A name or value that no header can have.
    pub fn new(settings: &HeadersSetterSettings, additional: Option<Arc<dyn ClientAuth>>) -> Result<Self, String> {
        let headers = settings.headers.iter().map(|header| {
            let key = &header.key;
            let name = key.parse().map_err(|_| format!("`{key}` cannot be the name of a header"))?;
            let value = match (&header.source, header.action) {
                (_, Action::Delete) => Value::Nothing,
                (Source::File(path), _) => Value::File(path.clone()),
                (Source::Value(value), _) => Value::Fixed(header_value(value.as_bytes(), key)?),
                (source, _) => match source.asked() {
                    Some((Asked::Metadata(from), or)) => Value::Metadata(from.to_owned(), default_value(or, key)?),
                    Some((Asked::Attribute(from), or)) => Value::Attribute(from.to_owned(), default_value(or, key)?),
                    None => Value::Nothing,
                },
            };
            Ok(Header { action: header.action, name, value })
        });
        Ok(Self { headers: headers.collect::<Result<_, String>>()?, additional })
    }

    async fn set(&self, headers: &mut HeaderMap, client: Option<&Client>) -> Result<(), NoHeaders> {
        for header in &self.headers {
            let name = header.name.as_str();
            let value = match &header.value {
                Value::Fixed(value) => value.clone(),
                Value::File(path) => of_file(path, name).await.map_err(NoHeaders::Now)?,
                Value::Metadata(key, default) => of_metadata(client, key, name)?.unwrap_or_else(|| default.clone()),
                Value::Attribute(key, default) => of_attribute(client, key, name)?.unwrap_or_else(|| default.clone()),
                Value::Nothing => {
                    headers.remove(&header.name);
                    continue;
                }
            };
            let is_there = headers.contains_key(&header.name);
            match header.action {
                Action::Insert if is_there => {}
                Action::Update if !is_there => {}
                Action::Delete => drop(headers.remove(&header.name)),
                Action::Insert | Action::Update | Action::Upsert => drop(headers.insert(header.name.clone(), value)),
            }
        }
        match &self.additional {
            Some(auth) => auth.apply(headers, client).await,
            None => Ok(()),
        }
    }
}

impl ClientAuth for HeadersSetter {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        Box::pin(async {
            let mut headers = HeaderMap::new();
            self.set(&mut headers, None).await.map_err(NoHeaders::why)?;
            Ok(headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        })
    }

    fn apply<'a>(
        &'a self,
        headers: &'a mut HeaderMap,
        client: Option<&'a Client>,
    ) -> BoxFuture<'a, Result<(), NoHeaders>> {
        Box::pin(self.set(headers, client))
    }

    fn rejected(&self) {
        if let Some(auth) = &self.additional {
            auth.rejected();
        }
    }

    fn can_refresh(&self) -> bool {
        self.additional.as_ref().is_some_and(|auth| auth.can_refresh())
    }

    /// As in otelcol, its headers are not taken for credentials.
    fn needs_tls(&self) -> bool {
        self.additional.as_ref().is_some_and(|auth| auth.needs_tls())
    }
}

/// Read for each attempt, so that a rotated value is sent at once.
async fn of_file(path: &str, name: &str) -> Result<HeaderValue, String> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read(owned)).await.map_err(|error| error.to_string())?;
    let bytes = read.map_err(|error| format!("cannot read `value_file` of `{name}` (`{path}`): {error}"))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(format!("`value_file` of `{name}` (`{path}`) is larger than a header can be"));
    }
    header_value(bytes.trim_ascii(), name)
}

/// The only value of a key of the client's metadata.
fn of_metadata(client: Option<&Client>, key: &str, name: &str) -> Result<Option<HeaderValue>, NoHeaders> {
    let Some(client) = client else { return Ok(None) };
    let mut values = client.metadata.get(key);
    let Some(value) = values.next() else { return Ok(None) };
    match values.count() {
        0 => header_value(value, name).map(Some).map_err(NoHeaders::Ever),
        more => {
            let count = more + 1;
            Err(NoHeaders::Ever(format!("the request came with {count} values of `{key}`, so that `{name}` has none")))
        }
    }
}

fn of_attribute(client: Option<&Client>, key: &str, name: &str) -> Result<Option<HeaderValue>, NoHeaders> {
    let value = client.and_then(|client| client.identity.as_ref()?.attribute(key));
    value.map(|value| header_value(value.as_bytes(), name)).transpose().map_err(NoHeaders::Ever)
}

fn default_value(value: Option<&Secret>, name: &str) -> Result<HeaderValue, String> {
    header_value(value.map(Secret::expose).unwrap_or_default().as_bytes(), name)
}

fn header_value(value: &[u8], name: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_bytes(value);
    let mut value =
        value.map_err(|_| format!("the value of the header `{name}` has characters that a header cannot have"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
