//! The terminal, taken while the view is there and given back however that ends.

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal, Read, Write},
    os::unix::net::UnixStream,
    panic,
    sync::{Arc, Mutex},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH},
    low_level::pipe,
};

use super::{
    keys::{Key, keys},
    view::{Line, Style},
};
use plexus_terminal::Failure;

use crate::out::wants_colour;

/// Another screen, whose cursor is not seen (xterm: 1049, DECTCEM).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[0m\x1b[?25h\x1b[?1049l";

/// How large a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) lines: usize,
    pub(super) columns: usize,
}

/// A terminal that says nothing is as they were.
const SIZE: Size = Size { lines: 24, columns: 80 };

/// What has come.
#[derive(Debug)]
pub(super) enum Event {
    /// Keys.
    Keys(Vec<Key>),
    /// Something is there to be fetched, or the size has changed.
    Wake,
    /// The process is to end.
    End,
}

/// How the terminal was; nothing where it is so again.
type Before = Arc<Mutex<Option<Termios>>>;

/// The terminal.
pub(super) struct Screen {
    before: Before,
    wake: UnixStream,
    waker: UnixStream,
    end: UnixStream,
    colour: bool,
}

impl Screen {
    /// Takes the terminal, if this process has one.
    pub(super) fn open() -> Result<Option<Self>, Failure> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        if !stdin.is_terminal() || !stdout.is_terminal() {
            return Ok(None);
        }
        let failed = |error: io::Error| Failure::because("cannot take the terminal", &error);
        let (wake, waker) = pair().map_err(failed)?;
        let (end, ender) = pair().map_err(failed)?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            pipe::register(signal, ender.try_clone().map_err(failed)?).map_err(failed)?;
        }
        pipe::register(SIGWINCH, waker.try_clone().map_err(failed)?).map_err(failed)?;
        let before = tcgetattr(&stdin).map_err(|error| failed(error.into()))?;
        let mut raw = before.clone();
        raw.make_raw();
        let before = Arc::new(Mutex::new(Some(before)));
        // A panic ends the process before anything is dropped.
        let (kept, report) = (Arc::clone(&before), panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            restore(&kept);
            report(info);
        }));
        tcsetattr(&stdin, OptionalActions::Flush, &raw).map_err(|error| failed(error.into()))?;
        let screen = Self { before, wake, waker, end, colour: wants_colour() };
        write(ENTER)?;
        Ok(Some(screen))
    }

    /// What wakes whoever waits here, by a byte.
    pub(super) fn waker(&self) -> Result<UnixStream, Failure> {
        let cloned = self.waker.try_clone();
        cloned.map_err(|error| Failure::because("cannot share what wakes the screen", &error))
    }

    /// How large it is now.
    pub(super) fn size() -> Size {
        let size =
            tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
        size.map_or(SIZE, |size| Size { lines: size.ws_row.into(), columns: size.ws_col.into() })
    }

    /// Shows these lines, from the top.
    pub(super) fn draw(&self, lines: &[Line]) -> Result<(), Failure> {
        let mut frame = String::new();
        for (place, line) in lines.iter().enumerate() {
            let style = match line.style {
                Style::Plain => "",
                Style::Reverse => "\x1b[7m",
                Style::Alarm if self.colour => "\x1b[1;31m",
                Style::Bold | Style::Alarm => "\x1b[1m",
            };
            let (row, text) = (place + 1, &line.text);
            // Writing to a string cannot fail.
            let _: fmt::Result = write!(frame, "\x1b[{row};1H{style}{text}\x1b[0m\x1b[K");
        }
        frame.push_str("\x1b[J");
        write(&frame)
    }

    /// Waits for what comes next.
    pub(super) fn wait(&mut self) -> Result<Event, Failure> {
        let failed = |error: io::Error| Failure::because("cannot wait for the terminal", &error);
        let stdin = io::stdin();
        let (keys_come, wakes, ends) = {
            let mut all = [&self.end as &dyn std::os::fd::AsFd, &self.wake, &stdin]
                .map(|from| PollFd::from_borrowed_fd(from.as_fd(), PollFlags::IN));
            match poll(&mut all, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => return Ok(Event::Wake),
                Err(error) => return Err(failed(error.into())),
            }
            let [end, wake, input] = all.map(|one| !one.revents().is_empty());
            (input, wake, end)
        };
        if ends {
            return Ok(Event::End);
        }
        let mut bytes = [0; 256];
        if wakes {
            // However often it was woken, it wakes once.
            return self.wake.read(&mut bytes).map(|_| Event::Wake).map_err(failed);
        }
        if !keys_come {
            return Ok(Event::Wake);
        }
        let read = rustix::io::read(&stdin, &mut bytes).map_err(|error| failed(error.into()))?;
        match bytes.get(..read) {
            // The terminal is gone.
            None | Some([]) => Ok(Event::End),
            Some(bytes) => Ok(Event::Keys(keys(bytes))),
        }
    }
}

/// Both ends do not block: whoever wakes somebody who is awake has done enough.
fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    Ok((read, write))
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore(&self.before);
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

/// Gives the terminal back as it was. Once; whatever fails then cannot be mended.
fn restore(before: &Before) {
    let before = before.lock().ok().and_then(|mut before| before.take());
    if let Some(before) = before {
        drop(write(LEAVE));
        let _: rustix::io::Result<()> = tcsetattr(io::stdin(), OptionalActions::Flush, &before);
    }
}

fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::because("cannot write to the terminal", &error))
}
