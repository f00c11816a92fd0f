use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
};

use arc_swap::ArcSwap;
use plexus_access::{Login, User};
use plexus_types::TenantName;

use crate::UserBook;

/// Users who come and go one by one while the node runs. Copies share them.
#[derive(Debug, Clone, Default)]
pub struct Roster(Arc<Inner>);

type ByTenant = BTreeMap<Option<TenantName>, BTreeMap<Box<str>, User>>;

#[derive(Debug, Default)]
struct Inner {
    users: RwLock<ByTenant>,
    /// Users of the configuration, who come first, while this roster is asked at all.
    before: RwLock<Weak<ArcSwap<UserBook>>>,
}

impl Roster {
    fn read(&self) -> RwLockReadGuard<'_, ByTenant> {
        self.0.users.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, ByTenant> {
        self.0.users.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stand_behind(&self, book: &Arc<ArcSwap<UserBook>>) {
        *self.0.before.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(book);
    }

    /// Nobody is asked for here any more, until users stand before it again.
    pub fn retire(&self) {
        *self.0.before.write().unwrap_or_else(PoisonError::into_inner) = Weak::new();
    }

    fn before(&self) -> Option<Arc<ArcSwap<UserBook>>> {
        self.0.before.read().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// Whether anybody is asked for here.
    pub fn is_asked(&self) -> bool {
        self.before().is_some()
    }

    /// Whether the configuration has a user of that name, who comes first.
    pub fn is_hidden(&self, tenant: Option<&TenantName>, name: &str) -> bool {
        let book = self.before();
        book.is_some_and(|book| book.load().of(tenant).is_some_and(|users| users.contains(name)))
    }

    /// Puts a user there, in the place of one of the same name.
    pub fn put(&self, tenant: Option<&TenantName>, name: &str, user: User) {
        self.write().entry(tenant.cloned()).or_default().insert(name.into(), user);
    }

    /// Takes a user out; whether there was one.
    pub fn remove(&self, tenant: Option<&TenantName>, name: &str) -> bool {
        let mut all = self.write();
        let users = all.get_mut(&tenant.cloned());
        users.is_some_and(|users| users.remove(name).is_some())
    }

    /// Whether there is a user of that name.
    pub fn contains(&self, tenant: Option<&TenantName>, name: &str) -> bool {
        let all = self.read();
        all.get(&tenant.cloned()).is_some_and(|users| users.contains_key(name))
    }

    /// The user of that name.
    pub fn find(&self, tenant: Option<&TenantName>, name: &str) -> Option<User> {
        self.read().get(&tenant.cloned())?.get(name).cloned()
    }

    /// How many there are, of all tenants and of none.
    pub fn len(&self) -> usize {
        self.read().values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tenants that have any, and none where those of no tenant are among them.
    pub fn tenants(&self) -> Vec<Option<TenantName>> {
        self.read().keys().cloned().collect()
    }

    /// Shows the users of a tenant, or of none, in the order of their names.
    pub fn walk(&self, tenant: Option<&TenantName>, mut see: impl FnMut(&str, &User)) {
        if let Some(users) = self.read().get(&tenant.cloned()) {
            for (name, user) in users {
                see(name, user);
            }
        }
    }

    /// Takes as long as a wrong password does.
    pub(crate) fn check_nobody(&self, password: &[u8]) -> Login {
        let somebody = self.read().values().find_map(|users| users.values().next().cloned());
        if let Some(user) = somebody {
            let _login = user.check(password);
        }
        Login::Unknown
    }
}
