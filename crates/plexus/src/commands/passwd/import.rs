//! Users of other brokers, taken into a user file all or none.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use plexus_access::{PasswordScheme, SchemeError, edit, import};
use plexus_terminal::{Failure, print};

use super::{check, read, weak_lines, write};
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Take the users of that file of another broker: EMQX (csv, json) or Mosquitto
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "delete", "print", "superuser"])]
    import: Option<PathBuf>,

    /// How that file is written [default: as its name ends, .csv or .json, else mosquitto]
    #[arg(long, requires = "import")]
    format: Option<Format>,

    /// How the passwords of csv and json are hashed: bcrypt, pbkdf2-sha256:ITERATIONS,
    /// pbkdf2-sha512:ITERATIONS, sha256, sha512, sha256:salt-after, sha512:salt-after, phc
    #[arg(long, requires = "import", value_parser = scheme)]
    scheme: Option<PasswordScheme>,

    /// Let users of that file take the place of those of the same name; without --import: a hash that of keys of
    /// SCRAM
    #[arg(long, conflicts_with_all = ["delete", "print", "check"])]
    pub(super) replace: bool,
}

impl ImportArgs {
    /// Whether anything is to be imported.
    pub(crate) fn is_asked(&self) -> bool {
        self.import.is_some()
    }
}

/// How a file of users is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values under the columns `user_id,password_hash,salt,is_superuser`
    Csv,
    /// A list of objects with those keys
    Json,
    /// Lines of mosquitto_passwd
    Mosquitto,
}

impl Format {
    /// As the name of the file ends.
    fn of(path: &Path) -> Self {
        match path.extension().and_then(|it| it.to_str()) {
            Some("csv") => Self::Csv,
            Some("json") => Self::Json,
            _ => Self::Mosquitto,
        }
    }
}

/// A scheme, but for passwords that nobody hashed: they do not belong into a file.
fn scheme(text: &str) -> Result<PasswordScheme, String> {
    match text.parse() {
        Ok(PasswordScheme::Plain) => {
            Err("is not hashed at all; set such passwords one by one, they are hashed then".into())
        }
        // Some of its forms are too weak to be kept.
        Ok(PasswordScheme::Directory) => {
            Err("stay in their directory; have the node ask it, as [[access.ldap]]".into())
        }
        read => read.map_err(|error: SchemeError| error.to_string()),
    }
}

pub(super) fn run(file: &Path, args: &ImportArgs) -> Result<(), Failure> {
    let Some(from) = &args.import else { return Ok(()) };
    let format = args.format.unwrap_or_else(|| Format::of(from));
    let scheme = || {
        let missing = "how are the passwords hashed? Add --scheme, such as --scheme bcrypt";
        args.scheme.ok_or_else(|| Failure::Usage(missing.into()))
    };
    let old = read(file)?;
    check(file, &old, "")?;
    if !from.exists() {
        return Err(Failure::Failed(format!("there is no file {}", from.display())));
    }
    let text = read(from)?;
    let users = match format {
        Format::Csv => import::csv(&text, scheme()?),
        Format::Json => import::json(&text, scheme()?),
        Format::Mosquitto if args.scheme.is_some() => {
            let help = "a file of Mosquitto names its own; for others add --format csv or json";
            return Err(Failure::Usage(format!("--scheme says nothing here: {help}")));
        }
        Format::Mosquitto => import::mosquitto(&text),
    };
    let users = users.map_err(|error| {
        let place = format!("{}:{}", from.display(), error.line);
        Failure::Failed(format!("nothing was changed, {place}: {error}"))
    })?;
    let known = edit::names(&old).filter(|name| users.contains_key(*name)).collect::<Vec<_>>();
    if let ([first, ..], false) = (known.as_slice(), args.replace) {
        let others = match known.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        return Err(Failure::Failed(format!(
            "nothing was changed, {}: user `{first}` is there already{others}; --replace takes the \
             new ones",
            file.display()
        )));
    }
    let new = edit::set_all(&old, &users);
    write(file, &new)?;
    let (added, replaced) = (users.len() - known.len(), known.len());
    let done = format!("{}: users added: {added}, replaced: {replaced}\n", file.display());
    print(&(done + &weak_lines(file, &new)))
}
