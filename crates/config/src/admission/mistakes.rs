//! What is wrong with authenticators, chains and sources of rules although their types let it pass.

use super::NO_KEYS;
use crate::{
    load::Config,
    report::Diagnostic,
    settings::{JwtSettings, ListenerSettings, TokenPlace, USERS, UsersBy},
};

impl Config {
    /// The mistakes in authenticators and chains that their types let pass.
    pub(crate) fn mistakes_in_chains(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let access = &self.settings.access;
        let all = access.authenticators();
        found.extend(self.mistakes_in_names(&all));
        if access.has_users() && access.users_by == UsersBy::ClientId {
            found.extend(self.strangers_beside_clients());
        }
        found.extend(self.mistakes_in_accounts());
        for (index, settings) in access.certificate.iter().enumerate() {
            if settings.subjects.as_ref().is_some_and(Vec::is_empty) {
                let path = ["access", "certificate", &index.to_string(), "subjects"];
                let help = "leave it out if every certificate is believed that TLS has verified";
                found.push(self.mistake(&path, "no certificate is believed").with_help(help));
            }
        }
        found.extend(self.mistakes_in_expressions());
        found.extend(self.unproved_beside_proved());
        found.extend(self.mistakes_in_sources());
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
        for (path, chain) in self.lists("chain", access.chain.as_ref(), |it| it.chain.as_ref()) {
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

    /// Accounts that could not be kept, or whose rules would be for a name that nobody has to prove.
    fn mistakes_in_accounts(&self) -> Vec<Diagnostic> {
        let (mut found, path) = (Vec::new(), ["access", "accounts"]);
        if !self.settings.access.accounts {
            return found;
        }
        if self.settings.node.data_dir.is_none() {
            let help = "set node.data_dir";
            found.push(self.mistake(&path, "there is no place to keep them").with_help(help));
        }
        if let Some((unproved, help)) = self.unproved() {
            let message = format!("users may have rules of their own, and {unproved}");
            found.push(self.mistake(&path, message).with_help(help));
        }
        found
    }

    /// The lists of that key, of the listeners and in general, each with its path.
    fn lists<'a>(
        &'a self,
        key: &str,
        general: Option<&'a Vec<String>>,
        of: impl Fn(&'a ListenerSettings) -> Option<&'a Vec<String>>,
    ) -> Vec<(Vec<String>, &'a Vec<String>)> {
        let listeners = self.settings.listener.iter().enumerate();
        let own = listeners.filter_map(|(index, listener)| {
            let path = vec!["listener".to_owned(), self.number(index).to_string(), key.to_owned()];
            Some((path, of(listener)?))
        });
        let general = general.map(|list| (vec!["access".to_owned(), key.to_owned()], list));
        own.chain(general).collect()
    }

    /// Whether an authenticator is asked who clients are, and not only for their rules.
    pub(crate) fn is_asked(&self, name: &str) -> bool {
        let (access, listeners) = (&self.settings.access, &self.settings.listener);
        let has_own = |listener: &ListenerSettings| listener.chain.is_some();
        if access.chain.is_none() && (listeners.is_empty() || !listeners.iter().all(has_own)) {
            return true;
        }
        let own = listeners.iter().filter_map(|listener| listener.chain.as_ref());
        own.chain(&access.chain).flatten().any(|other| other == name)
    }

    /// Rules that nobody could give, or that a client could choose.
    fn mistakes_in_sources(&self) -> Vec<Diagnostic> {
        let (mut found, access) = (Vec::new(), &self.settings.access);
        let back_ends: Vec<_> = access.back_ends().into_iter().map(|(_, it)| it).collect();
        let names: Vec<_> = back_ends.iter().map(|back_end| back_end.name()).collect();
        let general = access.rules_from.as_ref();
        for (path, list) in self.lists("rules_from", general, |it| it.rules_from.as_ref()) {
            let path: Vec<_> = path.iter().map(String::as_str).collect();
            let mut add = |message: String, help: &str| {
                found.push(self.mistake(&path, message).with_help(help));
            };
            for (at, name) in list.iter().enumerate() {
                let Some(back_end) = back_ends.iter().find(|it| it.name() == name) else {
                    let help = match names.as_slice() {
                        [] => "there is none: add [[access.postgres]] or another".to_owned(),
                        names => format!("there are {}", names.join(", ")),
                    };
                    add(format!("no back end is called `{name}`"), &help);
                    continue;
                };
                let texts = back_end.rules_texts();
                let has = |place: &str| texts.iter().any(|text| text.contains(place));
                if list.iter().take(at).any(|other| other == name) {
                    add(format!("`{name}` is asked twice"), "name it once");
                } else if texts.is_empty() {
                    let help = format!("set its {}", back_end.rules_key());
                    add(format!("`{name}` has no rules"), &help);
                } else if has("${password}") {
                    let help =
                        "leave the password out: rules are asked for when it was found right";
                    add(format!("`{name}` would be told passwords"), help);
                } else if has("${username}")
                    && let Some((unproved, help)) = self.unproved()
                {
                    let message = format!("by name `{name}` finds rules, and {unproved}");
                    add(message, help);
                }
            }
        }
        found
    }

    /// Who lets clients in without having them prove the user name that they give, with the mend.
    pub(crate) fn unproved(&self) -> Option<(String, &'static str)> {
        let access = &self.settings.access;
        if access.has_users() && access.users_by == UsersBy::ClientId && self.is_asked(USERS) {
            let message = "users known by their client identifier prove no user name".to_owned();
            return Some((message, "set access.users_by = \"user_name\""));
        }
        let jwt = access.jwt.iter().filter(|jwt| !jwt.proves_user_names());
        let jwt = jwt.map(|jwt| (&*jwt.name, JwtSettings::PROOF));
        let back_ends = access.back_ends().into_iter().map(|(_, back_end)| back_end);
        let back_ends = back_ends.filter(|back_end| !back_end.proves_user_names());
        let back_ends = back_ends.map(|back_end| (back_end.name(), back_end.proof()));
        let (name, mend) = jwt.chain(back_ends).find(|(name, _)| self.is_asked(name))?;
        Some((format!("`{name}` does not prove user names"), mend))
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
        let mut unproved = jwt.chain(back_ends).filter(|(_, _, name, _)| self.is_asked(name));
        let (kind, index, name, mend) = unproved.next()?;
        let all = access.authenticators();
        if all.iter().filter(|(name, ..)| self.is_asked(name)).count() < 2 {
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
