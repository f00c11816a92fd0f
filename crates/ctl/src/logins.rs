//! Log-ins that outlast a command: one private file for each API, in the user's directory of states.
//!
//! ```text
//! $XDG_STATE_HOME/plexus/logins/<URL, all but letters and digits as %XX>
//! {"url": "http://127.0.0.1:18083", "user": "admin", "token": "…"}
//! ```

use std::{
    fmt::{self, Write as _},
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use plexus_net::read_regular_file;
use serde::{Deserialize, Serialize};

use plexus_terminal::Failure;

use crate::address::Address;

/// A log-in has some hundred bytes.
const SIZE_MAX: u64 = 64 * 1024;

/// Bytes of the name of a file, on every system that we know.
const NAME_MAX: usize = 255;

/// What is kept of a log-in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    /// Where.
    pub(crate) url: String,
    /// Who.
    pub(crate) user: String,
    /// What shows it.
    pub(crate) token: String,
}

/// Where log-ins are kept.
#[derive(Debug, Clone)]
pub(crate) struct Logins(PathBuf);

impl Logins {
    /// In that directory; it is made when it is wanted.
    #[cfg(test)]
    pub(crate) const fn within(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// In the directory that the environment names, if it names one.
    pub(crate) fn of_user() -> Option<Self> {
        let named = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
        state.map(|state| Self(state.join("plexus/logins")))
    }

    /// The log-in at that API, if there is one.
    pub(crate) fn read(&self, address: &Address) -> Result<Option<Login>, Failure> {
        let file = self.file(address)?;
        match fs::metadata(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                let file = file.display();
                return Err(Failure::Failed(format!(
                    "{file}: others may read this log-in; end it with `plexus ctl logout`, log in anew, \
                     and see to it that nothing makes such files readable (chmod 600)"
                )));
            }
            Ok(_) | Err(_) => {}
        }
        let bytes =
            read_regular_file(&file, SIZE_MAX).map_err(|error| failed("read", &file, &error))?;
        let login: Login = serde_json::from_slice(&bytes).map_err(|error| {
            let mend = "log in anew with `plexus ctl login`";
            Failure::Failed(format!("{}: it holds no log-in: {error}; {mend}", file.display()))
        })?;
        Ok(Some(login).filter(|login| login.url == address.to_string()))
    }

    /// Keeps a log-in, in the place of the one before.
    pub(crate) fn write(&self, address: &Address, login: &Login) -> Result<(), Failure> {
        let file = self.file(address)?;
        let folder = &self.0;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| failed("make", folder, &error))?;
        let text = serde_json::to_string(login)
            .map_err(|error| Failure::because("cannot write the log-in", &error))?;
        let beside = folder.join(format!(".{}.new", std::process::id()));
        let written = private(&beside).and_then(|mut new| {
            new.write_all(text.as_bytes())?;
            new.sync_all()?;
            fs::rename(&beside, &file)
        });
        written.map_err(|error| {
            drop(fs::remove_file(&beside));
            failed("write", &file, &error)
        })
    }

    /// Forgets the log-in at that API, and says whether there was one.
    pub(crate) fn forget(&self, address: &Address) -> Result<bool, Failure> {
        let file = self.file(address)?;
        match fs::remove_file(&file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("remove", &file, &error)),
        }
    }

    fn file(&self, address: &Address) -> Result<PathBuf, Failure> {
        let mut name = String::new();
        for byte in address.to_string().bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.') {
                name.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _: fmt::Result = write!(name, "%{byte:02X}");
            }
        }
        if name.len() > NAME_MAX {
            return Err(Failure::Usage(format!(
                "{address}: this URL is too long to keep a log-in for"
            )));
        }
        Ok(self.0.join(name))
    }
}

/// A new file that only its owner reads. One that a crash has left is replaced.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

fn failed(act: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::because(format_args!("cannot {act} {}", path.display()), error)
}
