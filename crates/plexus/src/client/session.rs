//! One run of a client command: the loop, the time it may take, who interrupts it, and what a lost
//! connection means.

use std::io::{self, Write};

use plexus_session::ClientOptions;
use plexus_types::{Instant, ProtocolVersion};
use plexus_wire::ConnAck;

use super::{
    args::{ConnectArgs, Reconnect},
    backoff::{Backoff, LONGEST},
    down::Down,
    driver::{Driver, Happening},
    interrupt::Interrupt,
    property::PacketKind,
};
use crate::{failure::Failure, machine};

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) driver: Driver,
    backoff: Backoff,
    reconnect: Reconnect,
    was_up: bool,
    up_since: Option<Instant>,
    /// Whether anything was acknowledged or came since the connection stands.
    progress: bool,
    /// The mend that was told last.
    told: Option<String>,
    quiet: bool,
    deadline: Instant,
    interrupt: Interrupt,
}

/// What a command has to deal with itself.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Something happened that is not the session's business alone.
    Happened(Happening),
    /// A connection is over, or none was made: [`Session::again`] decides whether there is another.
    Lost(Setback),
    /// The time is over.
    TimeOver,
    /// Somebody wants the command to end.
    Interrupted,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setback {
    pub(crate) down: Down,
    /// The broker had accepted it.
    pub(crate) was_up: bool,
    /// Something had been acknowledged, or had come.
    pub(crate) progress: bool,
    /// There were bytes that the socket had not taken.
    pub(crate) unsent: bool,
}

impl Session {
    /// `own` is the packet that properties without a packet belong to.
    pub(crate) fn new(args: &ConnectArgs, own: PacketKind, name: &str) -> Result<Self, Failure> {
        let mut seed = machine::seed()?;
        let options = args.options(own, name, seed.next_u64())?;
        let driver = Driver::new(args.endpoint()?, options)?;
        let now = driver.now();
        let deadline = args.timeout().map_or(Instant::FAR_FUTURE, |timeout| now + timeout);
        let interrupt = Interrupt::listen(driver.waker())?;
        Ok(Self {
            driver,
            backoff: Backoff::new(seed),
            reconnect: args.reconnect(),
            was_up: false,
            up_since: None,
            progress: false,
            told: None,
            quiet: args.quiet,
            deadline,
            interrupt,
        })
    }

    /// The next thing for the command.
    pub(crate) fn next(&mut self) -> Result<Turn, Failure> {
        if self.interrupt.is_wanted() {
            return Ok(Turn::Interrupted);
        }
        let Some(happening) = self.driver.next(self.deadline)? else {
            return Ok(Turn::TimeOver);
        };
        match &happening {
            Happening::Down { down, unsent } => {
                return Ok(Turn::Lost(self.setback(down.clone(), *unsent)));
            }
            Happening::Up(connack) => self.up(connack),
            Happening::Message(_) | Happening::Subscribed(_) | Happening::Unsubscribed(_) => {
                self.progressed();
            }
            // A message of QoS 0 is told as published when it leaves: its command knows better.
            Happening::Published(..) | Happening::Abandoned(_) | Happening::Woken => {}
        }
        Ok(Turn::Happened(happening))
    }

    /// The broker has done something on this connection: the next loss is not the last one's heir.
    pub(crate) fn progressed(&mut self) {
        self.progress = true;
        self.backoff.reset();
    }

    /// Whether there was a connection at all.
    pub(crate) const fn was_up(&self) -> bool {
        self.was_up
    }

    /// A line for a person, unless nobody wants one.
    pub(crate) fn note(&self, line: std::fmt::Arguments<'_>) {
        if !self.quiet {
            // Without stderr nobody reads it.
            drop(writeln!(io::stderr(), "{line}"));
        }
    }

    /// Connects again after a while, or says why not.
    pub(crate) fn again(&mut self, down: &Down) -> Result<(), Failure> {
        let again = match self.reconnect {
            Reconnect::Never => false,
            Reconnect::Lost => self.was_up,
            Reconnect::Always => true,
        };
        let mend = down.mend(self.driver.client.options());
        if !again || !down.may_pass() {
            let message = match mend {
                Some(mend) => format!("{down}; {mend}"),
                None => down.to_string(),
            };
            return Err(match down {
                Down::Refused { .. } | Down::ByServer { .. } => Failure::Refused(message),
                Down::Wanted | Down::Fault(_) | Down::Lost(_) => Failure::Failed(message),
            });
        }
        let wait = self.backoff.wait();
        self.note(format_args!("{down}; trying again in {:.1} s", wait.as_secs_f32()));
        if mend.is_some() && mend != self.told {
            self.note(format_args!("hint: {}", mend.as_deref().unwrap_or_default()));
            self.told = mend;
        }
        self.driver.reconnect(wait);
        Ok(())
    }

    fn setback(&mut self, down: Down, unsent: bool) -> Setback {
        let up_since = self.up_since.take();
        let stood = up_since.map(|since| self.driver.now().saturating_since(since));
        if stood.is_some_and(|stood| stood >= LONGEST) {
            self.backoff.reset();
        }
        Setback { down, was_up: stood.is_some(), progress: self.progress, unsent }
    }

    fn up(&mut self, connack: &ConnAck) {
        let again = self.was_up;
        self.was_up = true;
        self.progress = false;
        self.up_since = Some(self.driver.now());
        if again {
            let lost = session_lost(self.driver.client.options(), connack);
            let endpoint = self.driver.endpoint();
            self.note(format_args!(
                "connected again to {endpoint}{}",
                if lost { GONE } else { "" }
            ));
        }
    }
}

/// What follows from a session that the broker no longer has.
const GONE: &str = ", but the broker has lost the session: what it held for this client is gone";

/// Whether the broker should have kept a session for a client that was connected before, and did not.
fn session_lost(options: &ClientOptions, connack: &ConnAck) -> bool {
    let outlives = options.version.is_v5() && options.properties.session_expiry_interval > 0;
    let kept = !options.clean_start || outlives;
    // 3.1 has no word for it.
    kept && !connack.session_present && options.version != ProtocolVersion::V31
}

#[cfg(test)]
mod tests {
    use plexus_session::ClientOptions;
    use plexus_types::{ProtocolVersion, ReasonCode};
    use plexus_wire::{ConnAck, ConnAckProperties, ConnectProperties};

    use super::session_lost;

    #[test]
    fn a_session_is_lost_only_where_one_was_to_be_kept() {
        for (version, clean_start, expiry, present, lost) in [
            (ProtocolVersion::V5, true, 0, false, false),
            (ProtocolVersion::V5, true, 60, false, true),
            (ProtocolVersion::V5, true, 60, true, false),
            (ProtocolVersion::V5, false, 60, false, true),
            (ProtocolVersion::V311, true, 0, false, false),
            (ProtocolVersion::V311, false, 0, false, true),
            (ProtocolVersion::V311, false, 0, true, false),
            (ProtocolVersion::V31, false, 0, false, false),
        ] {
            let properties =
                ConnectProperties { session_expiry_interval: expiry, ..Default::default() };
            let options =
                ClientOptions { version, clean_start, properties, ..ClientOptions::default() };
            let properties = ConnAckProperties::default();
            let reason = ReasonCode::Success;
            let connack = ConnAck { session_present: present, reason, properties };
            let case = format!("{version:?} {clean_start} {expiry} {present}");
            assert_eq!(session_lost(&options, &connack), lost, "{case}");
        }
    }
}
