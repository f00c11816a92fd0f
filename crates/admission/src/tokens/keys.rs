use std::{
    collections::BTreeSet,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{JwkSet, PublicKeyUse},
};
use plexus_runtime::{Handle, Task, unix_now};
use plexus_types::Instant;
use tokio::sync::{Notify, Semaphore, watch};

/// Keys of one set, at most.
const KEYS_MAX: usize = 100;
/// A key that is not known is looked for, but not more often than that.
const SOONEST: Duration = Duration::from_secs(10);
/// How long a client waits for the set that is on its way. Whoever publishes it may never answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Clients that wait for it at the same time; further ones are judged by the keys of before.
const WAITING_MAX: usize = 256;

/// A set of keys that is on its way.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send>>;
/// Gets the set of keys (RFC 7517) from where it is published.
pub type Fetch = Arc<dyn Fn() -> Fetching + Send + Sync>;

/// Why there is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No public key that is known.
    #[error("holds no public key in PEM form (RSA, EC or Ed25519)")]
    Pem,
    /// No secret.
    #[error("is empty")]
    Empty,
    /// No set of keys.
    #[error("is no JSON Web Key Set: {0}")]
    Set(String),
    /// None of the keys can be used.
    #[error("has no key that can be used for signatures")]
    NoKey,
}

/// The keys that sign tokens; where they are published somewhere, those of now.
#[derive(Clone)]
pub struct Keys {
    known: Arc<ArcSwap<Vec<Key>>>,
    published: Option<Arc<Published>>,
}

struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it says so.
    algorithm: Option<String>,
    decoder: DecodingKey,
}

/// Keys that are published somewhere.
struct Published {
    /// Has whoever renews them do it now.
    wish: Arc<Notify>,
    /// Whether they are on their way.
    under_way: Arc<watch::Sender<bool>>,
    /// When a client last had them asked for.
    asked: Mutex<Option<Instant>>,
    waiting: Semaphore,
    /// Keeps what renews them alive.
    _renewal: Task,
}

impl Published {
    /// Whether a set is on its way, or may be asked for and now is.
    fn is_coming(&self, now: Instant) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.under_way.borrow() {
            return true;
        }
        if asked.is_some_and(|at| now < at + SOONEST) {
            return false;
        }
        *asked = Some(now);
        self.under_way.send_replace(true);
        self.wish.notify_one();
        true
    }
}

impl Keys {
    fn of(keys: Vec<Key>) -> Self {
        Self { known: Arc::new(ArcSwap::from_pointee(keys)), published: None }
    }

    /// A secret that both sides share.
    pub fn secret(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        let key = DecodingKey::from_secret(secret);
        Ok(Self::of(vec![Key { id: None, algorithm: None, decoder: key }]))
    }

    /// A public key as PEM.
    pub fn pem(text: &[u8]) -> Result<Self, KeyError> {
        let key = DecodingKey::from_rsa_pem(text)
            .or_else(|_| DecodingKey::from_ec_pem(text))
            .or_else(|_| DecodingKey::from_ed_pem(text))
            .map_err(|_| KeyError::Pem)?;
        Ok(Self::of(vec![Key { id: None, algorithm: None, decoder: key }]))
    }

    /// A set of keys (RFC 7517).
    pub fn set(text: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::of(read_set(text)?))
    }

    /// A set that is published somewhere: asked for now, again after each `every`, and when a token
    /// names a key that is not known. Until it has come, the keys of before hold, if there were any.
    pub fn published(
        fetch: Fetch,
        every: Duration,
        before: Option<&Self>,
        runtime: &Handle,
    ) -> Self {
        let before = before.map(|keys| keys.known.load_full());
        let known = Arc::new(ArcSwap::new(before.unwrap_or_default()));
        let (wish, under_way) = (Arc::<Notify>::default(), Arc::new(watch::Sender::new(true)));
        let (to, wished, says) = (Arc::clone(&known), Arc::clone(&wish), Arc::clone(&under_way));
        let renewal = runtime.own(async move {
            let mut patience = Duration::from_secs(1);
            loop {
                says.send_replace(true);
                // Soon again after a failure, and less and less so.
                let wait = if renew(&to, &fetch).await {
                    patience = Duration::from_secs(1);
                    every
                } else {
                    patience = (patience * 2).min(every);
                    patience
                };
                says.send_replace(false);
                // Nothing else comes of its end: either is a reason to ask.
                drop(tokio::time::timeout(wait, wished.notified()).await);
            }
        });
        let published = Published {
            wish,
            under_way,
            asked: Mutex::new(None),
            waiting: Semaphore::new(WAITING_MAX),
            _renewal: renewal,
        };
        Self { known, published: Some(Arc::new(published)) }
    }

    /// Whether they come from elsewhere, and may change.
    pub(super) fn are_published(&self) -> bool {
        self.published.is_some()
    }

    /// Waits for the set that is on its way, or now asked for, where no key of before may have signed a token
    /// with that header; for a moment only, and in company that is not too large.
    pub(super) async fn await_key(&self, id: Option<&str>, algorithm: Algorithm) {
        let Some(published) = &self.published else { return };
        let mut under_way = published.under_way.subscribe();
        if !self.find(id, algorithm).is_empty() || !published.is_coming(unix_now()) {
            return;
        }
        let Ok(_waits) = published.waiting.try_acquire() else { return };
        // What has come by then is found, or is not.
        drop(tokio::time::timeout(PATIENCE, under_way.wait_for(|is| !is)).await);
    }

    /// The keys that may have signed a token with that header.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let known = self.known.load();
        let name = format!("{algorithm:?}");
        // The kind of the key decides what it may verify, never the token alone: a public key is not
        // to be taken for a secret.
        let fits = |key: &&Key| {
            key.decoder.family() == algorithm.family()
                && key.algorithm.as_ref().is_none_or(|own| *own == name)
                && (id.is_none() || key.id.is_none() || key.id.as_deref() == id)
        };
        known.iter().filter(fits).map(|key| key.decoder.clone()).collect()
    }
}

/// Asks for the set; whether it has come.
async fn renew(known: &ArcSwap<Vec<Key>>, fetch: &Fetch) -> bool {
    let read = |text: Bytes| read_set(&text).map_err(|error| error.to_string());
    match fetch().await.and_then(read) {
        Ok(keys) => {
            let ids = |keys: &[Key]| {
                keys.iter().filter_map(|key| key.id.clone()).collect::<BTreeSet<_>>()
            };
            let (old, new) = (ids(&known.load()), ids(&keys));
            if old != new {
                tracing::info!(keys = keys.len(), "the keys that sign tokens have changed");
            }
            known.store(Arc::new(keys));
            true
        }
        Err(error) => {
            // Those of before hold on: who publishes them is away, not the tokens' maker.
            tracing::warn!(error, "the keys that sign tokens cannot be read anew");
            false
        }
    }
}

fn read_set(text: &[u8]) -> Result<Vec<Key>, KeyError> {
    let set: JwkSet =
        serde_json::from_slice(text).map_err(|error| KeyError::Set(error.to_string()))?;
    let mut keys = Vec::new();
    for jwk in set.keys.iter().take(KEYS_MAX) {
        let common = &jwk.common;
        let signs = !matches!(common.public_key_use, Some(PublicKeyUse::Encryption));
        let Some(key) = DecodingKey::from_jwk(jwk).ok().filter(|_| signs) else { continue };
        // A secret that is published is none.
        if key.family() == AlgorithmFamily::Hmac {
            continue;
        }
        let algorithm = common.key_algorithm.map(|algorithm| algorithm.to_string());
        keys.push(Key { id: common.key_id.clone(), algorithm, decoder: key });
    }
    if keys.is_empty() { Err(KeyError::NoKey) } else { Ok(keys) }
}

/// Shows no key.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("known", &self.known.load().len())
            .field("published", &self.published.is_some())
            .finish()
    }
}
