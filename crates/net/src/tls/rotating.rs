//! A client's certificate that is read again: `reload_interval`.
//!
//! The files are looked at with the first handshake after the interval. What cannot be read or used is told, and the
//! certificate from before goes on serving; connections that stand are left alone, as in otelcol.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use super::{Identity, Material, TlsError};

/// The certificate and its key, as they were last read.
pub(super) struct RotatingIdentity {
    material: Material,
    provider: Arc<CryptoProvider>,
    current: Mutex<(Instant, Arc<CertifiedKey>)>,
}

impl RotatingIdentity {
    /// Begins with what was read.
    ///
    /// # Errors
    /// A key that does not belong to the certificate or is of no kind that is known.
    pub(super) fn new(
        material: &Material,
        provider: Arc<CryptoProvider>,
        identity: Identity,
    ) -> Result<Self, TlsError> {
        let current = Mutex::new((Instant::now(), certified(&provider, identity)?));
        Ok(Self { material: material.clone(), provider, current })
    }

    fn read(&self) -> Result<Option<Arc<CertifiedKey>>, TlsError> {
        self.material.identity()?.map(|identity| certified(&self.provider, identity)).transpose()
    }
}

fn certified(provider: &CryptoProvider, (chain, key): Identity) -> Result<Arc<CertifiedKey>, TlsError> {
    CertifiedKey::from_der(chain, key, provider).map(Arc::new).map_err(TlsError::refused)
}

impl ResolvesClientCert for RotatingIdentity {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock();
        if current.0.elapsed() >= self.material.reload_interval {
            current.0 = Instant::now();
            match self.read() {
                Ok(Some(key)) => current.1 = key,
                Ok(None) => {}
                Err(error) => tracing::warn!(
                    "the client certificate cannot be read again and stays as it was: {error}; mend the file"
                ),
            }
        }
        Some(current.1.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for RotatingIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RotatingIdentity").field(&self.material).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::exporter::peer::testdata;
    use crate::tls::Pem;

    #[test]
    fn files_are_read_again_and_broken_ones_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let put = |from: &str| {
            for kind in ["pem", "key"] {
                std::fs::copy(testdata(&format!("{from}.{kind}")), path(kind)).unwrap();
            }
        };
        put("client");
        let material = Material {
            certificate: Some(Pem::File(path("pem"))),
            key: Some(Pem::File(path("key"))),
            reload_interval: Duration::from_nanos(1),
            ..Material::default()
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let identity = material.identity().unwrap().unwrap();
        let rotating = RotatingIdentity::new(&material, provider, identity).unwrap();
        let shown = || rotating.resolve(&[], &[]).unwrap().cert[0].clone();
        let before = shown();
        put("server");
        let after = shown();
        assert_ne!(before, after);
        std::fs::write(path("pem"), "garbage").unwrap();
        assert_eq!(shown(), after);
    }
}
