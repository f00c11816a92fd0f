//! Chains in which an authenticator can do nothing, and sessions that anybody could take.

use plexus_access::ATTRIBUTES_MAX;
use plexus_net::ClientAuth;

use crate::{
    load::Config,
    report::Diagnostic,
    settings::{JwtSettings, ListenerSettings},
};

impl Config {
    /// The names of the authenticators that are asked about clients of that listener.
    fn chain_of<'a>(&'a self, listener: &'a ListenerSettings) -> Vec<&'a str> {
        let access = &self.settings.access;
        let all = || access.authenticators().into_iter().map(|(name, ..)| name).collect();
        let named = listener.chain.as_ref().or(access.chain.as_ref());
        named.map_or_else(all, |names| names.iter().map(String::as_str).collect())
    }

    /// Listeners at which nobody is asked for the certificate that he would have to show, and certificates
    /// that nobody is asked for.
    pub(crate) fn certificates_not_asked_for(&self) -> Vec<Diagnostic> {
        let access = &self.settings.access;
        let by_certificate = |name: &str| access.certificate.iter().any(|one| one.name == name);
        let listeners = self.listeners();
        let mut found = Vec::new();
        for (index, listener) in self.settings.listener.iter().enumerate() {
            let chain = self.chain_of(listener);
            let only = !chain.is_empty() && chain.iter().all(|name| by_certificate(name));
            if only && !asks_for_certificates(listener) && !self.lets_strangers_in(listener) {
                let number = self.number(index).to_string();
                let message =
                    "nobody could connect here: only certificates let in, and none is asked for";
                found.push(self.mistake(&["listener", &number], message).with_help(ASK));
            }
        }
        if !found.is_empty() {
            return found; // What follows from it need not be told.
        }
        for (index, settings) in access.certificate.iter().enumerate() {
            let asked = |one: &ListenerSettings| {
                asks_for_certificates(one) && self.chain_of(one).contains(&settings.name.as_str())
            };
            let is_named =
                listeners.iter().any(|one| self.chain_of(one).contains(&&*settings.name));
            // One that stands in no chain is told as that.
            if is_named && !listeners.iter().any(asked) {
                let path = ["access", "certificate", &index.to_string()];
                let message = "no listener that asks it asks its clients for a certificate";
                found.push(self.mistake(&path, message).with_help(ASK));
            }
        }
        found
    }

    /// Clients that show nothing beside others whose user name is not proved: a client identifier is all that
    /// tells their sessions apart.
    pub(crate) fn strangers_beside_unproved(&self) -> Option<Diagnostic> {
        let access = &self.settings.access;
        let jwt = access.jwt.iter().filter(|jwt| !jwt.proves_user_names());
        let jwt = jwt.map(|jwt| (&*jwt.name, JwtSettings::PROOF));
        let back_ends = access.back_ends().into_iter().map(|(_, back_end)| back_end);
        let back_ends = back_ends.filter(|back_end| !back_end.proves_user_names());
        let (name, mend) = jwt.chain(back_ends.map(|it| (it.name(), it.proof()))).next()?;
        let listeners = self.settings.listener.iter();
        let own = listeners.enumerate().find(|(_, one)| one.allow_anonymous == Some(true));
        let number = own.map(|(index, _)| self.number(index).to_string());
        let path = match &number {
            Some(number) => vec!["listener", number, "allow_anonymous"],
            None if access.allow_anonymous => vec!["access", "allow_anonymous"],
            None => return None,
        };
        let message =
            format!("whoever shows nothing could take the session of a client of `{name}`");
        let help = format!("leave it out, or have `{name}` prove user names: {mend}");
        Some(self.mistake(&path, message).with_help(help))
    }

    /// Expressions of whom nobody asks, and those that are not what they have to be.
    pub(crate) fn mistakes_in_expressions(&self) -> Vec<Diagnostic> {
        let access = &self.settings.access;
        let mut found = Vec::new();
        let mut add = |path: &[&str], message: String, help: &str| {
            found.push(self.mistake(path, message).with_help(help));
        };
        let all = access.authenticators();
        for (name, when) in &access.when {
            let path = ["access", "when", name];
            if !all.iter().any(|(other, ..)| other == name) {
                let known = all.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
                let help = format!("there are {known}");
                add(&path, format!("no authenticator is called `{name}`"), &help);
            }
            if let Err(error) = when.get().check_condition() {
                add(&path, format!("`{when}` {error}"), "write a condition, as client_id == 'a'");
            }
        }
        let named =
            access.attributes.iter().map(|(name, made)| (vec!["access", "attributes", name], made));
        let user_name = access.user_name.iter().map(|made| (vec!["access", "user_name"], made));
        for (path, made) in named.chain(user_name) {
            if all.is_empty() {
                let help = "set access.users_file, or another authenticator";
                add(&path, "nobody is asked about clients, so that none has it".to_owned(), help);
            }
            if let Err(error) = made.get().check_text() {
                add(&path, format!("`{made}` {error}"), "write a text, as client_id.split('-')[0]");
            }
        }
        if access.attributes.len() > ATTRIBUTES_MAX {
            let help = format!("a client has at most {ATTRIBUTES_MAX}");
            add(&["access", "attributes"], "too many attributes".to_owned(), &help);
        }
        if access.user_name.as_ref().is_some_and(|made| made.get().mentions("client_id")) {
            let help = "make it of user_name, client_attrs or what stands in the certificate";
            let message = "a client chooses its identifier, which proves no user name".to_owned();
            add(&["access", "user_name"], message, help);
        }
        found
    }

    /// Algorithms that no key of the kind can have.
    pub(crate) fn misfit_algorithms(&self, number: &str, jwt: &JwtSettings) -> Option<Diagnostic> {
        let is_shared = |name: &str| name.starts_with("HS");
        let with_secret = jwt.secret.is_some();
        let mut names = jwt.algorithms.iter().flatten();
        let misfit = names.find(|name| is_shared(name) != with_secret)?;
        let help = if with_secret {
            "a secret is for HS256, HS384 and HS512; for the others set public_key_file, key_set_file or \
             key_set_url"
        } else {
            "HS256, HS384 and HS512 are for a secret; a public key is never one"
        };
        let path = ["access", "jwt", number, "algorithms"];
        let message = format!("no key of `{}` is for `{misfit}`", jwt.name);
        Some(self.mistake(&path, message).with_help(help))
    }
}

/// Authenticators that nobody asks, and tokens that say nothing of who shows them.
pub(crate) fn idle(config: &Config) -> Vec<Diagnostic> {
    let access = &config.settings.access;
    let listeners = config.listeners();
    let mut found = Vec::new();
    for (name, kind, index) in access.authenticators() {
        let is_source = |one: &ListenerSettings| {
            let own = one.rules_from.as_ref().or(access.rules_from.as_ref());
            own.is_some_and(|names| names.iter().any(|other| other == name))
        };
        if listeners.iter().any(|one| config.chain_of(one).contains(&name) || is_source(one)) {
            continue;
        }
        let number = index.to_string();
        let path = match (kind, &access.users_file) {
            ("users", Some(_)) => vec!["access", "users_file"],
            ("users", None) if access.users.is_empty() && access.accounts => {
                vec!["access", "accounts"]
            }
            ("users", None) => vec!["access", "users"],
            _ => vec!["access", kind, &number],
        };
        let message = format!("`{name}` stands in no chain: it is never asked");
        let help = "name it in access.chain or in the chain of a listener, or take it out";
        found.push(config.mistake(&path, message).with_help(help));
    }
    for (index, jwt) in access.jwt.iter().enumerate().filter(|(_, jwt)| !jwt.proves_anything()) {
        let path = ["access", "jwt", &index.to_string()];
        let message = format!("tokens of `{}` say nothing of who shows them", jwt.name);
        let help = format!("whoever has one could take any session; {}", JwtSettings::PROOF);
        found.push(config.mistake(&path, message).with_help(help));
    }
    found
}

fn asks_for_certificates(listener: &ListenerSettings) -> bool {
    listener.tls.as_ref().is_some_and(|tls| tls.client_auth != ClientAuth::None)
}

/// The mend of a certificate that is not asked for.
const ASK: &str = "set tls.client_auth = \"required\" (or \"optional\") and tls.client_ca_file of a tls:// or wss:// \
                   listener, or ask others there, by its chain";

#[cfg(test)]
mod tests {
    use crate::admission::tests::{problems, warnings};

    const CERTIFICATE: &str = "[[access.certificate]]\nname = \"fleet\"\n";
    const PLAIN: &str = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    const TLS: &str = "[[listener]]\nurl = \"tls://127.0.0.1:0\"\n\
        tls = { cert_file = \"c\", key_file = \"k\", client_auth = \"optional\", client_ca_file = \"a\" }\n";
    const JWT: &str = "[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\n";

    #[test]
    fn certificates_let_nobody_in_where_none_is_asked_for() {
        let nobody = "nobody could connect here: only certificates let in, and none is asked for";
        let found = problems(&[CERTIFICATE, PLAIN].concat());
        assert!(found.len() == 1 && found[0].contains(nobody), "{found:?}");
        assert!(found[0].starts_with("plexus.toml:3"), "{found:?}");
        assert!(found[0].contains("client_auth = \"required\""), "{found:?}");
        let not_asked = TLS.replace("client_auth = \"optional\", ", "");
        let found = problems(&[CERTIFICATE, &not_asked].concat());
        assert!(found.len() == 1 && found[0].contains(nobody), "{found:?}");
        assert_eq!(problems(&[CERTIFICATE, TLS].concat()), [""; 0]);
        // Without any listener in the file there is no TLS either.
        let found = problems(CERTIFICATE);
        assert!(found.len() == 1 && found[0].contains("no listener that asks it"), "{found:?}");
        // Where others are asked, too, the listener is of use and the certificate is not.
        let both = ["[access]\nusers_file = \"u\"\nchain = [\"fleet\", \"users\"]\n", CERTIFICATE];
        let found = problems(&[&both.concat(), PLAIN].concat());
        assert!(found.len() == 1 && found[0].contains("no listener that asks it"), "{found:?}");
        assert_eq!(problems(&[&both.concat(), PLAIN, TLS].concat()), [""; 0]);
    }

    #[test]
    fn a_secret_is_for_other_algorithms_than_a_public_key() {
        let jwt = [JWT, "user_name_claim = \"sub\"\n"].concat();
        let found = problems(&format!("{jwt}algorithms = [\"HS256\", \"RS256\"]\n"));
        assert!(found.len() == 1, "{found:?}");
        assert!(
            found[0].contains("no key of `a` is for `RS256` (a secret is for HS256"),
            "{found:?}"
        );
        let public = jwt.replace("secret = \"file:s\"", "key_set_file = \"k\"");
        let found = problems(&format!("{public}algorithms = [\"HS512\"]\n"));
        assert!(found[0].contains("no key of `a` is for `HS512`"), "{found:?}");
        assert_eq!(problems(&format!("{public}algorithms = [\"ES256\"]\n")), [""; 0]);
        assert_eq!(problems(&format!("{jwt}algorithms = [\"HS512\"]\n")), [""; 0]);
    }

    #[test]
    fn expressions_are_checked_with_their_place() {
        let access = "[access]\nusers_file = \"u\"\n";
        let with = |lines: &str| problems(&[access, lines, "\n"].concat());
        assert_eq!(with("when = { users = \"listener == 'plant'\" }"), [""; 0]);
        assert_eq!(with("attributes = { site = \"client_id.split('-')[0]\" }"), [""; 0]);
        assert_eq!(with("user_name = \"cert_dns_name + '@' + listener\""), [""; 0]);
        for (line, told) in [
            ("when = { users = \"listener ==\" }", "is no expression (CEL): "),
            ("when = { users = \"listner == 'a'\" }", "has `listner`; known are client_id"),
            ("when = { users = \"listener\" }", "is neither true nor false"),
            (
                "when = { nobody = \"true\" }",
                "no authenticator is called `nobody` (there are users)",
            ),
            ("attributes = { a = \"client_id + 1\" }", "cannot be: "),
            ("attributes = { a = \"[client_id]\" }", "is no text, no whole number and no truth"),
            ("user_name = \"client_id\"", "a client chooses its identifier"),
            ("user_name = 7", "is a number; write it as text"),
        ] {
            let found = with(line);
            assert!(found.len() == 1 && found[0].contains(told), "{line}: {found:?}");
            assert!(found[0].starts_with("plexus.toml:3"), "{found:?}");
        }
        let nobody = problems("[access]\nattributes = { a = \"client_id\" }\n");
        assert!(nobody[0].contains("nobody is asked about clients"), "{nobody:?}");
    }

    #[test]
    fn who_is_never_asked_is_told() {
        let users = "[access]\nusers_file = \"u\"\nchain = [\"a\"]\n";
        let jwt = [JWT, "user_name_claim = \"sub\"\n"].concat();
        let told = warnings(&format!("{users}{jwt}"));
        assert!(told.len() == 1 && told[0].contains("`users` stands in no chain"), "{told:?}");
        assert!(told[0].starts_with("plexus.toml:2"), "{told:?}");
        let own = PLAIN.to_owned() + "chain = [\"users\"]\n";
        assert_eq!(warnings(&format!("{users}{jwt}{PLAIN}{own}")), [""; 0]);
        let told = warnings(&format!("{users}{jwt}{own}"));
        assert!(told.len() == 1 && told[0].contains("`a` stands in no chain"), "{told:?}");
        let source =
            "rules_from = [\"web\"]\n[[access.http]]\nname = \"web\"\nurl = \"https://a/\"\n";
        let alone = "[access]\nusers_file = \"u\"\nchain = [\"users\"]\n";
        assert_eq!(warnings(&format!("{alone}{source}")), [""; 0], "it is asked for rules");
        let told = warnings(JWT);
        assert!(told[0].contains("tokens of `a` say nothing of who shows them"), "{told:?}");
        assert_eq!(warnings(&[JWT, "claims = { sub = \"${clientid}\" }\n"].concat()), [""; 0]);
    }

    #[test]
    fn who_shows_nothing_stands_beside_nobody_whose_name_is_not_proved() {
        let open = "[access]\nallow_anonymous = true\n";
        let found = problems(&[open, JWT].concat());
        let taken = "whoever shows nothing could take the session of a client of `a`";
        assert!(found.len() == 1 && found[0].contains(taken), "{found:?}");
        assert_eq!(problems(&[open, JWT, "user_name_claim = \"sub\"\n"].concat()), [""; 0]);
        let found = problems(&[JWT, PLAIN, "allow_anonymous = true\n"].concat());
        assert!(found.len() == 1 && found[0].contains(taken), "{found:?}");
    }
}
