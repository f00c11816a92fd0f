use std::{path::PathBuf, sync::atomic::AtomicU32};

use super::*;
use crate::{Who, read, verify};

const OPTIONS: BookOptions = BookOptions { file_bytes_max: 1 << 20, files_max: 4 };

/// A folder that is gone with its test.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Relaxed);
        let name = format!("plexus-audit-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        read(&self.0, |line| {
            lines.push(line.to_owned());
            true
        })
        .unwrap();
        lines
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn refusal() -> Event {
    Event::refused(Kind::Access, "publish", Who::default(), "rule")
}

#[test]
fn what_is_reported_is_written_when_it_is_closed() {
    let place = Place::new();
    let port = AuditPort::default();
    port.record(|| unreachable!("nobody hears it yet"));
    let log = AuditLog::start(&place.0, OPTIONS, &port).unwrap();
    port.record(|| Event::done(Kind::Node, "start"));
    port.record(|| refusal().on("a/b"));
    log.close();
    port.record(refusal);
    assert_eq!(verify(&place.0).unwrap().last, 3);
    assert!(place.lines()[2].contains("\"target\":\"a/b\""));
}

#[test]
fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    AuditLog::start(&place.0, OPTIONS, &AuditPort::default()).unwrap().close();
    for (path, mode) in [(place.0.clone(), 0o700), (place.0.join("audit-00000001.jsonl"), 0o600)] {
        let found = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode);
    }
}

/// Who is refused without end pushes out nothing and is not passed over in silence: of all that was
/// reported, each is written or counted.
#[test]
fn a_flood_of_refusals_is_counted_and_pushes_out_nothing() {
    const FLOOD: usize = 50_000;
    let place = Place::new();
    let port = AuditPort::default();
    let log = AuditLog::start(&place.0, OPTIONS, &port).unwrap();
    for _ in 0..FLOOD {
        port.record(refusal);
    }
    log.close();
    assert_eq!(verify(&place.0).unwrap().torn, None);
    let lines = place.lines();
    let written = lines.iter().filter(|line| line.contains("\"kind\":\"access\"")).count();
    let counted: usize = lines
        .iter()
        .filter_map(|line| line.split_once("\"because\":\"")?.1.split_once(" records "))
        .map(|(count, _)| count.parse::<usize>().unwrap())
        .sum();
    assert_eq!(written + counted, FLOOD);
    assert!(lines.len() < FLOOD / 10, "{}", lines.len());
}
