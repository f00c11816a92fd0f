//! Writes the seeds of `decode` from the packet table, one stream for each sender and version:
//! `cargo run --example seeds -- seeds/decode`.

use std::{env, fs, path::PathBuf, process::ExitCode};

use plexus_testkit::{Outcome, Sender, build::VERSIONS, packet_table};

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: seeds <folder>");
        return ExitCode::FAILURE;
    };
    for (name, contents) in seeds() {
        if let Err(error) = fs::write(folder.join(&name), contents) {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Everything valid that one sender may send, or each of its first packets.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let table = packet_table();
    let mut seeds = Vec::new();
    for (index, version) in VERSIONS.iter().enumerate() {
        let rows = |sender| {
            table.iter().filter(move |row| {
                row.sender == sender
                    && row.versions.contains(version)
                    && !matches!(row.outcome, Outcome::Refused(_))
            })
        };
        let mode = index as u8;
        for (sender, bit) in [(Sender::Client, 0), (Sender::Server, 0b100)] {
            let mut seed = vec![mode | bit, 7];
            seed.extend(rows(sender).flat_map(|row| row.bytes.iter().copied()));
            seeds.push((format!("{sender:?}-{version:?}").to_lowercase(), seed));
        }
        for (number, row) in rows(Sender::Stranger).enumerate() {
            let seed = [&[mode | 0b1000, 7], row.bytes.as_slice()].concat();
            seeds.push((format!("connect-{version:?}-{number}").to_lowercase(), seed));
        }
    }
    seeds
}
