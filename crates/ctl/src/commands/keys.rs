//! API keys: who programs are.

use clap::{Args, Subcommand};
use plexus_api_model::{ApiKey, ApiKeyPath, ApiKeyUpdate, Moment, NewApiKey, Role, operations};
use plexus_terminal::Failure;

use super::{moment, role};
use crate::{
    caller::{Caller, confirm},
    table::{Column, Row, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// All keys
    List,
    /// A key, without its secret
    Show(KeyArgs),
    /// Make a key; its secret is shown this once
    Add(AddArgs),
    /// Change what a key may be used for, until when, or that it may not be used
    Update(UpdateArgs),
    /// Delete a key; it opens nothing any more
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// What it is called
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// What it is called
    name: String,

    /// What it may be used for
    #[arg(long, value_parser = role::parser(), default_value = "viewer")]
    role: Role,

    /// When it ends, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<Moment>,

    /// What others are to know
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,

    /// It may not be used yet
    #[arg(long)]
    disabled: bool,
}

#[derive(Debug, Args)]
#[group(id = "change", required = true, multiple = true, args = ["role", "expires", "description", "enable", "disable"])]
pub(crate) struct UpdateArgs {
    /// What it is called
    name: String,

    /// What it may be used for
    #[arg(long, value_parser = role::parser())]
    role: Option<Role>,

    /// When it ends, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<Moment>,

    /// What others are to know
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// It may be used
    #[arg(long, conflicts_with = "disable")]
    enable: bool,

    /// It may not be used
    #[arg(long)]
    disable: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// What it is called
    name: String,

    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

impl Row for ApiKey {
    const COLUMNS: &'static [Column<Self>] = &[
        words("NAME", |key| key.name.clone()),
        words("KEY", |key| key.api_key.clone()),
        words("ROLE", |key| key.role.word().to_owned()),
        words("STATE", |key| {
            let state = match (key.expired, key.enable) {
                (true, _) => "over",
                (false, true) => "enabled",
                (false, false) => "disabled",
            };
            state.to_owned()
        }),
        words("UNTIL", |key| units::moment(key.expired_at)),
        words("DESCRIPTION", |key| key.desc.clone()),
    ];
}

pub(crate) fn run(caller: &mut Caller<'_>, command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::List => caller.list(&operations::LIST_API_KEYS, &(), &()),
        KeysCommand::Show(args) => {
            let path = ApiKeyPath { name: args.name };
            caller.record(&operations::GET_API_KEY, &path, &(), &())
        }
        KeysCommand::Add(args) => {
            let key = NewApiKey {
                name: args.name,
                role: args.role,
                enable: !args.disabled,
                expired_at: args.expires,
                desc: args.description,
            };
            caller.record(&operations::CREATE_API_KEY, &(), &(), &key)?;
            if !caller.out.is_json() {
                caller.out.note(format_args!("write api_secret down: it is not shown again"));
            }
            Ok(())
        }
        KeysCommand::Update(args) => {
            let path = ApiKeyPath { name: args.name };
            let update = ApiKeyUpdate {
                role: args.role,
                enable: (args.enable || args.disable).then_some(args.enable),
                expired_at: args.expires,
                desc: args.description,
            };
            let done = format_args!("changed {}", path.name);
            caller.act(&operations::UPDATE_API_KEY, (&path, &(), &update), done)
        }
        KeysCommand::Delete(args) => {
            let path = ApiKeyPath { name: args.name };
            confirm(args.yes, format_args!("Delete the API key {}", path.name))?;
            let done = format_args!("deleted {}", path.name);
            caller.act(&operations::DELETE_API_KEY, (&path, &(), &()), done)
        }
    }
}
