//! Who is not let in.

use clap::{Args, Subcommand, ValueEnum};
use plexus_api_model::{
    BanAs, BanPath, BanQuery, BanSource, Banned, Moment, NewBan, TenantQuery, Until, operations,
};
use plexus_terminal::Failure;

use super::moment;
use crate::{
    caller::{Caller, RangeArgs, confirm},
    table::{Column, Row, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum BanCommand {
    /// All bans
    List(ListArgs),
    /// Let somebody in no more, and disconnect those who are meant
    #[command(after_help = EXAMPLES)]
    Add(AddArgs),
    /// Take a ban back; those of the configuration stay
    Remove(RemoveArgs),
    /// Take all bans back that the API has made
    Clear(ClearArgs),
}

const EXAMPLES: &str = "\
Examples:
  plexus ctl ban add client robot-7 --reason stolen
  plexus ctl ban add client 'robot-*' --until 2027-01-31T00:00:00Z
  plexus ctl ban add network 10.1.0.0/16";

/// By what somebody is banned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// A client identifier, in which * stands for anything
    Client,
    /// A user name, in which * stands for anything
    User,
    /// An address
    Address,
    /// A network, such as 10.1.0.0/16
    Network,
}

impl From<By> for BanAs {
    fn from(by: By) -> Self {
        match by {
            By::Client => Self::Clientid,
            By::User => Self::Username,
            By::Address => Self::Peerhost,
            By::Network => Self::PeerhostNet,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of a client identifier with this in it
    #[arg(long, value_name = "TEXT")]
    like_client_id: Option<String>,

    /// Only those of a user name with this in it
    #[arg(long, value_name = "TEXT")]
    like_user: Option<String>,

    /// Only those of an address with this in it
    #[arg(long, value_name = "TEXT")]
    like_ip: Option<String>,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// By what
    by: By,

    /// Who
    who: String,

    /// The tenant whose client or user it is
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,

    /// Until when, such as 2027-01-31T00:00:00Z [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// By what
    by: By,

    /// Who
    who: String,

    /// The tenant whose client or user it is
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ClearArgs {
    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

impl Row for Banned {
    const COLUMNS: &'static [Column<Self>] = &[
        words("BY", |ban| {
            let by = match ban.r#as {
                BanAs::Clientid => "client",
                BanAs::Username => "user",
                BanAs::Peerhost => "address",
                BanAs::PeerhostNet => "network",
            };
            by.to_owned()
        }),
        words("WHO", |ban| ban.who.clone()),
        words("UNTIL", |ban| match ban.until {
            Until::At(moment) => units::moment(Some(moment)),
            Until::Never(_) => String::new(),
        }),
        words("BANNED BY", |ban| match ban.source {
            BanSource::File => "the configuration".to_owned(),
            BanSource::Api => ban.by.clone(),
        }),
        words("REASON", |ban| ban.reason.clone()),
        words("TENANT", |ban| units::maybe(ban.tenant.as_ref())),
    ];
}

pub(crate) fn run(caller: &mut Caller<'_>, command: BanCommand) -> Result<(), Failure> {
    match command {
        BanCommand::List(args) => {
            let query = BanQuery {
                like_clientid: args.like_client_id,
                like_username: args.like_user,
                like_peerhost: args.like_ip,
                ..BanQuery::default()
            };
            caller.pages(&operations::LIST_BANNED, &(), query, args.range)
        }
        BanCommand::Add(args) => {
            let ban = NewBan {
                r#as: args.by.into(),
                who: args.who,
                tenant: args.tenant,
                by: None,
                reason: args.reason,
                at: None,
                until: args.until.map(Until::At),
            };
            let done = format_args!("banned {}", ban.who);
            caller.act(&operations::BAN, (&(), &(), &ban), done)
        }
        BanCommand::Remove(args) => {
            let path = BanPath { r#as: args.by.into(), who: args.who };
            let done = format_args!("took the ban of {} back", path.who);
            caller.act(&operations::UNBAN, (&path, &TenantQuery { tenant: args.tenant }, &()), done)
        }
        BanCommand::Clear(args) => {
            confirm(args.yes, format_args!("Take all bans back that the API has made"))?;
            caller.act(&operations::UNBAN_ALL, (&(), &(), &()), format_args!("took all bans back"))
        }
    }
}
