//! The hostile cases again and again over each transport: the process lives and holds no more memory
//! than before, its log tells of no error, and another client is served all the while.

use std::thread;

use plexus_conformance::{Case, Transport, Verb, Version, play};

use crate::{
    ground::{OwnBroker, cases, settings},
    witness::Witness,
};

/// Themes whose cases are attacks or the corpus of malformed packets.
const HOSTILE: [&str; 2] = ["attacks", "malformed"];
/// Rounds of every case in every version that let the process reach its working size.
const WARM_UP: usize = 10;
/// Rounds of every case in every version that are measured: thousands of connections in all.
const ROUNDS: usize = 60;
/// Cases at a time.
const WORKERS: usize = 8;
/// What a process may grow by without a leak: one of 1 KiB a connection would pass it.
const GROWTH_KIB_MAX: u64 = 8 * 1024;

/// A case that can be played without end: nothing of it stays by right, and it does not wait.
fn leaves_nothing_by_right(case: &Case) -> bool {
    let stays =
        |text: &str| ["keep", "session_expiry", "retain"].iter().any(|word| text.contains(word));
    !case.steps.iter().any(|step| matches!(step.verb, Verb::Elapse(_)) || stays(&step.text))
}

fn hostile_cases(transport: Transport) -> Vec<Case> {
    let mut hostile = cases();
    hostile.retain(|case| {
        HOSTILE.contains(&case.theme.as_str())
            && case.config == "default"
            && case.transports.contains(&transport)
            && leaves_nothing_by_right(case)
    });
    assert!(hostile.len() > 20, "{} hostile cases over {}", hostile.len(), transport.name());
    hostile
}

/// Plays all of them so many times.
fn play_rounds(own: &OwnBroker, cases: &[Case], transport: Transport, rounds: (&str, usize)) {
    let address = own.address(transport);
    let (phase, rounds) = rounds;
    let plays: Vec<(&Case, Version, usize)> = (0..rounds)
        .flat_map(|round| cases.iter().map(move |case| (round, case)))
        .flat_map(|(round, case)| case.versions.iter().map(move |version| (case, *version, round)))
        .collect();
    thread::scope(|scope| {
        for first in 0..WORKERS {
            let (plays, address) = (&plays, &address);
            scope.spawn(move || {
                for (number, (case, version, round)) in
                    plays.iter().enumerate().skip(first).step_by(WORKERS)
                {
                    let prefix = format!("{phase}{number}");
                    play(case, address, *version, &prefix).unwrap_or_else(|failure| {
                        panic!("{}, round {round}, {}: {failure}", case.name, version.name())
                    });
                }
            });
        }
    });
}

fn attacked_again_and_again(transport: Transport) {
    let own = OwnBroker::start(&settings(), "default", &format!("attacks-{}", transport.name()));
    let cases = hostile_cases(transport);
    let witness = Witness::start(&own.address(Transport::Tcp));
    play_rounds(&own, &cases, transport, ("w", WARM_UP));
    let before = own.broker.resident_kib();
    play_rounds(&own, &cases, transport, ("r", ROUNDS));
    witness.end(&format!("attacks over {}", transport.name()));
    if let Some(before) = before {
        own.settles_below(before + GROWTH_KIB_MAX, transport.name());
    }
    own.assert_well();
}

#[test]
fn attacks_over_tcp_leave_nothing_behind() {
    attacked_again_and_again(Transport::Tcp);
}

#[test]
fn attacks_over_tls_leave_nothing_behind() {
    attacked_again_and_again(Transport::Tls);
}

#[test]
fn attacks_over_websocket_leave_nothing_behind() {
    attacked_again_and_again(Transport::WebSocket);
}

#[test]
fn attacks_behind_a_proxy_leave_nothing_behind() {
    attacked_again_and_again(Transport::Proxy);
}
