mod account;
mod source;

use bytes::Bytes;
use clap::Args;
use plexus_session::{PublishRequest, Ticket};
use plexus_types::{Qos, ReasonCode, TopicName};
use plexus_wire::PACKET_SIZE_MAX;
use serde_json::json;

use self::{
    account::{Account, Strikes},
    source::{Next, Source},
};
use crate::{
    cli::EXIT_CODES,
    client::{
        args::{ConnectArgs, qos},
        driver::Happening,
        property::{self, MessageParts, PacketKind},
        session::{Session, Setback, Turn},
        topics,
    },
    failure::{Failure, print},
};

/// Bytes on their way to the socket beyond which no more QoS 0 messages are begun.
const BACKLOG_MAX: usize = 1024 * 1024;

#[derive(Debug, Clone, Args)]
#[command(
    disable_help_flag = true,
    after_help = EXIT_CODES,
    override_usage = "plexus pub [OPTIONS] --topic <TOPIC> \
        <--message <TEXT>|--file <FILE>|--lines|--null>\n       \
        plexus pub [OPTIONS] --url <URL>/<TOPIC> \
        <--message <TEXT>|--file <FILE>|--lines|--null>"
)]
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
    let topic = topic.ok_or_else(|| {
        Failure::Usage("no topic; write --topic, for example -t room/light".into())
    })?;
    let own = PacketKind::Publish;
    let properties = property::of(args.connect.properties(), own, own);
    let parts = property::message(properties, false)?;
    let topic = topics::name(topic)?;
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
        account: Account::new(args.qos),
        strikes: Strikes::default(),
        packet_size_max: None,
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
    /// Messages whose fate is not known.
    waiting: Vec<Waiting>,
    account: Account,
    strikes: Strikes,
    /// The largest packet that the broker takes, if it said so.
    packet_size_max: Option<u32>,
}

/// A message whose fate is not known.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    ticket: Ticket,
    number: u64,
    /// Bytes of its payload.
    size: usize,
}

impl Publisher<'_> {
    fn run(mut self) -> Result<(), Failure> {
        loop {
            self.feed()?;
            // A message of QoS 0 is done when the socket has taken it, however slow that is. A
            // connection that is lost has no backlog either, but that is still to be told.
            let driver = &self.session.driver;
            let sent = self.waiting.is_empty() && driver.backlog() == 0 && driver.is_told();
            if self.ended && sent {
                break;
            }
            match self.session.next()? {
                Turn::Happened(happening) => self.happened(&happening)?,
                Turn::Lost(setback) => self.lost(&setback)?,
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
        let whole = self.session.driver.finish(None)?;
        if !whole && self.args.qos == Qos::AtMostOnce {
            self.account.cut();
        }
        if let Some(line) = self.account.unheard() {
            self.session.note(format_args!("{line}"));
        }
        self.account.verdict()
    }

    fn left(&self, why: &str) -> String {
        let was_up = self.session.was_up();
        format!("{why}: {}", self.account.left(self.waiting.len() as u64, was_up))
    }

    /// A connection is over. One that a message ends each time is not made for ever.
    fn lost(&mut self, setback: &Setback) -> Result<(), Failure> {
        if self.args.qos == Qos::AtMostOnce && setback.was_up && (setback.unsent || self.ended) {
            self.account.cut();
            if self.ended {
                return self.account.verdict();
            }
        }
        let largest = self.waiting.iter().max_by_key(|waiting| waiting.size);
        match largest {
            Some(&Waiting { number, size, .. }) if self.strikes.add(setback) => {
                Err(Failure::Refused(account::given_up(&setback.down, number, size)))
            }
            _ => self.session.again(&setback.down),
        }
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
        let size = request.payload.len();
        let number = self.account.begin(size);
        let driver = &mut self.session.driver;
        let ticket = driver.client.publish(driver.now(), request);
        let ticket =
            ticket.map_err(|error| Failure::Failed(format!("message {number}: {error}")))?;
        self.waiting.push(Waiting { ticket, number, size });
        Ok(())
    }

    fn happened(&mut self, happening: &Happening) -> Result<(), Failure> {
        match happening {
            Happening::Published(ticket, reason) => self.settle(*ticket, Some(*reason)),
            Happening::Abandoned(ticket) => self.settle(*ticket, None),
            Happening::Up(connack) => {
                self.packet_size_max = connack.properties.maximum_packet_size;
                Ok(())
            }
            Happening::Woken
            | Happening::Down { .. }
            | Happening::Message(_)
            | Happening::Subscribed(_)
            | Happening::Unsubscribed(_) => Ok(()),
        }
    }

    /// A message met its fate; nobody knows which one when there is no reason.
    fn settle(&mut self, ticket: Ticket, reason: Option<ReasonCode>) -> Result<(), Failure> {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.ticket == ticket) else {
            return Ok(());
        };
        let Waiting { number, size, .. } = self.waiting.swap_remove(at);
        let code = reason.unwrap_or(ReasonCode::UnspecifiedError);
        if self.args.json {
            let qos = self.args.qos.get();
            let (code, name) = (code.get(), code.name());
            let line =
                json!({ "message": number, "qos": qos, "reason_code": code, "reason": name });
            print(&format!("{line}\n"))?;
        }
        let line = match reason {
            None => Some(self.account.give_up(number)),
            Some(ReasonCode::PacketTooLarge) => {
                let max = self.packet_size_max.unwrap_or(PACKET_SIZE_MAX as u32);
                Some(self.account.too_large(number, size, max))
            }
            Some(reason) if reason.is_error() => {
                self.session.progressed();
                Some(self.account.refuse(number, reason))
            }
            Some(reason) => {
                if self.args.qos > Qos::AtMostOnce {
                    self.session.progressed();
                }
                self.account.take(reason);
                None
            }
        };
        if let Some(line) = line.filter(|_| self.account.is_worth_a_line()) {
            self.session.note(format_args!("{line}"));
        }
        Ok(())
    }
}
