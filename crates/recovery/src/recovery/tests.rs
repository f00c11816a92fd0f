use std::{
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use bytes::Bytes;
use plexus_session::{Extras, Held, Image, Options};
use plexus_types::{
    ClientId, Durability, MessageProperties, ProtocolVersion, Qos, Text, TopicFilter, TopicName,
};
use plexus_wire::SubscriptionOptions;

use super::*;
use crate::Crew;
use crate::testing::{SHARED, Told, begun, given_back, opened, queued, retained};

const NOW: u64 = 1_800_000_000_000;

/// Queued as by the group.
fn shared(group: u16, key: u64, message: u64) -> Told {
    let (segment, group, mut record) = queued(group, key, message);
    if let Record::Session(_, Change::Queued(entry, _)) = &mut record {
        entry.extras = Extras::new(&[], Some(SHARED.into()));
    }
    (segment, group, record)
}

fn done(message: u64) -> Told {
    (1, 5, Record::Done(MessageId::new(message), Audience::Subscribers))
}

fn tell(replay: &mut dyn Replay, told: &[Told]) -> Result<(), String> {
    let mut segment = 0;
    for (index, (of, group, record)) in (1..).zip(told) {
        if *of != segment {
            segment = *of;
            replay.segment(SegmentNumber::new(segment));
        }
        let mut payload = Vec::new();
        record.encode(&mut payload);
        replay.entry(Group(*group), index, NOW + index, &payload)?;
    }
    Ok(())
}

fn read(told: &[Told]) -> Recovery {
    let mut recovery = Recovery::new(Seed::new(1));
    tell(&mut recovery, told).unwrap();
    recovery
}

fn message(id: MessageId) -> Arc<Message> {
    Arc::new(Message {
        id,
        topic: TopicName::new(Text::from_static("a/b")).unwrap(),
        payload: Bytes::from_static(b"x"),
        qos: Qos::AtLeastOnce,
        retain: true,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from("p").unwrap(),
    })
}

type DealtSession = (u64, Option<Image>, Option<Box<Seen>>, SegmentNumber);

/// What the shards get, in an order of its own.
#[derive(Debug, PartialEq)]
struct Dealt {
    sessions: Vec<DealtSession>,
    open: Vec<(MessageId, Group, bool)>,
    retained: Vec<(MessageId, SegmentNumber)>,
    next_key: u64,
}

fn deal(recovery: Recovery) -> Vec<Dealt> {
    dealt(recovery).into_iter().map(sorted).collect()
}

fn dealt(recovery: Recovery) -> Vec<Restored> {
    let places = Places { seed: Seed::new(2), shards: 3 };
    let door = Arc::new(Door {
        meter: None,
        name: "tcp".into(),
        options: Arc::new(Options::default()),
        policy: Arc::new(plexus_access::AllowAll),
        durability: Durability::default(),
        tenant: None,
    });
    let read = |id| Ok::<_, Infallible>(message(id));
    recovery.deal(places, MessageId::new(100), |_| Arc::clone(&door), read).unwrap()
}

fn sorted(restored: Restored) -> Dealt {
    let sessions = restored.sessions.into_iter().flatten();
    let mut sessions: Vec<_> = sessions
        .map(|(_, session)| {
            let RestoredSession { key, listener, image, seen, anchor } = session;
            assert!(restored.doors.contains_key(&listener));
            (key, image, seen, anchor)
        })
        .collect();
    sessions.sort_by_key(|(key, ..)| *key);
    let open =
        restored.open.iter().map(|open| (open.message.id, open.opened.group, open.superseded));
    let retained = restored.retained.iter().map(|it| (it.message.id, it.anchor));
    let (open, retained) = (open.collect(), retained.collect());
    Dealt { sessions, open, retained, next_key: restored.next_key }
}

#[test]
fn a_topic_that_was_written_later_is_not_retained_again() {
    let told = [opened(1), retained(2, "a/b"), opened(3), retained(4, "c"), opened(6)];
    let open = |told: &[Told]| deal(read(told)).remove(0).open;
    let superseded: Vec<_> = open(&told).iter().map(|(_, _, superseded)| *superseded).collect();
    assert_eq!(superseded, [true, false, false]);
    let deleted = [opened(1), (1, 9, Record::Deleted(None, "a/b".into()))];
    assert_eq!(open(&deleted), [(MessageId::new(1), Group(5), true)]);
    // What was written when nothing was open says nothing of what comes.
    let told = [opened(1), retained(2, "a/b"), done(1), opened(3)];
    assert_eq!(open(&told), [(MessageId::new(3), Group(5), false)]);
}

/// Three shards name from 10 on: 10 and 13 are of one of them, whose messages come to the topic in order.
#[test]
fn a_topic_that_was_written_late_has_not_got_what_came_after() {
    let deleted = |by| (1, 9, Record::Deleted(Some(MessageId::new(by)), "a/b".into()));
    let still = |by| (1, 9, Record::StillRetained(MessageId::new(by), "a/b".into()));
    let started = || (1, 5, Record::Started(MessageId::new(10), 3));
    for (written, superseded) in [
        (retained(10, "a/b"), false),
        (deleted(10), false),
        (retained(11, "a/b"), true),
        (retained(16, "a/b"), true),
        (deleted(16), true),
        // What was retained before has expired, or been written anew; its first record may be gone.
        (deleted(5), false),
        (still(5), false),
        (still(4), false),
    ] {
        let told = [retained(5, "a/b"), started(), opened(13), written];
        let said = told[3].2.clone();
        let open = deal(read(&told)).remove(0).open;
        assert_eq!(open, [(MessageId::new(13), Group(5), superseded)], "{said:?}");
    }
}

#[test]
fn a_session_knows_what_it_has_of_what_is_open() {
    let [listener, session] = begun(0, 7);
    let told = [listener, session, opened(1), queued(0, 7, 1), opened(2), queued(0, 7, 2), done(1)];
    let (_, image, seen, _) = deal(read(&told)).remove(0).sessions.remove(0);
    assert_eq!(image.unwrap().entries.len(), 2);
    assert_eq!(seen.unwrap().given, [MessageId::new(2)]);
}

/// The group has it from the first record on, the group of what was given back from the last.
#[test]
fn a_group_that_has_an_open_message_is_not_given_it_again() {
    let [listener, session] = begun(0, 7);
    let [_, other] = begun(1, 8);
    let mut told = vec![listener, session, (1, 1, Record::Listener(8, "tcp".into())), other];
    let served = |told: &[Told]| {
        let kept = read(told).into_kept();
        assert!(kept.sessions.iter().all(|session| session.seen.is_empty()));
        let both = [read(told), with_crew(2, |crew| tell(crew, told)).1.unwrap()].map(|recovery| {
            let restored = dealt(recovery);
            let open = restored.iter().flat_map(|it| &it.open);
            let open: Vec<_> = open.map(|open| open.served).collect();
            (open, restored.iter().map(|it| it.served.len()).sum::<usize>())
        });
        assert_eq!(both[0], both[1]);
        let kept: Vec<_> = kept.open.iter().map(|open| open.served.len()).collect();
        (both[0].clone(), kept)
    };
    told.push(opened(1));
    assert_eq!(served(&told), ((vec![false], 0), vec![0]));
    told.push(shared(0, 7, 1));
    assert_eq!(served(&told), ((vec![false], 1), vec![1]));
    told.push(given_back(1));
    assert_eq!(served(&told), ((vec![false, false], 1), vec![1, 0]));
    told.push(shared(1, 8, 1));
    assert_eq!(served(&told), ((vec![false, true], 2), vec![1, 1]));
    told.push(given_back(1));
    assert_eq!(served(&told), ((vec![false, true, false], 2), vec![1, 1, 0]));
    told.push((1, 5, Record::Taken(MessageId::new(1), SHARED.into())));
    assert_eq!(served(&told), ((vec![false, true, true], 3), vec![1, 1, 1]));
}

/// Of both ways to read: since when each session is away, by its key.
fn away(told: &[Told]) -> Vec<(u64, Option<u64>)> {
    let both = [read(told), with_crew(2, |crew| tell(crew, told)).1.unwrap()].map(|recovery| {
        let sessions = dealt(recovery).into_iter().flat_map(|it| it.sessions).flatten();
        let mut away: Vec<_> = sessions
            .map(|(_, session)| (session.key, session.image.unwrap().away_since))
            .map(|(key, since)| (key, since.map(|since| since.as_millis() - NOW)))
            .collect();
        away.sort_unstable();
        away
    });
    assert_eq!(both[0], both[1]);
    both[0].clone()
}

#[test]
fn who_was_connected_at_a_start_is_away_since_it() {
    let change = |key, change| (1, 0, Record::Session(key, change));
    let attached = |key| change(key, Change::Attached(100, ProtocolVersion::V5));
    let all_away = |group| (1, group, Record::AllAway);
    let mut told = vec![all_away(0)];
    told.extend(begun(0, 7).into_iter().chain(begun(0, 8)).chain(begun(1, 9)));
    assert_eq!(away(&told), [(7, None), (8, None), (9, None)], "a start before says nothing");
    told.extend([change(8, Change::Away), all_away(0), all_away(0)]);
    assert_eq!(away(&told), [(7, Some(9)), (8, Some(8)), (9, None)], "the first counts");
    // What says all of a session does not forget it, nor does what a repair has lost.
    let image = |key| read(&told).into_kept().sessions.remove(key).image;
    let written_anew = change(7, Change::Image(image(0)));
    told.extend([written_anew, attached(8), all_away(1)]);
    assert_eq!(away(&told), [(7, Some(9)), (8, None), (9, Some(13))]);
    told.extend([attached(7), all_away(0), begun(0, 10)[0].clone(), begun(0, 10)[1].clone()]);
    assert_eq!(away(&told), [(7, Some(15)), (8, Some(15)), (9, Some(13)), (10, None)]);
}

#[test]
fn what_a_repair_leaves_of_a_session_says_since_when_it_is_away() {
    let [listener, session] = begun(0, 7);
    let told = [listener, session, queued(0, 7, 1), (1, 0, Record::AllAway)];
    let (mut recovery, mut records) = (read(&told), Vec::new());
    let lost = [MessageId::new(1)];
    assert_eq!(recovery.forget(&lost, &Writer::new(Seed::new(1)), &mut records), 1);
    let disk = plexus_store::testing::MemoryDisk::new(1);
    let identity = plexus_store::Identity { store: 1, hash_seed: 2, created_millis: 3 };
    let options = plexus_store::LogOptions::new(identity, plexus_store::ClockMap::default());
    let open = |replay: &mut Recovery| {
        plexus_store::Log::open(disk.clone(), options.clone(), replay).unwrap()
    };
    let mut log = open(&mut Recovery::new(Seed::new(1)));
    log.set_references(std::iter::empty()).unwrap();
    let mut before = Batch::new();
    for (_, group, record) in &told[..2] {
        before.entry(Group(*group), |into| record.encode(into));
    }
    log.commit(NOW, &[&before, &records[0]]).unwrap();
    drop(log);
    let mut recovery = Recovery::new(Seed::new(1));
    open(&mut recovery);
    let kept = recovery.into_kept();
    assert_eq!(kept.sessions[0].image.away_since, Some(Instant::from_millis(NOW + 4)));
}

#[test]
fn what_a_repair_has_lost_is_forgotten_wherever_it_is() {
    let [listener, session] = begun(0, 7);
    let told = [listener, session, queued(0, 7, 1), queued(0, 7, 2), retained(3, "a"), opened(4)];
    let mut recovery = read(&told);
    let lost = [1, 3, 4, 9].map(MessageId::new);
    let writer = Writer::new(Seed::new(1));
    let forget = |recovery: &mut Recovery| recovery.forget(&lost, &writer, &mut Vec::new());
    assert_eq!(forget(&mut recovery), 3);
    assert_eq!(recovery.references().collect::<Vec<_>>(), [MessageId::new(2)]);
    assert_eq!(forget(&mut recovery), 0);
}

/// Of two shards, since the names from 20 on: 22 and 24 are of the same one, 23 is of the other.
#[test]
fn what_a_session_was_passed_over_by_is_not_for_it() {
    let [listener, session] = begun(0, 7);
    let started = (1, 1, Record::Started(MessageId::new(20), 2));
    let told = [listener, session, opened(10), started, opened(22), opened(23), queued(0, 7, 24)];
    let seen = |told: &[Told]| deal(read(told)).remove(0).sessions.remove(0).2.unwrap();
    let names = |seen: &Seen| [10, 22, 23, 24, 26].map(|id| seen.has(MessageId::new(id)));
    assert_eq!(names(&seen(&told)), [false, true, false, true, false]);
    // What was open at the start comes in an order of its own.
    let old = [&told[..], &[opened(12), queued(0, 7, 12)]].concat();
    assert_eq!(seen(&old).given, [MessageId::new(12)]);
    assert_eq!(names(&seen(&old)), [false, true, false, true, false]);
}

#[test]
fn a_session_that_has_ended_is_gone_and_its_place_is_used_again() {
    let mut told = Vec::new();
    for key in 1..100 {
        told.extend(begun(0, key));
        told.push((2, 0, Record::Session(key, Change::Ended(Vec::new()))));
        told.push(queued(0, key, 1));
    }
    told.extend(begun(0, 100));
    let recovery = read(&told);
    assert_eq!(recovery.counts(), (1, 0));
    assert_eq!(recovery.references().count(), 0);
    let dealt = deal(recovery).remove(0);
    assert_eq!((dealt.sessions.len(), dealt.next_key), (1, 101));
}

/// Sessions of many groups that come and go, messages that open and close.
fn history(mut draw: Seed) -> Vec<Told> {
    let mut told = Vec::new();
    for number in 30..3_000 {
        let (group, key) = (draw.below(20) as u16, draw.below(8) as u64 + 1);
        let segment = number / 500 + 1;
        let change = match draw.below(9) {
            0 => {
                told.extend(begun(group, key));
                continue;
            }
            1 => match draw.below(4) {
                0 => Change::Away,
                1 => Change::Attached(1, ProtocolVersion::V5),
                2 => {
                    told.push((segment, group, Record::AllAway));
                    continue;
                }
                _ => Change::Ended(Vec::new()),
            },
            2 => {
                let filter =
                    TopicFilter::try_from(format!("f/{}", draw.below(5)).as_str()).unwrap();
                Change::Subscribed(Held {
                    filter,
                    options: SubscriptionOptions::default(),
                    id: None,
                })
            }
            3 => {
                told.push(opened(number));
                continue;
            }
            4 => {
                told.push(done(number - draw.below(20) as u64));
                continue;
            }
            5 => {
                told.push(retained(number, ["a/b", "c"].get(draw.below(2)).unwrap()));
                continue;
            }
            6 if draw.below(20) == 0 => {
                told.push((
                    1,
                    2,
                    Record::Started(MessageId::new(number), draw.below(4) as u16 + 1),
                ));
                continue;
            }
            _ => {
                told.push(queued(group, key, number - draw.below(10) as u64));
                continue;
            }
        };
        told.push((segment, group, Record::Session(key, change)));
    }
    told.sort_by_key(|(segment, ..)| *segment);
    told
}

type Drawn = Result<Recovery, plexus_store::OpenError>;

fn with_crew<T>(threads: u16, work: impl FnOnce(&mut Crew<'_>) -> T) -> (T, Drawn) {
    std::thread::scope(|scope| {
        let progress = Progress::new(|| Instant::ZERO);
        let mut crew = Crew::new(scope, threads, Seed::new(3), progress).unwrap();
        let worked = work(&mut crew);
        (worked, crew.finish())
    })
}

#[test]
fn several_threads_read_what_one_reads() {
    for seed in 0..20 {
        let told = history(Seed::new(seed));
        let alone = deal(read(&told));
        for threads in 1..4 {
            let (worked, recovery) = with_crew(threads, |crew| tell(crew, &told));
            worked.unwrap();
            assert_eq!(deal(recovery.unwrap()), alone, "seed {seed}, {threads} threads");
        }
    }
}

#[test]
fn what_a_thread_cannot_read_is_named_unless_all_begins_anew() {
    let bad = |crew: &mut Crew<'_>| {
        tell(crew, &begun(4, 1)).unwrap();
        crew.segment(SegmentNumber::new(3));
        crew.entry(Group(4), 17, NOW, &[0, 1, 0xee]).unwrap();
    };
    let ((), outcome) = with_crew(2, bad);
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("17 of group 4 in 0000000000000003.seg"), "{error}");
    let ((), outcome) = with_crew(2, |crew| {
        bad(crew);
        crew.restart();
        tell(crew, &begun(4, 2)).unwrap();
    });
    assert_eq!(outcome.unwrap().counts(), (1, 0));
    let (refused, _) = with_crew(2, |crew| crew.entry(Group(0), 1, NOW, &[0xee]));
    assert!(refused.is_err());
}

#[test]
fn progress_is_told_once_a_second_and_not_in_the_first() {
    let clock = Arc::new(AtomicU64::new(0));
    let hands = Arc::clone(&clock);
    let mut progress = Progress::new(move || Instant::from_millis(hands.load(SeqCst)));
    let mut told = Vec::new();
    for millis in (0..4_000).step_by(300) {
        clock.store(millis, SeqCst);
        told.extend(progress.percent_due(millis, 4_000).map(|percent| (millis, percent)));
    }
    assert_eq!(told, [(1_200, 30), (2_400, 60), (3_600, 90)]);
}
