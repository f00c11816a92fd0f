//! One run of a client command: the loop, the time it may take, who interrupts it, and what a lost
//! connection means.

use std::io::{self, Write};

use plexus_types::Instant;

use super::{
    args::{ConnectArgs, Reconnect},
    backoff::Backoff,
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
    quiet: bool,
    deadline: Instant,
    interrupt: Interrupt,
}

/// What a command has to deal with itself.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Something happened that is not the session's business alone.
    Happened(Happening),
    /// The time is over.
    TimeOver,
    /// Somebody wants the command to end.
    Interrupted,
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
            quiet: args.quiet,
            deadline,
            interrupt,
        })
    }

    /// The next thing for the command. A connection that is lost and may come back is not.
    pub(crate) fn next(&mut self) -> Result<Turn, Failure> {
        loop {
            if self.interrupt.is_wanted() {
                return Ok(Turn::Interrupted);
            }
            let Some(happening) = self.driver.next(self.deadline)? else {
                return Ok(Turn::TimeOver);
            };
            match happening {
                Happening::Down(down) => self.down(&down)?,
                Happening::Up(connack) => {
                    self.was_up = true;
                    self.backoff.reset();
                    return Ok(Turn::Happened(Happening::Up(connack)));
                }
                other => return Ok(Turn::Happened(other)),
            }
        }
    }

    /// A line for a person, unless nobody wants one.
    pub(crate) fn note(&self, line: std::fmt::Arguments<'_>) {
        if !self.quiet {
            // Without stderr nobody reads it.
            drop(writeln!(io::stderr(), "{line}"));
        }
    }

    fn down(&mut self, down: &Down) -> Result<(), Failure> {
        let again = match self.reconnect {
            Reconnect::Never => false,
            Reconnect::Lost => self.was_up,
            Reconnect::Always => true,
        };
        if !again || !down.may_pass() {
            return Err(match down {
                Down::Refused { .. } | Down::ByServer { .. } => Failure::Refused(down.to_string()),
                Down::Lost(why) if why.contains("refused") && !self.was_up => {
                    Failure::Failed(format!("{why}; start a broker with `plexus serve`"))
                }
                Down::Wanted | Down::Fault(_) | Down::Silence | Down::Lost(_) => {
                    Failure::Failed(down.to_string())
                }
            });
        }
        let wait = self.backoff.wait();
        self.note(format_args!("{down}; trying again in {:.1} s", wait.as_secs_f32()));
        self.driver.reconnect(wait);
        Ok(())
    }
}
