use std::{collections::BTreeSet, fmt, pin::Pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bytes::Bytes;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{JwkSet, PublicKeyUse},
};
use plexus_runtime::{Handle, Task, unix_now};
use plexus_types::Instant;
use tokio::sync::Mutex;

/// Keys of one set, at most.
const KEYS_MAX: usize = 100;
/// A key that is not known is looked for, but not more often than that.
const SOONEST: Duration = Duration::from_secs(10);

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
    fetch: Fetch,
    /// When they were last asked for.
    asked: Mutex<Option<Instant>>,
    /// Keeps what renews them alive.
    _renewal: Task,
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
    /// names a key that is not known. Until it has come, no token is believed.
    pub fn published(fetch: Fetch, every: Duration, runtime: &Handle) -> Self {
        let known = Arc::new(ArcSwap::from_pointee(Vec::new()));
        let (to, again) = (Arc::clone(&known), Arc::clone(&fetch));
        let renewal = runtime.own(async move {
            let mut patience = Duration::from_secs(1);
            loop {
                // Soon again after a failure, and less and less so.
                let wait = if renew(&to, &again).await {
                    patience = Duration::from_secs(1);
                    every
                } else {
                    patience = (patience * 2).min(every);
                    patience
                };
                tokio::time::sleep(wait).await;
            }
        });
        let published = Published { fetch, asked: Mutex::new(None), _renewal: renewal };
        Self { known, published: Some(Arc::new(published)) }
    }

    /// The keys that may have signed a token with that header.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let found = self.look_up(id, algorithm);
        let Some(published) = self.published.as_ref().filter(|_| found.is_empty()) else {
            return found;
        };
        // One asks, the others wait for what it gets.
        let mut asked = published.asked.lock().await;
        let found = self.look_up(id, algorithm);
        let now = unix_now();
        if !found.is_empty() || asked.is_some_and(|at| now < at + SOONEST) {
            return found;
        }
        *asked = Some(now);
        renew(&self.known, &published.fetch).await;
        self.look_up(id, algorithm)
    }

    fn look_up(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
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
