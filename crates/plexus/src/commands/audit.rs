//! The audit log of a node, without a node.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::{Args, Subcommand};
use plexus_audit::{Kind, Moment, ReadError};
use plexus_config::{on_one_line, value::Span};
use plexus_terminal::{Failure, chain, print};
use serde_json::{Map, Value};

use super::ConfigArgs;
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Say whether the audit log is as it was written, or where it is not
    ///
    /// The exit code is 0 when every record follows the one before it, and 1 with the first place where
    /// that is not so. What the end of the log was cannot be seen in the log itself: write the number and
    /// hash that this prints down elsewhere, and give the hash to --expect the next time. A node may be
    /// running.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Print the records, old ones first
    ///
    /// The columns: when, kind, act and how it ended, on what, by whom, why. What is no record is printed
    /// as it is; `plexus audit verify` says what is wrong with it.
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  plexus audit verify                       the log of the configuration
  plexus audit verify /var/lib/plexus/audit
  plexus audit verify --expect 5f1d…        a hash that an earlier run has shown";

const SHOW_EXAMPLES: &str = "\
Examples:
  plexus audit show --since 1h
  plexus audit show --since 2026-11-30T12:00 --kind access --client robot-7
  plexus audit show --kind change --json";

#[derive(Debug, Args)]
struct PlaceArgs {
    /// The directory of the audit log [default: the one of the configuration]
    dir: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// A record with this hash has to be there
    #[arg(long, value_name = "HASH")]
    expect: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// From then on: a time in UTC as 2026-11-30 or 2026-11-30T12:00, or so long ago as 90m or 1d12h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only of this client identifier
    #[arg(long, value_name = "ID")]
    client: Option<String>,

    /// Only of this user name
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// Only of this tenant's clients
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Only of this kind: audit, node, login, access, session, change, ban or admin
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,

    /// The records as they are: one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify(args) => verify(args),
        AuditCommand::Show(args) => show(args),
    }
}

impl PlaceArgs {
    fn folder(self) -> Result<PathBuf, Failure> {
        if let Some(dir) = self.dir {
            return Ok(dir);
        }
        let place = self.config.load(Vec::new())?.audit_place();
        place.map(|(folder, _)| folder).ok_or_else(|| {
            let mend = "name its directory, or the configuration with --config";
            Failure::Usage(format!("this configuration has no audit log; {mend}"))
        })
    }
}

fn unreadable(folder: &std::path::Path, error: &ReadError) -> Failure {
    Failure::Failed(format!("the audit log in {}: {}", folder.display(), chain(error)))
}

fn verify(args: VerifyArgs) -> Result<(), Failure> {
    let folder = args.place.folder()?;
    let summary = plexus_audit::verify(&folder).map_err(|error| unreadable(&folder, &error))?;
    if let Some(hash) = args.expect {
        let mut found = false;
        let wanted = format!("\"hash\":\"{hash}\"}}");
        let read = plexus_audit::read(&folder, |line| {
            found |= line.ends_with(&wanted);
            !found
        });
        read.map_err(|error| unreadable(&folder, &error))?;
        if !found {
            let folder = folder.display();
            return Err(Failure::Failed(format!(
                "the audit log in {folder}: no record has the hash {hash}: it was cut off or written \
                 anew, or the record is older than what is kept"
            )));
        }
    }
    let mut text = format!("whole: {summary}\n");
    if let Some(torn) = &summary.torn {
        let (file, bytes) = (&torn.file, torn.bytes);
        text += &[
            file,
            " ends with ",
            &bytes.to_string(),
            " bytes of a record: a node is writing it, or a crash has torn it\n",
        ]
        .concat();
    }
    if summary.first > 1 {
        text.push_str("older files are gone, as audit.max_files asks\n");
    }
    print(&text)
}

fn show(args: ShowArgs) -> Result<(), Failure> {
    let since = args.since.as_deref().map(moment).transpose()?;
    let folder = args.place.folder()?;
    let mut printed = Ok(());
    let read = plexus_audit::read(&folder, |line| {
        let record: Option<Map<String, Value>> = serde_json::from_str(line).ok();
        let is = |key: &str, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| record.as_ref().and_then(|it| text(it, key)) == Some(wanted))
        };
        let late = |since: &String| {
            record
                .as_ref()
                .and_then(|record| text(record, "time"))
                .is_none_or(|time| time >= since.as_str())
        };
        let wanted = is("client", args.client.as_deref())
            && is("user", args.user.as_deref())
            && is("tenant", args.tenant.as_deref())
            && is("kind", args.kind.map(Kind::word))
            && since.as_ref().is_none_or(late);
        if wanted {
            let shown = record.as_ref().filter(|_| !args.json).map(columns);
            printed = print(&(shown.unwrap_or_else(|| on_one_line(line)) + "\n"));
        }
        printed.is_ok()
    });
    read.map_err(|error| unreadable(&folder, &error))?;
    printed
}

fn text<'a>(record: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    record.get(key)?.as_str()
}

/// One record for a person to read.
fn columns(record: &Map<String, Value>) -> String {
    let word = |key| text(record, key).unwrap_or("?");
    let time = word("time").get(..19).unwrap_or("?");
    let mut line = format!("{time}Z  {:7}  {} {}", word("kind"), word("act"), word("outcome"));
    for (before, key) in [
        ("", "target"),
        ("client ", "client"),
        ("user ", "user"),
        ("of ", "tenant"),
        ("from ", "peer"),
        ("at ", "listener"),
        ("because: ", "because"),
    ] {
        if let Some(value) = text(record, key) {
            // What has blanks of its own is not to look like another column.
            let is_plain =
                key == "because" || !value.contains(|c: char| c == '"' || c.is_whitespace());
            if is_plain {
                line.extend(["  ", before, value]);
            } else {
                line.extend(["  ", before, &format!("{value:?}")]);
            }
        }
    }
    on_one_line(&line)
}

/// What `--since` stands for, as the records write it: those sort as they were.
fn moment(text: &str) -> Result<String, Failure> {
    let is_date = |text: &str| text.as_bytes().get(4) == Some(&b'-') && text.len() >= 10;
    if is_date(text) {
        return Ok(text.trim_end_matches('Z').to_owned());
    }
    let span = text.parse::<Span>().map_err(|_| {
        Failure::Usage(format!(
            "--since {text}: write a time as 2026-11-30T12:00, or 90m ago as 90m"
        ))
    })?;
    Ok(before_now(span.get()).to_string())
}

#[expect(clippy::disallowed_methods, reason = "so long ago is meant from now on")]
fn before_now(span: Duration) -> Moment {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_micros(u64::try_from(now.saturating_sub(span).as_micros()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_as_they_are_written() {
        assert_eq!(moment("2026-11-30T12:00Z").unwrap(), "2026-11-30T12:00");
        assert!("2026-11-30T12:00:00.000001Z" >= moment("2026-11-30T12:00").unwrap().as_str());
        assert!(moment("1d12h").unwrap().as_str() < moment("90m").unwrap().as_str());
        assert!(moment("soon").is_err());
    }

    #[test]
    fn a_record_is_a_line_that_steers_no_terminal() {
        let record = serde_json::from_str(
            "{\"seq\":4,\"time\":\"2026-11-30T12:00:00.000001Z\",\"kind\":\"access\",\
             \"act\":\"publish\",\"client\":\"a\\u001b[2J\\n\",\"peer\":\"192.0.2.1\",\"tenant\":\"acme\",\
             \"target\":\"a/b\",\"outcome\":\"refused\",\"because\":\"access.no_match\"}",
        );
        assert_eq!(
            columns(&record.unwrap()),
            "2026-11-30T12:00:00Z  access   publish refused  a/b  client \"a\\u{1b}[2J\\n\"  of acme  \
             from 192.0.2.1  because: access.no_match"
        );
    }
}
