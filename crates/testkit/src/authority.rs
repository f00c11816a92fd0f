use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose,
    IsCa, KeyPair,
};

/// Somebody who vouches for the servers and clients of a test.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    file: PathBuf,
}

impl Authority {
    /// A new one, which writes its files there.
    pub fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let file = folder.join("authority.pem");
        fs::write(&file, issuer.pem()).expect("a file of the test");
        Self { issuer, folder: folder.to_owned(), file }
    }

    /// The file with its certificate.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its certificate.
    pub fn issuer(&self) -> &CertifiedIssuer<'static, KeyPair> {
        &self.issuer
    }

    /// A certificate for these names, for servers and clients.
    pub fn issue(&self, names: &[&str]) -> (Certificate, KeyPair) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.issuer).expect("signed"), key)
    }

    /// The same as files: the certificate and its key, which its owner alone reads.
    pub fn certificate(&self, file: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.issue(names);
        let write = |kind: &str, text: String| {
            let path = self.folder.join(format!("{file}.{kind}"));
            fs::write(&path, text).expect("a file of the test");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
            path
        };
        (write("pem", certificate.pem()), write("key", key.serialize_pem()))
    }
}
