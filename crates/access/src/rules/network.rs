use std::{fmt, net::IpAddr, str::FromStr};

/// The addresses that begin with the same bits, such as `10.0.0.0/8`; an address alone is a network of
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not an address, or not a number of bits behind `/`.
    #[error("is no address and no network such as `10.0.0.0/8` or `fd00::/8`")]
    Form,
    /// More bits than an address has.
    #[error("has {0} bits; an address of its kind has {1}")]
    Bits(u8, u8),
    /// Something stands behind the bits: whoever wrote it may have meant another network.
    #[error("has bits set behind the first {1}; the network is {0}/{1}")]
    Host(IpAddr, u8),
}

impl Network {
    /// The first address that is in it.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits its addresses have in common.
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether the address is in it. IPv4 addresses that come as IPv6 ones (`::ffff:…`) count as what they
    /// are.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                first(u128::from(own.to_bits()) << 96, self.bits)
                    == first(u128::from(other.to_bits()) << 96, self.bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                first(own.to_bits(), self.bits) == first(other.to_bits(), self.bits)
            }
            _ => false,
        }
    }
}

/// The first bits of an address that begins at the highest bit, the others zero.
fn first(address: u128, bits: u8) -> u128 {
    match bits {
        0 => 0,
        bits => address & u128::MAX << (128 - u32::from(bits)),
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), str::parse).map_err(|_| NetworkError::Form)?;
        if bits > bits_max {
            return Err(NetworkError::Bits(bits, bits_max));
        }
        let network = match address {
            IpAddr::V4(own) => {
                let own = first(u128::from(own.to_bits()) << 96, bits) >> 96;
                IpAddr::from(u32::try_from(own).unwrap_or(0).to_be_bytes())
            }
            IpAddr::V6(own) => IpAddr::from(first(own.to_bits(), bits).to_be_bytes()),
        };
        if network != address {
            return Err(NetworkError::Host(network, bits));
        }
        Ok(match address.to_canonical() {
            short @ IpAddr::V4(_) if address.is_ipv6() && bits >= 96 => {
                Self { address: short, bits: bits - 96 }
            }
            _ => Self { address, bits },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}
