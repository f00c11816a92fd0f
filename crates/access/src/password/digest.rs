use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};

/// A hash function that passwords are hashed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordDigest {
    /// SHA-1 (20 bytes): in PBKDF2, where its weakness does not matter, and as directories keep passwords.
    Sha1,
    /// SHA-256 (32 bytes).
    Sha256,
    /// SHA-512 (64 bytes).
    Sha512,
}

impl PasswordDigest {
    /// The one of that authentication method, if it is one of SCRAM's that are offered.
    pub fn of_scram(method: &str) -> Option<Self> {
        match method {
            "SCRAM-SHA-256" => Some(Self::Sha256),
            "SCRAM-SHA-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The one of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes of a hash.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// HMAC (RFC 2104) of a message.
    pub(crate) fn authenticate(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec()
    }

    /// The hash of all parts, one behind the other.
    pub(crate) fn hash(self, parts: [&[u8]; 2]) -> Vec<u8> {
        let mut context = digest::Context::new(match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        });
        for part in parts {
            context.update(part);
        }
        context.finish().as_ref().to_vec()
    }

    /// PBKDF2 (RFC 8018, section 5.2) with HMAC of it.
    pub(crate) fn derive(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: NonZeroU32,
        length: usize,
    ) -> Vec<u8> {
        let mut output = vec![0; length];
        let algorithm = match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        pbkdf2::derive(algorithm, iterations, salt, password, &mut output);
        output
    }
}
