//! What the rules of a configuration say, without a node.

use std::{net::IpAddr, sync::Arc};

use clap::{Args, Subcommand};
use plexus_access::{Act, AllowAll, Attributes, Effect, Policy, Principal, Rights};
use plexus_config::{Config, settings::UsersBy};
use plexus_terminal::{Failure, print};
use plexus_types::{ClientId, Qos, TenantName, Text, TopicFilter, TopicName};

use super::ConfigArgs;
use crate::machine;

#[derive(Debug, Subcommand)]
pub(crate) enum AclCommand {
    /// Say whether a client may publish, subscribe or get something, and which rule says so
    ///
    /// The rules are those of the configuration (`[[access.rule]]`), the superusers those of its user file. The
    /// exit code is 0 when it is allowed and 1 when it is refused, or when a service is asked about it
    /// (`[[access.ask]]`).
    #[command(after_help = EXAMPLES)]
    Test(TestArgs),
}

const EXAMPLES: &str = "\
Examples:
  plexus acl test publish robot/r1/state --client r1 --user fleet --config plexus.toml
  plexus acl test subscribe 'robot/+/state' --user dashboard --address 10.0.0.7";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    Publish,
    Subscribe,
    /// Get a message of that topic, where access.filter_deliveries asks about each
    Receive,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// What the client wants to do
    what: What,

    /// The topic, or the filter of a subscription
    topic: String,

    /// Its client identifier
    #[arg(long, value_name = "ID", default_value = "")]
    client: String,

    /// Its user name [default: none]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// Where it comes from [default: nowhere, as through a Unix socket]
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,

    /// The name of the listener that it comes through
    #[arg(long, value_name = "NAME", default_value = "")]
    listener: String,

    /// The tenant whose client it is [default: none]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// The quality of service of the message, or the highest that the subscription asks for
    #[arg(short, long, value_name = "QOS", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,

    /// The message is to be retained
    #[arg(short, long)]
    retain: bool,

    /// An attribute that an authenticator has found out; may be given again
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<String>,

    /// It is a superuser, for whom no rule holds
    #[arg(long)]
    superuser: bool,

    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(command: AclCommand) -> Result<(), Failure> {
    let AclCommand::Test(args) = command;
    test(&args)
}

fn test(args: &TestArgs) -> Result<(), Failure> {
    let config = args.config.load(Vec::new())?;
    let principal = args.principal(&config)?;
    let qos = Qos::new(args.qos).unwrap_or_default();
    let wrong = |what, error| Failure::Usage(format!("the {what} `{}` {error}", args.topic));
    match args.what {
        What::Publish => {
            let topic = TopicName::try_from(args.topic.as_str());
            let topic = &topic.map_err(|error| wrong("topic", error))?;
            answer(&config, &principal, &Act::Publish { topic, qos, retain: args.retain })
        }
        What::Subscribe => {
            let filter = TopicFilter::try_from(args.topic.as_str());
            let filter = &filter.map_err(|error| wrong("filter", error))?;
            answer(&config, &principal, &Act::Subscribe { filter, qos })
        }
        What::Receive => {
            let topic = TopicName::try_from(args.topic.as_str());
            let topic = &topic.map_err(|error| wrong("topic", error))?;
            answer(&config, &principal, &Act::Receive { topic, qos })
        }
    }
}

fn answer(config: &Config, principal: &Principal, act: &Act<'_>) -> Result<(), Failure> {
    if let Act::Publish { topic, qos, retain } = *act
        && AllowAll.publish(principal, topic, qos, retain).refused().is_some()
    {
        print("refused: what the node says of itself under $SYS is nobody's to publish\n")?;
        return Err(Failure::No);
    }
    if principal.rights.as_ref().is_some_and(|rights| rights.is_superuser) {
        return print("allowed: no rule holds for a superuser\n");
    }
    let asked = config.settings.access.ask.iter().map(|ask| format!("`{}`", ask.name));
    let asked = asked.collect::<Vec<_>>().join(", ");
    let asked = move || {
        print(&format!("asked elsewhere: no rule says anything, so {asked} will (access.ask)\n"))?;
        Err(Failure::No)
    };
    let asks = !config.settings.access.ask.is_empty();
    let Some(rules) = config.rules() else {
        if asks {
            return asked();
        }
        return print("allowed: there is no rule, and access.no_match is not set\n");
    };
    let asks_each = config.settings.access.filter_deliveries;
    let rule = match *act {
        Act::Subscribe { filter, qos } if asks_each => rules.find_any(principal, filter, qos),
        Act::Receive { .. } if !asks_each => {
            let message = "access.filter_deliveries is not set: a client gets what it could subscribe to; \
                           ask for `subscribe`";
            return Err(Failure::Usage(message.to_owned()));
        }
        Act::Subscribe { .. } | Act::Receive { .. } | Act::Publish { .. } => {
            rules.find(principal, act)
        }
    };
    if rule.is_none() && asks {
        return asked();
    }
    let allowed = rule.map_or_else(|| rules.otherwise(), |(_, rule)| rule.effect) == Effect::Allow;
    let because = match rule {
        Some((place, rule)) => {
            let origin = config.origin(&["access", "rule", &place.to_string()]);
            let does = if allowed { "allows" } else { "denies" };
            format!("`{}` ({origin}) {does} it", rule.name)
        }
        None if allowed => "no rule says anything, and access.no_match is \"allow\"".to_owned(),
        None => "no rule says anything".to_owned(),
    };
    let partly = if allowed && asks_each && matches!(act, Act::Subscribe { .. }) {
        "; each delivery is checked (access.filter_deliveries)"
    } else {
        ""
    };
    print(&format!("{}: {because}{partly}\n", if allowed { "allowed" } else { "refused" }))?;
    if allowed { Ok(()) } else { Err(Failure::No) }
}

impl TestArgs {
    fn principal(&self, config: &Config) -> Result<Principal, Failure> {
        let wrong = |option: &str, error: &dyn std::fmt::Display| {
            Failure::Usage(format!("{option}: the text {error}"))
        };
        let client_id = ClientId::try_from(self.client.as_str());
        let user_name = self.user.as_deref().map(Text::try_from).transpose();
        let tenant = self.tenant.as_deref().map(TenantName::try_from).transpose();
        let tenant = tenant.map_err(|error| Failure::Usage(format!("--tenant: {error}")))?;
        let is_superuser = self.superuser || self.is_superuser_of(config, tenant.as_ref())?;
        Ok(Principal {
            client_id: client_id.map_err(|error| wrong("--client", &error))?,
            user_name: user_name.map_err(|error| wrong("--user", &error))?,
            peer: self.address,
            listener: self.listener.as_str().into(),
            tenant,
            is_unplaced: false,
            rights: Some(Arc::new(Rights {
                attributes: self.attributes()?,
                is_superuser,
                ..Rights::default()
            })),
        })
    }

    /// Whether the user file, or the configuration, says so of it.
    fn is_superuser_of(
        &self,
        config: &Config,
        tenant: Option<&TenantName>,
    ) -> Result<bool, Failure> {
        let name = match config.settings.access.users_by {
            UsersBy::UserName => self.user.as_deref(),
            UsersBy::ClientId => Some(self.client.as_str()),
        };
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(false) };
        let users = config.users(machine::seed()?)?;
        Ok(users.is_some_and(|users| users.is_superuser(tenant, name)))
    }

    fn attributes(&self) -> Result<Attributes, Failure> {
        let wrong = |text: &str, why: &str| Failure::Usage(format!("--attribute {text}: {why}"));
        let mut facts: Vec<(String, String)> = Vec::new();
        for text in &self.attributes {
            let (name, value) =
                text.split_once('=').ok_or_else(|| wrong(text, "write NAME=VALUE"))?;
            if facts.iter().any(|(other, _)| other == name) {
                return Err(wrong(text, "it is given twice"));
            }
            facts.push((name.to_owned(), value.to_owned()));
        }
        let known = Attributes::new(facts.iter().cloned());
        let lost = facts.iter().find(|(name, value)| known.get(name) != Some(value));
        match lost {
            None => Ok(known),
            Some((name, _)) => Err(wrong(
                name,
                "a client has at most 32 attributes, with names of 1 to 1,024 bytes and values as long",
            )),
        }
    }
}
