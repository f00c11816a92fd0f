use std::{
    fmt,
    fs::{self, Permissions},
    io::{self, BufRead, IsTerminal, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use plexus_access::{
    PasswordDigest, SALT_LENGTH, SCRAM_ITERATIONS, ScramKeys, StoredPassword, User, edit,
};
use plexus_net::read_regular_file;
use plexus_terminal::{Failure, print};

use self::import::ImportArgs;
mod import;

/// Longer passwords do not fit into CONNECT.
const PASSWORD_LENGTH_MAX: usize = 65_535;

/// As much as a node reads.
const FILE_SIZE_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct PasswdArgs {
    /// The user file; it is made when it is missing
    #[arg(required_unless_present = "print")]
    file: Option<PathBuf>,

    /// The name of the user
    #[arg(required_unless_present_any = ["print", "import", "check"])]
    user: Option<String>,

    /// Remove the user from the file
    #[arg(long, conflicts_with_all = ["print", "superuser"])]
    delete: bool,

    /// Print the hash of a password, for [access.users] of the configuration, and write no file
    #[arg(long, conflicts_with_all = ["file", "user"])]
    print: bool,

    /// No rule is to hold for the user
    #[arg(long, conflicts_with = "print")]
    superuser: bool,

    /// Keep keys of SCRAM instead of a hash, so that clients can prove the password without sending it
    #[arg(long, value_name = "FUNCTION", conflicts_with_all = ["delete", "import", "check"])]
    scram: Option<ScramFunction>,

    /// How often a client hashes its password for SCRAM, 4,096 or more; small ones need long for many
    #[arg(long, requires = "scram", default_value_t = SCRAM_ITERATIONS)]
    iterations: u32,

    /// Say which users have a weak stored password, and change nothing
    #[arg(long, conflicts_with_all = ["user", "delete", "print", "superuser", "import"])]
    check: bool,

    #[command(flatten)]
    import: ImportArgs,
}

/// The hash function of SCRAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScramFunction {
    /// Method SCRAM-SHA-256
    Sha256,
    /// Method SCRAM-SHA-512
    Sha512,
}

pub(crate) fn run(args: &PasswdArgs) -> Result<(), Failure> {
    match (&args.file, &args.user) {
        (Some(file), _) if args.check => tell_weak(file),
        (Some(file), _) if args.import.is_asked() => import::run(file, &args.import),
        (Some(file), Some(user)) if args.delete => delete(file, user),
        (Some(file), Some(user)) => set(file, user, args),
        _ => print(&format!("{}\n", stored(&read_password()?, args)?)),
    }
}

fn set(file: &Path, user: &str, args: &PasswdArgs) -> Result<(), Failure> {
    let old = read(file)?;
    check(file, &old, user)?;
    let known = edit::names(&old).any(|name| name == user);
    // A name that cannot be is told before the password is asked for.
    let probe = PROBE.parse::<User>().map(|probe| edit::set("", user, &probe));
    probe
        .expect("invariant: a well-formed constant")
        .map_err(|error| Failure::Usage(format!("the user name {error}")))?;
    if args.scram.is_none()
        && !args.import.replace
        && let Some(digest) = edit::scram_of(&old, user)
    {
        let function = if digest == PasswordDigest::Sha512 { "sha512" } else { "sha256" };
        return Err(Failure::Failed(format!(
            "nothing was changed: {user} has keys of SCRAM, by which its clients could not prove the password any \
             more; keep them with --scram {function}, or set a hash in their place with --replace"
        )));
    }
    let is_superuser = args.superuser || edit::is_superuser(&old, user);
    let entry = User { password: stored(&read_password()?, args)?, is_superuser };
    let new = edit::set(&old, user, &entry)
        .map_err(|error| Failure::Usage(format!("the user name {error}")))?;
    write(file, &new)?;
    let done = if known { "changed the password of" } else { "added" };
    print(&format!("{}: {done} {user}\n{}", file.display(), weak_lines(file, &new)))
}

/// A hash of the right shape, to try a name with.
const PROBE: &str = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA";

/// Whether it is a user file, apart from the lines of that user.
fn check(file: &Path, text: &str, user: &str) -> Result<(), Failure> {
    edit::check(text, user).map_err(|error| {
        let (file, line) = (file.display(), error.line.unwrap_or_default());
        Failure::Failed(format!(
            "nothing was changed, {file}:{line} is no line of a user file: {error}"
        ))
    })
}

fn tell_weak(file: &Path) -> Result<(), Failure> {
    let text = read(file)?;
    check(file, &text, "")?;
    let users = edit::names(&text).count();
    let weak = edit::weak(&text).count();
    let summary =
        format!("{}: users: {users}, with a weak stored password: {weak}\n", file.display());
    print(&(summary + &weak_lines(file, &text)))
}

/// The users whose stored password is weak, each with its line of the file.
fn weak_lines(file: &Path, text: &str) -> String {
    /// Whoever has more knows it.
    const TOLD_MAX: usize = 20;
    let tell = |(line, name)| {
        let place = format!("{}:{line}", file.display());
        let mend = "set it anew with `plexus passwd`";
        format!("{place}: the stored password of {name} is weak (SHA); {mend}\n")
    };
    let more = edit::weak(text).count().saturating_sub(TOLD_MAX);
    let rest = (more > 0).then(|| format!("and {more} further ones\n"));
    edit::weak(text).take(TOLD_MAX).map(tell).chain(rest).collect()
}

fn delete(file: &Path, user: &str) -> Result<(), Failure> {
    let old = read(file)?;
    let Some(new) = edit::remove(&old, user) else {
        return Err(Failure::Failed(format!("{}: no user `{user}`", file.display())));
    };
    write(file, &new)?;
    print(&format!("{}: removed {user}\n", file.display()))
}

fn stored(password: &[u8], args: &PasswdArgs) -> Result<StoredPassword, Failure> {
    let mut salt = [0; SALT_LENGTH];
    getrandom::fill(&mut salt)
        .map_err(|error| Failure::Failed(format!("the system gives no random numbers: {error}")))?;
    let digest = match args.scram {
        None => return Ok(StoredPassword::new(password, salt)),
        Some(ScramFunction::Sha256) => PasswordDigest::Sha256,
        Some(ScramFunction::Sha512) => PasswordDigest::Sha512,
    };
    let keys = ScramKeys::new(digest, password, &salt, args.iterations);
    keys.map(StoredPassword::scram).map_err(|error| Failure::Usage(format!("the password {error}")))
}

fn read_password() -> Result<Vec<u8>, Failure> {
    let password = if io::stdin().is_terminal() { ask()? } else { first_line()? };
    if password.is_empty() {
        return Err(Failure::Usage("the password is empty".into()));
    }
    if password.len() > PASSWORD_LENGTH_MAX {
        return Err(Failure::Usage("the password is longer than 65,535 bytes".into()));
    }
    Ok(password)
}

fn ask() -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::because("cannot ask for the password", &error);
    let first = rpassword::prompt_password("Password: ").map_err(failed)?;
    let second = rpassword::prompt_password("Once more: ").map_err(failed)?;
    if first != second {
        return Err(Failure::Failed("the passwords differ; nothing was changed".into()));
    }
    Ok(first.into_bytes())
}

fn first_line() -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    let mut stdin = io::Read::take(io::stdin().lock(), PASSWORD_LENGTH_MAX as u64 + 2);
    stdin
        .read_until(b'\n', &mut line)
        .map_err(|error| Failure::because("cannot read the password", &error))?;
    if line.ends_with(b"\n") {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    Ok(line)
}

fn read(file: &Path) -> Result<String, Failure> {
    let failed =
        |why: &dyn fmt::Display| Failure::Failed(format!("cannot read {}: {why}", file.display()));
    match read_regular_file(file, FILE_SIZE_MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(failed(&error)),
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| failed(&"it is not UTF-8")),
    }
}

/// Replaces the file in one step: a reader, and a crash, find the old or the new one, never half.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::because(format_args!("cannot write {}", file.display()), &error)
    };
    // Behind a symbolic link stands the file that is meant.
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = target.with_file_name(name);
    let old = fs::metadata(&target).ok();
    let written = create_private(&beside).and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        if let Some(old) = old {
            let mode = keep_owner(&new, &old)?;
            new.set_permissions(Permissions::from_mode(mode))?;
        }
        new.sync_all()?;
        fs::rename(&beside, &target)
    });
    written.map_err(|error| {
        drop(fs::remove_file(&beside));
        failed(error)
    })
}

/// A file that was readable for a service stays readable for it, also when somebody else changes it.
/// Gives the mode that fits.
fn keep_owner(new: &fs::File, old: &fs::Metadata) -> io::Result<u32> {
    let made = new.metadata()?;
    if (made.uid(), made.gid()) == (old.uid(), old.gid()) {
        return Ok(old.mode());
    }
    let Err(error) = fchown(new, Some(old.uid()), Some(old.gid())) else { return Ok(old.mode()) };
    // Only root gives files away, but everybody may give them to groups of his own.
    let group = made.gid() == old.gid() || fchown(new, None, Some(old.gid())).is_ok();
    let kept = Kept { user: made.uid() == old.uid(), group };
    kept.mode(old.uid(), old.mode()).ok_or(error)
}

/// What of the owner of a file its successor has.
#[derive(Debug, Clone, Copy)]
struct Kept {
    user: bool,
    group: bool,
}

impl Kept {
    /// The mode by which whoever could read the old file can read the new one and nobody else gets
    /// more; none if there is no such mode.
    fn mode(self, old_user: u32, mode: u32) -> Option<u32> {
        const ROOT: u32 = 0;
        let everybody = mode & 0o004 != 0;
        let user = self.user || old_user == ROOT || mode & 0o400 == 0 || everybody;
        let group = self.group || mode & 0o040 == 0 || everybody;
        // Another group gets what everybody has.
        let others = mode & 0o007;
        let mode = if self.group { mode } else { mode & !0o070 | others << 3 };
        (user && group).then_some(mode)
    }
}

/// A new file that only its owner reads.
pub(super) fn create_private(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn whoever_could_read_the_old_file_can_read_the_new_one() {
        let (root, service) = (0, 7);
        let both = Kept { user: true, group: true };
        assert_eq!(both.mode(service, 0o640), Some(0o640));
        let group = Kept { user: false, group: true };
        assert_eq!(group.mode(root, 0o640), Some(0o640), "root reads everything");
        assert_eq!(group.mode(service, 0o640), None, "the service could read it as its owner");
        assert_eq!(group.mode(service, 0o644), Some(0o644));
        let none = Kept { user: false, group: false };
        assert_eq!(none.mode(root, 0o640), None, "the group could read it");
        assert_eq!(none.mode(root, 0o600), Some(0o600));
        assert_eq!(none.mode(root, 0o664), Some(0o644), "another group may not write");
        assert_eq!(none.mode(service, 0o644), Some(0o644));
    }
}
