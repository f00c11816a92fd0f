//! Payloads as JSON can hold them.

use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_api_model::{ApiError, Encoding};
use plexus_types::Message;
use plexus_wire::property::{MessageProperty, message_properties};

/// Bytes of a payload that are shown at most.
pub(crate) const SHOWN_MAX: usize = 65_536;

/// How much of payloads is to be shown.
pub(crate) fn shown_max(asked: Option<usize>, usual: usize) -> Result<usize, ApiError> {
    match asked.unwrap_or(usual) {
        most if most > SHOWN_MAX => {
            Err(ApiError::bad(format!("payload_max: {most} is more than {SHOWN_MAX}")))
        }
        most => Ok(most),
    }
}

/// Bytes of payloads in one answer.
const ANSWER_MAX: u64 = 4 * 1024 * 1024;

/// Whether so many messages with so much of their payloads are not too much for one answer.
pub(crate) fn bounded(limit: u64, most: usize) -> Result<(), ApiError> {
    if limit.saturating_mul(most as u64) <= ANSWER_MAX {
        return Ok(());
    }
    let message = format!("payload_max: with limit {limit} at most {}", ANSWER_MAX / limit.max(1));
    Err(ApiError::bad(message))
}

/// The first bytes: as text where all of them are, or in base64. A character that is cut in two is left out.
pub(crate) fn shown(payload: &[u8], most: usize) -> (String, Encoding) {
    let part = payload.get(..most).unwrap_or(payload);
    match std::str::from_utf8(part) {
        Ok(text) => (text.to_owned(), Encoding::Plain),
        Err(error) if part.len() < payload.len() && error.error_len().is_none() => {
            let whole = part.get(..error.valid_up_to()).unwrap_or_default();
            (String::from_utf8_lossy(whole).into_owned(), Encoding::Plain)
        }
        Err(_) => (STANDARD.encode(part), Encoding::Base64),
    }
}

/// Content Type of a message.
pub(crate) fn content_type(message: &Message) -> Option<String> {
    message_properties(&message.properties).find_map(|property| match property {
        MessageProperty::ContentType(kind) => Some(kind.as_str().to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use plexus_api_model::Encoding;

    use super::{SHOWN_MAX, bounded, shown, shown_max};

    #[test]
    fn text_is_text_and_the_rest_is_base64() {
        for (payload, most, wanted, encoding) in [
            (&b"on"[..], 10, "on", Encoding::Plain),
            (b"", 10, "", Encoding::Plain),
            (b"12345", 3, "123", Encoding::Plain),
            ("a\u{20ac}".as_bytes(), 3, "a", Encoding::Plain),
            ("a\u{20ac}".as_bytes(), 4, "a\u{20ac}", Encoding::Plain),
            (b"\xff\xfe", 10, "//4=", Encoding::Base64),
            (b"\xff\xfe", 1, "/w==", Encoding::Base64),
        ] {
            assert_eq!(shown(payload, most), (wanted.to_owned(), encoding), "{payload:?} {most}");
        }
        assert_eq!(shown_max(None, 7).unwrap(), 7);
        assert!(shown_max(Some(SHOWN_MAX + 1), 7).is_err());
        assert!(bounded(64, SHOWN_MAX).is_ok() && bounded(10_000, 0).is_ok());
        assert!(bounded(65, SHOWN_MAX).unwrap_err().message.contains("at most 64527"));
    }
}
