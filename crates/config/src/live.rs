//! What of access is put in the place of another while the node runs.

use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Release},
    },
};

use arc_swap::{ArcSwapOption, Guard};
use plexus_access::{Edition, NamedRules, Rules};
use plexus_admission::{Chain, Roster, UserBook, UserTable};
use plexus_stdx::Seed;

use crate::{
    admission::{Office, Steps},
    check::name_of,
    load::Config,
    report::ConfigError,
    settings::{ListenerSettings, UsersBy},
};

/// The rules of a running node. What replaces them holds from the next message on; what somebody is
/// subscribed to already has to be reviewed (`NodeHandle::review_access`).
#[derive(Debug, Clone, Default)]
pub struct LiveRules(Arc<Live>);

#[derive(Debug, Default)]
struct Live {
    rules: ArcSwapOption<Rules>,
    /// Those of single users and clients, which are not of the configuration.
    named: ArcSwapOption<NamedRules>,
    /// Which edition they are; its lowest bit says whether there are [`MANY`].
    edition: AtomicU64,
}

/// From so many rules on decisions are remembered: what it spares with fewer is not worth the memory
/// (docs/performance.md).
pub(crate) const MANY: usize = 4;

impl LiveRules {
    /// These rules, until others replace them; without any everything is allowed.
    pub fn new(rules: Option<Rules>) -> Self {
        let live = Self::default();
        live.replace(rules);
        live
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.load().is_some()
    }

    /// Puts other rules in their place; whether they differ.
    pub fn replace(&self, rules: Option<Rules>) -> bool {
        let rules = rules.map(Arc::new);
        let changed = self.0.rules.swap(rules.clone()) != rules;
        self.renew_edition();
        changed
    }

    /// Puts other rules of single users and clients in the place of those of before.
    pub fn replace_named(&self, named: Option<NamedRules>) {
        self.0.named.store(named.filter(|named| !named.is_empty()).map(Arc::new));
        self.renew_edition();
    }

    /// Behind the rules: see `Edition`.
    fn renew_edition(&self) {
        let listed = self.0.rules.load().as_ref().is_some_and(|rules| rules.len() >= MANY);
        let many = u64::from(listed || self.0.named.load().is_some());
        let next = |edition: u64| Some(((edition | 1) + 1) | many);
        let _: Result<u64, u64> = self.0.edition.fetch_update(Release, Acquire, next);
    }

    /// Those of now.
    pub(crate) fn load(&self) -> Guard<Option<Arc<Rules>>> {
        self.0.rules.load()
    }

    /// Those of single users and clients.
    pub(crate) fn named(&self) -> Guard<Option<Arc<NamedRules>>> {
        self.0.named.load()
    }

    /// The edition of now, and whether there are so many rules that decisions are worth remembering.
    pub(crate) fn edition(&self) -> (Edition, bool) {
        let edition = self.0.edition.load(Acquire);
        (Edition::new(edition), edition & 1 == 1)
    }
}

/// The chain of a listener.
#[derive(Debug, Clone, Default)]
pub(crate) struct LiveChain(Arc<ArcSwapOption<Chain>>);

impl LiveChain {
    pub(crate) fn new(chain: Option<Chain>) -> Self {
        Self(Arc::new(ArcSwapOption::from_pointee(chain)))
    }

    /// The one of now, if anybody is asked.
    pub(crate) fn load(&self) -> Guard<Option<Arc<Chain>>> {
        self.0.load()
    }

    /// Whether it may bring rules or attributes of a client.
    pub(crate) fn gives_rights(&self) -> bool {
        self.load().as_ref().is_some_and(|chain| chain.gives_rights())
    }
}

/// Who is asked about clients of a running node.
#[derive(Debug, Clone)]
pub struct LiveAuthenticators {
    /// The users of the node itself.
    users: Option<UserTable>,
    by: UsersBy,
    /// Users that are not of the configuration.
    roster: Roster,
    steps: Steps,
    /// What the file said of each listener, and its chain.
    listeners: Vec<(ListenerSettings, LiveChain)>,
}

impl LiveAuthenticators {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.listeners.iter().any(|(_, chain)| chain.load().is_some())
    }

    /// The users of the node itself, if it has any.
    pub fn users(&self) -> Option<&UserTable> {
        self.users.as_ref()
    }

    /// Users that are not of the configuration, whether they are asked for or not.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The chains of the listeners, in their order.
    pub(crate) fn chains(&self) -> impl Iterator<Item = &LiveChain> {
        self.listeners.iter().map(|(_, chain)| chain)
    }
}

impl Config {
    /// Makes the authenticators, and the users that are given in the place of those of the file.
    pub(crate) fn authenticators(
        &self,
        office: &Office<'_>,
        seed: Seed,
    ) -> Result<LiveAuthenticators, ConfigError> {
        let roster = Roster::default();
        let users = self.users(seed)?.map(|users| self.user_table(users, &roster, office));
        let steps = self.steps(office, users.as_ref(), &Steps::default(), seed)?;
        users.iter().for_each(UserTable::take_over);
        let chains = self.listeners().into_iter().map(|listener| {
            let chain = LiveChain::new(steps.chain(self, &listener, office));
            (listener, chain)
        });
        let (by, listeners) = (self.settings.access.users_by, chains.collect());
        Ok(LiveAuthenticators { users, by, roster, steps, listeners })
    }

    /// Those users, and those of the roster where they are asked for, as clients are compared with them.
    pub fn user_table(&self, users: UserBook, roster: &Roster, office: &Office<'_>) -> UserTable {
        let by = match self.settings.access.users_by {
            UsersBy::UserName => plexus_admission::UsersBy::UserName,
            UsersBy::ClientId => plexus_admission::UsersBy::ClientId,
        };
        let table = UserTable::new(users, by, office.runtime.clone());
        if self.settings.access.accounts { table.with(roster) } else { table }
    }

    /// Puts the authenticators of this configuration, with those users, in the place of the live ones: for all who
    /// connect from then on. An error leaves everything as it is.
    ///
    /// A listener that is not in this configuration any more keeps what it said itself: it is there until the
    /// next start.
    pub fn renew_authenticators(
        &self,
        live: &mut LiveAuthenticators,
        users: Option<UserTable>,
        office: &Office<'_>,
        seed: Seed,
    ) -> Result<(), ConfigError> {
        let steps = self.steps(office, users.as_ref(), &live.steps, seed)?;
        if live.any() && steps.is_empty() {
            // Without any everybody is let in.
            let message = "no authenticator would be left";
            return Err(ConfigError::one(self.mistake(&["access"], message)));
        }
        let fresh = self.listeners();
        let now_of = |was: &ListenerSettings| {
            fresh.iter().find(|is| is.url == was.url && is.name == was.name)
        };
        // The chain of one that is there until the next start must not become shorter by the way.
        for (was, _) in live.listeners.iter().filter(|(was, _)| now_of(was).is_none()) {
            if let Some(gone) = steps.missing(was) {
                let listener = name_of(was);
                let message = format!(
                    "the listener {listener} is there until the next start and asks `{gone}`"
                );
                let help = format!("leave `{gone}` in the file until the node is started anew");
                return Err(ConfigError::one(self.mistake(&["access"], message).with_help(help)));
            }
        }
        for (was, chain) in &mut live.listeners {
            if let Some(is) = now_of(was) {
                was.clone_from(is);
            }
            chain.0.store(steps.chain(self, was, office).map(Arc::new));
        }
        match &users {
            Some(users) if self.settings.access.accounts => users.take_over(),
            _ => live.roster.retire(),
        }
        (live.users, live.by, live.steps) = (users, self.settings.access.users_by, steps);
        Ok(())
    }

    /// Whether users are known by the same as those of the live authenticators.
    pub fn knows_users_alike(&self, live: &LiveAuthenticators) -> bool {
        self.settings.access.users_by == live.by
    }
}
