//! A node while it works, on a terminal.

mod board;
mod keys;
mod screen;
#[cfg(test)]
mod tests;
mod view;
mod watch;

use std::time::Duration;

use clap::Args;
use plexus_terminal::Failure;

use self::{
    board::{Board, Next},
    screen::{Event, Screen},
    watch::{Snapshot, Watch},
};
use crate::{
    connection::{ConnectionArgs, Surroundings},
    out::{Out, OutputArgs},
};

/// How a node is watched.
#[derive(Debug, Args)]
#[command(after_help = KEYS)]
pub struct TopArgs {
    #[command(flatten)]
    connection: ConnectionArgs,

    /// Seconds between two looks
    #[arg(long, short, value_name = "SECONDS", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,

    /// Only clients with this in identifier, user name, address, listener, tenant or an attribute
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    search: String,
}

const KEYS: &str = "\
Keys:
  q, Esc, Ctrl-C     end
  s                  order clients by what waits for them, by what is in flight, by subscriptions, by name
  /                  only clients with a text in them; Enter ends the text, Esc takes it away
  arrows, Page, Home move through the clients

Without a terminal it prints what is now, and ends.";

/// Of a terminal that does not say how large it is.
const COLUMNS: usize = 80;

/// Lines of what is printed without a terminal.
const LINES: usize = 24;

/// Shows how a node does until somebody has seen enough.
pub fn top(args: &TopArgs) -> Result<(), Failure> {
    let client = args.connection.client(&Surroundings::of_process(), args.connection.patience())?;
    // What cannot be asked at all is told before the terminal is taken.
    let first = Snapshot::take(&client, &args.search)?;
    let mut board = Board::new(client.address().to_string(), args.search.clone());
    board.handle_snapshot(Ok(first));
    let Some(mut screen) = Screen::open()? else {
        let mut out = Out::stdout(OutputArgs { json: false });
        let lines = view::lines(&board, LINES, out.columns().unwrap_or(COLUMNS));
        let told = lines.iter().map(|line| line.text.trim_end()).collect::<Vec<_>>().join("\n");
        return out.write(&format!("{}\n", told.trim_end()));
    };
    let interval = Duration::from_secs(args.interval);
    let watch = Watch::start(client, args.search.clone(), interval, screen.waker()?)?;
    loop {
        let size = Screen::size();
        screen.draw(&view::lines(&board, size.lines, size.columns))?;
        match screen.wait()? {
            Event::End => return Ok(()),
            Event::Wake => {
                while let Some(snapshot) = watch.poll() {
                    board.handle_snapshot(snapshot);
                }
            }
            Event::Keys(keys) => {
                for key in keys {
                    match board.handle_key(key) {
                        Next::Stay => {}
                        Next::Search(text) => watch.search(text),
                        Next::End => return Ok(()),
                    }
                }
            }
        }
    }
}
