//! How the node proves that it knows its password.

use aws_lc_rs::{
    digest::{self, Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256},
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};

/// Bytes by which the server makes each proof another.
const NONCE_LENGTH: usize = 20;

/// What the server throws in.
pub(crate) type Nonce = [u8; NONCE_LENGTH];

/// The plugins of a server that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plugin {
    /// `mysql_native_password`: MariaDB, and MySQL up to 8.
    Native,
    /// `caching_sha2_password`: MySQL from 8 on.
    CachingSha2,
}

impl Plugin {
    /// The one of that name.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        [Self::Native, Self::CachingSha2]
            .into_iter()
            .find(|plugin| plugin.name().as_bytes() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
        }
    }

    /// The proof; an empty password has none.
    pub(crate) fn prove(self, password: &[u8], nonce: &Nonce) -> Vec<u8> {
        if password.is_empty() {
            return Vec::new();
        }
        let (algorithm, places): (&'static Algorithm, _) = match self {
            Self::Native => (&SHA1_FOR_LEGACY_USE_ONLY, Places::NonceFirst),
            Self::CachingSha2 => (&SHA256, Places::NonceLast),
        };
        let once = digest::digest(algorithm, password);
        let twice = digest::digest(algorithm, once.as_ref());
        let parts = match places {
            Places::NonceFirst => [nonce, twice.as_ref()],
            Places::NonceLast => [twice.as_ref(), nonce],
        };
        let mask = digest::digest(algorithm, &parts.concat());
        once.as_ref().iter().zip(mask.as_ref()).map(|(byte, mask)| byte ^ mask).collect()
    }
}

/// Where the nonce stands in what is hashed last.
enum Places {
    NonceFirst,
    NonceLast,
}

/// The nonce, behind which a zero stands.
pub(crate) fn nonce_of(bytes: &[u8]) -> Option<Nonce> {
    bytes.strip_suffix(b"\0").unwrap_or(bytes).try_into().ok()
}

/// The password, readable for the owner of that key only.
pub(crate) fn encrypted(password: &[u8], nonce: &Nonce, key: &[u8]) -> Option<Vec<u8>> {
    let key = SubjectPublicKeyInfoDer::from_pem_slice(key).ok()?;
    let key = PublicEncryptingKey::from_der(&key).ok()?;
    let key = OaepPublicEncryptingKey::new(key).ok()?;
    let text = password.iter().chain(&[0]);
    let masked: Vec<_> = text.zip(nonce.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    let mut sealed = vec![0; key.ciphertext_size()];
    let length = key.encrypt(&OAEP_SHA1_MGF1SHA1, &masked, &mut sealed, None).ok()?.len();
    sealed.truncate(length);
    Some(sealed)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::{AsDer, PublicKeyX509Der},
        rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
    };
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::{Plugin, encrypted, nonce_of};

    const NONCE: [u8; 20] = *b"aaaaabbbbbcccccddddd";

    /// Both sides compute the same from what each of them knows: the server has the hash of the hash.
    #[test]
    fn a_proof_shows_the_password_to_whoever_has_its_hash() {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
        let proof = Plugin::Native.prove(b"hunter2", &NONCE);
        let stored = digest(
            &SHA1_FOR_LEGACY_USE_ONLY,
            digest(&SHA1_FOR_LEGACY_USE_ONLY, b"hunter2").as_ref(),
        );
        let mask = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[&NONCE, stored.as_ref()].concat());
        let once: Vec<_> =
            proof.iter().zip(mask.as_ref()).map(|(one, other)| one ^ other).collect();
        assert_eq!(digest(&SHA1_FOR_LEGACY_USE_ONLY, &once).as_ref(), stored.as_ref());
        let proof = Plugin::CachingSha2.prove(b"hunter2", &NONCE);
        let stored = digest(&SHA256, digest(&SHA256, b"hunter2").as_ref());
        let mask = digest(&SHA256, &[stored.as_ref(), &NONCE].concat());
        let once: Vec<_> =
            proof.iter().zip(mask.as_ref()).map(|(one, other)| one ^ other).collect();
        assert_eq!(digest(&SHA256, &once).as_ref(), stored.as_ref());
        assert_eq!(Plugin::Native.prove(b"", &NONCE), b"");
    }

    #[test]
    fn an_encrypted_password_is_for_the_owner_of_the_key_and_for_this_log_in() {
        let own = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = own.public_key().as_der().unwrap();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let sealed = encrypted(b"hunter2", &NONCE, pem.as_bytes()).unwrap();
        let own = OaepPrivateDecryptingKey::new(own).unwrap();
        let mut opened = vec![0; own.min_output_size()];
        let opened = own.decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut opened, None).unwrap();
        let password: Vec<_> = opened.iter().zip(&NONCE).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(password, b"hunter2\0");
        assert_eq!(encrypted(b"hunter2", &NONCE, b"no key"), None);
    }

    #[test]
    fn plugins_and_nonces_are_what_servers_send() {
        assert_eq!(Plugin::named(b"caching_sha2_password"), Some(Plugin::CachingSha2));
        assert_eq!(Plugin::named(b"mysql_clear_password"), None, "never in clear text");
        assert_eq!(nonce_of(b"aaaaabbbbbcccccddddd\0"), Some(NONCE));
        assert_eq!(nonce_of(b"short"), None);
    }
}
