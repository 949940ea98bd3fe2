//! The client side: whom to trust, which certificate to show, and under which name the server is expected.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::rotating::RotatingIdentity;
use super::{Material, TlsError};

/// `tls:` of a client. Secure unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, settings::Documented)]
pub struct TlsClient {
    /// What servers have as well.
    pub material: Material,
    /// Whether to speak plain text, where the endpoint's scheme does not decide.
    pub insecure: bool,
    /// Whether to speak TLS with whoever answers.
    pub insecure_skip_verify: bool,
    /// The name to ask for and to verify, instead of the endpoint's host; empty is none.
    pub server_name_override: String,
}

/// Takes any certificate; signatures are still checked, so that the peer at least owns the one it shows.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl TlsClient {
    /// Reads the files and builds a configuration that offers `alpn`.
    pub fn config(&self, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
        let provider = self.material.provider()?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.material.versions()?)
            .map_err(TlsError::refused)?;
        let builder = if self.insecure_skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(Arc::clone(&provider))))
        } else {
            builder.with_root_certificates(self.material.roots()?)
        };
        let mut config = match self.material.identity()? {
            Some(identity) if !self.material.reload_interval.is_zero() => {
                let rotating = RotatingIdentity::new(&self.material, provider, identity)?;
                builder.with_client_cert_resolver(Arc::new(rotating))
            }
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(TlsError::refused)?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }

    /// The name to expect from a server reached as `host`.
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        let name = if self.server_name_override.is_empty() { host } else { &self.server_name_override };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        ServerName::try_from(name.to_owned()).map_err(TlsError::refused)
    }
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
