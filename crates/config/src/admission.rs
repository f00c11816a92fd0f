//! The authenticators of the file, as listeners ask them.

mod mistakes;

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_access::Wildcard;
use plexus_admission::{
    Authenticator, CertificateName, CertificateOptions, Certificates, Chain, Derived, Fetch,
    KeyError, Keys, Step, StepOptions, Strangers, TokenOptions, TokenSource, Tokens, UserTable,
};
use plexus_otlp::Collector;
use plexus_runtime::Handle;
use plexus_stdx::Seed;

use crate::{
    load::{Config, read_text},
    report::ConfigError,
    settings::{
        BackEnd, CertificateField, CertificateSettings, JwtSettings, ListenerSettings,
        TelemetrySettings, TokenPlace, USERS, UsersBy,
    },
};

/// Keys are short.
const KEY_FILE_SIZE_MAX: u64 = 1024 * 1024;

/// What reaches others than this machine's files: the program names those that it was built with.
pub trait BackEnds {
    /// Gets what is published at that address; only these authorities may vouch for its host, or
    /// those of the public web. The error says what is wrong with them.
    fn document(
        &self,
        url: &str,
        authorities: Option<&Path>,
        runtime: &Handle,
    ) -> Result<Fetch, String>;

    /// Makes the authenticator that asks a back end.
    fn authenticator(
        &self,
        back_end: BackEnd<'_>,
        secrets: &Secrets,
        runtime: &Handle,
    ) -> Result<Arc<dyn Authenticator>, Unfit>;

    /// Makes what speaks to a collector, whose endpoint is set.
    fn collector(
        &self,
        settings: &TelemetrySettings,
        headers: &Secrets,
        runtime: &Handle,
    ) -> Result<Arc<dyn Collector>, Unfit>;
}

/// Why a back end cannot be made: the key of its table, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The key.
    pub key: &'static str,
    /// What is wrong.
    pub problem: String,
}

/// The secrets of a back end, by their keys.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    pub(crate) fn put(&mut self, key: &str, secret: String) {
        self.0.insert(key.to_owned(), secret);
    }

    /// The one of that key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All of them by their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, secret)| (key.as_str(), secret.as_str()))
    }
}

/// Shows the keys only.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Where authenticators are made.
pub struct Office<'a> {
    /// Where they run.
    pub runtime: Handle,
    /// Of this process alone.
    pub secret: [u8; 32],
    /// How they reach others.
    pub back_ends: &'a dyn BackEnds,
}

impl fmt::Debug for Office<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Office").finish_non_exhaustive()
    }
}

/// All authenticators by their names, and the keys that are published at some address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps {
    all: Vec<Arc<Step>>,
    published: Vec<(String, Keys)>,
}

impl Steps {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// An authenticator that the listener names and that there is not.
    pub(crate) fn missing<'a>(&self, listener: &'a ListenerSettings) -> Option<&'a str> {
        let named = listener.chain.iter().chain(&listener.rules_from).flatten();
        named.map(String::as_str).find(|name| !self.all.iter().any(|step| step.name() == *name))
    }

    /// The chain of a listener.
    pub(crate) fn chain(
        &self,
        config: &Config,
        listener: &ListenerSettings,
        office: &Office<'_>,
    ) -> Option<Chain> {
        if self.all.is_empty() {
            return None;
        }
        let chain = listener.chain.as_ref().or(config.settings.access.chain.as_ref());
        let named = |name: &String| self.all.iter().find(|step| step.name() == name).cloned();
        let steps = match chain {
            Some(names) => names.iter().filter_map(named).collect(),
            None => self.all.clone(),
        };
        let sources = listener.rules_from.as_ref().or(config.settings.access.rules_from.as_ref());
        let sources = sources.into_iter().flatten().filter_map(named).collect();
        let strangers =
            if config.lets_strangers_in(listener) { Strangers::Admit } else { Strangers::Refuse };
        let chain = Chain::new(steps, strangers, office.runtime.clone());
        Some(chain.with_rules_from(sources).with(config.derived()))
    }
}

impl Config {
    /// What is made of what is known of clients.
    fn derived(&self) -> Arc<Derived> {
        let access = &self.settings.access;
        let attributes = access.attributes.iter();
        Arc::new(Derived {
            user_name: access.user_name.as_ref().map(|made| made.get().clone()),
            attributes: attributes.map(|(name, made)| (name.clone(), made.get().clone())).collect(),
        })
    }

    /// Makes the authenticators. What cannot be read stops the start: it must never mean that nobody is
    /// checked.
    pub(crate) fn steps(
        &self,
        office: &Office<'_>,
        users: Option<&UserTable>,
        before: &Steps,
        seed: Seed,
    ) -> Result<Steps, ConfigError> {
        let (mut steps, mut mistakes, mut published) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |name: &str, authenticator: Arc<dyn Authenticator>, options| {
            let when = self.settings.access.when.get(name).map(|when| when.get().clone());
            let step = Step::new(name, authenticator, options, &office.secret, seed).when(when);
            steps.push(Arc::new(step));
        };
        if let Some(users) = users {
            let proves_user_names = self.settings.access.users_by == UsersBy::UserName;
            let options = StepOptions { proves_user_names, ..StepOptions::OWN };
            add(USERS, Arc::new(users.clone()), options);
        }
        for settings in &self.settings.access.certificate {
            add(&settings.name, Arc::new(certificates(settings)), StepOptions::OWN);
        }
        for (index, jwt) in self.settings.access.jwt.iter().enumerate() {
            match self.tokens(index, jwt, (office, before)) {
                Ok((tokens, keys)) => {
                    published.extend(jwt.key_set_url.clone().map(|url| (url, keys)));
                    let proves_user_names = jwt.proves_user_names();
                    let options = StepOptions { proves_user_names, ..StepOptions::BACK_END };
                    add(&jwt.name, Arc::new(tokens), options);
                }
                Err(error) => mistakes.extend(error.diagnostics),
            }
        }
        for (index, back_end) in self.settings.access.back_ends() {
            match self.asked((back_end.kind(), index), back_end, office) {
                Ok(authenticator) => {
                    let proves_user_names = back_end.proves_user_names();
                    let options = StepOptions { proves_user_names, ..back_end.bounds() };
                    add(back_end.name(), authenticator, options);
                }
                Err(error) => mistakes.extend(error.diagnostics),
            }
        }
        if mistakes.is_empty() {
            Ok(Steps { all: steps, published })
        } else {
            Err(ConfigError { diagnostics: mistakes })
        }
    }

    /// Makes what asks a back end, which stands in that table.
    pub(crate) fn asked(
        &self,
        (kind, index): (&str, usize),
        back_end: BackEnd<'_>,
        office: &Office<'_>,
    ) -> Result<Arc<dyn Authenticator>, ConfigError> {
        let number = index.to_string();
        let table = ["access", kind, number.as_str()];
        let mut secrets = Secrets::default();
        for (path, secret) in back_end.secrets() {
            let text = self.secret(&[&table[..], &path].concat(), secret)?;
            secrets.put(path.last().copied().unwrap_or_default(), text);
        }
        let made = office.back_ends.authenticator(back_end, &secrets, &office.runtime);
        made.map_err(|Unfit { key, problem }| {
            let message = format!("`{key}` {problem}");
            ConfigError::one(self.mistake(&[&table[..], &[key]].concat(), message))
        })
    }

    fn tokens(
        &self,
        index: usize,
        jwt: &JwtSettings,
        from: (&Office<'_>, &Steps),
    ) -> Result<(Tokens, Keys), ConfigError> {
        let keys = self.keys(index, jwt, from)?;
        let algorithms = jwt.algorithms.iter().flatten();
        let options = TokenOptions {
            source: match jwt.token {
                TokenPlace::Password => TokenSource::Password,
                TokenPlace::UserName => TokenSource::UserName,
            },
            algorithms: algorithms.filter_map(|name| name.parse().ok()).collect(),
            required: jwt
                .claims
                .iter()
                .map(|(name, wanted)| (name.clone(), wanted.get().clone()))
                .collect(),
            leeway: jwt.leeway.get(),
            endless: jwt.endless,
            user_name_claim: jwt.user_name_claim.clone(),
            tenant_claim: jwt.tenant_claim.clone(),
            rules_claim: jwt.rules_claim.clone(),
            attributes_claim: jwt.attributes_claim.clone(),
        };
        Ok((Tokens::new(keys.clone(), options), keys))
    }

    fn keys(
        &self,
        index: usize,
        jwt: &JwtSettings,
        (office, before): (&Office<'_>, &Steps),
    ) -> Result<Keys, ConfigError> {
        let number = index.to_string();
        let at = |key: &'static str| ["access", "jwt", number.as_str(), key].map(str::to_owned);
        let wrong = |key, message: String| {
            let path = at(key);
            let path = path.each_ref().map(String::as_str);
            ConfigError::one(self.mistake(&path, message))
        };
        let of_file = |key, path: &Path, read: fn(&[u8]) -> Result<Keys, KeyError>| {
            let text = read_text(path, KEY_FILE_SIZE_MAX).map_err(|error| {
                let said = error.diagnostics.into_iter().map(|one| one.message).collect::<String>();
                wrong(key, format!("{}: {said}", path.display()))
            })?;
            read(text.as_bytes()).map_err(|error| wrong(key, format!("{} {error}", path.display())))
        };
        if let Some(secret) = &jwt.secret {
            let path = at("secret");
            let text = self.secret(&path.each_ref().map(String::as_str), secret)?;
            let bytes = if jwt.secret_base64 {
                let decoded = STANDARD.decode(text.trim());
                decoded
                    .map_err(|error| wrong("secret", format!("the secret is no base64: {error}")))?
            } else {
                text.into_bytes()
            };
            return Keys::secret(&bytes)
                .map_err(|error| wrong("secret", format!("the secret {error}")));
        }
        if let Some(path) = &jwt.public_key_file {
            return of_file("public_key_file", path, Keys::pem);
        }
        if let Some(path) = &jwt.key_set_file {
            return of_file("key_set_file", path, Keys::set);
        }
        let Some(url) = &jwt.key_set_url else {
            return Err(wrong("name", NO_KEYS.0.to_owned()));
        };
        let fetch = office.back_ends.document(url, jwt.key_set_ca_file.as_deref(), &office.runtime);
        let fetch = fetch.map_err(|error| wrong("key_set_url", error))?;
        let before = before.published.iter().find(|(other, _)| other == url).map(|(_, keys)| keys);
        Ok(Keys::published(fetch, jwt.key_set_refresh.get(), before, &office.runtime))
    }
}

fn certificates(settings: &CertificateSettings) -> Certificates {
    let name = |field| match field {
        CertificateField::CommonName => CertificateName::CommonName,
        CertificateField::Organization => CertificateName::Organization,
        CertificateField::Subject => CertificateName::Subject,
        CertificateField::DnsName => CertificateName::DnsName,
        CertificateField::MailAddress => CertificateName::MailAddress,
        CertificateField::Uri => CertificateName::Uri,
    };
    Certificates::new(CertificateOptions {
        user_name: name(settings.user_name),
        client_id: settings.client_id.map(name),
        tenant: settings.tenant.map(name),
        subjects: settings.subjects.iter().flatten().map(|text| Wildcard::new(text)).collect(),
    })
}

/// What is wrong without keys, and its mend.
const NO_KEYS: (&str, &str) = (
    "no keys: no token could be believed",
    "set one of secret, public_key_file, key_set_file and key_set_url",
);

#[cfg(test)]
pub(crate) mod tests;
