//! Users whom clients log in as.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use plexus_access::{PasswordScheme, User, import};
use plexus_api_model::{
    Account, AccountImport, AccountPath, AccountQuery, AccountUpdate, AccountsAuthenticator,
    AuthenticatorPath, HashedAccount, NewAccount, TenantQuery, operations,
};
use plexus_terminal::Failure;

use crate::{
    caller::{Caller, RangeArgs, confirm},
    files,
    secrets::Secret,
    table::{Column, Row, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum AccountsCommand {
    /// Whether clients are asked for these users, and how many there are
    Status(StatusArgs),
    /// Users, by name
    List(ListArgs),
    /// A user
    Show(NameArgs),
    /// Add a user whom clients can log in as from now on
    ///
    /// The password is asked for on a terminal, and read from --password-file or the first line of stdin
    /// elsewhere.
    Add(AddArgs),
    /// Change password or rights of a user
    ///
    /// With --password the new one is asked for, or read as by `add`.
    Update(UpdateArgs),
    /// Take a user out; whoever is connected as this user stays
    Delete(DeleteArgs),
    /// Add users of another broker: all of them or none
    #[command(after_help = EXAMPLES)]
    Import(ImportArgs),
}

const EXAMPLES: &str = "\
Examples:
  plexus ctl accounts import export.csv --scheme sha256               (EMQX: user_id,password_hash,salt,is_superuser)
  plexus ctl accounts import export.json --scheme pbkdf2-sha256:4096  (EMQX: a list of objects with those keys)
  plexus ctl accounts import /etc/mosquitto/passwd                    (Mosquitto: name:$7$… and name:$6$…)";

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The authenticator's identifier; all that there are where it is left out
    id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of a name with this in it
    #[arg(long, value_name = "TEXT")]
    like: Option<String>,

    /// Only those for whom no rule holds, or those for whom they do
    #[arg(long, value_name = "BOOL")]
    superuser: Option<bool>,

    #[command(flatten)]
    tenant: TenantArgs,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TenantArgs {
    /// The tenant whose they are
    #[arg(long, value_name = "NAME")]
    pub(super) tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The name
    name: String,

    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The name
    name: String,

    /// No rule is to hold for the user
    #[arg(long)]
    superuser: bool,

    /// The file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
#[group(id = "change", required = true, multiple = true, args = ["superuser", "password", "password_file"])]
pub(crate) struct UpdateArgs {
    /// The name
    name: String,

    /// Whether no rule is to hold for the user
    #[arg(long, value_name = "BOOL")]
    superuser: Option<bool>,

    /// There is a new password
    #[arg(long)]
    password: bool,

    /// The file whose first line is the new password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The name
    name: String,

    /// It is meant
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file: .csv, .json, or else lines as mosquitto_passwd writes them
    file: PathBuf,

    /// How the passwords of .csv and .json are hashed: bcrypt, pbkdf2-sha256:ITERATIONS, sha256, sha512,
    /// sha256:salt-after, sha512:salt-after, phc
    #[arg(long)]
    scheme: Option<PasswordScheme>,

    /// Users who are there already are replaced
    #[arg(long)]
    replace: bool,

    #[command(flatten)]
    tenant: TenantArgs,
}

impl Row for Account {
    const COLUMNS: &'static [Column<Self>] = &[
        words("USER", |user| user.user_id.clone()),
        words("SUPERUSER", |user| units::yes(user.is_superuser)),
        words("TENANT", |user| units::maybe(user.tenant.as_ref())),
        words("", |user| {
            let hidden = "the configuration has a user of that name, who comes first";
            if user.is_hidden { hidden.to_owned() } else { String::new() }
        }),
    ];
}

impl Row for AccountsAuthenticator {
    const COLUMNS: &'static [Column<Self>] = &[
        words("AUTHENTICATOR", |it| it.id.clone()),
        words("ASKED", |it| {
            let asked = if it.enable { "yes" } else { "no: set access.accounts" };
            asked.to_owned()
        }),
        words("USERS", |it| it.users.to_string()),
    ];
}

/// The authenticator whose users are changed by the API.
fn id() -> String {
    "users".to_owned()
}

fn path(user_id: String) -> AccountPath {
    AccountPath { id: id(), user_id }
}

pub(crate) fn run(caller: &mut Caller<'_>, command: AccountsCommand) -> Result<(), Failure> {
    let all = AuthenticatorPath { id: id() };
    match command {
        AccountsCommand::Status(args) => match args.id {
            Some(id) => {
                let path = AuthenticatorPath { id };
                caller.record(&operations::GET_AUTHENTICATOR, &path, &(), &())
            }
            None => caller.list(&operations::LIST_AUTHENTICATORS, &(), &()),
        },
        AccountsCommand::List(args) => {
            let query = AccountQuery {
                like_user_id: args.like,
                is_superuser: args.superuser,
                tenant: args.tenant.tenant,
                ..AccountQuery::default()
            };
            caller.pages(&operations::LIST_ACCOUNTS, &all, query, args.range)
        }
        AccountsCommand::Show(args) => {
            let query = TenantQuery { tenant: args.tenant.tenant };
            caller.record(&operations::GET_ACCOUNT, &path(args.name), &query, &())
        }
        AccountsCommand::Add(args) => {
            let file = args.password_file.as_deref();
            let password = Secret { what: "new password", file, is_new: true }.get()?;
            let (user_id, is_superuser) = (args.name, args.superuser);
            let tenant = args.tenant.tenant;
            let user = NewAccount { user_id, password, is_superuser, tenant };
            let done = format_args!("added {}", user.user_id);
            caller.act(&operations::CREATE_ACCOUNT, (&all, &TenantQuery::default(), &user), done)
        }
        AccountsCommand::Update(args) => {
            let file = args.password_file.as_deref();
            let is_asked = args.password || file.is_some();
            let secret = Secret { what: "new password", file, is_new: true };
            let password = is_asked.then(|| secret.get()).transpose()?;
            let update = AccountUpdate { password, is_superuser: args.superuser };
            let (path, query) = (path(args.name), TenantQuery { tenant: args.tenant.tenant });
            let done = format_args!("changed {}", path.user_id);
            caller.act(&operations::UPDATE_ACCOUNT, (&path, &query, &update), done)
        }
        AccountsCommand::Delete(args) => {
            let (path, query) = (path(args.name), TenantQuery { tenant: args.tenant.tenant });
            confirm(args.yes, format_args!("Take the user {} out", path.user_id))?;
            let done = format_args!("took {} out", path.user_id);
            caller.act(&operations::DELETE_ACCOUNT, (&path, &query, &()), done)
        }
        AccountsCommand::Import(args) => {
            let users = read(&args)?;
            let done = format!("added {} users", users.len());
            let (replace, tenant) = (args.replace, args.tenant.tenant);
            let body = AccountImport { scheme: None, replace, tenant, users };
            let query = TenantQuery::default();
            caller.act(&operations::IMPORT_ACCOUNTS, (&all, &query, &body), format_args!("{done}"))
        }
    }
}

/// Bytes of a file of users.
const FILE_MAX: u64 = 24 * 1024 * 1024;

/// The users of a file, as hashes that name their form.
fn read(args: &ImportArgs) -> Result<Vec<HashedAccount>, Failure> {
    let bytes = files::read(&args.file, FILE_MAX)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Failed(format!("{}: it is no text (UTF-8)", args.file.display())))?;
    let scheme = || {
        let message =
            "--scheme: how are the passwords of that file hashed? The file does not say it";
        args.scheme.ok_or_else(|| Failure::Usage(message.to_owned()))
    };
    let found = match args.file.extension().and_then(|end| end.to_str()) {
        Some("csv") => import::csv(&text, scheme()?),
        Some("json") => import::json(&text, scheme()?),
        _ => import::mosquitto(&text),
    };
    let found = found.map_err(|error| {
        Failure::Usage(format!("{}, line {}: {error}", args.file.display(), error.line))
    })?;
    let hashed = |(user_id, user): (String, User)| HashedAccount {
        user_id,
        password_hash: user.password.to_string(),
        salt: None,
        is_superuser: user.is_superuser,
    };
    Ok(found.into_iter().map(hashed).collect())
}
