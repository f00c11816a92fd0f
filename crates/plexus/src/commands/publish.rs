mod source;

use bytes::Bytes;
use clap::Args;
use plexus_session::{PublishRequest, Ticket};
use plexus_types::{Qos, ReasonCode, TopicName};
use serde_json::json;

use self::source::{Next, Source};
use crate::{
    client::{
        args::{ConnectArgs, qos, topic_name},
        driver::Happening,
        property::{self, MessageParts, PacketKind},
        session::{Session, Turn},
    },
    failure::{Failure, print},
};

/// Bytes on their way to the socket beyond which no more QoS 0 messages are begun.
const BACKLOG_MAX: usize = 1024 * 1024;
/// Refusals that are told one by one; the others are only counted.
const REFUSALS_SHOWN: u64 = 10;

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct PubArgs {
    /// The topic
    #[arg(short = 't', long, value_name = "TOPIC")]
    topic: Option<String>,

    #[command(flatten)]
    input: InputArgs,

    /// The quality of service: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short, long, value_name = "QOS", default_value = "0", value_parser = qos)]
    qos: Qos,

    /// The broker keeps the last message for later subscribers
    #[arg(short = 'r', long)]
    retain: bool,

    /// Print the fate of each message as a line of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connect: ConnectArgs,
}

/// Where the payload comes from.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
struct InputArgs {
    /// The payload
    #[arg(short = 'm', long, value_name = "TEXT", conflicts_with_all = ["file", "lines", "null"])]
    message: Option<String>,

    /// The payload is the content of a file; - is stdin
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "null")]
    file: Option<String>,

    /// Each line of stdin, or of --file, is a message
    #[arg(short = 'l', long, conflicts_with = "null")]
    lines: bool,

    /// An empty payload; with --retain it deletes the message that the broker keeps
    #[arg(short = 'n', long)]
    null: bool,
}

pub(crate) fn run(args: &PubArgs) -> Result<(), Failure> {
    let topic = args.topic.as_deref().or_else(|| args.connect.topic_of_url());
    let topic = topic.ok_or_else(|| Failure::Usage("no topic; write --topic".into()))?;
    let own = PacketKind::Publish;
    let properties = property::of(args.connect.properties(), own, own);
    let parts = property::message(properties, false)?;
    let topic = topic_name(topic)?;
    let session = Session::new(&args.connect, own, "pub")?;
    let source = args.input.open(&session)?;
    let publisher = Publisher {
        args,
        topic,
        parts,
        session,
        source,
        ended: false,
        waiting: Vec::new(),
        begun: 0,
        refused: Fate::default(),
        unmatched: 0,
    };
    publisher.run()
}

impl InputArgs {
    fn open(&self, session: &Session) -> Result<Source, Failure> {
        if self.lines {
            let file = self.file.as_deref().filter(|file| *file != "-");
            return Source::lines(file, session.driver.waker());
        }
        match (&self.message, &self.file) {
            (Some(message), _) => Ok(Source::one(Bytes::from(message.clone()))),
            (None, Some(file)) => Source::whole(file),
            (None, None) => Ok(Source::one(Bytes::new())),
        }
    }
}

struct Publisher<'a> {
    args: &'a PubArgs,
    topic: TopicName,
    parts: MessageParts,
    session: Session,
    source: Source,
    /// The source has no more.
    ended: bool,
    /// Messages whose fate is not known, with their number.
    waiting: Vec<(Ticket, u64)>,
    begun: u64,
    refused: Fate,
    unmatched: u64,
}

/// Messages that the broker did not take.
#[derive(Debug, Default)]
struct Fate {
    count: u64,
    last: Option<ReasonCode>,
}

impl Publisher<'_> {
    fn run(mut self) -> Result<(), Failure> {
        loop {
            self.feed()?;
            // A message of QoS 0 is done when the socket has taken it, however slow that is.
            let sent = self.waiting.is_empty() && self.session.driver.backlog() == 0;
            if self.ended && sent {
                break;
            }
            match self.session.next()? {
                Turn::Happened(happening) => self.happened(&happening)?,
                Turn::TimeOver => {
                    self.session.driver.finish(None)?;
                    return Err(Failure::TimeOver(self.left("the time is over")));
                }
                Turn::Interrupted => {
                    self.session.driver.finish(None)?;
                    return Err(Failure::Failed(self.left("interrupted")));
                }
            }
        }
        self.session.driver.finish(None)?;
        if self.unmatched > 0 {
            let (count, begun) = (self.unmatched, self.begun);
            self.session.note(format_args!("nobody subscribes to it: {count} of {begun}"));
        }
        match self.refused.last {
            Some(reason) => {
                let (count, begun) = (self.refused.count, self.begun);
                let message = format!("the broker refused {count} of {begun} messages: {reason}");
                Err(Failure::Refused(message))
            }
            None => Ok(()),
        }
    }

    fn left(&self, why: &str) -> String {
        format!("{why}: {} of {} messages are not acknowledged", self.waiting.len(), self.begun)
    }

    /// Begins as many messages as there is room for.
    fn feed(&mut self) -> Result<(), Failure> {
        while !self.ended && self.has_room() {
            match self.source.next()? {
                Next::Payload(payload) => self.publish(payload)?,
                Next::Later => break,
                Next::End => self.ended = true,
            }
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        let driver = &self.session.driver;
        match self.args.qos {
            Qos::AtMostOnce => driver.client.is_connected() && driver.backlog() < BACKLOG_MAX,
            Qos::AtLeastOnce | Qos::ExactlyOnce => driver.client.window() > 0,
        }
    }

    fn publish(&mut self, payload: Bytes) -> Result<(), Failure> {
        let request = PublishRequest {
            topic: self.topic.clone(),
            payload,
            qos: self.args.qos,
            retain: self.args.retain,
            message_expiry_interval: self.parts.expiry_interval,
            properties: self.parts.properties.clone(),
        };
        let driver = &mut self.session.driver;
        let ticket = driver.client.publish(driver.now(), request);
        let ticket = ticket
            .map_err(|error| Failure::Failed(format!("message {}: {error}", self.begun + 1)))?;
        self.begun += 1;
        self.waiting.push((ticket, self.begun));
        Ok(())
    }

    fn happened(&mut self, happening: &Happening) -> Result<(), Failure> {
        match happening {
            Happening::Published(ticket, reason) => self.settle(*ticket, Some(*reason)),
            Happening::Abandoned(ticket) => self.settle(*ticket, None),
            Happening::Up(_)
            | Happening::Woken
            | Happening::Down(_)
            | Happening::Message(_)
            | Happening::Subscribed(_)
            | Happening::Unsubscribed(_) => Ok(()),
        }
    }

    /// A message met its fate; nobody knows which one when there is no reason.
    fn settle(&mut self, ticket: Ticket, reason: Option<ReasonCode>) -> Result<(), Failure> {
        let Some(at) = self.waiting.iter().position(|(waiting, _)| *waiting == ticket) else {
            return Ok(());
        };
        let (_, number) = self.waiting.swap_remove(at);
        let reason = reason.unwrap_or(ReasonCode::UnspecifiedError);
        if self.args.json {
            let qos = self.args.qos.get();
            let (code, name) = (reason.get(), reason.name());
            let line =
                json!({ "message": number, "qos": qos, "reason_code": code, "reason": name });
            print(&format!("{line}\n"))?;
        }
        if reason.is_error() {
            self.refused.count += 1;
            self.refused.last = Some(reason);
            if self.refused.count <= REFUSALS_SHOWN {
                self.session.note(format_args!("message {number}: {reason}"));
            }
        } else if reason == ReasonCode::NoMatchingSubscribers {
            self.unmatched += 1;
        }
        Ok(())
    }
}
