use std::net::IpAddr;

use plexus_access::{Network, Wildcard};
use plexus_stdx::{HashMap, Seed};
use plexus_types::Instant;

/// Who is banned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A client identifier, of a tenant as [`TenantName::place`](plexus_types::TenantName::place) makes it; `*` in
    /// it stands for anything.
    Client(Box<str>),
    /// A user name, likewise.
    User(Box<str>),
    /// An address or a network.
    Network(Network),
}

/// Somebody who is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Who.
    pub subject: Subject,
    /// Why, for the log.
    pub reason: Box<str>,
    /// Until when; `None` for until it is taken back.
    pub until: Option<Instant>,
}

impl Ban {
    fn holds(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    fn ends(&self) -> Instant {
        self.until.unwrap_or(Instant::FAR_FUTURE)
    }
}

/// Names, and those with `*`.
#[derive(Debug, Clone)]
struct Names {
    exact: HashMap<Box<str>, usize>,
    /// With whether they are names of a tenant's: what says nothing of a tenant means nobody of one.
    wild: Vec<(Wildcard, bool, usize)>,
}

/// The bits of a network of either kind: whether it is IPv6, how many, and which, from the highest bit.
type Prefix = (bool, u8, u128);

/// Everybody who is banned. Who is meant by his own name or a network is found in the same time however
/// many there are; names with `*` are tried one after the other.
#[derive(Debug, Clone)]
pub struct Bans {
    all: Vec<Ban>,
    clients: Names,
    users: Names,
    networks: HashMap<Prefix, usize>,
    /// The kinds and lengths of the networks, each once.
    lengths: Vec<(bool, u8)>,
}

impl Bans {
    /// These bans. Where two are of the same, the one that ends later holds.
    pub fn new(all: Vec<Ban>, seed: Seed) -> Self {
        let names = || Names { exact: seed.map(), wild: Vec::new() };
        let (clients, users) = (names(), names());
        let mut bans = Self { all, clients, users, networks: seed.map(), lengths: Vec::new() };
        for at in 0..bans.all.len() {
            bans.file(at);
        }
        bans
    }

    /// All of them, in the order in which they were given, but for those of which another of the same subject ends
    /// later.
    pub fn all(&self) -> &[Ban] {
        &self.all
    }

    /// How many there are, also those that have ended.
    pub const fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The ban of a client identifier.
    pub fn of_client(&self, now: Instant, client: &str) -> Option<&Ban> {
        self.of_name(now, &self.clients, client)
    }

    /// The ban of a user name.
    pub fn of_user(&self, now: Instant, user: &str) -> Option<&Ban> {
        self.of_name(now, &self.users, user)
    }

    /// The ban of an address; an IPv4 address that comes as an IPv6 one (`::ffff:…`) is what it is.
    pub fn of_address(&self, now: Instant, address: IpAddr) -> Option<&Ban> {
        let found = self.lengths.iter().filter_map(|(is_v6, bits)| {
            let prefix = prefix_of(address, *bits).filter(|(kind, ..)| kind == is_v6)?;
            self.held(now, *self.networks.get(&prefix)?)
        });
        found.max_by_key(|ban| ban.ends())
    }

    /// Puts one where it is found.
    fn file(&mut self, at: usize) {
        let Some(ban) = self.all.get(at) else { return };
        let earlier = match &ban.subject {
            Subject::Client(name) => self.clients.file(name, at),
            Subject::User(name) => self.users.file(name, at),
            Subject::Network(network) => {
                let Some(prefix) = prefix_of(network.address(), network.bits()) else { return };
                let length = (prefix.0, prefix.1);
                if !self.lengths.contains(&length) {
                    self.lengths.push(length);
                }
                self.networks.insert(prefix, at)
            }
        };
        // The later one was put in its place: it stays there only if it ends later.
        let Some(earlier) = earlier else { return };
        let ends = |at: usize| self.all.get(at).map(Ban::ends);
        if ends(earlier) > ends(at) {
            self.all.swap(earlier, at);
        }
    }

    fn of_name(&self, now: Instant, names: &Names, name: &str) -> Option<&Ban> {
        let exact = names.exact.get(name).and_then(|at| self.held(now, *at));
        exact.or_else(|| {
            let of_tenant = is_of_tenant(name);
            let mut meant = names
                .wild
                .iter()
                .filter(|(wildcard, of, _)| *of == of_tenant && wildcard.matches(name));
            meant.find_map(|(.., at)| self.held(now, *at))
        })
    }

    fn held(&self, now: Instant, at: usize) -> Option<&Ban> {
        self.all.get(at).filter(|ban| ban.holds(now))
    }
}

impl Names {
    /// Puts a name there; yields the ban that had the same name.
    fn file(&mut self, name: &str, at: usize) -> Option<usize> {
        if name.contains('*') {
            self.wild.push((Wildcard::new(name), is_of_tenant(name), at));
            return None;
        }
        self.exact.insert(name.into(), at)
    }
}

/// Whether it is a name as [`TenantName::place`](plexus_types::TenantName::place) makes it.
fn is_of_tenant(name: &str) -> bool {
    name.starts_with('\0')
}

/// The first bits of an address, if it has so many.
fn prefix_of(address: IpAddr, bits: u8) -> Option<Prefix> {
    let (is_v6, all, most) = match address.to_canonical() {
        IpAddr::V4(address) => (false, u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (true, address.to_bits(), 128),
    };
    let masked = match bits {
        0 => 0,
        bits => all & u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0),
    };
    (bits <= most).then_some((is_v6, bits, masked))
}

#[cfg(test)]
mod tests;
