//! The program under test, as a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Outcome,
    client::{self, Client},
    samples,
    shape::Shape,
};

/// The unit of processor time in /proc, on every Linux of today.
const TICK: Duration = Duration::from_millis(10);

/// Starts the program on the store and prints what it took.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn measure(binary: &Path, folder: &Path, shape: Shape, wanted: u64) -> Outcome<()> {
    let began = Instant::now();
    let mut node = Running(command(binary, folder).spawn()?);
    let lines = BufReader::new(node.0.stdout.take().ok_or("no output")?).lines();
    let (address, _lines) = address(lines)?;
    let (client, present) = Client::connect(address, shape.sessions - 1)?;
    let took = began.elapsed();
    if !present {
        return Err("the last session is not there".into());
    }
    drop(client);
    let used = node.usage()?;
    println!(
        "{} sessions, {} messages, fan-out {}: {:.2} s to CONNACK, {:.2} s of processor, \
         {} MB resident, {} MB at most, load {}",
        shape.sessions,
        shape.messages,
        shape.fan_out,
        took.as_secs_f64(),
        used.processor.as_secs_f64(),
        used.resident >> 20,
        used.resident_max >> 20,
        load(),
    );
    let (mut sessions, mut messages) = (0, 0);
    let began = Instant::now();
    for session in samples(shape, wanted) {
        messages += client::check(address, shape, session)?;
        sessions += 1;
    }
    println!("{sessions} sessions compared, {messages} messages, {:.2?}", began.elapsed());
    Ok(())
}

fn command(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args(["serve", "--allow-anonymous", "--print-listeners"]);
    command.args(["--listen", "tcp://127.0.0.1:0", "--set", "store.commit=fsync"]);
    command.arg("--data-dir").arg(folder).stdout(Stdio::piped());
    command
}

/// Where it listens, when it says that it is ready. The rest of its output goes with the lines.
fn address(
    mut lines: Lines<BufReader<ChildStdout>>,
) -> Outcome<(SocketAddr, Lines<BufReader<ChildStdout>>)> {
    let mut address = None;
    for line in lines.by_ref() {
        let line = line?;
        if let Some(url) = line.strip_prefix("listening tcp://") {
            address = Some(url.parse()?);
        } else if line == "ready" {
            break;
        }
    }
    Ok((address.ok_or("the program did not say where it listens")?, lines))
}

/// The process, ended when dropped.
struct Running(Child);

struct Usage {
    processor: Duration,
    resident: u64,
    resident_max: u64,
}

impl Running {
    fn usage(&self) -> Outcome<Usage> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let behind_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = behind_name.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        let ticks = ticks.sum::<Result<u32, _>>()?;
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let bytes = |name: &str| -> Outcome<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1));
            Ok(number.ok_or("unreadable /proc/<pid>/status")?.parse::<u64>()? << 10)
        };
        let (resident, resident_max) = (bytes("VmRSS")?, bytes("VmHWM")?);
        Ok(Usage { processor: TICK * ticks, resident, resident_max })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}
