use std::sync::{Arc, mpsc::sync_channel};

use mio::Poll;
use plexus_types::Instant;

use super::{Command, Phase, Worker};
use crate::{
    clock::Clock,
    engine::{Crew, fixture::plan},
};

#[test]
fn a_client_waits_once_for_its_turn_to_connect() {
    let crew = Crew::start(plan(), Clock::start()).unwrap();
    let poll = Poll::new().unwrap();
    // It is told what to do and never looks at its sockets.
    let mut worker = Worker::new(0, Arc::clone(&crew.shared), poll, sync_channel(1).1);
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
