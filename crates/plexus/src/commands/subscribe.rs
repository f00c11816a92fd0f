mod args;

use std::io::{self, Write};

use plexus_session::Incoming;
use plexus_types::{ReasonCode, Text, TopicFilter, filter_matches};
use plexus_wire::{ConnAck, SubAck, SubscribeFilter, UnsubAck};

pub(crate) use self::args::SubArgs;
use crate::{
    client::{
        driver::Happening,
        json,
        property::{self, PacketKind},
        session::{Session, Turn},
    },
    failure::Failure,
};

pub(crate) fn run(args: &SubArgs) -> Result<(), Failure> {
    let own = PacketKind::Subscribe;
    let properties = property::of(args.connect.properties(), own, own);
    let subscription_id = property::subscription_id(properties)?;
    let filters = args.filters()?;
    let (unsubscribe, without) = (args.unsubscribed()?, args.left_out()?);
    if filters.is_empty() && args.unsubscribe.is_empty() {
        return Err(Failure::Usage("no topic filter; write --topic, for example -t '#'".into()));
    }
    let session = Session::new(&args.connect, own, "sub")?;
    for doubt in args.doubts() {
        session.note(format_args!("warning: {doubt}"));
    }
    Subscriber { args, filters, unsubscribe, without, subscription_id, session, printed: 0 }.run()
}

struct Subscriber<'a> {
    args: &'a SubArgs,
    filters: Vec<SubscribeFilter>,
    unsubscribe: Vec<Text>,
    without: Vec<TopicFilter>,
    subscription_id: Option<u32>,
    session: Session,
    printed: u64,
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
                Turn::Lost(setback) => self.session.again(&setback.down)?,
                Turn::Interrupted => break Ok(()),
                Turn::TimeOver => break self.time_over(),
            }
        };
        self.session.driver.finish(None)?;
        ended
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
            | Happening::Woken => Ok(Flow::On),
        }
    }

    fn up(&mut self, connack: &ConnAck) -> Result<Flow, Failure> {
        let driver = &mut self.session.driver;
        let now = driver.now();
        let failed = |error| Failure::Failed(format!("cannot subscribe: {error}"));
        if !self.unsubscribe.is_empty() {
            driver.client.unsubscribe(now, self.unsubscribe.clone()).map_err(failed)?;
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
        let filters = self.filters.clone();
        driver.client.subscribe(now, filters, self.subscription_id).map_err(failed)?;
        Ok(Flow::On)
    }

    fn subscribed(&self, suback: &SubAck) -> Result<Flow, Failure> {
        let refused = |reason: &&ReasonCode| reason.is_error();
        let count = suback.reasons.iter().filter(refused).count();
        for (filter, reason) in self.filters.iter().zip(&suback.reasons) {
            let wanted = ReasonCode::granted(filter.options.qos);
            if reason.is_error() {
                self.session.note(format_args!("{}: {reason}", filter.filter));
            } else if reason.get() < wanted.get() {
                let qos = reason.get();
                self.session.note(format_args!("{}: granted QoS {qos} only", filter.filter));
            }
        }
        if count == self.filters.len() {
            let reason = suback.reasons.first().copied().unwrap_or(ReasonCode::UnspecifiedError);
            let mend = match reason {
                ReasonCode::NotAuthorized => "; this user may not read there: check -u and -P",
                _ => "",
            };
            let message = format!("the broker refused the subscription: {reason}{mend}");
            return Err(Failure::Refused(message));
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
