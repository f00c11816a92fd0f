//! *What it is.* The hot paths of the node, each set up by itself and then walked so many times in one
//! thread: the program whose instructions `cargo xtask instructions` counts.
//!
//! *What it never does.* It reads no clock, file, socket or random source, so two runs execute the
//! same instructions. It measures nothing: whoever counts runs a path with two counts and divides
//! the difference, which leaves the set-up out.
//!
//! *Entry points.* `hotpaths` lists the paths, each with a count that is worth measuring;
//! `hotpaths NAME COUNT` walks one.
//!
//! *Reading order.* `codec`, `matching`, then `node` and `traffic`; `packets` writes what clients send.
//!
//! *Tests.* Every path is walked and has to have done what its name says, here and in each measurement.

#![expect(clippy::print_stdout, reason = "a program that lists what it can do")]

mod codec;
mod matching;
mod node;
mod packets;
mod traffic;

use clap::Parser;

/// The allocator of the program `plexus`: what it costs is a part of every path.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Walked before anything counts, so that tables, buffers and the allocator have their size.
const WARM_UP: u64 = 256;

/// A path that is set up.
trait Path {
    /// Once from its beginning to its end.
    fn walk(&mut self);

    /// Asserts that so many walks have done what they should.
    fn check(&self, walks: u64);
}

/// A path by its name.
#[derive(Debug)]
struct Entry {
    name: &'static str,
    /// As many walks as even out what happens only now and then.
    count: u64,
    set_up: fn() -> Box<dyn Path>,
}

static PATHS: [Entry; 14] = [
    Entry { name: "decode-publish-qos0", count: 10_000, set_up: codec::decode_publish_qos0 },
    Entry { name: "decode-publish-qos1", count: 10_000, set_up: codec::decode_publish_qos1 },
    Entry { name: "decode-connect", count: 10_000, set_up: codec::decode_connect },
    Entry { name: "encode-publish", count: 10_000, set_up: codec::encode_publish },
    Entry { name: "match-literal", count: 10_000, set_up: matching::literal },
    Entry { name: "match-wildcards", count: 10_000, set_up: matching::wildcards },
    Entry { name: "deliver-qos0", count: 5_000, set_up: traffic::deliver_qos0 },
    Entry { name: "deliver-qos1", count: 5_000, set_up: traffic::deliver_qos1 },
    Entry { name: "deliver-qos2", count: 5_000, set_up: traffic::deliver_qos2 },
    Entry { name: "deliver-qos1-v5", count: 5_000, set_up: traffic::deliver_qos1_v5 },
    Entry { name: "fan-out-1000", count: 50, set_up: traffic::fan_out },
    Entry { name: "connect-v311", count: 2_000, set_up: traffic::connect_v311 },
    Entry { name: "connect-v5", count: 2_000, set_up: traffic::connect_v5 },
    Entry { name: "connect-resume-v5", count: 2_000, set_up: traffic::resume_v5 },
];

/// Walks a hot path of the node; without words, lists them.
#[derive(Debug, Parser)]
#[command(name = "hotpaths", version)]
struct Arguments {
    /// The path.
    #[arg(requires = "count", value_parser = named)]
    path: Option<&'static Entry>,
    /// How often.
    count: Option<u64>,
}

fn main() {
    let Arguments { path, count } = Arguments::parse();
    if let Some((entry, count)) = path.zip(count) {
        walk(entry, count);
    } else {
        for entry in &PATHS {
            println!("{} {}", entry.name, entry.count);
        }
    }
}

fn named(name: &str) -> Result<&'static Entry, String> {
    let found = PATHS.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| "no such path; without words, hotpaths lists them".to_owned())
}

fn walk(entry: &Entry, count: u64) {
    let mut path = (entry.set_up)();
    for _ in 0..WARM_UP + count {
        path.walk();
    }
    path.check(WARM_UP + count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_does_what_its_name_says() {
        for entry in &PATHS {
            walk(entry, 10);
        }
    }

    #[test]
    fn a_path_is_asked_for_by_name_and_count() {
        let asked = |words: &[&str]| {
            let arguments = Arguments::try_parse_from([&["hotpaths"], words].concat());
            arguments.map(|it| (it.path.map(|entry| entry.name), it.count)).ok()
        };
        assert_eq!(asked(&["fan-out-1000", "7"]), Some((Some("fan-out-1000"), Some(7))));
        assert_eq!(asked(&[]), Some((None, None)));
        assert_eq!(asked(&["fan-out-1000"]), None);
        assert_eq!(asked(&["fan-out-1000", "many"]), None);
        assert_eq!(asked(&["nowhere", "7"]), None);
    }
}
