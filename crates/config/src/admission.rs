//! The authenticators of the file, as listeners ask them.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_access::Wildcard;
use plexus_admission::{
    Authenticator, CertificateName, CertificateOptions, Certificates, Chain, Derived, Fetch,
    KeyError, Keys, Step, StepOptions, Strangers, TokenOptions, TokenSource, Tokens, UserTable,
};
use plexus_runtime::Handle;
use plexus_stdx::Seed;

use crate::{
    load::{Config, read_text},
    report::{ConfigError, Diagnostic},
    settings::{
        BackEnd, CertificateField, CertificateSettings, JwtSettings, ListenerSettings, TokenPlace,
        USERS, UsersBy,
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
        let strangers =
            if config.lets_strangers_in(listener) { Strangers::Admit } else { Strangers::Refuse };
        Some(Chain::new(steps, strangers, office.runtime.clone()).with(config.derived()))
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
            match self.asked(index, back_end, office) {
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

    fn asked(
        &self,
        index: usize,
        back_end: BackEnd<'_>,
        office: &Office<'_>,
    ) -> Result<Arc<dyn Authenticator>, ConfigError> {
        let number = index.to_string();
        let table = ["access", back_end.kind(), number.as_str()];
        let mut secrets = Secrets::default();
        for (path, secret) in back_end.secrets() {
            let text = self.secret(&[&table[..], &path].concat(), secret)?;
            secrets.0.insert(path.last().copied().unwrap_or_default().to_owned(), text);
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

    /// The mistakes in authenticators and chains that their types let pass.
    pub(crate) fn mistakes_in_chains(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let access = &self.settings.access;
        let all = access.authenticators();
        found.extend(self.mistakes_in_names(&all));
        if access.has_users() && access.users_by == UsersBy::ClientId {
            found.extend(self.strangers_beside_clients());
        }
        for (index, settings) in access.certificate.iter().enumerate() {
            if settings.subjects.as_ref().is_some_and(Vec::is_empty) {
                let path = ["access", "certificate", &index.to_string(), "subjects"];
                let help = "leave it out if every certificate is believed that TLS has verified";
                found.push(self.mistake(&path, "no certificate is believed").with_help(help));
            }
        }
        found.extend(self.mistakes_in_expressions());
        found.extend(self.unproved_beside_proved());
        for (index, jwt) in access.jwt.iter().enumerate() {
            found.extend(self.mistakes_in_jwt(&index.to_string(), jwt));
        }
        let names: Vec<_> = all.iter().map(|(name, ..)| *name).collect();
        if access.chain.is_none() && names.len() > 1 {
            let quoted: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
            let own = self.settings.listener.iter().all(|listener| listener.chain.is_some());
            if !own || self.settings.listener.is_empty() {
                let (_, kind, index) = all.last().copied().unwrap_or_default();
                let path = ["access", kind, &index.to_string()];
                let help = format!("in which order? Write access.chain = [{}]", quoted.join(", "));
                found.push(self.mistake(&path, "there are several authenticators").with_help(help));
            }
        }
        let listeners = self.settings.listener.iter().enumerate();
        let own = listeners.filter_map(|(index, listener)| {
            let path = vec!["listener".to_owned(), self.number(index).to_string(), "chain".into()];
            Some((path, listener.chain.as_ref()?))
        });
        let general =
            access.chain.iter().map(|chain| (vec!["access".into(), "chain".into()], chain));
        for (path, chain) in own.chain(general).collect::<Vec<_>>() {
            let path: Vec<_> = path.iter().map(String::as_str).collect();
            for (at, name) in chain.iter().enumerate() {
                let message = if !names.contains(&name.as_str()) {
                    format!("no authenticator is called `{name}`")
                } else if chain.iter().take(at).any(|other| other == name) {
                    format!("`{name}` is asked twice")
                } else {
                    continue;
                };
                let help = match names.as_slice() {
                    [] => "there is none: set access.users_file, or add [[access.jwt]] or another"
                        .to_owned(),
                    names => format!("there are {}", names.join(", ")),
                };
                found.push(self.mistake(&path, message).with_help(help));
            }
            if chain.is_empty() {
                let help = "leave it out, or name the authenticators that are asked";
                found.push(self.mistake(&path, "nobody could connect").with_help(help));
            }
        }
        found
    }

    /// Names that a chain could not tell apart.
    fn mistakes_in_names(&self, all: &[(&str, &'static str, usize)]) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (at, (name, kind, index)) in all.iter().enumerate() {
            let number = index.to_string();
            let path = ["access", *kind, &number, "name"];
            let mut add = |message: &str, help: &str| {
                found.push(self.mistake(&path, message).with_help(help));
            };
            if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
                add("no name", "use 1 to 64 bytes without control characters");
            } else if *kind != USERS && *name == USERS {
                add("`users` are those of the node itself", "use another name");
            } else if all.iter().take(at).any(|(other, ..)| other == name) {
                add(&format!("a second authenticator `{name}`"), "give each a name of its own");
            }
        }
        found
    }

    /// Where users are known by their client identifier, whoever names one must show its password.
    fn strangers_beside_clients(&self) -> Option<Diagnostic> {
        let listeners = self.settings.listener.iter();
        let own = listeners.enumerate().find(|(_, one)| one.allow_anonymous == Some(true));
        let number = own.map(|(index, _)| self.number(index).to_string());
        let path = match &number {
            Some(number) => vec!["listener", number, "allow_anonymous"],
            None if self.settings.access.allow_anonymous => vec!["access", "allow_anonymous"],
            None => return None,
        };
        let message = "a client could take the identifier of a user without its password";
        let help = "leave it out, or set access.users_by = \"user_name\"";
        Some(self.mistake(&path, message).with_help(help))
    }

    /// Names that one authenticator proves and another does not: whoever the other lets in could call himself
    /// so, and find that user's session.
    fn unproved_beside_proved(&self) -> Option<Diagnostic> {
        let access = &self.settings.access;
        let jwt = access.jwt.iter().enumerate().filter(|(_, jwt)| !jwt.proves_user_names());
        let jwt = jwt.map(|(index, jwt)| ("jwt", index, &*jwt.name, JwtSettings::PROOF));
        let back_ends = access.back_ends().into_iter();
        let back_ends = back_ends.filter(|(_, back_end)| !back_end.proves_user_names());
        let back_ends = back_ends.map(|(at, it)| (it.kind(), at, it.name(), it.proof()));
        let (kind, index, name, mend) = jwt.chain(back_ends).next()?;
        if access.authenticators().len() < 2 {
            return None;
        }
        let message = format!("`{name}` does not prove user names, beside others that may");
        Some(self.mistake(&["access", kind, &index.to_string()], message).with_help(mend))
    }

    fn mistakes_in_jwt(&self, number: &str, jwt: &JwtSettings) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut add = |key: &str, message: String, help: &str| {
            let path = ["access", "jwt", number, key];
            found.push(self.mistake(&path, message).with_help(help));
        };
        let sources = [
            ("secret", jwt.secret.is_some()),
            ("public_key_file", jwt.public_key_file.is_some()),
            ("key_set_file", jwt.key_set_file.is_some()),
            ("key_set_url", jwt.key_set_url.is_some()),
        ];
        let given: Vec<_> = sources.iter().filter(|(_, given)| *given).collect();
        match given.as_slice() {
            [] => add("name", NO_KEYS.0.to_owned(), NO_KEYS.1),
            [_] => {}
            [.., (last, _)] => add(last, "keys from two places".to_owned(), NO_KEYS.1),
        }
        if jwt.token == TokenPlace::UserName && jwt.user_name_claim.is_none() {
            let message = "the token itself would be the user name".to_owned();
            add("token", message, "set user_name_claim, such as \"sub\"");
        }
        for name in jwt.algorithms.iter().flatten() {
            if name.parse::<plexus_admission::Algorithm>().is_err() {
                let help = "known are HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, \
                            ES256, ES384 and EdDSA";
                add("algorithms", format!("`{name}` is no algorithm of tokens"), help);
            }
        }
        if found.is_empty() {
            found.extend(self.misfit_algorithms(number, jwt));
        }
        found
    }
}

fn certificates(settings: &CertificateSettings) -> Certificates {
    let name = |field| match field {
        CertificateField::CommonName => CertificateName::CommonName,
        CertificateField::Subject => CertificateName::Subject,
        CertificateField::DnsName => CertificateName::DnsName,
        CertificateField::MailAddress => CertificateName::MailAddress,
        CertificateField::Uri => CertificateName::Uri,
    };
    Certificates::new(CertificateOptions {
        user_name: name(settings.user_name),
        client_id: settings.client_id.map(name),
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
