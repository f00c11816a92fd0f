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
        let access = &self.settings.access;
        if !access.has_users() {
            return Ok(None);
        }
        let mut mistakes = Vec::new();
        let mut users = match &access.users_file {
            Some(path) => {
                let key = ["access", "users_file"];
                self.users_of_file(&key, path, seed).unwrap_or_else(|error| {
                    mistakes.extend(error.diagnostics);
                    Users::none(seed)
                })
            }
            None => Users::none(seed),
        };
        for (name, secret) in &access.users {
            if let Err(error) = self.add_user(&mut users, name, secret) {
                mistakes.extend(error.diagnostics);
            }
        }
        let mut tenants = BTreeMap::new();
        for (index, tenant) in access.tenant.iter().enumerate() {
            let Some(path) = &tenant.users_file else { continue };
            let key = ["access", "tenant", &index.to_string(), "users_file"];
            match self.users_of_file(&key, path, seed) {
                Ok(users) => drop(tenants.insert(tenant.name.get().clone(), users)),
                Err(error) => mistakes.extend(error.diagnostics),
            }
        }
        if mistakes.is_empty() {
            Ok(Some(UserBook { own: users, tenants }))
        } else {
            Err(ConfigError { diagnostics: mistakes })
        }
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
