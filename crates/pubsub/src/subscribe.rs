//! `plexus sub`: prints what comes.

mod args;

use std::io::{self, Write};

use plexus_session::{Incoming, RequestError};
use plexus_stdx::Seed;
use plexus_terminal::Failure;
use plexus_types::{ReasonCode, Text, TopicFilter, filter_matches};
use plexus_wire::{ConnAck, SubAck, SubscribeFilter, UnsubAck};

pub use self::args::SubArgs;
use crate::client::{
    down::{Down, forbidden},
    driver::Happening,
    json,
    property::{self, PacketKind},
    session::{Session, Setback, Turn},
};

/// Runs the command until it is done, given up or interrupted; the seed spreads its attempts to connect.
pub fn run(args: &SubArgs, seed: Seed) -> Result<(), Failure> {
    let own = PacketKind::Subscribe;
    let properties = property::of(args.connect.properties(), own, own);
    let subscription_id = property::subscription_id(properties)?;
    let filters = args.filters()?;
    let (unsubscribe, without) = (args.unsubscribed()?, args.left_out()?);
    if filters.is_empty() && args.unsubscribe.is_empty() {
        return Err(Failure::Usage("no topic filter; write --topic, for example -t '#'".into()));
    }
    let doubts = args.doubts()?;
    let session = Session::new(&args.connect, own, "sub", false, seed)?;
    for doubt in doubts {
        session.note(format_args!("warning: {doubt}"));
    }
    let subscriber = Subscriber {
        args,
        filters,
        unsubscribe,
        without,
        subscription_id,
        session,
        printed: 0,
        unanswered: 0,
    };
    subscriber.run()
}

/// Connections without an answer to SUBSCRIBE, one after the other, after which SUBSCRIBE may be why.
const UNANSWERED_MAX: u32 = 3;

struct Subscriber<'a> {
    args: &'a SubArgs,
    filters: Vec<SubscribeFilter>,
    unsubscribe: Vec<Text>,
    without: Vec<TopicFilter>,
    subscription_id: Option<u32>,
    session: Session,
    printed: u64,
    /// Connections, one after the other, that ended before SUBACK.
    unanswered: u32,
}

/// Whether the loop goes on.
#[derive(Debug, PartialEq, Eq)]
enum Flow {
    On,
    Done,
}

impl Subscriber<'_> {
    fn run(mut self) -> Result<(), Failure> {
        let ended = loop {
            match self.session.next()? {
                Turn::Happened(happening) => match self.happened(happening) {
                    Ok(Flow::On) => {}
                    Ok(Flow::Done) => break Ok(()),
                    Err(failure) => break Err(failure),
                },
                Turn::Lost(setback) => self.lost(&setback)?,
                Turn::Interrupted => break Ok(()),
                Turn::TimeOver => break self.time_over(),
            }
        };
        self.session.finish()?;
        ended
    }

    fn lost(&mut self, setback: &Setback) -> Result<(), Failure> {
        let cut = matches!(&setback.down, Down::Lost(trouble) if trouble.is_cut);
        if setback.was_up && cut {
            self.unanswered = if setback.answered { 0 } else { self.unanswered + 1 };
        }
        if self.unanswered == UNANSWERED_MAX {
            self.session.suspect(format!(
                "the broker answers no SUBSCRIBE: it may not take {}, or not allow what they name",
                filters(self.filters.len())
            ));
        }
        self.session.again(&setback.down)
    }

    fn time_over(&self) -> Result<(), Failure> {
        match self.args.count {
            Some(_) if !self.session.was_up() => {
                Err(Failure::TimeOver("the time is over: there was no connection".to_owned()))
            }
            Some(count) => {
                let printed = self.printed;
                let message = format!("the time is over: {printed} of {count} messages came");
                Err(Failure::TimeOver(message))
            }
            // Listening for a time and no longer is what was asked for.
            None => Ok(()),
        }
    }

    fn happened(&mut self, happening: Happening) -> Result<Flow, Failure> {
        match happening {
            Happening::Up(connack) => self.up(&connack),
            Happening::Subscribed(suback) => self.subscribed(&suback),
            Happening::Message(message) => self.message(&message),
            Happening::Unsubscribed(unsuback) => Ok(self.unsubscribed(&unsuback)),
            Happening::Down { .. }
            | Happening::Published(..)
            | Happening::Abandoned(_)
            | Happening::Pong
            | Happening::Woken => Ok(Flow::On),
        }
    }

    fn up(&mut self, connack: &ConnAck) -> Result<Flow, Failure> {
        let driver = &mut self.session.driver;
        let now = driver.now();
        let limit = connack.properties.maximum_packet_size;
        if !self.unsubscribe.is_empty() {
            let unsubscribed = driver.client.unsubscribe(now, self.unsubscribe.clone());
            let count = self.unsubscribe.len();
            unsubscribed.map_err(|error| not_asked("UNSUBSCRIBE", count, error, limit))?;
        }
        if self.filters.is_empty() {
            return Ok(Flow::On);
        }
        let properties = &connack.properties;
        if self.subscription_id.is_some()
            && properties.subscription_identifiers_available == Some(false)
        {
            let message = "the broker has no subscription identifiers";
            return Err(Failure::Refused(message.into()));
        }
        let subscribed = driver.client.subscribe(now, self.filters.clone(), self.subscription_id);
        let count = self.filters.len();
        subscribed.map_err(|error| not_asked("SUBSCRIBE", count, error, limit))?;
        Ok(Flow::On)
    }

    fn subscribed(&self, suback: &SubAck) -> Result<Flow, Failure> {
        for (filter, reason) in self.filters.iter().zip(&suback.reasons) {
            let wanted = ReasonCode::granted(filter.options.qos);
            if reason.is_error() {
                self.session.note(format_args!("{}: {reason}", filter.filter));
            } else if reason.get() < wanted.get() {
                let qos = reason.get();
                self.session.note(format_args!("{}: granted QoS {qos} only", filter.filter));
            }
        }
        let refused = suback.reasons.iter().copied().filter(|reason| reason.is_error());
        let refused = refused.collect::<Vec<_>>();
        let (count, all) = (refused.len(), self.filters.len());
        if let Some(reason) = refused.first()
            && (count == all || self.args.exit_after_subscribe)
        {
            let which = match all {
                1 => "the subscription".to_owned(),
                _ => format!("{count} of {}", filters(all)),
            };
            let options = self.session.driver.client.options();
            let mend = match reason {
                ReasonCode::NotAuthorized => format!("; {}", forbidden(options, "read there")),
                _ => String::new(),
            };
            return Err(Failure::Refused(format!("the broker refused {which}: {reason}{mend}")));
        }
        Ok(if self.args.exit_after_subscribe { Flow::Done } else { Flow::On })
    }

    fn unsubscribed(&self, unsuback: &UnsubAck) -> Flow {
        for (filter, reason) in self.unsubscribe.iter().zip(&unsuback.reasons) {
            if reason.is_error() {
                self.session.note(format_args!("{filter}: {reason}"));
            }
        }
        if self.filters.is_empty() { Flow::Done } else { Flow::On }
    }

    fn message(&mut self, message: &Incoming) -> Result<Flow, Failure> {
        // Beyond the count nothing is printed, and hence nothing acknowledged.
        if self.is_done() {
            return Ok(Flow::Done);
        }
        if self.wants(message) {
            match self.write(message) {
                Ok(()) => self.printed += 1,
                // A reader that has read enough ends the command.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Flow::Done),
                Err(error) => return Err(Failure::because("cannot write to stdout", &error)),
            }
        }
        if let Some(packet_id) = message.packet_id {
            let driver = &mut self.session.driver;
            driver.client.acknowledge(driver.now(), packet_id, ReasonCode::Success);
        }
        Ok(if self.is_done() { Flow::Done } else { Flow::On })
    }

    fn is_done(&self) -> bool {
        self.args.count.is_some_and(|count| self.printed >= count)
    }

    fn wants(&self, message: &Incoming) -> bool {
        let kept = message.retain && self.args.no_retained;
        !kept && !self.without.iter().any(|filter| filter_matches(filter.matched(), &message.topic))
    }

    fn write(&self, message: &Incoming) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        if self.args.json {
            writeln!(stdout, "{}", json::message(message, json::clock()))?;
            return stdout.flush();
        }
        if self.args.verbose {
            write!(stdout, "{} ", message.topic)?;
        }
        stdout.write_all(&message.payload)?;
        if !self.args.no_newline {
            stdout.write_all(b"\n")?;
        }
        stdout.flush()
    }
}

/// Why the broker cannot be asked for so many filters.
fn not_asked(packet: &str, count: usize, error: RequestError, limit: Option<u32>) -> Failure {
    match (error, limit) {
        (RequestError::TooLarge, Some(limit)) => Failure::Refused(format!(
            "{packet} with {} is too large: the broker takes packets of at most {limit} bytes (in \
             Plexus mqtt.max_packet_size); name fewer or shorter ones at a time",
            filters(count)
        )),
        (RequestError::TooLarge, None) => Failure::Failed(format!(
            "{packet} with {} is larger than a packet can be; name fewer at a time",
            filters(count)
        )),
        (error, _) => Failure::Failed(format!("cannot send {packet}: {error}")),
    }
}

fn filters(count: usize) -> String {
    if count == 1 { "1 filter".to_owned() } else { format!("{count} filters") }
}
