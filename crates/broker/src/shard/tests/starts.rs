//! What a shard does with what the log says.

use plexus_session::{Held, Image};
use plexus_store::{
    ClockMap, Group, Identity, Log, LogOptions, SegmentNumber, testing::MemoryDisk,
};
use plexus_types::TopicFilter;
use slab::Slab;

use super::{durability::node, *};
use crate::shard::{OpenMessage, Opened, Restored, RestoredSession};
use plexus_records::Audience;
use plexus_recovery::{Recovery, testing::image};

const START: u64 = 1_000_000;

fn open(disk: &MemoryDisk) -> (Log<MemoryDisk>, Recovery) {
    let identity = Identity { store: 1, hash_seed: 1, created_millis: 1 };
    let mut recovery = Recovery::new(Seed::new(1));
    let options = LogOptions::new(identity, ClockMap::default());
    let mut log = Log::open(disk.clone(), options, &mut recovery).unwrap();
    log.set_references(recovery.references()).unwrap();
    (log, recovery)
}

/// The log gets what the shard has recorded, in the second that it has.
fn write(disk: &MemoryDisk, node: &mut Lone) {
    let (mut log, _) = open(disk);
    for batch in node.desk.batches.drain(..) {
        log.commit(node.now.as_millis(), &[&batch]).unwrap();
    }
}

/// A node that starts with what the log says, when the one before has crashed.
fn started(disk: &MemoryDisk, before: &Lone, now: Instant) -> Lone {
    let (_, recovery) = open(disk);
    let door = Arc::new(before.door.clone());
    let mut node = Lone::with(NodeOptions::default());
    (node.door, node.now) = (before.door.clone(), now);
    let nothing = |_| Err::<Arc<Message>, _>("nothing waits");
    let context = &node.shard.context;
    let dealt = recovery.deal(context.places(), MessageId::new(1), |_| Arc::clone(&door), nothing);
    let restored = dealt.unwrap().remove(0);
    node.act(|shard, turn| shard.restore(turn, restored));
    node.act(Shard::reopen);
    node.keep();
    node
}

/// A node that goes down more often than a session takes to expire must not keep it for ever.
#[test]
fn a_session_expires_although_the_node_starts_again_and_again() {
    let disk = MemoryDisk::new(1);
    let mut node = node(&[]);
    node.now = Instant::from_millis(START);
    node.connect(1, "client", 60);
    node.keep();
    let mut recorded = Vec::new();
    for start in 0..5 {
        write(&disk, &mut node);
        node = started(&disk, &node, Instant::from_millis(START + 1_000 + start * 14_000));
        recorded.push(node.desk.batches.iter().map(Batch::bytes).sum::<usize>());
    }
    assert_eq!(node.shard.census().sessions, 1, "it has been away for 56 s");
    node.pass(Duration::from_secs(5));
    assert_eq!(node.shard.census().sessions, 0, "and now for more than 60 s");
    assert!(recorded[1..].iter().all(|bytes| *bytes < recorded[0]), "once: {recorded:?}");
}

/// From before a start, by that client.
pub(super) fn message(id: u64, publisher: &str) -> Arc<Message> {
    Arc::new(Message {
        id: MessageId::new(id),
        topic: TopicName::try_from("t").unwrap(),
        payload: Bytes::new(),
        qos: Qos::ExactlyOnce,
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from(publisher).unwrap(),
    })
}

fn open_message(message: Arc<Message>) -> OpenMessage {
    let opened = Opened { group: Group(0), audience: Audience::Subscribers };
    OpenMessage { message, opened, superseded: false, served: false }
}

/// A shard with a session that does not want its own messages, after a start that names messages from
/// 100 on.
fn with_no_local(open: Vec<OpenMessage>) -> Lone {
    let mut node = Lone::of(2);
    node.door.options =
        Arc::new(plexus_session::Options { durable: true, ..plexus_session::Options::default() });
    let options =
        SubscriptionOptions { qos: Qos::ExactlyOnce, no_local: true, ..Default::default() };
    let filter = TopicFilter::try_from("t").unwrap();
    let image = Image { subscriptions: vec![Held { filter, options, id: None }], ..image(7) };
    let door = Arc::new(node.door.clone());
    let mut sessions = Slab::new();
    sessions.insert(RestoredSession {
        key: 1,
        listener: Arc::clone(&door.name),
        image: Some(image),
        seen: None,
        anchor: SegmentNumber::ZERO,
    });
    let restored = Restored {
        sessions: vec![sessions],
        doors: Arc::new([(Arc::clone(&door.name), door)].into()),
        open,
        next_message: 100,
        ..Restored::default()
    };
    node.act(|shard, turn| shard.restore(turn, restored));
    node.act(Shard::reopen);
    node
}

/// The publishers of what the session gets.
fn heard(mut node: Lone) -> Vec<String> {
    node.connect(1, "client-7", 100);
    node.keep();
    node.desk.delivered.iter().map(|it| it.message.publisher.to_string()).collect()
}

/// [MQTT-3.8.3-3]
#[test]
fn what_a_start_routes_anew_does_not_come_back_to_who_does_not_want_his_own() {
    let open = [message(8, "client-7"), message(9, "client-8")].map(open_message);
    assert_eq!(heard(with_no_local(open.into())), ["client-8"]);
}

/// The shard that has it open need not be that of its publisher: an import knows only the topic.
#[test]
fn what_another_shard_routes_anew_does_not_come_back_either() {
    let mut node = with_no_local(Vec::new());
    for message in [message(8, "client-7"), message(9, "client-8")] {
        node.act(|shard, turn| shard.handle_envelope(turn, 1, Envelope::Publish(message, true)));
    }
    assert_eq!(heard(node), ["client-8"]);
}
