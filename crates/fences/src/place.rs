use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Where somebody comes from, as far as he cannot choose it freely: an IPv4 address, or the first 64 bits
/// of an IPv6 one, because whoever has one address of such a network has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// An IPv4 address.
    V4(u32),
    /// The first half of an IPv6 address.
    V6(u64),
}

impl Place {
    /// The place of an address; an IPv4 address that comes as an IPv6 one (`::ffff:…`) is what it is.
    pub const fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(bits) => Ipv4Addr::from_bits(bits).fmt(f),
            Self::V6(bits) => write!(f, "{}/64", Ipv6Addr::from_bits(u128::from(bits) << 64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn an_ipv6_network_is_one_place_and_a_mapped_address_is_ipv4() {
        let place = |text: &str| Place::of(text.parse().unwrap());
        assert_eq!(place("2001:db8::1"), place("2001:db8::ffff:1"));
        assert_ne!(place("2001:db8::1"), place("2001:db8:0:1::1"));
        assert_eq!(place("::ffff:192.0.2.1"), place("192.0.2.1"));
        assert_eq!(place("2001:db8::1").to_string(), "2001:db8::/64");
        assert_eq!(place("192.0.2.1").to_string(), "192.0.2.1");
    }
}
