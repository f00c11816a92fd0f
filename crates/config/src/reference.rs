//! The reference page `docs/config.md`: every key with its default and its meaning.

use std::fmt::Write;

use crate::{
    load::VARIABLE_PREFIX,
    schema::{Key, keys},
};

const HEAD: &str = "\
# Configuration

Plexus runs without any configuration: it then listens on loopback only, at the defaults below.
Values come from `plexus.toml`, from what was [changed while the node ran](changes.md), from environment
variables and from options of the command line; where several say something about a key, the option is
stronger than the variable, the variable than the change, and the change than the file. An unknown key or a bad value stops the start and is shown with its place;
`plexus config check` shows all of them in one run.

- The file is the one of `--config`, else the one that the variable `PLEXUS_CONFIG` names (an empty
  one counts as unset), else `plexus.toml` in the working directory, else `/etc/plexus/plexus.toml`.
  `plexus config check [FILE]` reads it and says what is wrong.
- A variable is named `@PREFIX@` and the path of the key, in capitals and with two underscores for
  each point: `@PREFIX@MQTT__MAX_PACKET_SIZE=64KiB`. Its value is a TOML value or a plain text. The
  listeners are one list, which replaces those of the file:
  `@PREFIX@LISTENER='[{url=\"tcp://127.0.0.1:1884\"}, {url=\"ws://127.0.0.1:8084/mqtt\"}]'`. A
  variable that names a key with one underscore, as `PLEXUS_LOG__LEVEL`, stops the start; any other
  that begins with `PLEXUS_` and is not read is warned of.
- An option is `--set <key>=<value>`; some keys have their own (`plexus serve --help`). Variables and
  options set the listeners only as a whole, never one key of one of them.
- Files of users, secrets, certificates and keys, and the configuration itself, are regular files; a
  pipe or a device is refused.
- A relative path in the file begins in the folder of the file; one in a variable or an option begins
  in the working directory. The path of a `unix://` URL is absolute.
- A size is a number of bytes or a text as `\"64KiB\"` or `\"1MB\"`; a duration is a text as `\"250ms\"`,
  `\"15s\"` or `\"1d12h\"`; a rate is `\"100/s\"`, `\"30/10m\"` or `\"1MiB/s\"`: all of it at once, then evenly. What MQTT carries as a number of seconds is written in whole seconds.
- `plexus config show` prints every key with the value that holds in the end and where it comes from.
  It reads back as a file; secrets are comments in it. Editors check and complete the file by the JSON Schema
  [`config/plexus.schema.json`](config/plexus.schema.json).
- SIGHUP reads anew: the certificates of the listeners, the users (`access.users_file` and
  `access.users`), the rules (`access.rule` and `access.no_match`), the bans (`access.ban`), limits of
  clients who come from then on ([changes.md](changes.md)) and `log.level`. Changed
  passwords hold for new connections; whoever is connected stays. Changed rules and bans hold at once. What cannot be
  read leaves the old in its place and is logged with file and line. All other keys wait for the next start; the log
  names those that have changed. Files of certificates are read anew without SIGHUP, too, when they have changed
  ([tls.md](tls.md)).

This page is written by `plexus config schema --markdown`; its text stands beside the settings in
`crates/config/src/settings.rs`.
";

/// The whole page.
pub fn markdown() -> String {
    let mut page = HEAD.replace("@PREFIX@", VARIABLE_PREFIX);
    let keys = keys();
    for table in keys.iter().filter(|key| key.is_table) {
        let inner = keys.iter().filter(|key| key.table() == table.path).collect::<Vec<_>>();
        section(&mut page, table, &inner);
    }
    page
}

fn section(page: &mut String, table: &Key, inner: &[&Key]) {
    let brackets = if table.kind.starts_with("list") { ("[[", "]]") } else { ("[", "]") };
    let (open, close) = brackets;
    let written = write!(page, "\n## `{open}{}{close}`\n\n{}\n", table.path, table.doc);
    written.expect("invariant: writing to a string");
    // The keys are those of `[mqtt]` once more; one list of them is enough.
    if table.path == "listener.mqtt" {
        return;
    }
    page.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for key in inner {
        let name = key.name();
        let default = match &key.default {
            Some(default) if !key.is_table => format!("`{default}`"),
            _ => String::new(),
        };
        let (kind, doc) = (cell(&key.kind), cell(&key.doc));
        let written = writeln!(page, "| `{name}` | {kind} | {default} | {doc} |");
        written.expect("invariant: writing to a string");
    }
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
