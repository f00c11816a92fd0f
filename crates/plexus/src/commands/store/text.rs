use std::{error::Error, path::Path};

use plexus_archive::Living;
use plexus_stdx::calendar;
use plexus_store::{
    FileDisk, OpenError,
    tools::{self, Damage},
};
use plexus_terminal::Failure;
use serde_json::{Value, json};

/// A failure with everything that led to it, and what mends the store if it is that.
pub(crate) fn because(what: &str, dir: &Path, error: &(dyn Error + 'static)) -> Failure {
    let failure = Failure::because(what, error);
    match failure {
        Failure::Failed(said) if is_forbidden(error) => Failure::Failed(format!(
            "{said}; let the user that runs the node own all files below {}",
            dir.display()
        )),
        Failure::Failed(said) if is_damaged(error) => {
            Failure::Failed(format!("{said}; {}", mend(dir)))
        }
        failure => failure,
    }
}

/// What to do about a damaged store: a repair, where one can do anything.
pub(super) fn mend(dir: &Path) -> String {
    let obstacle = FileDisk::open_shared(&dir.join("log")).ok();
    let obstacle = obstacle.and_then(|disk| tools::beyond_repair(&disk).ok().flatten());
    obstacle.map_or_else(
        || {
            let dir = dir.display();
            format!(
                "`plexus store repair --data-dir {dir}` keeps what can be read and says what is lost"
            )
        },
        |obstacle| format!("no repair can mend that, because {obstacle}"),
    )
}

fn is_forbidden(error: &(dyn Error + 'static)) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::PermissionDenied)
        || error.source().is_some_and(is_forbidden)
}

fn is_damaged(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::Damaged { .. }))
        || error.source().is_some_and(is_damaged)
}

/// One damaged place in a sentence.
pub(super) fn damage(damage: &Damage) -> String {
    let Damage { file, offset, bytes, what } = damage;
    format!("{file} at byte {offset}, {bytes} bytes: {what}")
}

pub(super) fn damage_json(damage: &Damage) -> Value {
    let Damage { file, offset, bytes, what } = damage;
    json!({ "file": file, "offset": offset, "bytes": bytes, "what": what })
}

/// What lives, or why it is not known.
pub(super) fn living(living: Option<Living>, is_in_use: bool) -> String {
    match living {
        Some(Living { messages, bytes }) => {
            format!("{} with {}", size(bytes), count(messages, "message"))
        }
        None if is_in_use => "the node's $SYS topic store/living_bytes tells".to_owned(),
        None => "unknown; `plexus store check` says why".to_owned(),
    }
}

/// So many of that.
pub(super) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Bytes for a person.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "bytes";
    for next in UNITS {
        if value < 1_024.0 {
            break;
        }
        value /= 1_024.0;
        unit = next;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{value:.1} {unit}") }
}

/// A moment for a person; the log's clock counts milliseconds since 1970.
pub(super) fn day(millis: Option<u64>) -> String {
    let Some(millis) = millis.filter(|millis| *millis > 0) else { return "unknown".to_owned() };
    let moment = millis / 1_000;
    format!("{} {} UTC", calendar::day(moment), calendar::time(moment))
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_have_one_digit_and_a_unit() {
        let sizes = [0, 1_023, 1_024, 67_108_864, 1 << 50].map(super::size);
        assert_eq!(sizes, ["0 bytes", "1023 bytes", "1.0 KiB", "64.0 MiB", "1024.0 TiB"]);
    }

    #[test]
    fn moments_are_told_as_a_calendar_does() {
        assert_eq!(super::day(Some(1_795_391_045_509)), "2026-11-22 23:44:05 UTC");
        assert_eq!(super::day(None), "unknown");
    }
}
