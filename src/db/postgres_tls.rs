//! TLS for connections to PostgreSQL.

use std::sync::{Arc, LazyLock};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TlsVerification {
    /// A trusted authority signed it, and it is valid for the host name.
    Full,
    /// A trusted authority signed it: `sslmode=verify-ca`.
    Authority,
}

impl TlsVerification {
    /// The TLS connector, which trusts the system's root certificates.
    pub fn connector(self) -> anyhow::Result<MakeRustlsConnect> {
        static FULL: LazyLock<Result<MakeRustlsConnect, String>> =
            LazyLock::new(|| new_connector(TlsVerification::Full));
        static AUTHORITY: LazyLock<Result<MakeRustlsConnect, String>> =
            LazyLock::new(|| new_connector(TlsVerification::Authority));
        let connector = match self {
            Self::Full => &FULL,
            Self::Authority => &AUTHORITY,
        };
        LazyLock::force(connector)
            .clone()
            .map_err(anyhow::Error::msg)
    }
}

/// Expensive, because it loads the system's root certificates.
fn new_connector(verification: TlsVerification) -> Result<MakeRustlsConnect, String> {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "cannot load some of the system's root certificates");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(native.certs);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = match verification {
        TlsVerification::Full => config.with_root_certificates(roots),
        TlsVerification::Authority => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyHostName::new(roots, provider)?)),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

/// Verifies a certificate, but not the host name for which it is valid.
#[derive(Debug)]
struct AnyHostName(Arc<WebPkiServerVerifier>);

impl AnyHostName {
    fn new(roots: RootCertStore, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

impl ServerCertVerifier for AnyHostName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The host name is verified last, so everything else is valid if it is the only error.
        match self
            .0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
