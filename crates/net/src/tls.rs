//! TLS as otelcol's `tls:` blocks describe it, for servers and for clients, on rustls with the ring provider.
//!
//! What both sides share (certificate, key, authorities, versions, suites) is [`Material`]; [`TlsServer`] and [`TlsClient`]
//! add what only one of them has. Files are read when a configuration is built, not when the settings are decoded, so that
//! `validate` needs no key material. Nothing here is installed globally: the provider is passed to each configuration.
//!
//! rustls speaks 1.2 and 1.3 with forward secrecy only. `min_version: "1.0"` is taken and acts as 1.2; a maximum below 1.2
//! is an error. [`names`] says what becomes of cipher suites and curves that rustls does not have.

mod client;
mod material;
mod names;
mod rotating;
mod server;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub use client::TlsClient;
pub use server::{ServerIdentity, TlsServer};

/// PEM text, by path or in place. Never printed: it may be a private key.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// `*_file`: read when a configuration is built.
    File(PathBuf),
    /// `*_pem`: the text itself.
    Text(String),
}

/// A protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.0, as a minimum alone; rustls begins at 1.2.
    Tls10,
    /// TLS 1.1, as a minimum alone; rustls begins at 1.2.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// What the `tls:` blocks of servers and clients have in common.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct Material {
    /// Whom to trust instead of the system's authorities.
    pub ca: Option<Pem>,
    /// The own certificate chain.
    pub certificate: Option<Pem>,
    /// The own private key.
    pub key: Option<Pem>,
    /// Whether to trust the system's authorities beside those of `ca_file` or `ca_pem`.
    pub include_system_ca_certs_pool: bool,
    /// The oldest version of TLS that is spoken; none is 1.2.
    pub min_version: Option<Version>,
    /// The newest version of TLS that is spoken; none is the newest.
    pub max_version: Option<Version>,
    /// Cipher suites of TLS 1.2 by Go's names; empty is all that rustls has.
    pub cipher_suites: Vec<String>,
    /// Curves by Go's names, the preferred one first; empty is all.
    pub curve_preferences: Vec<String>,
    /// Taken, without effect, since rustls has none.
    pub include_insecure_cipher_suites: bool,
    /// How old read files may become; zero is for ever.
    pub reload_interval: Duration,
}

/// Why no TLS configuration could be built.
#[derive(Debug)]
pub enum TlsError {
    /// A file could not be read or holds no usable PEM section.
    Pem {
        /// The setting.
        what: &'static str,
        /// The path, or `inline`.
        origin: String,
        /// What was wrong.
        source: rustls_pki_types::pem::Error,
    },
    /// A certificate without a key or the reverse, or a server without either.
    Incomplete(&'static str),
    /// A suite, curve or version that rustls does not have.
    Unsupported(String),
    /// rustls refuses the combination.
    Refused(String),
}

impl Pem {
    fn certificates(&self, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let read = match self {
            Pem::File(path) => CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>),
            Pem::Text(text) => CertificateDer::pem_slice_iter(text.as_bytes()).collect(),
        };
        match read {
            Ok(certificates) if certificates.is_empty() => {
                Err(self.error(what, rustls_pki_types::pem::Error::NoItemsFound))
            }
            Ok(certificates) => Ok(certificates),
            Err(source) => Err(self.error(what, source)),
        }
    }

    fn private_key(&self, what: &'static str) -> Result<PrivateKeyDer<'static>, TlsError> {
        let read = match self {
            Pem::File(path) => PrivateKeyDer::from_pem_file(path),
            Pem::Text(text) => PrivateKeyDer::from_pem_slice(text.as_bytes()),
        };
        read.map_err(|source| self.error(what, source))
    }

    fn error(&self, what: &'static str, source: rustls_pki_types::pem::Error) -> TlsError {
        TlsError::Pem { what, origin: self.origin(), source }
    }

    fn origin(&self) -> String {
        match self {
            Pem::File(path) => path.display().to_string(),
            Pem::Text(_) => "inline".to_owned(),
        }
    }
}

impl Version {
    /// As it stands in the YAML.
    pub fn name(self) -> &'static str {
        match self {
            Version::Tls10 => "1.0",
            Version::Tls11 => "1.1",
            Version::Tls12 => "1.2",
            Version::Tls13 => "1.3",
        }
    }
}

impl Material {
    /// The ring provider, narrowed to the wanted suites and curves.
    fn provider(&self) -> Result<Arc<CryptoProvider>, TlsError> {
        let mut provider = ring::default_provider();
        if !self.cipher_suites.is_empty() {
            let wanted: Vec<_> = self.cipher_suites.iter().filter_map(|name| names::suite(name)).collect();
            if wanted.is_empty() {
                return Err(TlsError::Unsupported(format!("cipher suites {}", self.cipher_suites.join(", "))));
            }
            // As in Go, the list is about 1.2 alone; the suites of 1.3 stay.
            provider.cipher_suites.retain(|suite| suite.tls13().is_some() || wanted.contains(&suite.suite()));
        }
        if !self.curve_preferences.is_empty() {
            let wanted = self.curve_preferences.iter().filter_map(|name| names::curve(name));
            let groups =
                wanted.filter_map(|name| provider.kx_groups.iter().find(|group| group.name() == name).copied());
            provider.kx_groups = groups.collect();
            if provider.kx_groups.is_empty() {
                return Err(TlsError::Unsupported(format!("curves {}", self.curve_preferences.join(", "))));
            }
        }
        Ok(Arc::new(provider))
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
        let min = self.min_version.unwrap_or(Version::Tls12);
        let max = self.max_version.unwrap_or(Version::Tls13);
        if min > max {
            return Err(TlsError::Unsupported(format!(
                "`min_version` {} above `max_version` {}",
                min.name(),
                max.name()
            )));
        }
        let all = [(Version::Tls13, &rustls::version::TLS13), (Version::Tls12, &rustls::version::TLS12)];
        Ok(all.into_iter().filter(|(version, _)| (min..=max).contains(version)).map(|(_, known)| known).collect())
    }

    /// The own certificate chain and key, if both are given.
    fn identity(&self) -> Result<Option<Identity>, TlsError> {
        match (&self.certificate, &self.key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                Ok(Some((certificate.certificates("cert_file")?, key.private_key("key_file")?)))
            }
            (Some(_), None) => Err(TlsError::Incomplete("a certificate needs its key: set `key_file` or `key_pem`")),
            (None, Some(_)) => Err(TlsError::Incomplete("a key needs its certificate: set `cert_file` or `cert_pem`")),
        }
    }

    /// Whom to trust: `ca`, the system, or both.
    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = &self.ca {
            add_roots(&mut roots, ca.certificates("ca_file")?)?;
        }
        if self.ca.is_none() || self.include_system_ca_certs_pool {
            // A broken file among the system's certificates is skipped, as Go does.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Ok(roots)
    }
}

/// A certificate chain and its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The authorities of one PEM file.
fn roots_of_file(path: &Path, what: &'static str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    add_roots(&mut roots, Pem::File(path.to_owned()).certificates(what)?)?;
    Ok(roots)
}

fn add_roots(roots: &mut RootCertStore, certificates: Vec<CertificateDer<'static>>) -> Result<(), TlsError> {
    for certificate in certificates {
        roots.add(certificate).map_err(TlsError::refused)?;
    }
    Ok(())
}

impl TlsError {
    fn refused(error: impl fmt::Display) -> TlsError {
        TlsError::Refused(error.to_string())
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({})", self.origin())
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Pem { what, origin, source } => write!(f, "cannot use `{what}` ({origin}): {source}"),
            TlsError::Incomplete(what) => write!(f, "{what}"),
            TlsError::Unsupported(what) => write!(f, "not supported: {what}"),
            TlsError::Refused(why) => write!(f, "TLS settings refused: {why}"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TlsError::Pem { source, .. } => Some(source),
            _ => None,
        }
    }
}
