use std::{fmt, str::FromStr};

use super::{
    Form, HashError, PasswordDigest, SaltPlace, StoredPassword, decode_any,
    derived::{self, Derived},
    directory, number_of,
    salted::Salted,
};

/// How a column of a back end, or of a file of another program, holds passwords.
///
/// | text | the hash is |
/// |---|---|
/// | `phc` | a text that names its form, as in a user file |
/// | `bcrypt` | `$2b$…` |
/// | `pbkdf2-sha256:4096` | PBKDF2 of that many iterations; also `-sha1`, `-sha512`; `:32` at the end fixes its bytes |
/// | `sha256`, `sha512` | the hash of salt and password |
/// | `sha256:salt-after`, `sha512:salt-after` | the hash of password and salt |
/// | `ldap` | a text that begins with its form in braces, as `{SSHA}` (RFC 2307) |
/// | `plain` | the password itself |
///
/// Hashes are in hexadecimal digits or base64; a salt is used as the bytes of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordScheme {
    /// The text names its form, as in a user file.
    Phc,
    /// bcrypt.
    Bcrypt,
    /// PBKDF2 (RFC 8018).
    Pbkdf2 {
        /// The function of its HMAC.
        digest: PasswordDigest,
        /// Iterations.
        iterations: u32,
        /// Bytes of a hash; as many as there are where it is left out.
        length: Option<usize>,
    },
    /// One SHA-256 of salt and password.
    Sha256(SaltPlace),
    /// One SHA-512 of salt and password.
    Sha512(SaltPlace),
    /// A text that begins with its form in braces, as directories keep it.
    Directory,
    /// The password itself.
    Plain,
}

/// Why a text names no scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// None of that name.
    #[error(
        "names no scheme; there are phc, bcrypt, pbkdf2-sha256:<iterations>, \
         pbkdf2-sha512:<iterations>, sha256, sha512, sha256:salt-after, sha512:salt-after, ldap and plain"
    )]
    Unknown,
    /// Iterations or length of PBKDF2.
    #[error("is beyond the limits of PBKDF2: 1 to 5000000 iterations, 16 to 64 bytes")]
    Limits,
}

const PLAIN_LENGTH_MAX: usize = 65_535;

const SALT: HashError = HashError::Salt("there; the scheme has one");
const OUTPUT: HashError =
    HashError::Output("in hexadecimal digits or base64, of as many bytes as the scheme gives");

impl PasswordScheme {
    /// Reads a hash, and the salt where it stands apart. A scheme whose hash holds its salt takes no
    /// notice of another one.
    pub fn read(&self, hash: &str, salt: Option<&str>) -> Result<StoredPassword, HashError> {
        let salted = |digest: PasswordDigest, place| {
            let output = decode_any(hash, |length| length == digest.length()).ok_or(OUTPUT)?;
            let salt = salt.unwrap_or_default().as_bytes().to_vec();
            Salted::new(digest, place, salt, output).map(|hash| StoredPassword(Form::Salted(hash)))
        };
        match *self {
            Self::Phc => StoredPassword::parse(hash),
            Self::Bcrypt => StoredPassword::parse(hash).and_then(|stored| match stored.0 {
                Form::Bcrypt(_) => Ok(stored),
                _ => Err(HashError::Scheme),
            }),
            Self::Pbkdf2 { digest, iterations, length } => {
                let lengths = length.map_or(derived::OUTPUT_LENGTHS, |length| length..=length);
                let fits = |bytes: usize| lengths.contains(&bytes);
                let output = decode_any(hash, fits).ok_or(OUTPUT)?;
                let salt = salt.ok_or(SALT)?.as_bytes().to_vec();
                Derived::new(digest, iterations, salt, output)
                    .map(|hash| StoredPassword(Form::Derived(hash)))
            }
            Self::Sha256(place) => salted(PasswordDigest::Sha256, place),
            Self::Sha512(place) => salted(PasswordDigest::Sha512, place),
            Self::Directory => directory::read(hash),
            // A password that was blanked is none.
            Self::Plain if hash.is_empty() || hash.len() > PLAIN_LENGTH_MAX => {
                Err(HashError::Output("a password of 1 to 65,535 bytes"))
            }
            Self::Plain => Ok(StoredPassword(Form::Salted(Salted::of_plain(hash.as_bytes())))),
        }
    }
}

impl FromStr for PasswordScheme {
    type Err = SchemeError;

    fn from_str(text: &str) -> Result<Self, SchemeError> {
        let (name, rest) = text.split_once(':').map_or((text, None), |(name, it)| (name, Some(it)));
        let place = match rest {
            None | Some("salt-before") => Some(SaltPlace::Before),
            Some("salt-after") => Some(SaltPlace::After),
            Some(_) => None,
        };
        match (name, rest, place) {
            ("phc", None, _) => Ok(Self::Phc),
            ("bcrypt", None, _) => Ok(Self::Bcrypt),
            ("ldap", None, _) => Ok(Self::Directory),
            ("plain", None, _) => Ok(Self::Plain),
            ("sha256", _, Some(place)) => Ok(Self::Sha256(place)),
            ("sha512", _, Some(place)) => Ok(Self::Sha512(place)),
            (name, Some(numbers), _) => {
                let digest = name.strip_prefix("pbkdf2-").and_then(PasswordDigest::named);
                pbkdf2(digest.ok_or(SchemeError::Unknown)?, numbers)
            }
            _ => Err(SchemeError::Unknown),
        }
    }
}

fn pbkdf2(digest: PasswordDigest, numbers: &str) -> Result<PasswordScheme, SchemeError> {
    let (iterations, length) =
        numbers.split_once(':').map_or((numbers, None), |(first, rest)| (first, Some(rest)));
    let number = |text| number_of(Some(text), "").ok_or(SchemeError::Unknown);
    let iterations = number(iterations)?;
    let length = length.map(number).transpose()?.map(|length| length as usize);
    let fits = (1..=derived::ITERATIONS_MAX).contains(&iterations)
        && length.is_none_or(|length| derived::OUTPUT_LENGTHS.contains(&length));
    if !fits {
        return Err(SchemeError::Limits);
    }
    Ok(PasswordScheme::Pbkdf2 { digest, iterations, length })
}

/// The text that it is read from.
impl fmt::Display for PasswordScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let salted = |name: &str, place| match place {
            SaltPlace::Before => name.to_owned(),
            SaltPlace::After => format!("{name}:salt-after"),
        };
        match *self {
            Self::Phc => f.write_str("phc"),
            Self::Bcrypt => f.write_str("bcrypt"),
            Self::Pbkdf2 { digest, iterations, length } => {
                write!(f, "pbkdf2-{}:{iterations}", digest.name())?;
                length.map_or(Ok(()), |length| write!(f, ":{length}"))
            }
            Self::Sha256(place) => f.write_str(&salted("sha256", place)),
            Self::Sha512(place) => f.write_str(&salted("sha512", place)),
            Self::Directory => f.write_str("ldap"),
            Self::Plain => f.write_str("plain"),
        }
    }
}
