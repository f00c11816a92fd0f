use std::{collections::BTreeMap, path::Path};

use plexus_access::{User, Users, UsersError, UsersProblem};
use plexus_admission::UserBook;
use plexus_stdx::Seed;

use crate::{
    load::{Config, read_text},
    report::{ConfigError, Diagnostic, Origin, Place},
    value::Secret,
};

/// A user file of a million lines has some 120 MiB.
const USERS_FILE_SIZE_MAX: u64 = 256 * 1024 * 1024;
const SECRET_FILE_SIZE_MAX: u64 = 64 * 1024;

impl Config {
    /// The users that are configured, if there are any. What cannot be read or understood stops
    /// the start: it must never mean that nobody is checked.
    pub fn users(&self, seed: Seed) -> Result<Option<UserBook>, ConfigError> {
        let Some((users, diagnostics)) = self.read_users(seed, None) else { return Ok(None) };
        match users {
            Some(users) if diagnostics.is_empty() => Ok(Some(users)),
            _ => Err(ConfigError { diagnostics }),
        }
    }

    /// The users that are configured, if there are any, and what is wrong with them. Whose cannot be read or
    /// understood stay those of before: the node's, or those of the one tenant. There are none where the node's
    /// cannot be read and nobody was before.
    pub fn renewed_users(
        &self,
        seed: Seed,
        before: Option<&UserBook>,
    ) -> Option<(Option<UserBook>, ConfigError)> {
        let (users, diagnostics) = self.read_users(seed, before)?;
        Some((users, ConfigError { diagnostics }))
    }

    fn read_users(
        &self,
        seed: Seed,
        before: Option<&UserBook>,
    ) -> Option<(Option<UserBook>, Vec<Diagnostic>)> {
        let access = &self.settings.access;
        if !access.has_users() {
            return None;
        }
        let mut mistakes = Vec::new();
        let own = self.own_users(seed, &mut mistakes).or_else(|| Some(before?.own.clone()));
        let mut tenants = BTreeMap::new();
        for (index, tenant) in access.tenant.iter().enumerate() {
            let Some(path) = &tenant.users_file else { continue };
            let (key, name) =
                (["access", "tenant", &index.to_string(), "users_file"], tenant.name.get());
            let users = self.users_of_file(&key, path, seed).map_err(|error| {
                mistakes.extend(error.diagnostics);
            });
            let users = users.ok().or_else(|| before?.tenants.get(name).cloned());
            tenants.extend(users.map(|users| (name.clone(), users)));
        }
        Some((own.map(|own| UserBook { own, tenants }), mistakes))
    }

    /// The users of no tenant, unless something is wrong with them.
    fn own_users(&self, seed: Seed, mistakes: &mut Vec<Diagnostic>) -> Option<Users> {
        let (access, before) = (&self.settings.access, mistakes.len());
        let mut users = Users::none(seed);
        if let Some(path) = &access.users_file {
            match self.users_of_file(&["access", "users_file"], path, seed) {
                Ok(read) => users = read,
                Err(error) => mistakes.extend(error.diagnostics),
            }
        }
        for (name, secret) in &access.users {
            if let Err(error) = self.add_user(&mut users, name, secret) {
                mistakes.extend(error.diagnostics);
            }
        }
        (mistakes.len() == before).then_some(users)
    }

    fn add_user(&self, users: &mut Users, name: &str, secret: &Secret) -> Result<(), ConfigError> {
        let path = ["access", "users", name];
        if users.contains(name) {
            let message = format!("user `{name}` is in the users_file, too");
            return Err(ConfigError::one(self.mistake(&path, message)));
        }
        let text = self.secret(&path, secret)?;
        let user = text.trim().parse::<User>().map_err(|error| {
            let message = format!("the password of user `{name}` {error}");
            let help = "write what `plexus passwd --print` shows";
            ConfigError::one(self.mistake(&path, message).with_help(help))
        })?;
        users
            .insert(name, user)
            .map_err(|problem| ConfigError::one(self.mistake(&path, problem.to_string())))
    }

    fn users_of_file(&self, key: &[&str], path: &Path, seed: Seed) -> Result<Users, ConfigError> {
        let text = read_text(path, USERS_FILE_SIZE_MAX).map_err(|error| {
            let said = error.diagnostics.into_iter().map(|one| one.message).collect::<String>();
            let message = format!("users_file {}: {said}", path.display());
            let help = "make it with `plexus passwd <file> <name>`";
            ConfigError::one(self.mistake(key, message).with_help(help))
        })?;
        Users::parse(text.as_bytes(), seed).map_err(|error| file_mistake(path, &text, &error))
    }

    pub(crate) fn secret(&self, path: &[&str], secret: &Secret) -> Result<String, ConfigError> {
        match secret {
            Secret::Inline(text) => Ok(text.clone()),
            Secret::File(file) => read_text(file, SECRET_FILE_SIZE_MAX)
                .map(|text| text.lines().next().unwrap_or_default().to_owned())
                .map_err(|error| {
                    let said =
                        error.diagnostics.into_iter().map(|one| one.message).collect::<String>();
                    let message = format!("secret file {}: {said}", file.display());
                    ConfigError::one(self.mistake(path, message))
                }),
        }
    }
}

/// The mistake with its line; what stands behind the first colon is masked, whatever it is.
fn file_mistake(path: &Path, text: &str, error: &UsersError) -> ConfigError {
    let message = error.problem.to_string();
    let origin = match error.line {
        Some(line) => {
            let mut place = Place::of_line(path, text, line);
            let (shown, hidden) = place.text.split_at(place.text.find(':').unwrap_or(0));
            place.text = match error.problem {
                // Without a colon the whole line may be a password.
                UsersProblem::NoColon | UsersProblem::NotUtf8 => "***".to_owned(),
                _ if hidden.is_empty() => "***".to_owned(),
                _ => format!("{shown}:***"),
            };
            place.width = place.text.chars().count().max(1);
            Origin::File(place)
        }
        None => Origin::Whole(path.display().to_string()),
    };
    ConfigError::one(Diagnostic::new(origin, message))
}
