//! Codes that change every half minute (RFC 6238), as apps of telephones make them.

use aws_lc_rs::{hmac, rand};
use plexus_types::Instant;

/// Bytes of a secret: what HMAC-SHA-1 gives (RFC 4226, section 4).
const SECRET_LENGTH: usize = 20;
/// Milliseconds that a code is for.
const STEP: u64 = 30_000;
/// Codes before and after the one of now that are taken: clocks differ, and people type (RFC 6238, section 5.2).
const AROUND: u64 = 1;
const DIGITS: usize = 6;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A secret as people type it into their app (base32, RFC 4648); none where the system gives no random numbers.
pub(super) fn draw() -> Option<String> {
    let mut secret = [0; SECRET_LENGTH];
    rand::fill(&mut secret).ok()?;
    Some(encode(&secret))
}

/// Whether a text is such a secret.
pub(super) fn is_secret(text: &str) -> bool {
    decode(text).is_some_and(|secret| secret.len() == SECRET_LENGTH)
}

/// What an app reads from a picture of it.
pub(super) fn uri(node: &str, user: &str, secret: &str) -> String {
    let (node, user) = (escaped(node), escaped(user));
    format!("otpauth://totp/Plexus%20{node}:{user}?secret={secret}&issuer=Plexus%20{node}")
}

/// The step of a code that is right now and was not used yet: codes hold once.
pub(super) fn step_of(secret: &str, code: &str, now: Instant, used: Option<u64>) -> Option<u64> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &decode(secret)?);
    let code = Some(code).filter(|code| code.len() == DIGITS)?;
    let step = now.as_millis() / STEP;
    let mut steps = step.saturating_sub(AROUND)..=step + AROUND;
    steps.find(|step| used.is_none_or(|used| *step > used) && code_of(&key, *step) == code)
}

/// HOTP (RFC 4226, section 5.3).
fn code_of(key: &hmac::Key, step: u64) -> String {
    let tag = hmac::sign(key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = bytes.last().map_or(0, |last| usize::from(last & 0x0F));
    let picked = bytes.get(offset..offset + 4).and_then(|part| part.try_into().ok());
    let number = u32::from_be_bytes(picked.unwrap_or_default()) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

/// The codes of the step before, of now and of the one after.
#[cfg(test)]
pub(super) fn codes_around(secret: &str, now: Instant) -> [String; 3] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &decode(secret).unwrap());
    let step = now.as_millis() / STEP;
    [step - 1, step, step + 1].map(|step| code_of(&key, step))
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let mut bits = [0; 8];
        let (_, low) = bits.split_at_mut(3);
        low.iter_mut().zip(group).for_each(|(to, from)| *to = *from);
        let bits = u64::from_be_bytes(bits);
        let digits = (group.len() * 8).div_ceil(5);
        let of = |at: usize| ALPHABET.get((bits >> (35 - 5 * at)) as usize & 31);
        text.extend((0..digits).filter_map(of).map(|byte| char::from(*byte)));
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte.to_ascii_uppercase())?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(bytes)
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let escape =
        |byte: u8| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use plexus_types::Instant;

    use super::{decode, draw, encode, step_of, uri};

    /// RFC 6238, appendix B, of which these are the last six digits.
    const CODES: [(u64, &str); 5] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
    ];

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = encode(b"12345678901234567890");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (seconds, code) in CODES {
            assert_eq!(step_of(&secret, code, at(seconds), None), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_holds_once_and_for_three_steps() {
        let secret = encode(b"12345678901234567890");
        let (seconds, code) = CODES[0];
        assert_eq!(step_of(&secret, code, at(seconds), Some(0)), Some(1));
        assert_eq!(step_of(&secret, code, at(seconds), Some(1)), None, "it was used");
        assert_eq!(step_of(&secret, code, at(seconds + 30), None), Some(1));
        assert_eq!(step_of(&secret, code, at(seconds + 61), None), None);
        for wrong in ["", "28708", "2870820", "287083", "２８７０８２"] {
            assert_eq!(step_of(&secret, wrong, at(seconds), None), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_come_back_as_they_went() {
        for length in 0..12_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)).as_deref(), Some(&bytes[..]));
        }
        assert_eq!(draw().map(|secret| secret.len()), Some(32));
        assert_ne!(draw(), draw());
        assert_eq!(decode("a1"), None);
        let told = uri("plant 1", "ann&co", "ABC");
        assert_eq!(
            told,
            "otpauth://totp/Plexus%20plant%201:ann%26co?secret=ABC&issuer=Plexus%20plant%201"
        );
    }
}
