//! The fences of a node, as the porch and the shards share them: asked and told when somebody connects, and
//! never for a message.

mod pools;
mod seats;

use std::{
    borrow::Cow,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use plexus_access::Outcome;
use plexus_fences::{Ban, Bans, Flapping, FlappingOptions, Lockout, LockoutOptions, Place, Rate};
use plexus_stdx::Seed;
use plexus_types::{Instant, ReasonCode, TenantName};

use self::pools::Pools;
pub use self::seats::{Seat, Seats};
use crate::{Pool, Quota};

/// What fences a node has.
#[derive(Debug, Clone)]
pub struct FenceOptions {
    /// Who is banned from the start.
    pub bans: Arc<Bans>,
    /// When failed log-ins lock out; `None` for never.
    pub lockout: Option<LockoutOptions>,
    /// When a client flaps; `None` for never.
    pub flapping: Option<FlappingOptions>,
    /// Connections of one user name; zero for no limit.
    pub connections_of_user_max: usize,
    /// Connections from one place; zero for no limit.
    pub connections_of_place_max: usize,
    /// What the clients of one user name may have together.
    pub quota_of_user: Quota,
    /// What those from one place may have together.
    pub quota_of_place: Quota,
    /// How many may come to the node in a time; `None` for no limit.
    pub connection_rate: Option<Rate>,
    /// How many may come from one place in a time; `None` for no limit.
    pub connection_rate_of_place: Option<Rate>,
    /// Connections from one place that have not yet sent CONNECT; zero for no limit.
    pub handshakes_of_place_max: usize,
    /// Bytes of all CONNECTs that are still on their way, beside the first 4 KiB of each.
    pub handshake_bytes_max: usize,
}

/// The lock-out, and no fence else but those of memory.
impl Default for FenceOptions {
    fn default() -> Self {
        Self {
            bans: Arc::new(Bans::new(Vec::new(), Seed::new(0))),
            lockout: Some(LockoutOptions::default()),
            flapping: None,
            connections_of_user_max: 0,
            connections_of_place_max: 0,
            quota_of_user: Quota::default(),
            quota_of_place: Quota::default(),
            connection_rate: None,
            connection_rate_of_place: None,
            handshakes_of_place_max: 0,
            handshake_bytes_max: 128 * 1024 * 1024,
        }
    }
}

macro_rules! fences {
    ($($(#[$doc:meta])* $name:ident = $level:literal, $reason:ident;)*) => {
        /// What keeps somebody out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fence {
            $($(#[$doc])* $name,)*
        }

        impl Fence {
            /// All of them, in their order.
            const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its level in `$SYS` and its name in the log.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $level,)* }
            }

            /// What is said to whoever meets it.
            pub const fn reason(self) -> ReasonCode {
                match self { $(Self::$name => ReasonCode::$reason,)* }
            }
        }
    };
}

fences! {
    /// A ban of the operator.
    Ban = "banned", Banned;
    /// Too many failed log-ins.
    Lockout = "locked_out", ConnectionRateExceeded;
    /// The client has come too often.
    Flapping = "flapping", Banned;
    /// Too many connections in a time: of the node, the listener or the place.
    Rate = "rate", ConnectionRateExceeded;
    /// Too many connections of the node or the listener.
    Connections = "connections", QuotaExceeded;
    /// Too many connections from the place.
    Place = "address", QuotaExceeded;
    /// Too many connections of the user name.
    User = "user", QuotaExceeded;
    /// Too many connections without CONNECT, or too many bytes of it.
    Handshakes = "handshakes", QuotaExceeded;
    /// Memory is short.
    Memory = "memory", ServerBusy;
}

/// Where bans stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BansFrom {
    /// In the configuration.
    File,
    /// They were made while the node runs.
    Api,
}

/// Who comes, as far as he has said.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// The client identifier.
    pub client: &'a str,
    /// The user name.
    pub user: Option<&'a str>,
    /// The address, behind a proxy the real one; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// The tenant, as far as it is known: of two tenants' clients neither is the other, whatever they are called.
    pub tenant: Option<&'a TenantName>,
}

impl<'a> Who<'a> {
    fn place(self) -> Option<Place> {
        self.peer.map(Place::of)
    }

    /// What failures are counted by: clients that give no user name are many, and one of them is not the others.
    fn name(self) -> Cow<'a, str> {
        named(self.tenant, self.user.unwrap_or(self.client))
    }

    fn client(self) -> Cow<'a, str> {
        named(self.tenant, self.client)
    }
}

/// What goes by that name in the tenant.
fn named<'a>(tenant: Option<&TenantName>, name: &'a str) -> Cow<'a, str> {
    tenant.map_or(Cow::Borrowed(name), |tenant| Cow::Owned(tenant.place(name)))
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Fences {
    bans: RwLock<Arc<Bans>>,
    /// Those by where they stand.
    parts: Mutex<[Vec<Ban>; 2]>,
    seed: Seed,
    lockout: Option<Mutex<Lockout>>,
    flapping: Option<Mutex<Flapping>>,
    users: Option<Arc<Seats>>,
    pools_of_users: Option<Pools>,
    pools_of_places: Option<Pools>,
    /// How many met each of [`Fence::ALL`].
    refused: Vec<AtomicU64>,
}

impl Fences {
    /// The fences of a node.
    pub fn new(options: &FenceOptions, seed: Seed) -> Self {
        Self {
            bans: RwLock::new(Arc::clone(&options.bans)),
            parts: Mutex::new([options.bans.all().to_vec(), Vec::new()]),
            seed,
            lockout: options.lockout.map(|options| Mutex::new(Lockout::new(options, seed))),
            flapping: options.flapping.map(|options| Mutex::new(Flapping::new(options, seed))),
            users: Seats::new(options.connections_of_user_max, seed),
            pools_of_users: Pools::new(options.quota_of_user, seed),
            pools_of_places: Pools::new(options.quota_of_place, seed),
            refused: Fence::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Puts other bans in the place of those that stand there; those that stand elsewhere hold on. Who is connected is
    /// not touched by that.
    pub fn replace_bans(&self, whence: BansFrom, bans: Vec<Ban>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let [file, api] = &mut *parts;
        match whence {
            BansFrom::File => *file = bans,
            BansFrom::Api => *api = bans,
        }
        let all = file.iter().chain(&*api).cloned().collect();
        let bans = Arc::new(Bans::new(all, self.seed));
        let mut now = self.bans.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *now, bans);
        drop(now);
        drop(parts);
        // A hundred thousand take their time to be freed, which nobody has to wait for.
        drop(old);
    }

    /// The bans that stand in the configuration.
    pub fn bans_of_file(&self) -> Vec<Ban> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let [file, _] = &*parts;
        file.clone()
    }

    /// The bans of now.
    pub fn bans(&self) -> Arc<Bans> {
        Arc::clone(&self.bans.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether somebody may come from that address at all.
    pub fn ask_address(&self, now: Instant, address: IpAddr) -> Result<(), Fence> {
        let bans = self.bans();
        match bans.of_address(now, address) {
            Some(ban) => {
                tracing::info!(%address, reason = %ban.reason, "a banned address");
                Err(self.count(Fence::Ban))
            }
            None => Ok(()),
        }
    }

    /// What the operator has written beside the ban of somebody; before CONNECT it is one of his address.
    pub fn reason_of_ban(
        &self,
        now: Instant,
        who: Option<Who<'_>>,
        peer: Option<IpAddr>,
    ) -> Box<str> {
        let bans = self.bans();
        let ban = match who {
            Some(who) => ban_of(&bans, now, who),
            None => peer.and_then(|address| bans.of_address(now, address)),
        };
        ban.map(|ban| ban.reason.clone()).unwrap_or_default()
    }

    /// Whether somebody is to be listened to, before anybody looks at his credentials.
    pub fn ask(&self, now: Instant, who: Who<'_>) -> Result<(), Fence> {
        if is_banned(&self.bans(), now, who) {
            return Err(self.count(Fence::Ban));
        }
        let flaps = self.flapping.as_ref().and_then(|flapping| {
            let flapping = flapping.lock().unwrap_or_else(PoisonError::into_inner);
            flapping.banned_until(now, &who.client(), who.place())
        });
        if flaps.is_some() {
            return Err(self.count(Fence::Flapping));
        }
        self.ask_lockout(now, who)
    }

    /// Whether he has failed too often. It is asked again right before a slow check: whoever sends many
    /// at once finds them judged one after the other.
    pub fn ask_lockout(&self, now: Instant, who: Who<'_>) -> Result<(), Fence> {
        let locked = self.lockout.as_ref().and_then(|lockout| {
            let lockout = lockout.lock().unwrap_or_else(PoisonError::into_inner);
            lockout.locked_until(now, Some(&*who.name()), who.place())
        });
        locked.map_or(Ok(()), |_| Err(self.count(Fence::Lockout)))
    }

    /// The verdict on his credentials, which is counted where it is found: before the next one is.
    pub fn note_verdict(&self, now: Instant, who: Who<'_>, verdict: Result<(), ReasonCode>) {
        let Some(lockout) = &self.lockout else { return };
        let mut lockout = lockout.lock().unwrap_or_else(PoisonError::into_inner);
        match verdict {
            Ok(()) => lockout.note_success(now, Some(&*who.name()), who.place()),
            Err(ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized) => {
                lockout.note_failure(now, Some(&*who.name()), who.place());
            }
            // That nobody could look at them says nothing about who he is.
            Err(_) => {}
        }
    }

    /// The same of an outcome; of an exchange that goes on nothing is known yet.
    pub fn note_outcome(&self, now: Instant, who: Who<'_>, outcome: &Outcome) {
        match outcome {
            Outcome::Allow(rights, _) => {
                // What was proved is known better from now on, not what was given.
                let user = rights.user_name.as_deref().or(who.user);
                let tenant = rights.tenant.as_ref().or(who.tenant);
                self.note_verdict(now, Who { user, tenant, ..who }, Ok(()));
            }
            Outcome::Deny(reason) => self.note_verdict(now, who, Err(*reason)),
            Outcome::Continue(..) => {}
        }
    }

    /// The verdict is there, and counted; what follows from it. A check that took long does not let in who has
    /// been banned meanwhile.
    pub fn judge(
        &self,
        now: Instant,
        who: Who<'_>,
        verdict: Result<(), ReasonCode>,
    ) -> Result<(), ReasonCode> {
        verdict?;
        if is_banned(&self.bans(), now, who) {
            return Err(self.count(Fence::Ban).reason());
        }
        let Some(flapping) = &self.flapping else { return Ok(()) };
        let mut flapping = flapping.lock().unwrap_or_else(PoisonError::into_inner);
        let (client, place) = (who.client(), who.place());
        // By its tenant it may be known only now.
        let banned = flapping.banned_until(now, &client, place);
        match banned.or_else(|| flapping.note_connect(now, &client, place)) {
            Some(_) => Err(self.count(Fence::Flapping).reason()),
            None => Ok(()),
        }
    }

    /// A connection of that user name of the tenant; none where there is no limit or no name.
    pub fn seat(
        &self,
        tenant: Option<&TenantName>,
        user: Option<&str>,
    ) -> Result<Option<Seat>, Fence> {
        let Some((seats, user)) = self.users.as_ref().zip(user) else { return Ok(None) };
        seats.take(&&*named(tenant, user)).map(Some).ok_or_else(|| self.count(Fence::User))
    }

    /// Whether clients share anything with others of their user name or place.
    pub const fn have_pools(&self) -> bool {
        self.pools_of_users.is_some() || self.pools_of_places.is_some()
    }

    /// What a client shares with others of its user name and its place, as far as that is limited.
    pub fn pools(
        &self,
        now: Instant,
        tenant: Option<&TenantName>,
        user: Option<&str>,
        peer: Option<IpAddr>,
    ) -> impl Iterator<Item = Arc<Pool>> {
        let of_user = self.pools_of_users.as_ref().zip(user);
        let of_user = of_user.and_then(|(pools, user)| pools.of(now, &&*named(tenant, user)));
        let of_place = self.pools_of_places.as_ref().zip(peer);
        let of_place = of_place.and_then(|(pools, peer)| pools.of(now, &Place::of(peer)));
        of_user.into_iter().chain(of_place)
    }

    /// Counts somebody who met a fence.
    pub fn count(&self, fence: Fence) -> Fence {
        if let Some(counter) = self.refused.get(fence as usize) {
            counter.fetch_add(1, Relaxed);
        }
        fence
    }

    /// How many met each fence, by its name.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Fence::ALL
            .iter()
            .zip(&self.refused)
            .map(|(fence, count)| (fence.name(), count.load(Relaxed)))
    }
}

/// Whether that client is banned, by any of what is known of it.
pub fn is_banned(bans: &Bans, now: Instant, who: Who<'_>) -> bool {
    ban_of(bans, now, who).is_some()
}

fn ban_of<'a>(bans: &'a Bans, now: Instant, who: Who<'_>) -> Option<&'a Ban> {
    if bans.is_empty() {
        return None;
    }
    let of_user = || bans.of_user(now, &named(who.tenant, who.user?));
    let of_address = || bans.of_address(now, who.peer?);
    bans.of_client(now, &who.client()).or_else(of_user).or_else(of_address)
}

#[cfg(test)]
mod tests;
