//! Rules of single users and clients, and of everybody.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use plexus_api_model::{
    AccountRule, AllWord, NamedRulesPath, Permission, RuleAction, RuleRetain, RuleSource, RuleWhom,
    RulesOfAll, RulesOfOne, RulesPath, RulesQuery, TenantQuery, operations,
};
use plexus_terminal::Failure;

use super::accounts::TenantArgs;
use crate::{
    caller::{Caller, RangeArgs, confirm},
    files,
    table::{Column, Row, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Where rules come from, in the order in which they are asked
    Sources,
    /// Who has rules of his own
    List(ListArgs),
    /// The rules of a client, of a user, or of everybody
    Show(WhoseArgs),
    /// Give rules to a client or a user who has none yet
    #[command(after_help = EXAMPLES)]
    Add(GivenArgs),
    /// Put rules in the place of those that somebody has; they hold at once
    #[command(after_help = EXAMPLES)]
    Set(GivenArgs),
    /// Take the rules of somebody away
    Delete(DeleteArgs),
}

const EXAMPLES: &str = "\
A rule is `allow` or `deny`, `publish`, `subscribe` or `all`, a topic filter, and perhaps qos=0,1 and retain=true. The first one
that says something decides; where none does, those of everybody are asked, and then those of the configuration.

Examples:
  plexus ctl rules set user ann -r 'allow publish robot/${clientid}/#' -r 'deny all #'
  plexus ctl rules set client robot-7 -r 'allow subscribe command/# qos=0,1'
  plexus ctl rules set all -r 'deny publish # retain=true'
  plexus ctl rules set user ann --file rules.json";

/// Whose rules they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Whom {
    /// Of a user name
    User,
    /// Of a client identifier, which a client chooses itself
    Client,
    /// Of everybody
    All,
}

/// Users or clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Users
    Users,
    /// Clients
    Clients,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Users or clients
    #[arg(default_value = "users")]
    kind: Kind,

    /// Only those of a name with this in it
    #[arg(long, value_name = "TEXT")]
    like: Option<String>,

    #[command(flatten)]
    tenant: TenantArgs,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WhoseArgs {
    /// Whose rules
    whom: Whom,

    /// The user name or the client identifier
    #[arg(required_if_eq_any = [("whom", "user"), ("whom", "client")])]
    name: Option<String>,

    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
#[group(id = "given", required = true, multiple = false, args = ["rule", "file"])]
pub(crate) struct GivenArgs {
    #[command(flatten)]
    whose: WhoseArgs,

    /// A rule; several are asked in their order
    #[arg(long, short, value_name = "RULE", value_parser = rule)]
    rule: Vec<AccountRule>,

    /// A file with a list of rules as the API takes them (JSON)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    whose: WhoseArgs,

    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

/// Bytes of a file of rules.
const RULES_MAX: u64 = 4 * 1024 * 1024;

impl Row for RulesOfOne {
    const COLUMNS: &'static [Column<Self>] = &[
        words("WHOSE", |one| {
            let user = one.username.as_ref().map(|name| format!("user {name}"));
            let client = one.clientid.as_ref().map(|name| format!("client {name}"));
            user.or(client).unwrap_or_else(|| "everybody".to_owned())
        }),
        words("RULES", |one| one.rules.iter().map(spoken).collect::<Vec<_>>().join("; ")),
        words("TENANT", |one| units::maybe(one.tenant.as_ref())),
    ];
}

impl Row for RuleSource {
    const COLUMNS: &'static [Column<Self>] = &[
        words("SOURCE", |source| {
            let own = source.r#type == "built_in_database";
            let name =
                if own { "rules of users, clients and everybody" } else { "the configuration" };
            name.to_owned()
        }),
        words("ASKED", |source| units::yes(source.enable)),
        words("LISTS OF RULES", |source| {
            source.subjects.map_or_else(String::new, |count| count.to_string())
        }),
    ];
}

/// Reads a rule as people write it.
fn rule(text: &str) -> Result<AccountRule, String> {
    let mut words = text.split_whitespace();
    let permission = match words.next() {
        Some("allow") => Permission::Allow,
        Some("deny") => Permission::Deny,
        _ => return Err("it begins with `allow` or `deny`".to_owned()),
    };
    let action = match words.next() {
        Some("publish") => RuleAction::Publish,
        Some("subscribe") => RuleAction::Subscribe,
        Some("all") => RuleAction::All,
        _ => return Err("behind that comes `publish`, `subscribe` or `all`".to_owned()),
    };
    let topic = words.next().ok_or("behind that comes a topic filter")?.to_owned();
    let (mut qos, mut retain) = (None, None);
    for word in words {
        match word.split_once('=') {
            Some(("qos", list)) => {
                let list = list.split(',').map(str::parse).collect::<Result<Vec<u8>, _>>();
                qos = Some(list.map_err(|_| "qos is a list as 0,1".to_owned())?);
            }
            Some(("retain", "true")) => retain = Some(RuleRetain::Only(true)),
            Some(("retain", "false")) => retain = Some(RuleRetain::Only(false)),
            Some(("retain", "all")) => retain = Some(RuleRetain::All(AllWord::All)),
            _ => {
                return Err(format!(
                    "`{word}`: what comes last is qos=0,1 or retain=true; a topic with blanks stands in a file (--file)"
                ));
            }
        }
    }
    Ok(AccountRule { permission, action, topic, qos, retain })
}

/// The same the other way.
fn spoken(rule: &AccountRule) -> String {
    let permission = match rule.permission {
        Permission::Allow => "allow",
        Permission::Deny => "deny",
    };
    let action = match rule.action {
        RuleAction::Publish => "publish",
        RuleAction::Subscribe => "subscribe",
        RuleAction::All => "all",
    };
    let qos = rule.qos.as_ref().map_or_else(String::new, |list| {
        let list: Vec<_> = list.iter().map(ToString::to_string).collect();
        format!(" qos={}", list.join(","))
    });
    let retain = match rule.retain {
        Some(RuleRetain::Only(retain)) => format!(" retain={retain}"),
        Some(RuleRetain::All(_)) | None => String::new(),
    };
    format!("{permission} {action} {}{qos}{retain}", rule.topic)
}

impl GivenArgs {
    fn rules(&mut self) -> Result<Vec<AccountRule>, Failure> {
        let Some(file) = &self.file else { return Ok(std::mem::take(&mut self.rule)) };
        serde_json::from_slice(&files::read(file, RULES_MAX)?).map_err(|error| {
            let file = file.display();
            Failure::Failed(format!(
                "{file}: it is no list of rules as the API takes them: {error}"
            ))
        })
    }
}

impl WhoseArgs {
    /// Whose rules are named in a path; none where they are everybody's.
    fn path(&self) -> Result<Option<NamedRulesPath>, Failure> {
        let whom = match self.whom {
            Whom::User => RuleWhom::Users,
            Whom::Client => RuleWhom::Clients,
            Whom::All if self.name.is_some() => {
                return Err(Failure::Usage("everybody has no name: leave it out".to_owned()));
            }
            Whom::All => return Ok(None),
        };
        Ok(Some(NamedRulesPath { whom, name: self.name.clone().unwrap_or_default() }))
    }

    fn told(&self) -> String {
        self.name.clone().unwrap_or_else(|| "everybody".to_owned())
    }

    fn query(&self) -> TenantQuery {
        TenantQuery { tenant: self.tenant.tenant.clone() }
    }

    fn body(&self, rules: Vec<AccountRule>) -> RulesOfOne {
        let (name, tenant) = (self.name.clone(), self.tenant.tenant.clone());
        let (username, clientid) = match self.whom {
            Whom::User => (name, None),
            Whom::Client => (None, name),
            Whom::All => (None, None),
        };
        RulesOfOne { username, clientid, tenant, rules }
    }
}

pub(crate) fn run(caller: &mut Caller<'_>, command: RulesCommand) -> Result<(), Failure> {
    match command {
        RulesCommand::Sources => {
            let answer = caller.client.call(&operations::LIST_RULE_SOURCES, &(), &(), &())?;
            caller.rows(&answer.text, &answer.value.sources)
        }
        RulesCommand::List(args) => list(caller, args),
        RulesCommand::Show(args) => show(caller, &args),
        RulesCommand::Add(mut args) => {
            let rules = args.rules()?;
            let Some(path) = args.whose.path()? else {
                let message =
                    "everybody has one list of rules: put them there with `rules set all`";
                return Err(Failure::Usage(message.to_owned()));
            };
            let (done, body) = (args.whose.told(), vec![args.whose.body(rules)]);
            let (path, done) =
                (RulesPath { whom: path.whom }, format_args!("gave rules to {done}"));
            caller.act(&operations::ADD_RULES, (&path, &TenantQuery::default(), &body), done)
        }
        RulesCommand::Set(mut args) => {
            let rules = args.rules()?;
            let told = args.whose.told();
            let done = format_args!("these rules of {told} hold now");
            if let Some(path) = args.whose.path()? {
                let (query, body) = (args.whose.query(), args.whose.body(rules));
                return caller.act(&operations::SET_RULES, (&path, &query, &body), done);
            }
            let body = RulesOfAll { tenant: args.whose.tenant.tenant, rules };
            caller.act(&operations::SET_RULES_OF_ALL, (&(), &TenantQuery::default(), &body), done)
        }
        RulesCommand::Delete(args) => {
            let told = args.whose.told();
            confirm(args.yes, format_args!("Take the rules of {told} away"))?;
            let (query, done) = (args.whose.query(), format_args!("took the rules of {told} away"));
            match args.whose.path()? {
                Some(path) => caller.act(&operations::DELETE_RULES, (&path, &query, &()), done),
                None => caller.act(&operations::DELETE_RULES_OF_ALL, (&(), &query, &()), done),
            }
        }
    }
}

fn list(caller: &mut Caller<'_>, args: ListArgs) -> Result<(), Failure> {
    let mut query = RulesQuery { tenant: args.tenant.tenant, ..RulesQuery::default() };
    let whom = match args.kind {
        Kind::Users => {
            query.like_username = args.like;
            RuleWhom::Users
        }
        Kind::Clients => {
            query.like_clientid = args.like;
            RuleWhom::Clients
        }
    };
    caller.pages(&operations::LIST_RULES, &RulesPath { whom }, query, args.range)
}

fn show(caller: &mut Caller<'_>, args: &WhoseArgs) -> Result<(), Failure> {
    let query = args.query();
    if let Some(path) = args.path()? {
        let answer = caller.client.call(&operations::GET_RULES, &path, &query, &())?;
        return caller.rows(&answer.text, &[args.body(answer.value.rules)]);
    }
    let answer = caller.client.call(&operations::GET_RULES_OF_ALL, &(), &query, &())?;
    caller.rows(&answer.text, &[args.body(answer.value.rules)])
}

#[cfg(test)]
mod tests {
    use super::{rule, spoken};

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in [
            "allow publish robot/${clientid}/#",
            "deny all # qos=0,2 retain=true",
            "allow subscribe a/+ qos=1",
            "deny publish a retain=false",
        ] {
            assert_eq!(spoken(&rule(text).unwrap()), text);
        }
        assert_eq!(spoken(&rule(" allow  all a  retain=all").unwrap()), "allow all a");
        for (wrong, said) in [
            ("", "begins with"),
            ("permit all #", "begins with"),
            ("allow read #", "`publish`, `subscribe` or `all`"),
            ("allow all", "a topic filter"),
            ("allow all a b", "`b`"),
            ("allow all a qos=x", "qos is a list"),
            ("allow all a retain=1", "`retain=1`"),
        ] {
            let error = rule(wrong).unwrap_err();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }
}
