//! Users of the API.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use plexus_api_model::{
    Mfa, MfaCode, NewUser, PasswordChange, Role, User, UserPath, UserUpdate, operations,
};
use plexus_terminal::Failure;

use super::role;
use crate::{
    caller::{Caller, confirm},
    secrets::Secret,
    table::{Column, Row, words},
};

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// All users of the API
    List,
    /// Add a user
    ///
    /// The password is asked for on a terminal, and read from --password-file or the first line of stdin
    /// elsewhere.
    Add(AddArgs),
    /// Change role and description of a user; log-ins go on with the new role
    Update(UpdateArgs),
    /// Delete a user, and end the log-ins
    Delete(DeleteArgs),
    /// Change the own password, and end all other log-ins
    ///
    /// Both passwords are asked for on a terminal; elsewhere they are the first two lines of stdin, the one
    /// of now first, or stand in files.
    Password(PasswordArgs),
    /// A second factor: codes that change every half minute, as apps of telephones make them
    #[command(subcommand)]
    Totp(TotpCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TotpCommand {
    /// Make one for the own log-in: type the secret into the app, and confirm it with a code
    Begin(NameArgs),
    /// Show a code of it: from now on every log-in needs one
    Confirm(ConfirmArgs),
    /// Log-ins need none any more; an administrator may do so for those who have lost theirs
    End(DeleteArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The name of the user
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// The name of the user
    name: String,

    /// The code that the app shows now
    code: String,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The name
    name: String,

    /// What the user may do
    #[arg(long, value_parser = role::parser(), default_value = "viewer")]
    role: Role,

    /// What others are to know
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,

    /// The file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(id = "change", required = true, multiple = true, args = ["role", "description"])]
pub(crate) struct UpdateArgs {
    /// The name
    name: String,

    /// What the user may do
    #[arg(long, value_parser = role::parser())]
    role: Option<Role>,

    /// What others are to know
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The name
    name: String,

    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    /// The name of the user who is logged in
    name: String,

    /// The file whose first line is the password of now
    #[arg(long, value_name = "FILE")]
    old_password_file: Option<PathBuf>,

    /// The file whose first line is the new password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Row for User {
    const COLUMNS: &'static [Column<Self>] = &[
        words("USER", |user| user.username.clone()),
        words("ROLE", |user| user.role.word().to_owned()),
        words("SECOND FACTOR", |user| match user.mfa {
            Mfa::Totp => "totp".to_owned(),
            Mfa::None => String::new(),
        }),
        words("DESCRIPTION", |user| user.description.clone()),
    ];
}

pub(crate) fn run(caller: &mut Caller<'_>, command: UsersCommand) -> Result<(), Failure> {
    match command {
        UsersCommand::List => caller.list(&operations::LIST_USERS, &(), &()),
        UsersCommand::Add(args) => {
            let file = args.password_file.as_deref();
            let password = Secret { what: "new password", file, is_new: true }.get()?;
            let (username, role, description) = (args.name, args.role, args.description);
            let done = format!("added {username}, {}", role.word());
            let user = NewUser { username, password, role, description };
            caller.act(&operations::CREATE_USER, (&(), &(), &user), format_args!("{done}"))
        }
        UsersCommand::Update(args) => {
            let path = UserPath { username: args.name };
            let update = UserUpdate { role: args.role, description: args.description };
            let done = format_args!("changed {}", path.username);
            caller.act(&operations::UPDATE_USER, (&path, &(), &update), done)
        }
        UsersCommand::Delete(args) => {
            let path = UserPath { username: args.name };
            confirm(args.yes, format_args!("Delete the user {}", path.username))?;
            let done = format_args!("deleted {}", path.username);
            caller.act(&operations::DELETE_USER, (&path, &(), &()), done)
        }
        UsersCommand::Totp(command) => totp(caller, command),
        UsersCommand::Password(args) => {
            let path = UserPath { username: args.name };
            let (old, new) = (args.old_password_file, args.password_file);
            let old_pwd =
                Secret { what: "password of now", file: old.as_deref(), is_new: false }.get()?;
            let new_pwd =
                Secret { what: "new password", file: new.as_deref(), is_new: true }.get()?;
            let change = PasswordChange { old_pwd, new_pwd };
            let done = format_args!("changed the password of {}", path.username);
            caller.act(&operations::CHANGE_PASSWORD, (&path, &(), &change), done)
        }
    }
}

fn totp(caller: &mut Caller<'_>, command: TotpCommand) -> Result<(), Failure> {
    match command {
        TotpCommand::Begin(args) => {
            let path = UserPath { username: args.name };
            caller.record(&operations::BEGIN_MFA, &path, &(), &())
        }
        TotpCommand::Confirm(args) => {
            let (path, code) = (UserPath { username: args.name }, MfaCode { mfa_token: args.code });
            let done = format_args!("log-ins of {} need a code from now on", path.username);
            caller.act(&operations::CONFIRM_MFA, (&path, &(), &code), done)
        }
        TotpCommand::End(args) => {
            let path = UserPath { username: args.name };
            let asked = format_args!("Have log-ins of {} need no code any more", path.username);
            confirm(args.yes, asked)?;
            let done = format_args!("log-ins of {} need no code any more", path.username);
            caller.act(&operations::END_MFA, (&path, &(), &()), done)
        }
    }
}
