//! The Variable Byte Integer, section 1.5.5: seven bits a byte, least significant first, the top
//! bit says that another byte follows; four bytes at most.

use crate::ProtocolError;

/// The largest value that it can hold.
pub(crate) const MAX: u32 = 268_435_455;

/// Value and length of the integer at the front of `bytes`; `None` when it is not all there.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<(u32, usize)>, ProtocolError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    // A fifth byte would desynchronise the stream: refused at the fourth continuation bit.
    if bytes.len() >= 4 { Err(ProtocolError::VariableByteInteger) } else { Ok(None) }
}

/// How many bytes the value needs ([MQTT-1.5.5-1]).
pub(crate) const fn len(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// The bytes of the value and how many of them count.
pub(crate) fn bytes(mut value: u32) -> ([u8; 4], usize) {
    debug_assert!(value <= MAX, "checked when the size was computed");
    let length = len(value);
    let mut bytes = [0; 4];
    for byte in bytes.iter_mut().take(length) {
        *byte = (value & 0x7F) as u8 | 0x80;
        value >>= 7;
    }
    if let Some(last) = bytes.get_mut(length - 1) {
        *last &= 0x7F;
    }
    (bytes, length)
}

#[cfg(test)]
mod tests {
    use super::{MAX, bytes, len, read};
    use crate::ProtocolError;

    #[test]
    fn values_at_the_borders_round_trip_in_the_fewest_bytes() {
        for (value, expected) in [
            (0, 1),
            (127, 1),
            (128, 2),
            (16_383, 2),
            (16_384, 3),
            (2_097_151, 3),
            (2_097_152, 4),
            (MAX, 4),
        ] {
            let (encoded, length) = bytes(value); // [MQTT-1.5.5-1]
            assert_eq!((length, len(value)), (expected, expected), "{value}");
            assert_eq!(read(&encoded[..length]), Ok(Some((value, length))), "{value}");
            assert_eq!(read(&encoded[..length - 1]), Ok(None), "{value} cut short");
        }
    }

    #[test]
    fn a_fifth_byte_is_never_waited_for() {
        assert_eq!(read(&[0xFF; 4]), Err(ProtocolError::VariableByteInteger));
        assert_eq!(read(&[0xFF; 3]), Ok(None));
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0]), Err(ProtocolError::VariableByteInteger));
    }
}
