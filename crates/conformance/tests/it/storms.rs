//! Attacks whose harm shows in the process: memory that is not given back, a processor that is
//! kept busy, others who are no longer served.

use std::{fmt::Write as _, ops::Range, thread};

use plexus_conformance::{Address, Case, Transport};

use crate::ground::{self, OwnBroker, case, settings};

/// Rounds that let the process reach its working size before it is measured.
const WARM_UP: usize = 300;
/// Rounds that are measured.
const ROUNDS: usize = 3_000;
/// Rounds at a time.
const WORKERS: usize = 8;
/// What a process may grow by without a leak: a leak of 3 KiB a round would pass it.
const GROWTH_KIB_MAX: u64 = 8 * 1024;

/// Plays a case as one of many rounds.
fn run(case: &Case, address: &Address, round: usize) {
    ground::run(case, address, &format!("s{round}"));
}

/// Several at a time, because a round waits more than it works.
fn run_rounds(case: &Case, address: &Address, rounds: Range<usize>) {
    thread::scope(|scope| {
        for first in 0..WORKERS {
            let rounds = rounds.clone().skip(first).step_by(WORKERS);
            scope.spawn(|| rounds.for_each(|round| run(case, address, round)));
        }
    });
}

/// Plays a case again and again; the process must not grow by what one round leaves behind.
fn leaves_nothing_behind(test: &str, steps: &str) {
    let own = OwnBroker::start(&settings(), "default", test);
    let (address, case) = (own.address(Transport::Tcp), case(test, steps));
    run_rounds(&case, &address, 0..WARM_UP);
    let before = own.broker.resident_kib();
    run_rounds(&case, &address, WARM_UP..WARM_UP + ROUNDS);
    if let (Some(before), Some(after)) = (before, own.broker.resident_kib()) {
        let growth = after.saturating_sub(before);
        assert!(growth < GROWTH_KIB_MAX, "{test}: {growth} KiB more after {ROUNDS} rounds");
    }
}

#[test]
fn malformed_connects_leave_nothing_behind() {
    leaves_nothing_behind(
        "malformed_connects",
        "a hex 10 ( \"MQTT\" 05 c6 0000 00 \"{p}a\" 00 ffff 'x' )\n\
         a ends\n\
         b > CONNECT session_expiry=1 session_expiry=1 auth_method=M user=key:value\n\
         b ends\n\
         c > CONNECT will_topic=w will_receive_max=5 will_user=key:value\n\
         c ends\n",
    );
}

#[test]
fn a_repeated_qos_2_identifier_leaves_nothing_behind() {
    leaves_nothing_behind(
        "repeated_qos_2",
        "a connects\n\
         a > PUBLISH topic=t qos=2 id=1 payload=times:20000:x\n\
         a < PUBREC id=1 rc=0|0x10\n\
         a > PUBLISH topic=t qos=2 id=1 dup payload=times:20000:x\n\
         a < PUBREC id=1 rc=0|0x10\n\
         a drops\n",
    );
}

#[test]
fn subscriptions_plain_and_shared_leave_nothing_behind() {
    leaves_nothing_behind(
        "subscriptions",
        "a connects\n\
         a subscribes filter=$share/g/t/+ qos=1 filter=t/+ qos=1\n\
         a publishes topic=t/x qos=1 payload=x\n\
         a unsubscribes filter=t/+\n\
         a > DISCONNECT\n\
         a ends\n",
    );
}

#[test]
fn silent_connections_keep_no_processor_busy() {
    let own = OwnBroker::start(&settings(), "default", "silent");
    let address = own.address(Transport::Tcp);
    let mut steps = String::new();
    for actor in 0..200 {
        writeln!(steps, "s{actor} opens").unwrap();
    }
    for actor in 0..100 {
        writeln!(steps, "c{actor} connects").unwrap();
    }
    let filled = case("silent", &steps);
    let with_pause = case("silent", &format!("{steps}elapse 4\n"));
    let busy = |case: &Case, round| {
        let before = own.broker.processor_ticks();
        run(case, &address, round);
        Some(own.broker.processor_ticks()? - before?)
    };
    // The same with and without four seconds of silence: the silence itself must cost next to
    // nothing, where a write interest that is never satisfied would cost all of it.
    let (short, long) = (busy(&filled, 0), busy(&with_pause, 1));
    if let (Some(short), Some(long)) = (short, long) {
        assert!(long < short + 150, "{long} ticks with silence, {short} without");
    }
}

#[test]
fn a_reader_that_never_reads_stalls_nobody_and_fills_no_memory() {
    const MESSAGES: usize = 2_000;
    let own = OwnBroker::start(&settings(), "default", "slow_reader");
    let address = own.address(Transport::Tcp);
    let mut steps = "slow connects\n\
         slow > SUBSCRIBE id=1 filter=# qos=0\n\
         b connects\n\
         b subscribes filter=served qos=1\n\
         a connects\n"
        .to_owned();
    for message in 0..MESSAGES {
        steps.push_str("a > PUBLISH topic=flood payload=times:65536:x\n");
        // A message at QoS 1 now and then keeps the flood at the pace of the broker.
        if message % 50 == 49 {
            steps.push_str("a publishes topic=served qos=1 payload=x\n");
            steps.push_str("b receives topic=served qos=1 payload=x\n");
        }
    }
    let before = own.broker.peak_kib();
    run(&case("slow_reader", &steps), &address, 0);
    if let (Some(before), Some(after)) = (before, own.broker.peak_kib()) {
        let growth = after.saturating_sub(before);
        assert!(growth < 64 * 1024, "{growth} KiB more after {MESSAGES} messages of 64 KiB");
    }
}

#[test]
fn one_identifier_connecting_again_and_again_under_load_harms_nobody() {
    const STEALERS: usize = 4;
    let mut own = OwnBroker::start(&settings(), "default", "takeovers");
    let address = own.address(Transport::Tcp);
    let thief = case(
        "takeovers",
        "a > CONNECT client_id=^stolen clean_start=0 session_expiry=60 \
         && SUBSCRIBE id=1 filter=^storm/# qos=1 && SUBSCRIBE id=2 filter=^$share/g/storm/# qos=1 \
         && PUBLISH topic=^storm/x qos=1 id=3 payload=x && UNSUBSCRIBE id=4 filter=^storm/#\n\
         a drops\n",
    );
    let victim = case(
        "served",
        "a connects\n\
         a subscribes filter=^storm/# qos=0\n\
         a publishes topic=served payload=x\n\
         a publishes topic=^storm/y payload=y\n\
         a <* PUBLISH topic=^storm/y payload=y\n",
    );
    thread::scope(|scope| {
        for stealer in 0..STEALERS {
            let (thief, address) = (&thief, &address);
            scope.spawn(move || (0..200).for_each(|round| run(thief, address, stealer + round)));
        }
        (0..50).for_each(|round| run(&victim, &address, round));
    });
    assert!(own.broker.is_running());
    run(&victim, &address, 1000);
}

#[test]
fn connections_that_announce_much_and_send_little_are_given_nothing() {
    let own = OwnBroker::start(&settings(), "default", "announcers");
    let address = own.address(Transport::Tcp);
    let mut steps = String::new();
    for actor in 0..300 {
        // A CONNECT of 300,000 bytes is possible; the memory for it is not given in advance.
        writeln!(steps, "a{actor} hex 10 e0a712 0004 'MQTT' 05").unwrap();
    }
    steps.push_str("b connects\nb > PINGREQ\nb < PINGRESP\n");
    let warm = case("announcers", "b connects\n");
    run_rounds(&warm, &address, 0..WARM_UP);
    let before = own.broker.peak_kib();
    run(&case("announcers", &steps), &address, WARM_UP);
    if let (Some(before), Some(after)) = (before, own.broker.peak_kib()) {
        let growth = after.saturating_sub(before);
        assert!(growth < GROWTH_KIB_MAX, "{growth} KiB more for 300 announcements");
    }
}
