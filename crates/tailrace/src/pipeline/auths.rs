//! The authenticators that a configuration's extensions are, for the receivers and exporters that name them.

use crate::configuration::{ComponentId, Configuration, Exporter, Extension, Receiver};
use net::auth::{ClientAuth, ServerAuth, headers_setter::HeadersSetter, oauth2::Oauth2Client};
use std::{collections::BTreeMap, sync::Arc};

/// All authenticators that run.
#[derive(Clone, Default)]
pub(crate) struct Auths(BTreeMap<String, Auth>);

/// One authenticator, with the settings that it was made of.
#[derive(Clone)]
struct Auth {
    settings: Extension,
    client: Option<Arc<dyn ClientAuth>>,
    server: Option<Arc<dyn ServerAuth>>,
}

impl Auths {
    /// Waits for files that tokens are to be read from, where their settings want that.
    ///
    /// # Errors
    /// One that did not come.
    pub(crate) async fn wait(configuration: &Configuration) -> Result<(), String> {
        for id in configuration.service.extensions.iter().map(|reference| &reference.id) {
            if let Some(Extension::BearerTokenAuth(bearer)) = configuration.extensions.get(id) {
                bearer.wait().await.map_err(|error| format!("cannot set up the extension `{id}`: {error}"))?;
            }
        }
        Ok(())
    }

    /// Those of a configuration; one whose settings are the same as in `old` is the same one.
    ///
    /// # Errors
    /// What one cannot be built from, such as a file that cannot be read.
    pub(crate) fn build(configuration: &Configuration, old: Option<&Auths>) -> Result<Self, String> {
        let mut auths = Self::default();
        let running = || configuration.service.extensions.iter().map(|reference| &reference.id);
        // Those that add to another one's headers are built last.
        for adds in [false, true] {
            for id in running() {
                let Some(settings) = configuration.extensions.get(id) else { continue };
                if matches!(settings, Extension::HeadersSetter(_)) != adds {
                    continue;
                }
                let built = match old.and_then(|old| old.same(id, settings)) {
                    Some(auth) => Some(auth.clone()),
                    None => {
                        auths.auth(settings).map_err(|error| format!("cannot set up the extension `{id}`: {error}"))?
                    }
                };
                auths.0.extend(built.map(|auth| (id.to_string(), auth)));
            }
        }
        Ok(auths)
    }

    /// Adds credentials to what is sent.
    pub(crate) fn client(&self, name: &str) -> Option<Arc<dyn ClientAuth>> {
        self.0.get(name).and_then(|auth| auth.client.clone())
    }

    /// Checks the credentials of what is received.
    pub(crate) fn server(&self, name: &str) -> Option<Arc<dyn ServerAuth>> {
        self.0.get(name).and_then(|auth| auth.server.clone())
    }

    /// Whether all of these are the same in `other`, so that whoever uses them may go on.
    pub(crate) fn agree<'n>(&self, other: &Auths, mut names: impl Iterator<Item = &'n str>) -> bool {
        let settings = |auths: &Self, name: &str| auths.0.get(name).map(|auth| auth.settings.clone());
        names.all(|name| settings(self, name) == settings(other, name))
    }

    /// One that is the same; never one that builds on another, which may have changed.
    fn same(&self, id: &ComponentId, settings: &Extension) -> Option<&Auth> {
        let auth = self.0.get(&id.to_string())?;
        let builds_on_another =
            matches!(settings, Extension::HeadersSetter(setter) if setter.additional_auth.is_some());
        (auth.settings == *settings && !builds_on_another).then_some(auth)
    }

    fn auth(&self, settings: &Extension) -> Result<Option<Auth>, String> {
        let (client, server) = match settings {
            Extension::BasicAuth(basic) => (basic.client()?, basic.server()?),
            Extension::BearerTokenAuth(bearer) => (Some(bearer.client()?), Some(bearer.server()?)),
            Extension::HeadersSetter(setter) => {
                let additional = setter.additional_auth.as_deref().and_then(|name| self.client(name));
                (Some(Arc::new(HeadersSetter::new(setter, additional)?) as Arc<dyn ClientAuth>), None)
            }
            Extension::Oauth2Client(oauth2) => {
                (Some(Arc::new(Oauth2Client::new(oauth2)?) as Arc<dyn ClientAuth>), None)
            }
            Extension::HealthCheck(_)
            | Extension::FileStorage(_)
            | Extension::MemoryLimiter(_)
            | Extension::Pprof(_)
            | Extension::Zpages(_) => return Ok(None),
        };
        Ok(Some(Auth { settings: settings.clone(), client, server }))
    }
}

/// The authenticator that an exporter names.
pub(crate) fn of_exporter(exporter: &Exporter) -> Option<&str> {
    match exporter {
        Exporter::OtlpGrpc(settings) => settings.auth.as_deref(),
        Exporter::OtlpHttp(settings) => settings.http.auth.as_deref(),
        Exporter::Zipkin(settings) => settings.http.auth.as_deref(),
        Exporter::Debug(_) | Exporter::File(_) | Exporter::Nop | Exporter::Terminal(_) => None,
    }
}

/// The authenticators that a receiver names.
pub(crate) fn of_receiver(receiver: &Receiver) -> impl Iterator<Item = &str> {
    let Receiver::Otlp(settings) = receiver;
    let grpc = settings.grpc.iter().filter_map(|grpc| grpc.auth.as_ref());
    let http = settings.http.iter().filter_map(|http| http.auth.as_ref());
    grpc.chain(http).map(|auth| auth.authenticator.as_str())
}
