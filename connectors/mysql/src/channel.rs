//! Packets: three bytes of length, one that counts, and what they hold.

use std::io;

use bytes::Buf;
use plexus_admission::Trouble;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of one packet: what is asked for are short texts.
const PACKET_SIZE_MAX: usize = 64 * 1_024;
/// What a server says of a mistake is cut there.
const SAID_LENGTH_MAX: usize = 200;

/// "Incorrect string value": the one mistake of a value that has no SQL state of its own.
const INCORRECT_STRING: u16 = 1366;
/// SQL states of values that cannot be what they have to be.
const DATA_EXCEPTION: &[u8] = b"22";

/// A connection on which packets go to and fro.
#[derive(Debug)]
pub(crate) struct Channel<T> {
    stream: T,
    /// The number of the next packet, whoever sends it.
    sequence: u8,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Channel<T> {
    pub(crate) fn new(stream: T) -> Self {
        Self { stream, sequence: 0 }
    }

    /// The connection, for what else is to be spoken on it, and the number of the next packet.
    pub(crate) fn into_parts(self) -> (T, u8) {
        (self.stream, self.sequence)
    }

    pub(crate) fn of_parts(stream: T, sequence: u8) -> Self {
        Self { stream, sequence }
    }

    /// Reads one packet, and no byte behind it.
    pub(crate) async fn read(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).await.map_err(|error| failed(&error))?;
        let [low, middle, high, sequence] = head;
        if sequence != self.sequence {
            return Err(Trouble::Failed("it sends packets out of order".to_owned()));
        }
        self.sequence = self.sequence.wrapping_add(1);
        let length = u32::from_le_bytes([low, middle, high, 0]) as usize;
        if length > PACKET_SIZE_MAX {
            let problem = format!("a packet is longer than {PACKET_SIZE_MAX} bytes");
            return Err(Trouble::Nonsense(problem));
        }
        let mut packet = vec![0; length];
        self.stream.read_exact(&mut packet).await.map_err(|error| failed(&error))?;
        Ok(packet)
    }

    /// Sends one packet.
    pub(crate) async fn write(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        let length = u32::try_from(packet.len()).ok().filter(|length| *length < 0xFF_FFFF);
        // What a client shows is bounded, and so is what the operator writes.
        let length = length.ok_or_else(|| Trouble::Nonsense("the question is too long".into()))?;
        let [low, middle, high, _] = length.to_le_bytes();
        let bytes = [&[low, middle, high, self.sequence], packet].concat();
        self.sequence = self.sequence.wrapping_add(1);
        let sent = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| failed(&error))
    }

    /// Sends a command, with which packets are counted anew.
    pub(crate) async fn command(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        self.sequence = 0;
        self.write(packet).await
    }
}

/// What no sense can be made of. It may have been no MySQL at all.
pub(crate) fn odd(what: &str) -> Trouble {
    Trouble::Failed(format!("{what} cannot be read"))
}

fn failed(error: &io::Error) -> Trouble {
    Trouble::Failed(error.to_string())
}

/// What the server says of a mistake, behind the byte 0xFF.
pub(crate) fn refused(mut packet: &[u8]) -> Trouble {
    let Ok(code) = packet.try_get_u16_le() else { return odd("its error") };
    let state = packet.strip_prefix(b"#").and_then(|rest| rest.split_at_checked(5));
    let (state, said) = state.unwrap_or((b"", packet));
    let said = String::from_utf8_lossy(said);
    let said: String = said.chars().take(SAID_LENGTH_MAX).flat_map(char::escape_debug).collect();
    let said = format!("{said} ({code})");
    // A value that cannot be one of its texts is the client's, and no failure of the server.
    if code == INCORRECT_STRING || state.starts_with(DATA_EXCEPTION) {
        Trouble::Nonsense(said)
    } else {
        Trouble::Failed(said)
    }
}

/// Bytes up to a zero, which is taken, too.
pub(crate) fn until_zero<'a>(packet: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = packet.iter().position(|byte| *byte == 0)?;
    let (text, rest) = packet.split_at_checked(end)?;
    *packet = rest.get(1..)?;
    Some(text)
}

pub(crate) fn take<'a>(packet: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = packet.split_at_checked(length)?;
    *packet = rest;
    Some(taken)
}

/// A number of one to nine bytes.
pub(crate) fn number(packet: &mut &[u8]) -> Option<u64> {
    match packet.try_get_u8().ok()? {
        small @ 0..=0xFA => Some(small.into()),
        0xFC => packet.try_get_u16_le().ok().map(Into::into),
        0xFD => packet.try_get_uint_le(3).ok(),
        0xFE => packet.try_get_u64_le().ok(),
        0xFB | 0xFF => None,
    }
}

/// Bytes behind their number.
pub(crate) fn counted<'a>(packet: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(packet)?).ok()?;
    take(packet, length)
}

/// Adds a text behind its length.
pub(crate) fn put_counted(text: &[u8], packet: &mut Vec<u8>) {
    let length = text.len() as u64;
    match length {
        0..=0xFA => packet.extend(u8::try_from(length)),
        0xFB..=0xFFFF => {
            packet.push(0xFC);
            packet.extend_from_slice(&(length as u16).to_le_bytes());
        }
        _ => {
            packet.push(0xFE);
            packet.extend_from_slice(&length.to_le_bytes());
        }
    }
    packet.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use plexus_admission::Trouble;

    use super::{counted, put_counted, refused, until_zero};

    #[test]
    fn texts_are_read_as_they_are_written() {
        for length in [0, 1, 250, 251, 255, 256, 65_535, 65_536, 70_000] {
            let text = vec![b'x'; length];
            let mut packet = Vec::new();
            put_counted(&text, &mut packet);
            let mut rest = packet.as_slice();
            assert_eq!(counted(&mut rest), Some(text.as_slice()));
            assert!(rest.is_empty());
            for end in 0..packet.len().min(12) {
                assert_eq!(counted(&mut &packet[..end]), None, "{length}: {end}");
            }
        }
        assert_eq!(counted(&mut &b"\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFabc"[..]), None);
        let mut packet = &b"ab\0c"[..];
        assert_eq!((until_zero(&mut packet), packet), (Some(&b"ab"[..]), &b"c"[..]));
        assert_eq!(until_zero(&mut packet), None);
    }

    #[test]
    fn a_value_that_fits_nowhere_is_no_failure_of_the_server() {
        let said = refused(b"\x48\x04#42S02Table 'a.b' doesn't exist\x1b[2J");
        let wanted = "Table \\'a.b\\' doesn\\'t exist\\u{1b}[2J (1096)";
        assert_eq!(said, Trouble::Failed(wanted.to_owned()));
        assert!(matches!(refused(b"\x56\x05#HY000Incorrect"), Trouble::Nonsense(_)));
        assert!(matches!(refused(b"\x00\x05#22003Out of range"), Trouble::Nonsense(_)));
        assert!(matches!(refused(b"\x10\x04Too many connections"), Trouble::Failed(_)));
        assert!(matches!(refused(b"\x10"), Trouble::Failed(_)));
    }
}
