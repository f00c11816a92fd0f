//! The first sector of a segment. No later write touches it, so none can tear it.

use crate::SegmentNumber;

/// The format that this program writes, and the newest that it reads.
pub(crate) const VERSION: u16 = 1;
/// Frames begin here.
pub(crate) const BYTES: u64 = 512;

const MAGIC: [u8; 8] = *b"PLEXLOG\n";
/// What the fields take of the sector.
const FIELDS: usize = 96;
/// Where they stand a second time: a store of one segment has no other header.
pub(crate) const COPY: usize = 256;
const CHECKED_FROM: usize = 16;

/// What tells a store from every other; repeated in each segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// A random number.
    pub store: u128,
    /// The seed by which clients, topics and groups hash to slots; fixed for the store's life.
    pub hash_seed: u64,
    /// When the store was created, in milliseconds since 1970.
    pub created_millis: u64,
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) identity: Identity,
    pub(crate) number: SegmentNumber,
    /// Where the segment before this one ends; zero for none.
    pub(crate) previous_end: u64,
    pub(crate) created_millis: u64,
    /// Above all that had been given when the segment began.
    pub(crate) next_message: u64,
    /// The oldest segment of the log then; zero in what a repair has made.
    pub(crate) first: SegmentNumber,
    /// What the file had taken before anything was written to it.
    pub(crate) length: u64,
}

/// Why a sector is no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderError {
    Magic,
    Newer(u16),
    Checksum,
}

impl HeaderError {
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Magic => "no segment of a log begins so",
            Self::Newer(_) => "the header is of a newer format",
            Self::Checksum => "the header's checksum is wrong",
        }
    }
}

impl Header {
    /// The sector.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::with_capacity(BYTES as usize);
        fields.extend_from_slice(&self.identity.store.to_le_bytes());
        let numbers = [
            self.identity.hash_seed,
            self.identity.created_millis,
            self.number.get(),
            self.previous_end,
            self.created_millis,
            self.next_message,
            self.first.get(),
            self.length,
        ];
        for number in numbers {
            fields.extend_from_slice(&number.to_le_bytes());
        }
        let mut sector = Vec::with_capacity(BYTES as usize);
        sector.extend_from_slice(&MAGIC);
        sector.extend_from_slice(&VERSION.to_le_bytes());
        sector.extend_from_slice(&[0, 0]);
        sector.extend_from_slice(&checksum(VERSION, &fields).to_le_bytes());
        sector.extend_from_slice(&fields);
        sector.resize(COPY, 0);
        sector.extend_from_within(..FIELDS);
        sector.resize(BYTES as usize, 0);
        sector
    }

    /// Reads a sector. What stands there first counts, and the copy where that is damaged.
    pub(crate) fn decode(sector: &[u8]) -> Result<Self, HeaderError> {
        Self::decode_one(sector).or_else(|error| {
            let copy = sector.get(COPY..).unwrap_or_default();
            Self::decode_one(copy).map_err(|_| error)
        })
    }

    fn decode_one(sector: &[u8]) -> Result<Self, HeaderError> {
        if sector.get(..8) != Some(&MAGIC) {
            return Err(HeaderError::Magic);
        }
        let field = |at: usize| word(sector, at).ok_or(HeaderError::Checksum);
        let (version, sum) = (field(8)? as u16, (field(8)? >> 32) as u32);
        // The version is read first: of a newer format nothing else is known.
        if version > VERSION {
            return Err(HeaderError::Newer(version));
        }
        let fields = sector.get(CHECKED_FROM..FIELDS).ok_or(HeaderError::Checksum)?;
        if version == 0 || sum != checksum(version, fields) {
            return Err(HeaderError::Checksum);
        }
        Ok(Self {
            identity: Identity {
                store: u128::from(field(16)?) | u128::from(field(24)?) << 64,
                hash_seed: field(32)?,
                created_millis: field(40)?,
            },
            number: SegmentNumber::new(field(48)?),
            previous_end: field(56)?,
            created_millis: field(64)?,
            next_message: field(72)?,
            first: SegmentNumber::new(field(80)?),
            length: field(88)?,
        })
    }
}

fn checksum(version: u16, fields: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&MAGIC);
    hasher.update(&version.to_le_bytes());
    hasher.update(fields);
    hasher.finalize()
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            identity: Identity { store: 1 << 99 | 7, hash_seed: 3, created_millis: 4 },
            number: SegmentNumber::new(5),
            previous_end: 6_000,
            created_millis: 7,
            next_message: 8,
            first: SegmentNumber::new(2),
            length: 9,
        }
    }

    #[test]
    fn a_header_comes_back_and_no_flipped_bit_passes() {
        let sector = header().encode();
        assert_eq!(sector.len() as u64, BYTES);
        assert_eq!(Header::decode(&sector), Ok(header()));
        for bit in (0..FIELDS * 8).filter(|bit| !(80..96).contains(bit)) {
            let mut bent = sector.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bent), Ok(header()), "bit {bit}, and the copy");
            bent[COPY + bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&bent).is_err(), "bit {bit}");
        }
        for length in 0..FIELDS {
            assert!(Header::decode(&sector[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let mut sector = header().encode();
        (sector[8], sector[COPY + 8]) = (2, 2);
        assert_eq!(Header::decode(&sector), Err(HeaderError::Newer(2)));
    }
}
