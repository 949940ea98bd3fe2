//! `headers_setter`: headers of requests set, added or taken away, and after them another authenticator's, if one is named.
//!
//! What a header takes from the request that the items came in (`from_context`, `from_attribute`) is not known here: items
//! of many requests leave together. The `default_value` stands in for it; without one the header is left alone, and the
//! settings warn of that.

mod settings;

use std::sync::Arc;

use ::settings::Secret;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::BoxFuture;
use crate::auth::ClientAuth;

pub use settings::{Action, HeaderSettings, HeadersSetterSettings, Source};

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
    value: HeaderOrFile,
}

#[derive(Debug)]
enum HeaderOrFile {
    Value(HeaderValue),
    File(String),
    /// For a header that is deleted, and one without a source that is known here.
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
                (Source::File(path), _) => HeaderOrFile::File(path.clone()),
                (_, Action::Delete) => HeaderOrFile::Nothing,
                (Source::Value(value), _) => HeaderOrFile::Value(header_value(value.as_bytes(), key)?),
                (Source::Context(_, Some(value)) | Source::Attribute(_, Some(value)), _) => {
                    HeaderOrFile::Value(secret_value(value, key)?)
                }
                (Source::Context(..) | Source::Attribute(..) | Source::Nothing, _) => HeaderOrFile::Nothing,
            };
            Ok(Header { action: header.action, name, value })
        });
        Ok(Self { headers: headers.collect::<Result<_, String>>()?, additional })
    }

    async fn set(&self, headers: &mut HeaderMap) -> Result<(), String> {
        for header in &self.headers {
            let value = match &header.value {
                HeaderOrFile::Value(value) => value.clone(),
                HeaderOrFile::File(path) => of_file(path, header.name.as_str()).await?,
                HeaderOrFile::Nothing if header.action == Action::Delete => {
                    headers.remove(&header.name);
                    continue;
                }
                HeaderOrFile::Nothing => continue,
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
            Some(auth) => auth.apply(headers).await,
            None => Ok(()),
        }
    }
}

impl ClientAuth for HeadersSetter {
    fn headers(&self) -> BoxFuture<'_, Result<Vec<(HeaderName, HeaderValue)>, String>> {
        Box::pin(async {
            let mut headers = HeaderMap::new();
            self.set(&mut headers).await?;
            Ok(headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        })
    }

    fn apply<'a>(&'a self, headers: &'a mut HeaderMap) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(self.set(headers))
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

fn secret_value(value: &Secret, name: &str) -> Result<HeaderValue, String> {
    header_value(value.expose().as_bytes(), name)
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
