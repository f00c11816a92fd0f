//! The cipher suites that may be chosen among, and what the TLS library calls them.

use std::sync::Arc;

use rustls::{
    SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs, aws_lc_rs::cipher_suite as known},
};

use crate::{CipherSuite, TlsConfigError, TlsVersion};

/// The library with every suite that it offers by itself.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The library with these suites only, at least one of which is for the versions that are spoken.
pub(super) fn provider_of(
    suites: &[CipherSuite],
    min: TlsVersion,
) -> Result<Arc<CryptoProvider>, TlsConfigError> {
    let cipher_suites = suites.iter().map(|suite| of(*suite)).collect::<Vec<_>>();
    let spoken = versions(min);
    if !cipher_suites.iter().any(|suite| spoken.contains(&suite.version())) {
        return Err(TlsConfigError::NoSuite);
    }
    Ok(Arc::new(CryptoProvider { cipher_suites, ..aws_lc_rs::default_provider() }))
}

pub(super) fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    use rustls::version::{TLS12, TLS13};
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    static NEWEST: [&SupportedProtocolVersion; 1] = [&TLS13];
    match min {
        TlsVersion::V1_2 => &BOTH,
        TlsVersion::V1_3 => &NEWEST,
    }
}

const fn of(suite: CipherSuite) -> SupportedCipherSuite {
    use CipherSuite as Suite;
    match suite {
        Suite::Aes256Gcm => known::TLS13_AES_256_GCM_SHA384,
        Suite::Aes128Gcm => known::TLS13_AES_128_GCM_SHA256,
        Suite::Chacha20 => known::TLS13_CHACHA20_POLY1305_SHA256,
        Suite::EcdsaAes256Gcm => known::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        Suite::EcdsaAes128Gcm => known::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        Suite::EcdsaChacha20 => known::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        Suite::RsaAes256Gcm => known::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        Suite::RsaAes128Gcm => known::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        Suite::RsaChacha20 => known::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_of_the_library_has_a_name_and_all_of_them_are_the_default() {
        let ours = CipherSuite::ALL.iter().map(|suite| of(*suite).suite()).collect::<Vec<_>>();
        let theirs = aws_lc_rs::default_provider().cipher_suites;
        assert_eq!(ours, theirs.iter().map(SupportedCipherSuite::suite).collect::<Vec<_>>());
        for suite in CipherSuite::ALL {
            let name = serde_json::to_value(suite).unwrap();
            let library = of(suite).suite();
            let library = library.as_str().unwrap().replace("TLS13_", "TLS_");
            assert_eq!(name.as_str(), Some(library.as_str()), "the registered name");
        }
    }

    #[test]
    fn a_list_without_a_suite_for_the_versions_is_a_mistake() {
        let old = [CipherSuite::EcdsaAes128Gcm];
        assert!(provider_of(&old, TlsVersion::V1_2).is_ok());
        assert!(matches!(provider_of(&old, TlsVersion::V1_3), Err(TlsConfigError::NoSuite)));
        assert!(matches!(provider_of(&[], TlsVersion::V1_2), Err(TlsConfigError::NoSuite)));
    }
}
