//! The server's side of SCRAM (RFC 5802, RFC 7677), without channel binding:
//!
//! ```text
//! client   n,,n=<name>,r=<nonce>                      ClientFirst::parse
//! server   r=<nonce><nonce>,s=<salt>,i=<iterations>   ClientFirst::challenge
//! client   c=biws,r=<nonce><nonce>,p=<proof>          Challenge::answer
//! server   v=<signature>
//! ```
//!
//! Names are taken as they are: those that SASLprep (RFC 4013) might change, all that have other characters
//! than the visible ones of ASCII and the blank, are refused.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::password::is_same;

mod keys;

pub use self::keys::{SCRAM_ITERATIONS, ScramKeys};

/// Longer messages are none: a name of 256 bytes and two nonces are in them.
const MESSAGE_LENGTH_MAX: usize = 2_048;

/// Why an exchange ends without a client that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// Not of the form that the RFC gives.
    #[error("the message is not of the form of RFC 5802")]
    Form,
    /// The client wants to bind the exchange to its TLS connection.
    #[error("channel binding is not offered here")]
    ChannelBinding,
    /// The client wants something that it says must be understood.
    #[error("an extension that must be understood is not known")]
    Extension,
    /// The client wants to act for somebody else.
    #[error("nobody may act for another user")]
    Another,
    /// A name that has to be prepared.
    #[error("the name has other characters than those of ASCII, or control characters")]
    Unprepared,
    /// What it repeats is not what was said.
    #[error("it is no answer to the challenge")]
    Mismatch,
    /// The proof is not of the password of that user, or there is no such user.
    #[error("wrong password, or an unknown user")]
    Proof,
}

/// What a client says first.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientFirst {
    name: String,
    /// `n,,` or the like, to be repeated by the client.
    header: String,
    /// The message without the header.
    bare: String,
    nonce: String,
}

/// What a client has been asked, and what its answer is held against.
pub struct Challenge {
    keys: ScramKeys,
    is_known: bool,
    header: String,
    /// Both first messages, which the proof is over, with a comma between and behind them.
    messages: String,
    nonce: String,
}

impl ClientFirst {
    /// Reads the client's first message.
    pub fn parse(data: &[u8]) -> Result<Self, ScramError> {
        let text = text_of(data)?;
        let (flag, rest) = text.split_once(',').ok_or(ScramError::Form)?;
        match flag {
            "n" | "y" => {}
            _ if flag.starts_with("p=") => return Err(ScramError::ChannelBinding),
            _ => return Err(ScramError::Form),
        }
        let (other, bare) = rest.split_once(',').ok_or(ScramError::Form)?;
        let other = match other {
            "" => None,
            other => Some(name_of(other.strip_prefix("a=").ok_or(ScramError::Form)?)?),
        };
        if bare.starts_with("m=") {
            return Err(ScramError::Extension);
        }
        let mut parts = bare.split(',');
        let mut part = |key| parts.next()?.strip_prefix(key);
        let (name, nonce) = (part("n=").ok_or(ScramError::Form)?, part("r="));
        let nonce = nonce.filter(|nonce| is_nonce(nonce)).ok_or(ScramError::Form)?.to_owned();
        if parts.any(|extension| !is_attribute(extension)) {
            return Err(ScramError::Form);
        }
        let name = name_of(name)?;
        if other.is_some_and(|other| other != name) {
            return Err(ScramError::Another);
        }
        let header = text.strip_suffix(bare).unwrap_or_default().to_owned();
        Ok(Self { name, header, bare: bare.to_owned(), nonce })
    }

    /// Who it says it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's first message, and what it waits for. `nonce` is visible ASCII without commas that
    /// nobody could guess; an unknown user gets keys that are made up, and fails in the end.
    pub fn challenge(self, keys: ScramKeys, is_known: bool, nonce: &str) -> (String, Challenge) {
        assert!(is_nonce(nonce), "a nonce of RFC 5802");
        let nonce = self.nonce + nonce;
        let salt = STANDARD.encode(keys.salt());
        let message = format!("r={nonce},s={salt},i={}", keys.iterations());
        let messages = format!("{},{message},", self.bare);
        let challenge = Challenge { keys, is_known, header: self.header, messages, nonce };
        (message, challenge)
    }
}

impl Challenge {
    /// Holds the client's last message against it, and gives the server's.
    pub fn answer(self, data: &[u8]) -> Result<String, ScramError> {
        let text = text_of(data)?;
        let (said, proof) = text.rsplit_once(",p=").ok_or(ScramError::Form)?;
        let mut parts = said.split(',');
        let mut part = |key| parts.next()?.strip_prefix(key).ok_or(ScramError::Form).ok();
        let (header, nonce) = (part("c="), part("r="));
        let (header, nonce) = header.zip(nonce).ok_or(ScramError::Form)?;
        if parts.any(|extension| !is_attribute(extension)) {
            return Err(ScramError::Form);
        }
        let proof = STANDARD.decode(proof).map_err(|_| ScramError::Form)?;
        let repeats = is_same(nonce.as_bytes(), self.nonce.as_bytes());
        if !repeats || header != STANDARD.encode(&self.header) {
            return Err(ScramError::Mismatch);
        }
        let message = self.messages + said;
        // Both are found out, so that a user who is unknown takes as long.
        let is_proved = self.keys.is_proof(message.as_bytes(), &proof) & self.is_known;
        let signature = self.keys.sign(message.as_bytes());
        if !is_proved {
            return Err(ScramError::Proof);
        }
        Ok(format!("v={}", STANDARD.encode(signature)))
    }
}

fn text_of(data: &[u8]) -> Result<&str, ScramError> {
    if data.len() > MESSAGE_LENGTH_MAX {
        return Err(ScramError::Form);
    }
    std::str::from_utf8(data).map_err(|_| ScramError::Form)
}

/// A name in which `=2C` stands for a comma and `=3D` for an equals sign.
fn name_of(text: &str) -> Result<String, ScramError> {
    let mut name = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('=') {
        name.push_str(before);
        let (sign, behind) = match (behind.strip_prefix("2C"), behind.strip_prefix("3D")) {
            (Some(behind), _) => (',', behind),
            (_, Some(behind)) => ('=', behind),
            (None, None) => return Err(ScramError::Form),
        };
        name.push(sign);
        rest = behind;
    }
    name.push_str(rest);
    if name.is_empty() {
        return Err(ScramError::Form);
    }
    if !is_prepared(name.as_bytes()) {
        return Err(ScramError::Unprepared);
    }
    Ok(name)
}

/// Whether SASLprep surely leaves it as it is.
fn is_prepared(text: &[u8]) -> bool {
    text.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// A letter and a value.
fn is_attribute(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b'=', _, ..] if letter.is_ascii_alphabetic())
}

/// Shows the name only.
impl fmt::Debug for ClientFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFirst").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Shows nothing of it.
impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(…)")
    }
}

#[cfg(test)]
mod tests;
