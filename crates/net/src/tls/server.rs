//! The server side: which certificate is shown, and whether clients must show one.
//!
//! With `reload_interval` (or `client_ca_file_reload`) the files are read again at the first handshake after the interval.
//! A reload makes a new configuration with an empty session cache, so a client that was revoked cannot come back by resuming
//! a session. If the new files are broken the old configuration stays, and the log says so.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use settings::{Decode, Node, Problems};

use super::{Material, TlsError, roots_of_file};

/// How often `client_ca_file_reload` looks, where no `reload_interval` is set.
const CLIENT_CA_RELOAD: Duration = Duration::from_secs(10);

/// `tls:` of a server.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct TlsServer {
    /// What clients have as well.
    pub material: Material,
    /// Clients must show a certificate of one of these authorities.
    pub client_ca_file: Option<PathBuf>,
    /// Whether to read `client_ca_file` again when it changes.
    pub client_ca_file_reload: bool,
}

/// A server's current TLS configuration, read again when it has grown old.
#[derive(Debug)]
pub struct ServerIdentity {
    settings: TlsServer,
    alpn: Vec<Vec<u8>>,
    current: Mutex<(Instant, Arc<ServerConfig>)>,
}

impl TlsServer {
    /// Reads the files and builds a configuration that offers `alpn`.
    pub fn config(&self, alpn: &[Vec<u8>]) -> Result<ServerConfig, TlsError> {
        let provider = self.material.provider()?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.material.versions()?)
            .map_err(TlsError::refused)?;
        let builder = match &self.client_ca_file {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let roots = Arc::new(roots_of_file(path, "client_ca_file")?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build().map_err(TlsError::refused)?)
            }
        };
        let (chain, key) =
            self.material.identity()?.ok_or(TlsError::Incomplete("a server needs `cert_file` and `key_file`"))?;
        let mut config = builder.with_single_cert(chain, key).map_err(TlsError::refused)?;
        config.alpn_protocols = alpn.to_vec();
        Ok(config)
    }

    fn reload_after(&self) -> Option<Duration> {
        match self.material.reload_interval {
            Duration::ZERO if self.client_ca_file_reload => Some(CLIENT_CA_RELOAD),
            Duration::ZERO => None,
            interval => Some(interval),
        }
    }
}

impl Decode for TlsServer {
    fn decode(node: &Node, p: &mut Problems) -> Option<TlsServer> {
        let mut fields = node.map("tls", p)?;
        fields.describe::<Self>();
        let tls = TlsServer {
            material: Material::decode(&mut fields, p),
            client_ca_file: fields
                .optional("client_ca_file", p)
                .filter(|path: &String| !path.is_empty())
                .map(PathBuf::from),
            client_ca_file_reload: fields.take("client_ca_file_reload", false, p),
        };
        fields.finish(p);
        if tls.material.certificate.is_none() || tls.material.key.is_none() {
            let message = "`tls` of a server needs both a certificate and its key";
            p.error(&node.at, message, "write `cert_file` and `key_file`".to_owned());
            return None;
        }
        Some(tls)
    }
}

impl TlsServer {
    /// The settings that are not at their defaults, as otelcol prints them.
    pub fn effective(&self) -> Node {
        let mut entries = self.material.effective();
        if let Some(path) = &self.client_ca_file {
            entries.push(("client_ca_file", path.display().to_string().into()));
        }
        if self.client_ca_file_reload {
            entries.push(("client_ca_file_reload", true.into()));
        }
        Node::map_of(entries)
    }
}

impl ServerIdentity {
    /// Reads the files for the first time.
    pub fn new(settings: TlsServer, alpn: &[&[u8]]) -> Result<ServerIdentity, TlsError> {
        let alpn: Vec<Vec<u8>> = alpn.iter().map(|name| name.to_vec()).collect();
        let config = Arc::new(settings.config(&alpn)?);
        Ok(ServerIdentity { settings, alpn, current: Mutex::new((Instant::now(), config)) })
    }

    /// The configuration for a handshake that begins now.
    pub fn current(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock();
        if self.settings.reload_after().is_some_and(|interval| current.0.elapsed() >= interval) {
            current.0 = Instant::now();
            match self.settings.config(&self.alpn) {
                Ok(config) => current.1 = Arc::new(config),
                Err(error) => {
                    tracing::warn!(%error, "TLS files could not be read again, the old ones stay in use; mend them");
                }
            }
        }
        Arc::clone(&current.1)
    }
}
