//! `plexus pub`: messages from the command line, a file or stdin.

mod account;
mod source;

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use plexus_session::{PublishRequest, Ticket};
use plexus_stdx::Seed;
use plexus_terminal::{EXIT_CODES, Failure, print};
use plexus_types::{Instant, Qos, ReasonCode, TopicName};
use plexus_wire::PACKET_SIZE_MAX;
use serde_json::json;

use self::{
    account::{Account, Kind, Strikes, numbers},
    source::{Next, Source},
};
use crate::client::{
    args::{ConnectArgs, qos},
    down::Down,
    driver::Happening,
    property::{self, MessageParts, PacketKind},
    session::{Session, Setback, Turn},
    topics,
};

/// Bytes on their way to the socket beyond which no more QoS 0 messages are begun.
const BACKLOG_MAX: usize = 1024 * 1024;
/// How long the broker may take to say that it has read the last message of QoS 0.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long input that is not sent any more is counted.
const REST_TIME: Duration = Duration::from_secs(1);

/// Options of `plexus pub`.
#[derive(Debug, Clone, Args)]
#[command(
    disable_help_flag = true,
    after_help = EXIT_CODES,
    override_usage = "plexus pub [OPTIONS] --topic <TOPIC> \
        <--message <TEXT>|--file <FILE>|--lines|--null>\n       \
        plexus pub [OPTIONS] --url <URL>/<TOPIC> \
        <--message <TEXT>|--file <FILE>|--lines|--null>"
)]
pub struct PubArgs {
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

/// Runs the command until it is done, given up or interrupted; the seed spreads its attempts to connect.
pub fn run(args: &PubArgs, seed: Seed) -> Result<(), Failure> {
    let of_url = args.connect.topic_of_url(args.topic.is_some())?;
    let topic = args.topic.as_deref().or(of_url).ok_or_else(|| {
        Failure::Usage("no topic; write --topic, for example -t room/light".into())
    })?;
    let own = PacketKind::Publish;
    let properties = property::of(args.connect.properties(), own, own);
    let parts = property::message(properties, false)?;
    let topic = topics::name(topic)?;
    let session = Session::new(&args.connect, own, "pub", args.qos == Qos::ExactlyOnce, seed)?;
    let source = args.input.open(&session)?;
    let is_of_broker = topics::is_of_broker(&topic);
    if is_of_broker {
        session.note(format_args!("warning: the topic `{topic}`: {}", topics::OF_BROKER));
    }
    let expires = parts.expiry_interval.is_some();
    let kind = Kind { qos: args.qos, retain: args.retain, expires, is_of_broker };
    let publisher = Publisher {
        args,
        topic,
        parts,
        session,
        source,
        ended: false,
        asked: None,
        waiting: Vec::new(),
        account: Account::new(kind),
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
    /// When the broker was asked whether it has read everything.
    asked: Option<Instant>,
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
        let ended = self.work();
        if ended.is_err() {
            self.tell_rest()?;
        }
        let whole = self.session.finish()?;
        ended?;
        if !whole && self.args.qos == Qos::AtMostOnce {
            self.account.cut(None);
        }
        if let Some(line) = self.account.unheard() {
            self.session.note(format_args!("{line}"));
        }
        self.verdict()
    }

    fn work(&mut self) -> Result<(), Failure> {
        loop {
            self.feed()?;
            // A message of QoS 0 is done when the socket has taken it, however slow that is. A
            // connection that is lost has no backlog either, but that is still to be told.
            let driver = &self.session.driver;
            let sent = self.waiting.is_empty() && driver.backlog() == 0 && driver.is_told();
            if self.ended && sent && self.is_read() {
                return Ok(());
            }
            match self.session.next()? {
                Turn::Happened(Happening::Pong) if self.asked.is_some() => return Ok(()),
                Turn::Happened(happening) => self.happened(&happening)?,
                Turn::Lost(setback) => self.lost(&setback)?,
                Turn::TimeOver => return Err(Failure::TimeOver(self.left("the time is over"))),
                Turn::Interrupted => return Err(Failure::Failed(self.left("interrupted"))),
            }
        }
    }

    /// Whether the broker has read all that the socket took. Nothing acknowledges QoS 0, but the
    /// answer to a PINGREQ behind it comes only over a connection that the messages did not end.
    fn is_read(&mut self) -> bool {
        if self.args.qos > Qos::AtMostOnce || self.account.is_empty() {
            return true;
        }
        let driver = &mut self.session.driver;
        let now = driver.now();
        if let Some(asked) = self.asked {
            return now.saturating_since(asked) >= READ_TIMEOUT;
        }
        self.asked = Some(now);
        driver.client.ping(now).is_err()
    }

    fn verdict(&mut self) -> Result<(), Failure> {
        self.account.verdict(self.session.driver.client.options())
    }

    /// Says what was not acknowledged and what was not even sent.
    fn tell_rest(&mut self) -> Result<(), Failure> {
        let mut open = self.waiting.iter().map(|waiting| waiting.number).collect::<Vec<_>>();
        open.sort_unstable();
        let (begun, mut unsent, mut all) = (self.account.begun(), 0, true);
        if !self.ended {
            let driver = &self.session.driver;
            let until = driver.now() + REST_TIME;
            (unsent, all) = self.source.rest(|| driver.now() < until);
        }
        let unsent = (begun + 1..=begun + unsent).collect::<Vec<_>>();
        if self.args.json {
            let fates = open.iter().map(|number| (number, "Not acknowledged"));
            for (number, fate) in fates.chain(unsent.iter().map(|number| (number, "Not sent"))) {
                self.tell_fate(*number, None, fate)?;
            }
        }
        if begun + unsent.len() as u64 > 1 {
            if !open.is_empty() {
                self.session.note(format_args!("not acknowledged: {}", numbers(&open)));
            }
            let more = if all { "" } else { ", and what follows" };
            if !unsent.is_empty() {
                self.session.note(format_args!("not sent: {}{more}", numbers(&unsent)));
            }
        }
        Ok(())
    }

    fn tell_fate(&self, number: u64, code: Option<ReasonCode>, fate: &str) -> Result<(), Failure> {
        let (qos, code) = (self.args.qos.get(), code.map(ReasonCode::get));
        let line = json!({ "message": number, "qos": qos, "reason_code": code, "reason": fate });
        print(&format!("{line}\n"))
    }

    fn left(&self, why: &str) -> String {
        let was_up = self.session.was_up();
        format!("{why}: {}", self.account.left(self.waiting.len() as u64, was_up))
    }

    /// A connection is over. One that a message ends each time is not made for ever.
    fn lost(&mut self, setback: &Setback) -> Result<(), Failure> {
        if self.args.qos == Qos::AtMostOnce && setback.was_up && (setback.unsent || self.ended) {
            let options = self.session.driver.client.options();
            let bare = matches!(setback.down, Down::Lost(_));
            self.account.cut((!bare).then(|| setback.down.failure(options)));
            if self.ended {
                return self.verdict();
            }
        }
        if !self.waiting.is_empty() && self.strikes.add(setback) {
            let waiting = self.waiting.iter().map(|waiting| (waiting.number, waiting.size));
            let waiting = waiting.collect::<Vec<_>>();
            return Err(Failure::Refused(self.account.given_up(&setback.down, &waiting)));
        }
        self.session.again(&setback.down)
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
            | Happening::Pong
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
            // QoS 0 is never acknowledged: all that is known is that it left.
            let sent = self.args.qos == Qos::AtMostOnce && !code.is_error();
            self.tell_fate(number, Some(code), if sent { "Sent" } else { code.name() })?;
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
