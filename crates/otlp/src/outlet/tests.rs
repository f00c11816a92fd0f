//! Collectors that are well, slow, dead and lying, in virtual time.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use plexus_stdx::Seed;
use prost::Message;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{Outlet, Stop, run, run_each};
use crate::{
    collector::{Answer, Collector, Posting, Signal},
    proto::{ExportResponse, PartialSuccess},
    tally::Tally,
};

/// Answers in this order, and then takes everything. It never answers where there is none.
#[derive(Default)]
struct Doubles {
    answers: Mutex<VecDeque<Option<Answer>>>,
    heard: Mutex<Vec<(Duration, usize)>>,
    count: watch::Sender<usize>,
    began: Mutex<Option<Instant>>,
}

impl Doubles {
    fn new(answers: impl IntoIterator<Item = Option<Answer>>) -> Arc<Self> {
        let began = Mutex::new(Some(Instant::now()));
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            began,
            ..Self::default()
        })
    }

    /// Waits for so many requests: the clock goes on while nothing else can.
    async fn until(&self, count: usize) {
        self.count.subscribe().wait_for(|heard| *heard >= count).await.unwrap();
    }

    /// When requests came, and of what size they were.
    fn heard(&self) -> Vec<(Duration, usize)> {
        self.heard.lock().unwrap().clone()
    }
}

impl Collector for Doubles {
    fn post(&self, _: Signal, body: Bytes) -> Posting<'_> {
        let since = self.began.lock().unwrap().unwrap().elapsed();
        self.heard.lock().unwrap().push((since, body.len()));
        self.count.send_modify(|count| *count += 1);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move {
            match answer {
                Some(Some(answer)) => answer,
                Some(None) => pending().await,
                None => taken(),
            }
        })
    }
}

fn taken() -> Answer {
    Answer::Taken(Bytes::new())
}

fn later(asked: Option<u64>) -> Answer {
    Answer::Later("HTTP 503".to_owned(), asked.map(Duration::from_secs))
}

fn outlet(collector: &Arc<Doubles>) -> (Outlet, Arc<Tally>, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let tally = Arc::new(Tally::default());
    let outlet = Outlet {
        signal: Signal::Traces,
        collector: Arc::clone(collector) as _,
        timeout: Duration::from_secs(10),
        patience: Duration::from_mins(1),
        tally: Arc::clone(&tally),
        trouble: Arc::default(),
        draw: Seed::new(1),
        stop: Stop(stopped),
    };
    (outlet, tally, stop)
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_now_is_sent_again_later() {
    let collector = Doubles::new([Some(later(None)), None, Some(later(Some(20))), Some(taken())]);
    let (mut outlet, tally, _stop) = outlet(&collector);
    outlet.send(Bytes::from_static(b"spans"), 3).await;
    let at: Vec<_> = collector.heard().iter().map(|(at, _)| at.as_secs_f64()).collect();
    let [first, second, third, fourth] = at[..] else { panic!("{at:?}") };
    assert!(first < 0.1 && (0.5..=1.1).contains(&second), "{at:?}");
    // The second took ten seconds until nobody waited for it any more.
    assert!((second + 11.0..=second + 12.1).contains(&third), "{at:?}");
    assert!((third + 20.0..third + 20.1).contains(&fourth), "{at:?}");
    assert_eq!(tally.read(), [3, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_takes_is_given_up_in_the_end() {
    let collector = Doubles::new(vec![Some(later(None)); 100]);
    let (mut outlet, tally, _stop) = outlet(&collector);
    outlet.send(Bytes::from_static(b"spans"), 3).await;
    let heard = collector.heard();
    assert!((6..=8).contains(&heard.len()), "{heard:?}");
    assert!(heard.last().unwrap().0 <= Duration::from_secs(61), "{heard:?}");
    assert_eq!(tally.read(), [0, 3, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_sent_again() {
    let collector = Doubles::new([Some(Answer::Refused("HTTP 400".to_owned()))]);
    let (mut outlet, tally, _stop) = outlet(&collector);
    outlet.send(Bytes::from_static(b"spans"), 3).await;
    assert_eq!((collector.heard().len(), tally.read()), (1, [0, 0, 3]));
}

#[tokio::test(start_paused = true)]
async fn a_part_may_be_refused_and_nonsense_refuses_nothing() {
    let partial = |rejected| {
        let partial = PartialSuccess { rejected, error_message: "too\nold".to_owned() };
        let response = ExportResponse { partial_success: Some(partial) };
        Some(Answer::Taken(response.encode_to_vec().into()))
    };
    let nonsense = Some(Answer::Taken(Bytes::from_static(b"<html>thanks</html>")));
    for (answer, expected) in [
        (partial(2), [3, 0, 2]),
        (partial(0), [5, 0, 0]),
        (partial(-7), [5, 0, 0]),
        (partial(i64::MAX), [0, 0, 5]),
        (nonsense, [5, 0, 0]),
    ] {
        let collector = Doubles::new([answer.clone()]);
        let (mut outlet, tally, _stop) = outlet(&collector);
        outlet.send(Bytes::from_static(b"spans"), 5).await;
        assert_eq!((collector.heard().len(), tally.read()), (1, expected), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn batches_are_by_count_and_by_time() {
    let collector = Doubles::new([]);
    let (outlet, _, stop) = outlet(&collector);
    let (items, next) = mpsc::channel(64);
    let bytes = |batch: Vec<()>| (Bytes::from(vec![0; batch.len()]), batch.len() as u64);
    let running = tokio::spawn(run(outlet, next, 10, bytes));
    for _ in 0..25 {
        items.send(()).await.unwrap();
    }
    collector.until(3).await;
    let times: Vec<_> = collector.heard().iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(sizes(&collector), [10, 10, 5]);
    assert_eq!(times[..2], [0, 0]);
    assert!((1_000..=1_001).contains(&times[2]), "the rest has waited for a second: {times:?}");
    // What waits is sent at the end, and what comes then is not taken.
    items.send(()).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(sizes(&collector), [10, 10, 5, 1]);
    assert!(items.try_send(()).is_err());
}

fn sizes(collector: &Doubles) -> Vec<usize> {
    collector.heard().iter().map(|(_, size)| *size).collect()
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_dead_collector() {
    let collector = Doubles::new(vec![Some(later(None)); 100]);
    let (outlet, tally, stop) = outlet(&collector);
    let (items, next) = mpsc::channel(64);
    let bytes = |batch: Vec<()>| (Bytes::new(), batch.len() as u64);
    let running = tokio::spawn(run(outlet, next, 10, bytes));
    for _ in 0..25 {
        items.send(()).await.unwrap();
    }
    // It waits to be sent for the third time.
    collector.until(2).await;
    let tried = collector.heard().len();
    let began = Instant::now();
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    // The one that waited once more, and each other one once.
    assert_eq!((collector.heard().len() - tried, tally.read()), (3, [0, 25, 0]));
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_each_time_is_sent_at_the_end_too() {
    let collector = Doubles::new([]);
    let (outlet, tally, stop) = outlet(&collector);
    let running =
        tokio::spawn(run_each(outlet, Duration::from_secs(15), || (Bytes::from_static(b"m"), 2)));
    collector.until(3).await;
    let times: Vec<_> = collector.heard().iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [0, 15, 30]);
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!((collector.heard().len(), tally.read()), (4, [8, 0, 0]));
}
