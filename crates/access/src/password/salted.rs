use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::{HashError, PasswordDigest, decode, is_same};

/// Where the salt stands when salt and password are hashed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaltPlace {
    /// Before the password.
    Before,
    /// Behind the password.
    After,
}

const SALT_LENGTH_MAX: usize = 256;

const PARAMETERS: HashError = HashError::Parameters("salt=before or salt=after");
const SALT: HashError = HashError::Salt("base64 of at most 256 bytes without padding");
const OUTPUT: HashError =
    HashError::Output("base64 of as many bytes as the function gives, without padding");

/// One hash of salt and password. An empty salt is none.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Salted {
    digest: PasswordDigest,
    place: SaltPlace,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Salted {
    pub(super) fn new(
        digest: PasswordDigest,
        place: SaltPlace,
        salt: Vec<u8>,
        output: Vec<u8>,
    ) -> Result<Self, HashError> {
        if salt.len() > SALT_LENGTH_MAX {
            return Err(SALT);
        }
        if output.len() != digest.length() {
            return Err(OUTPUT);
        }
        Ok(Self { digest, place, salt, output })
    }

    /// The password is known: keeps its hash only.
    pub(super) fn of_plain(password: &[u8]) -> Self {
        let digest = PasswordDigest::Sha256;
        let output = digest.hash([&[], password]);
        Self { digest, place: SaltPlace::Before, salt: Vec::new(), output }
    }

    /// Reads what stands behind `$sha…$`.
    pub(super) fn parse(digest: PasswordDigest, rest: &str) -> Result<Self, HashError> {
        let mut parts = rest.split('$');
        let place = match parts.next() {
            Some("salt=before") => SaltPlace::Before,
            Some("salt=after") => SaltPlace::After,
            _ => return Err(PARAMETERS),
        };
        let salt = decode(parts.next(), &(0..=SALT_LENGTH_MAX)).ok_or(SALT)?;
        let length = digest.length();
        let output = decode(parts.next(), &(length..=length)).ok_or(OUTPUT)?;
        if parts.next().is_some() {
            return Err(OUTPUT);
        }
        Self::new(digest, place, salt, output)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let parts = match self.place {
            SaltPlace::Before => [&self.salt, password],
            SaltPlace::After => [password, &self.salt],
        };
        is_same(&self.digest.hash(parts), &self.output)
    }
}

impl fmt::Display for Salted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            SaltPlace::Before => "before",
            SaltPlace::After => "after",
        };
        let (salt, output) =
            (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.output));
        write!(f, "${}$salt={place}${salt}${output}", self.digest.name())
    }
}
