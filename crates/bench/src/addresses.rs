//! Source addresses as a person writes them: `127.0.0.2-127.0.0.20,10.0.0.7`.

use std::net::{IpAddr, Ipv4Addr};

/// Addresses that one list may name.
const ADDRESSES_MAX: usize = 65_536;

/// Why a text is no list of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// One of its members is no address.
    #[error("`{0}` is no address; write for example 127.0.0.2 or 127.0.0.2-127.0.0.20")]
    Address(String),
    /// A range that runs backwards or is not one of IPv4.
    #[error("`{0}` is no range; write two IPv4 addresses, the lower one first")]
    Range(String),
    /// More than anybody needs.
    #[error("more than {ADDRESSES_MAX} addresses")]
    TooMany,
}

/// Reads addresses and ranges of addresses with commas between.
pub fn addresses(text: &str) -> Result<Vec<IpAddr>, AddressError> {
    let mut found = Vec::new();
    for member in text.split(',').map(str::trim) {
        match member.split_once('-') {
            None => found.push(one(member)?),
            Some((first, last)) => {
                let (IpAddr::V4(first), IpAddr::V4(last)) = (one(first)?, one(last)?) else {
                    return Err(AddressError::Range(member.to_owned()));
                };
                let (first, last) = (first.to_bits(), last.to_bits());
                if first > last {
                    return Err(AddressError::Range(member.to_owned()));
                }
                if (last - first) as usize >= ADDRESSES_MAX {
                    return Err(AddressError::TooMany);
                }
                found.extend((first..=last).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))));
            }
        }
    }
    if found.len() > ADDRESSES_MAX { Err(AddressError::TooMany) } else { Ok(found) }
}

fn one(text: &str) -> Result<IpAddr, AddressError> {
    text.trim().parse().map_err(|_| AddressError::Address(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lists_of_addresses_are_read() {
        let found = addresses("127.0.0.2-127.0.0.4, 10.0.0.7,::1").unwrap();
        let texts = found.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts, ["127.0.0.2", "127.0.0.3", "127.0.0.4", "10.0.0.7", "::1"]);
    }

    #[test]
    fn what_is_none_is_named() {
        let address = |text: &str| Err(AddressError::Address(text.to_owned()));
        assert_eq!(addresses("localhost"), address("localhost"));
        assert_eq!(addresses(""), address(""));
        assert_eq!(addresses("10.0.0.1-x"), address("x"));
        let backwards = "10.0.0.9-10.0.0.1";
        assert_eq!(addresses(backwards), Err(AddressError::Range(backwards.to_owned())));
        assert!(matches!(addresses("::1-::2"), Err(AddressError::Range(_))));
        assert_eq!(addresses("0.0.0.0-255.255.255.255"), Err(AddressError::TooMany));
    }
}
