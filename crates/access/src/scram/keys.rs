use std::{fmt, num::NonZeroU32, ops::RangeInclusive};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::is_prepared;
use crate::{HashError, PasswordDigest, password::is_same};

/// Iterations of a new entry: four times the least that RFC 7677 allows. The client repeats them at each
/// connection, which a small controller takes long for, and has ten seconds for the whole exchange; the
/// hundred thousands that are advised for passwords at rest would keep it out.
pub const SCRAM_ITERATIONS: u32 = 16_384;

/// RFC 7677, section 4, and what a login with a plain password may cost.
const ITERATIONS: RangeInclusive<u32> = 4_096..=5_000_000;
const SALT_LENGTHS: RangeInclusive<usize> = 8..=64;

const PARAMETERS: HashError =
    HashError::Parameters("SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>");
const COST: HashError = HashError::Cost("of SCRAM: 4096 to 5000000 iterations");
const SALT: HashError = HashError::Salt("base64 of 8 to 64 bytes");
const OUTPUT: HashError =
    HashError::Output("two keys in base64, of as many bytes as the function gives");

/// What a server keeps of a password for SCRAM: enough to check a proof, not enough to make one.
///
/// As text, as PostgreSQL has it: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, salt and keys in
/// base64.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    digest: PasswordDigest,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

/// Of one password.
struct Derived {
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl Derived {
    fn new(digest: PasswordDigest, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Self {
        let salted = digest.derive(password, salt, iterations, digest.length());
        let client_key = digest.authenticate(&salted, b"Client Key");
        let stored_key = digest.hash([&client_key, &[]]);
        Self { stored_key, server_key: digest.authenticate(&salted, b"Server Key") }
    }
}

impl ScramKeys {
    /// Those of a password, with a salt that the caller drew from a good random source. Passwords that
    /// SASLprep might change are refused: clients differ in whether they prepare them.
    pub fn new(
        digest: PasswordDigest,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
    ) -> Result<Self, HashError> {
        if digest == PasswordDigest::Sha1 {
            return Err(HashError::Scheme);
        }
        if !is_prepared(password) {
            return Err(HashError::Unprepared);
        }
        let iterations = checked(iterations)?;
        if !SALT_LENGTHS.contains(&salt.len()) {
            return Err(SALT);
        }
        let Derived { stored_key, server_key } = Derived::new(digest, password, salt, iterations);
        Ok(Self { digest, iterations, salt: salt.to_vec(), stored_key, server_key })
    }

    /// Reads the whole text.
    pub(crate) fn parse(digest: PasswordDigest, text: &str) -> Result<Self, HashError> {
        let mut parts = text.split('$').skip(1).map(|part| part.split_once(':'));
        let (Some(Some((iterations, salt))), Some(Some(keys)), None) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(PARAMETERS);
        };
        let is_number = iterations.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || iterations.starts_with('0') {
            return Err(PARAMETERS);
        }
        let iterations = checked(iterations.parse().map_err(|_| COST)?)?;
        let salt = STANDARD.decode(salt).ok().filter(|salt| SALT_LENGTHS.contains(&salt.len()));
        let key = |text: &str| {
            let key = STANDARD.decode(text).ok();
            key.filter(|key| key.len() == digest.length()).ok_or(OUTPUT)
        };
        let (stored_key, server_key) = (key(keys.0)?, key(keys.1)?);
        Ok(Self { digest, iterations, salt: salt.ok_or(SALT)?, stored_key, server_key })
    }

    /// Such keys as an unknown user might have: always the same for a name, and of nobody.
    pub(crate) fn made_up(&self, secret: &[u8], name: &str) -> Self {
        let digest = PasswordDigest::Sha512;
        let mut salt = digest.authenticate(secret, self.method().as_bytes());
        salt = digest.authenticate(&salt, name.as_bytes());
        salt.truncate(self.salt.len());
        let key = vec![0; self.digest.length()];
        Self { salt, stored_key: key.clone(), server_key: key, ..self.clone() }
    }

    /// Which hash function they are of.
    pub fn digest(&self) -> PasswordDigest {
        self.digest
    }

    /// What has to be kept secret of them.
    pub(crate) fn secrets(&self) -> [&[u8]; 2] {
        [&self.stored_key, &self.server_key]
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(super) fn iterations(&self) -> NonZeroU32 {
        self.iterations
    }

    /// Whether who made the proof over that message knows the password: it is ClientKey XOR the signature
    /// of StoredKey, and StoredKey is the hash of ClientKey.
    pub(super) fn is_proof(&self, message: &[u8], proof: &[u8]) -> bool {
        let signature = self.digest.authenticate(&self.stored_key, message);
        let client_key = proof.iter().zip(&signature).map(|(one, other)| one ^ other);
        let client_key: Vec<u8> = client_key.collect();
        let is_whole = proof.len() == self.digest.length();
        is_same(&self.digest.hash([&client_key, &[]]), &self.stored_key) & is_whole
    }

    /// By which the client knows that the server had these keys.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.digest.authenticate(&self.server_key, message)
    }

    /// Whether they are of that password.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let derived = Derived::new(self.digest, password, &self.salt, self.iterations);
        is_same(&derived.stored_key, &self.stored_key)
    }

    fn method(&self) -> &'static str {
        match self.digest {
            PasswordDigest::Sha1 => unreachable!("invariant: no method of that digest is offered"),
            PasswordDigest::Sha256 => "SCRAM-SHA-256",
            PasswordDigest::Sha512 => "SCRAM-SHA-512",
        }
    }
}

fn checked(iterations: u32) -> Result<NonZeroU32, HashError> {
    let iterations = Some(iterations).filter(|number| ITERATIONS.contains(number));
    iterations.and_then(NonZeroU32::new).ok_or(COST)
}

/// The text, as a user file holds it.
impl fmt::Display for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored, server] =
            [&self.salt, &self.stored_key, &self.server_key].map(|bytes| STANDARD.encode(bytes));
        write!(f, "{}${}:{salt}${stored}:{server}", self.method(), self.iterations)
    }
}

/// Shows the method only.
impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScramKeys({} …)", self.method())
    }
}
