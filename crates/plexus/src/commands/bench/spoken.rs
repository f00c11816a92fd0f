//! The command line as a report may show it: without a password.

use std::ffi::OsString;

use clap::{ArgMatches, Command, parser::ValueSource};

/// What stands for a password.
const HIDDEN: &str = "***";

/// The words of a command line in their order, each option by its long name, the URL as given here.
/// They are read once more rather than taken as they are: a password may stand anywhere in them.
pub(super) fn command_line(
    mut command: Command,
    words: impl IntoIterator<Item = OsString>,
    url: &str,
) -> Vec<String> {
    let Ok(matches) = command.try_get_matches_from_mut(words) else { return Vec::new() };
    let mut said = vec![command.get_name().to_owned()];
    let (mut command, mut matches) = (&command, &matches);
    while let Some((name, inner)) = matches.subcommand() {
        let Some(found) = command.find_subcommand(name) else { break };
        said.push(name.to_owned());
        (command, matches) = (found, inner);
    }
    let mut given = command
        .get_arguments()
        .filter_map(|arg| Some((matches.index_of(arg.get_id().as_str())?, arg)))
        .filter(|(_, arg)| {
            matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
        })
        .collect::<Vec<_>>();
    given.sort_by_key(|(place, _)| *place);
    for (_, arg) in given {
        let long = arg.get_long().map(|long| format!("--{long}"));
        if !arg.get_action().takes_values() {
            said.extend(long);
            continue;
        }
        // What was said several times is said as often.
        for value in values(matches, arg.get_id().as_str(), url) {
            said.extend(long.iter().cloned().chain([value]));
        }
    }
    said
}

fn values(matches: &ArgMatches, id: &str, url: &str) -> Vec<String> {
    match id {
        "password" => vec![HIDDEN.to_owned()],
        "url" => vec![url.to_owned()],
        _ => {
            let raw = matches.get_raw(id).into_iter().flatten();
            raw.map(|value| value.to_string_lossy().into_owned()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::command_line;
    use crate::cli::Cli;

    fn said(words: &[&str]) -> String {
        let words = words.iter().map(Into::into);
        command_line(Cli::command(), words, "mqtt://h:1883").join(" ")
    }

    #[test]
    fn a_command_line_is_told_without_what_is_secret() {
        for (words, told) in [
            (&["conn"][..], "conn"),
            (&["p2p", "-n3", "-rq1", "--rate=1k"], "p2p --pairs 3 --retain --qos 1 --rate 1k"),
            (&["conn", "-u", "me", "-Psesame"], "conn --username me --password ***"),
            (&["pub", "-rPsesame", "--json"], "pub --retain --password *** --json"),
            (&["sub", "--password", "sesame"], "sub --password ***"),
            (&["conn", "me:sesame@h", "-d", "1s"], "conn mqtt://h:1883 --duration 1s"),
            (&["mixed", "a.toml", "mqtt://me:sesame@h"], "mixed a.toml mqtt://h:1883"),
            (&["retained", "--count", "5"], "retained --messages 5"),
            (
                &["pub", "--user-property", "a=b", "-m1", "--user-property=c=d"],
                "pub --user-property a=b --user-property c=d --messages 1",
            ),
        ] {
            let words = ["/usr/bin/plexus", "bench"].iter().chain(words).copied();
            let said = said(&words.collect::<Vec<_>>());
            assert_eq!(said, format!("plexus bench {told}"));
        }
    }
}
