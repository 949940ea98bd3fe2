//! The authenticator of an exporter, if it has one: asked before each attempt, told when the peer does not know us.

use std::sync::Arc;

use http::HeaderMap;

use super::{ExportError, Kind};
use crate::auth::{ClientAuth, NoHeaders};
use crate::client::Client;

/// An authenticator, or none.
#[derive(Clone, Default)]
pub(super) struct Credentials(Option<Arc<dyn ClientAuth>>);

impl Credentials {
    pub(super) fn new(auth: Option<Arc<dyn ClientAuth>>) -> Self {
        Self(auth)
    }

    /// For gRPC: an error where credentials would go over plain text.
    pub(super) fn check_plain_text(&self) -> Result<(), String> {
        match &self.0 {
            Some(auth) if auth.needs_tls() => {
                Err("gRPC sends the credentials of this authenticator over TLS only; remove `tls: {insecure: true}`"
                    .to_owned())
            }
            _ => Ok(()),
        }
    }

    /// HTTP: the authenticator acts on all headers of the request, which `client` caused.
    pub(super) async fn apply(&self, headers: &mut HeaderMap, client: Option<&Client>) -> Result<(), ExportError> {
        let Some(auth) = &self.0 else { return Ok(()) };
        auth.apply(headers, client).await.map_err(|error| match error {
            NoHeaders::Now(why) => ExportError::retry(format_args!("no credentials: {why}")),
            NoHeaders::Ever(why) => ExportError::new(Kind::Permanent, why),
        })
    }

    /// gRPC: the authenticator makes metadata of its own, which is added to what was there.
    pub(super) async fn add(&self, headers: &mut HeaderMap, client: Option<&Client>) -> Result<(), ExportError> {
        if self.0.is_some() {
            let mut own = HeaderMap::new();
            self.apply(&mut own, client).await?;
            for (name, value) in &own {
                headers.append(name, value.clone());
            }
        }
        Ok(())
    }

    /// The peer did not accept the credentials. Whether to try others at once.
    pub(super) fn rejected(&self) -> bool {
        self.0.as_ref().is_some_and(|auth| {
            auth.rejected();
            auth.can_refresh()
        })
    }
}
