//! What a person and Prometheus see of a run.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use plexus_bench::{Progress, Watch, prometheus::Exporter, view};
use plexus_pubsub::client::interrupt::Interrupt;
use plexus_terminal::Failure;

use super::args::RunArgs;
/// How often a line is written where no terminal is.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Watches a run.
#[derive(Debug)]
pub(super) struct Viewer {
    way: Way,
    exporter: Option<Exporter>,
    interrupt: Option<Interrupt>,
    /// Lines of the block that stands on the terminal.
    lines: usize,
    line_at: Duration,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Silent,
    Lines,
    Block,
}

impl Viewer {
    pub(super) fn new(args: &RunArgs) -> Result<Self, Failure> {
        let listen = |address| {
            Exporter::listen(address).map_err(|error| {
                let what = format_args!("cannot serve Prometheus at {address}");
                Failure::because(what, &error)
            })
        };
        let exporter = args.prometheus.map(listen).transpose()?;
        let way = match (args.quiet, io::stderr().is_terminal()) {
            (true, _) => Way::Silent,
            (false, false) => Way::Lines,
            (false, true) => Way::Block,
        };
        let viewer = Self { way, exporter, interrupt: None, lines: 0, line_at: LINE_INTERVAL };
        if let Some(exporter) = &viewer.exporter {
            viewer.say(&format!("metrics at http://{}/metrics\n", exporter.address()));
        }
        Ok(viewer)
    }

    pub(super) fn watch(&mut self, interrupt: Interrupt) {
        self.interrupt = Some(interrupt);
    }

    fn say(&self, text: &str) {
        if self.way != Way::Silent {
            // Without stderr nobody watches.
            drop(io::stderr().write_all(text.as_bytes()));
        }
    }

    fn block(&mut self, progress: &Progress) {
        let lines = view::block(progress);
        // Up to the first line of the last block; what is left of its lines is cleared.
        let mut text =
            if self.lines > 0 { format!("\x1b[{}A\x1b[J", self.lines) } else { String::new() };
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        self.lines = lines.len();
        self.say(&text);
    }
}

impl Watch for Viewer {
    fn tell(&mut self, progress: &Progress) {
        if let Some(exporter) = &self.exporter {
            exporter.show(progress);
        }
        match self.way {
            Way::Silent => {}
            Way::Block => self.block(progress),
            Way::Lines => {
                if progress.elapsed >= self.line_at {
                    self.line_at = progress.elapsed + LINE_INTERVAL;
                    self.say(&format!("{}\n", view::line(progress)));
                }
            }
        }
    }

    fn wants_end(&mut self) -> bool {
        self.interrupt.as_ref().is_some_and(Interrupt::is_wanted)
    }
}
