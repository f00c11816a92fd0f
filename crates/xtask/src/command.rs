//! Other programs: started, waited for, never left behind.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Failure, Outcome};

/// A command of the cargo that started us, so that both use one toolchain.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Any other program.
pub(crate) fn program(name: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

/// Runs to the end; anything but success is a failure that names the command.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let line = line_of(command);
    let status = command.status().map_err(Failure::doing(format!("`{line}` does not start")))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{line}` failed: {status}"))) }
}

/// Runs to the end and yields what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let line = line_of(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Failure::doing(format!("`{line}` does not start")))?;
    if !output.status.success() {
        return Err(Failure::new(format!("`{line}` failed: {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(Failure::doing(format!("`{line}` wrote no UTF-8")))
}

/// Whether the program starts and succeeds; its output is nobody's concern.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Which of its two streams a program reports on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Runs to the end, passes the stream on line by line and shows each line to `watch` as well.
/// Yields whether the program succeeded.
pub(crate) fn watched(
    command: &mut Command,
    stream: Stream,
    mut watch: impl FnMut(&str),
) -> Outcome<bool> {
    let line = line_of(command);
    match stream {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Error => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().map_err(Failure::doing(format!("`{line}` does not start")))?;
    let reading = match stream {
        Stream::Output => child.stdout.take().map(|pipe| follow(pipe, &mut watch)),
        Stream::Error => child.stderr.take().map(|pipe| follow(pipe, &mut watch)),
    };
    let status = child.wait().map_err(Failure::doing(format!("`{line}` was lost")))?;
    reading.unwrap_or(Ok(())).map_err(Failure::doing(format!("`{line}` cannot be read")))?;
    Ok(status.success())
}

fn follow(pipe: impl std::io::Read, watch: &mut impl FnMut(&str)) -> std::io::Result<()> {
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        print!("{line}");
        watch(line.trim_end());
        bytes.clear();
    }
    Ok(())
}

/// What a person would have typed.
fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command() {
        let failure = run(&mut program("sh", &["-c", "exit 3"])).unwrap_err();
        assert_eq!(failure.to_string(), "`sh -c exit 3` failed: exit status: 3");
    }

    #[test]
    fn watched_sees_every_line_of_the_stream() {
        let mut lines = Vec::new();
        let shell = &mut program("sh", &["-c", "echo one >&2; echo two >&2; exit 1"]);
        let success = watched(shell, Stream::Error, |line| lines.push(line.to_owned())).unwrap();
        assert!(!success);
        assert_eq!(lines, ["one", "two"]);
    }
}
