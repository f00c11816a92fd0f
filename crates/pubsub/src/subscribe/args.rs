//! The command line of `plexus sub`.

use clap::{Args, ValueEnum};
use plexus_terminal::{EXIT_CODES, Failure};
use plexus_types::{Qos, Text, TopicFilter};
use plexus_wire::{RetainHandling, SubscribeFilter, SubscriptionOptions};

use crate::client::{
    args::{ConnectArgs, qos},
    endpoint::listed,
    topics,
};

/// Options of `plexus sub`.
#[derive(Debug, Clone, Args)]
#[command(
    disable_help_flag = true,
    after_help = EXIT_CODES,
    override_usage = "plexus sub [OPTIONS] --topic <FILTER>\n       plexus sub [OPTIONS] --url <URL>/<FILTER>"
)]
pub struct SubArgs {
    /// A topic filter, in quotes: `+` is any one level, `#` at the end all below; may be given
    /// several times
    #[arg(short = 't', long, value_name = "FILTER")]
    pub(super) topic: Vec<String>,

    /// The highest quality of service that is wanted
    #[arg(short, long, value_name = "QOS", default_value = "0", value_parser = qos)]
    pub(super) qos: Qos,

    /// Print the topic before the payload
    #[arg(short = 'v', long)]
    pub(super) verbose: bool,

    /// Print each message as a line of JSON, with everything that came with it
    #[arg(long, conflicts_with = "verbose")]
    pub(super) json: bool,

    /// No line break after a payload
    #[arg(short = 'N', long, conflicts_with = "json")]
    pub(super) no_newline: bool,

    /// End after so many messages
    #[arg(short = 'C', long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// End as soon as the broker has answered the subscription, with exit code 4 if it refused any
    /// filter; without this option only if it refused all
    #[arg(short = 'E', long)]
    pub(super) exit_after_subscribe: bool,

    /// Do not print messages that the broker had kept
    #[arg(short = 'R', long)]
    pub(super) no_retained: bool,

    /// Do not print messages of these topics
    #[arg(short = 'T', long, value_name = "FILTER")]
    pub(super) filter_out: Vec<String>,

    /// Unsubscribe from this filter before; useful with --no-clean
    #[arg(short = 'U', long, value_name = "FILTER")]
    pub(super) unsubscribe: Vec<String>,

    /// Not the messages that this client publishes itself (5.0)
    #[arg(long)]
    pub(super) no_local: bool,

    /// The retain flag as the publisher set it (5.0)
    #[arg(long)]
    pub(super) retain_as_published: bool,

    /// When the broker sends the messages that it has kept (5.0)
    #[arg(long, value_name = "WHEN", default_value = "always")]
    pub(super) retain_handling: Kept,

    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

/// When kept messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kept {
    /// At every subscription
    Always,
    /// Only if the subscription is new
    New,
    /// Never
    Never,
}

impl SubArgs {
    /// What is to be unsubscribed first.
    pub(super) fn unsubscribed(&self) -> Result<Vec<Text>, Failure> {
        self.unsubscribe.iter().map(|text| filter_text(text)).collect()
    }

    /// What is not to be printed.
    pub(super) fn left_out(&self) -> Result<Vec<TopicFilter>, Failure> {
        self.filter_out.iter().map(|text| topics::filter(text)).collect()
    }

    /// What is to be subscribed.
    pub(super) fn filters(&self) -> Result<Vec<SubscribeFilter>, Failure> {
        let of_v5 = [
            (self.no_local, "--no-local"),
            (self.retain_as_published, "--retain-as-published"),
            (self.retain_handling != Kept::Always, "--retain-handling"),
        ];
        let of_v5 = of_v5.into_iter().filter_map(|(given, name)| given.then_some(name));
        let of_v5 = of_v5.collect::<Vec<_>>();
        if !self.connect.is_v5() && !of_v5.is_empty() {
            let (need, them) = if of_v5.len() == 1 { ("needs", "it") } else { ("need", "them") };
            let names = listed(&of_v5);
            let message = format!("{names} {need} MQTT 5.0; leave {them} out, or -V");
            return Err(Failure::Usage(message));
        }
        let options = SubscriptionOptions {
            qos: self.qos,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling: match self.retain_handling {
                Kept::Always => RetainHandling::Always,
                Kept::New => RetainHandling::IfNew,
                Kept::Never => RetainHandling::Never,
            },
        };
        self.texts()?
            .map(|text| Ok(SubscribeFilter { filter: filter_text(text)?, options }))
            .collect()
    }

    /// What is allowed and yet hardly meant.
    pub(super) fn doubts(&self) -> Result<Vec<String>, Failure> {
        let out = self.filter_out.iter().chain(&self.unsubscribe).map(String::as_str);
        let doubts = self.texts()?.chain(out);
        Ok(doubts.filter_map(|text| topics::doubt(&topics::filter(text).ok()?)).collect())
    }

    fn texts(&self) -> Result<impl Iterator<Item = &str>, Failure> {
        let of_url = self.connect.topic_of_url(!self.topic.is_empty())?;
        Ok(self.topic.iter().map(String::as_str).chain(of_url))
    }
}

fn filter_text(text: &str) -> Result<Text, Failure> {
    topics::filter(text).map(|filter| filter.text().clone())
}
