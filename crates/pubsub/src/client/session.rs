//! One run of a client command: the loop, the time it may take, who interrupts it, and what a lost
//! connection means.

use std::{
    io::{self, Write},
    time::Duration,
};

use plexus_session::ClientOptions;
use plexus_stdx::Seed;
use plexus_terminal::Failure;
use plexus_types::{Instant, ProtocolVersion};
use plexus_wire::ConnAck;

use super::{
    args::{ConnectArgs, Reconnect},
    backoff::{Backoff, QuickRounds, was_of_use},
    down::Down,
    driver::{Driver, Happening},
    interrupt::Interrupt,
    property::PacketKind,
};

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) driver: Driver,
    backoff: Backoff,
    reconnect: Reconnect,
    was_up: bool,
    up_since: Option<Instant>,
    /// Whether anything was acknowledged since the connection stands.
    progress: bool,
    /// Whether the broker did anything since the connection stands.
    answered: bool,
    /// Whether a message came since the connection stands.
    heard: bool,
    rounds: QuickRounds,
    /// What may be behind several losses.
    suspicion: Option<String>,
    has_id: bool,
    /// The session outlives lost connections, and has to end with the command.
    forgets: bool,
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
    /// Something had been acknowledged.
    pub(crate) progress: bool,
    /// The broker had answered anything.
    pub(crate) answered: bool,
    /// There were bytes that the socket had not taken.
    pub(crate) unsent: bool,
}

impl Session {
    /// `own` is the packet that properties without a packet belong to. What is `exact` needs a
    /// session that outlives a lost connection.
    pub(crate) fn new(
        args: &ConnectArgs,
        own: PacketKind,
        name: &str,
        exact: bool,
        mut seed: Seed,
    ) -> Result<Self, Failure> {
        let mut options = args.options(own, name, seed.next_u64())?;
        let forgets = exact && !args.has_session() && outlast(&mut options, args.has_id());
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
            answered: false,
            heard: false,
            rounds: QuickRounds::default(),
            suspicion: None,
            has_id: args.has_id(),
            forgets,
            told: None,
            quiet: args.quiet,
            deadline,
            interrupt,
        })
    }

    /// The next thing for the command.
    pub(crate) fn next(&mut self) -> Result<Turn, Failure> {
        loop {
            if self.interrupt.is_wanted() {
                return Ok(Turn::Interrupted);
            }
            let Some(happening) = self.driver.next(self.deadline)? else {
                return Ok(Turn::TimeOver);
            };
            match happening {
                // A clean session was asked for, and this one is somebody's of earlier.
                Happening::Up(connack) if self.is_old(&connack) => {
                    self.driver.finish(None)?;
                    self.driver.forget()?;
                    self.driver.reconnect(Duration::ZERO);
                }
                happening => return Ok(self.noted(happening)),
            }
        }
    }

    /// What a happening means to the session, before the command is told.
    fn noted(&mut self, happening: Happening) -> Turn {
        match &happening {
            Happening::Down { down, unsent } => {
                return Turn::Lost(self.setback(down.clone(), *unsent));
            }
            Happening::Up(connack) => self.up(connack),
            Happening::Message(_) => (self.answered, self.heard) = (true, true),
            // Who is thrown out behind each answer makes no progress.
            Happening::Subscribed(_) | Happening::Unsubscribed(_) | Happening::Pong => {
                self.answered = true;
            }
            // A message of QoS 0 is told as published when it leaves: its command knows better.
            Happening::Published(..) | Happening::Abandoned(_) | Happening::Woken => {}
        }
        Turn::Happened(happening)
    }

    /// Whether a session that only has to outlive lost connections was there before the first.
    fn is_old(&self, connack: &ConnAck) -> bool {
        let is_v5 = self.driver.client.version().is_v5();
        self.forgets && !is_v5 && !self.was_up && connack.session_present
    }

    /// The broker has taken something on this connection: the next loss is not the last one's heir.
    pub(crate) fn progressed(&mut self) {
        (self.progress, self.answered) = (true, true);
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
        let options = self.driver.client.options();
        if !again || !down.may_pass() {
            return Err(down.failure(options));
        }
        let mend = self.suspicion.take().or_else(|| down.mend(options));
        let wait = self.backoff.wait();
        self.note(format_args!("{down}; trying again in {:.1} s", wait.as_secs_f32()));
        if mend.is_some() && mend != self.told {
            self.note(format_args!("hint: {}", mend.as_deref().unwrap_or_default()));
            self.told = mend;
        }
        self.driver.reconnect(wait);
        Ok(())
    }

    /// Says DISCONNECT, and that the broker may forget the session if nobody asked for one; whether
    /// the broker seems to have read it all.
    pub(crate) fn finish(&mut self) -> Result<bool, Failure> {
        let is_v5 = self.driver.client.version().is_v5();
        let whole = self.driver.finish((self.forgets && is_v5).then_some(0))?;
        if self.forgets && !is_v5 && self.was_up {
            self.driver.forget()?;
        }
        Ok(whole)
    }

    /// What to look at if this connection, too, is lost and another one is made.
    pub(crate) fn suspect(&mut self, why: String) {
        self.suspicion = Some(why);
    }

    fn setback(&mut self, down: Down, unsent: bool) -> Setback {
        let up_since = self.up_since.take();
        let stood = up_since.map(|since| self.driver.now().saturating_since(since));
        if let Some(stood) = stood {
            if was_of_use(stood, self.heard) {
                self.backoff.reset();
            }
            let cut = matches!(&down, Down::Lost(trouble) if trouble.is_cut) && self.answered;
            if self.rounds.add(stood, cut) && self.has_id {
                let id = &self.driver.client.options().client_id;
                self.suspicion = Some(format!(
                    "does another client use the client identifier `{id}`? They take the session \
                     from each other; give each its own with -i"
                ));
            }
        }
        let (progress, answered) = (self.progress, self.answered);
        Setback { down, was_up: stood.is_some(), progress, answered, unsent }
    }

    fn up(&mut self, connack: &ConnAck) {
        let again = self.was_up;
        self.was_up = true;
        (self.progress, self.answered, self.heard) = (false, false, false);
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

/// How long the broker keeps a session that only has to outlive lost connections, in seconds.
const OUTLAST: u32 = 300;

/// Makes the session outlive a lost connection, because without it nobody knows afterwards what
/// was taken; whether that is done. In 3.1 nobody would see that a session of an identifier that
/// somebody chose is there already, with packet identifiers of its own.
fn outlast(options: &mut ClientOptions, has_id: bool) -> bool {
    if options.version.is_v5() {
        let expiry = &mut options.properties.session_expiry_interval;
        let unset = *expiry == 0;
        *expiry = if unset { OUTLAST } else { *expiry };
        return unset;
    }
    let unseen = has_id && options.version == ProtocolVersion::V31;
    options.clean_start = unseen;
    !unseen
}

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

    use super::{OUTLAST, outlast, session_lost};

    #[test]
    fn a_session_outlives_its_connection_where_that_harms_nobody() {
        for (version, has_id, done, clean, expiry) in [
            (ProtocolVersion::V5, false, true, true, OUTLAST),
            (ProtocolVersion::V5, true, true, true, OUTLAST),
            (ProtocolVersion::V311, false, true, false, 0),
            (ProtocolVersion::V311, true, true, false, 0),
            (ProtocolVersion::V31, false, true, false, 0),
            (ProtocolVersion::V31, true, false, true, 0),
        ] {
            let mut options = ClientOptions { version, ..ClientOptions::default() };
            assert_eq!(outlast(&mut options, has_id), done, "{version:?} {has_id}");
            assert_eq!(options.clean_start, clean, "{version:?} {has_id}");
            assert_eq!(options.properties.session_expiry_interval, expiry);
        }
    }

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
