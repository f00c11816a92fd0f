use std::sync::{Arc, mpsc::sync_channel};

use mio::Poll;
use plexus_types::Instant;

use super::{Command, Part, Phase, Worker};
use crate::{
    clock::Clock,
    counts::Count,
    engine::{Crew, fixture::plan},
};

/// A worker that is told what to do and never looks at its sockets.
fn worker(crew: &Crew) -> Worker {
    let poll = Poll::new().unwrap();
    Worker::new(0, Arc::clone(&crew.shared), poll, sync_channel(1).1)
}

#[test]
fn a_client_waits_once_for_its_turn_to_connect() {
    let crew = Crew::start(plan(), Clock::start()).unwrap();
    let mut worker = worker(&crew);
    let begin = Instant::ZERO;
    let connect = Command::Connect { group: 0, anew: false, begin };
    let gather = Command::Gather { group: 0 };
    for command in [&connect, &gather, &connect, &gather] {
        worker.obey(command);
    }
    worker.obey(&Command::Connect { group: 0, anew: true, begin });
    assert_eq!(worker.desk.connects.clear().count(), 1, "one subscriber is of this thread");
    let phase = |worker: &Worker| worker.conns[0].as_ref().unwrap().phase;
    assert_eq!(phase(&worker), Phase::Queued);
    worker.conns[0].as_mut().unwrap().phase = Phase::Away;
    worker.obey(&gather);
    worker.obey(&Command::Halt);
    assert_eq!(phase(&worker), Phase::Away, "who was given up may come later");
    worker.obey(&gather);
    assert_eq!(worker.desk.connects.clear().count(), 1);
    crew.finish();
}

#[test]
fn who_has_left_when_publishing_ends_was_not_held_up_by_the_broker() {
    let crew = Crew::start(plan(), Clock::start()).unwrap();
    let mut worker = worker(&crew);
    worker.obey(&Command::Connect { group: 1, anew: false, begin: Instant::ZERO });
    let (_, slot) = crew.shared.home(1, 0);
    for (phase, parting, expected) in [
        (Phase::Ready, false, Count::Waiting),
        (Phase::Ready, true, Count::Unconnected),
        (Phase::Resting, false, Count::Unconnected),
    ] {
        let before = worker.desk.counts.clone();
        worker.with(slot, |desk, conn| {
            (conn.phase, conn.parting) = (phase, parting);
            let Part::Publish(publisher) = &mut conn.part else { panic!() };
            publisher.left = 3;
            assert!(publisher.wait(Instant::ZERO));
            desk.give_up_waiting(conn, 2);
            None
        });
        let since = |count| worker.desk.counts.since(&before, count);
        let [waiting, unconnected] = [Count::Waiting, Count::Unconnected].map(since);
        assert_eq!((waiting + unconnected, since(expected)), (3, 3), "{phase:?} {parting}");
    }
    crew.finish();
}
