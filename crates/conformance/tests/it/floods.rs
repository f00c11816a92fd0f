//! Floods: very many at once, or very little for very long. Another client is served meanwhile, and
//! what the flood took comes back.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    process, thread,
    time::Duration,
};

use plexus_conformance::{Address, Fields, Transport, Version, encode};

use crate::{
    ground::{OwnBroker, case, run, settings},
    witness::Witness,
};

/// Connections that nobody has shown who he is on. A test process may have some thousands of files.
const CROWD: usize = 2_000;
/// Clients of a storm.
const CLIENTS: usize = 300;
/// Attacks at a time.
const WORKERS: usize = 8;
/// What a process may grow by without a leak.
const GROWTH_KIB_MAX: u64 = 8 * 1024;
/// The same for 1,200 bombs, which are 30 times as many: one of 20 KiB a bomb would pass it.
const BOMB_KIB_MAX: u64 = 24 * 1024;
/// How long a connection may take to end: a bound of failure.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the open files are counted at most; each takes a second on the broker's clock.
const COUNTS_MAX: usize = 10;

/// A broker with limits that are reached, and a client beside the attack.
struct Scene {
    own: OwnBroker,
    witness: Witness,
    before_kib: Option<u64>,
    descriptors: Option<usize>,
    attack: String,
}

impl Scene {
    fn set(attack: &str) -> Self {
        Self::set_with("tight", attack)
    }

    fn set_with(profile: &str, attack: &str) -> Self {
        let own = OwnBroker::start(&settings(), profile, attack);
        let address = own.address(Transport::Tcp);
        // Threads and buffers are there before anything is measured.
        let warm = case("warm", "a connects\na subscribes filter=# qos=1\na disconnects\n");
        (0..100).for_each(|round| run(&warm, &address, &format!("warm{round}")));
        let witness = Witness::start(&address);
        let (before_kib, descriptors) = (own.broker.resident_kib(), own.broker.descriptors());
        Self { own, witness, before_kib, descriptors, attack: attack.to_owned() }
    }

    fn address(&self) -> Address {
        self.own.address(Transport::Tcp)
    }

    /// Plays steps in MQTT 5.0.
    #[track_caller]
    fn plays(&self, steps: &str) {
        run(&case(&self.attack, steps), &self.address(), "flood");
    }

    /// So many seconds pass for the broker.
    fn elapses(&self, seconds: u64, name: &str) {
        run(&case("clock", &format!("elapse {seconds}\n")), &self.address(), name);
    }

    /// Connections are closed by the broker, also where the peer holds on to its end.
    fn gives_back_descriptors(&self) {
        let Some(before) = self.descriptors else { return };
        let counted = |count: usize| {
            self.elapses(1, &format!("count{count}"));
            self.own.broker.descriptors().is_none_or(|now| now <= before + 8)
        };
        assert!((0..COUNTS_MAX).any(counted), "{}: connections stay open", self.attack);
    }

    /// The other client was served, memory is back, the log tells of no error.
    #[track_caller]
    fn ends(self) {
        self.ends_within(GROWTH_KIB_MAX);
    }

    #[track_caller]
    fn ends_within(self, growth_kib_max: u64) {
        self.witness.end(&self.attack);
        if let Some(before) = self.before_kib {
            self.own.settles_below(before + growth_kib_max, &self.attack);
        }
        self.own.assert_well();
    }
}

fn open(address: &Address) -> TcpStream {
    let stream = TcpStream::connect(&address.host_port).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// Whether the broker ends the connection, whatever it says before.
fn is_ended(stream: &mut TcpStream) -> bool {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    }
}

/// What each transport has heard of somebody who goes no further.
const BEGINNINGS: [(Transport, &[u8]); 6] = [
    (Transport::Tcp, b""),
    (Transport::Tcp, b"\x10\x20\x00\x04MQ"),
    (Transport::Tls, b""),
    (Transport::Tls, b"\x16\x03\x01\x01\x00\x01\x00"),
    (Transport::WebSocket, b"GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgr"),
    (Transport::Proxy, b"\r\n\r\n\0\r\nQUIT\n\x21\x11"),
];

#[test]
fn a_crowd_that_says_nothing_is_shown_out() {
    let scene = Scene::set("crowd");
    let mut crowd: Vec<TcpStream> = (BEGINNINGS.iter().cycle().take(CROWD))
        .map(|(transport, beginning)| {
            let mut stream = open(&scene.own.address(*transport));
            stream.write_all(beginning).expect("sent");
            stream
        })
        .collect();
    for (number, stream) in crowd.iter_mut().enumerate() {
        let (transport, _) = BEGINNINGS[number % BEGINNINGS.len()];
        assert!(is_ended(stream), "{number} over {}", transport.name());
    }
    scene.gives_back_descriptors();
    scene.ends();
}

/// More silent connections than handshakes are borne: who comes to say something gets in all the same.
#[test]
fn a_crowd_that_says_nothing_keeps_nobody_out() {
    let scene = Scene::set_with("few-handshakes", "keeps_out");
    let mut crowd: Vec<TcpStream> = (0..CROWD / 2).map(|_| open(&scene.address())).collect();
    // Everybody has a second to say something.
    let first = crowd.first_mut().expect("a crowd");
    first.set_read_timeout(Some(Duration::from_secs(1))).expect("set");
    assert!(!is_ended(first), "it is waited for");
    first.set_read_timeout(Some(PATIENCE)).expect("set");
    scene.plays(
        "a connects\na subscribes filter=t qos=0\na publishes topic=t payload=x\n\
         a receives topic=t payload=x\n",
    );
    // The first of them have made room.
    assert!(crowd.first_mut().is_some_and(is_ended));
    drop(crowd);
    scene.gives_back_descriptors();
    scene.ends();
}

/// Slow loris: one byte a second is not silence, and no CONNECT either.
#[test]
fn who_dribbles_is_shown_out() {
    const DRIBBLERS: usize = 200;
    let scene = Scene::set("dribble");
    let upgrade = b"GET /mqtt HTTP/1.1\r\n";
    let connect = b"\x10\x20\x00\x04MQTT\x04\x02\x00\x3c";
    let ways = [(Transport::Tcp, &connect[..]), (Transport::WebSocket, &upgrade[..])];
    let mut slow: Vec<_> = (ways.iter().cycle().take(DRIBBLERS))
        .map(|(transport, words)| (open(&scene.own.address(*transport)), *words))
        .collect();
    for second in 0..4 {
        for (stream, words) in &mut slow {
            // Who has been shown out already cannot say more.
            drop(stream.write_all(&words[second..=second]));
        }
        scene.elapses(1, &format!("second{second}"));
    }
    for (stream, _) in &mut slow {
        assert!(is_ended(stream));
    }
    scene.ends();
}

/// Several attackers at a time, each with its share of the rounds.
fn in_parallel(rounds: usize, attack: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for first in 0..WORKERS {
            let attack = &attack;
            scope.spawn(move || (first..rounds).step_by(WORKERS).for_each(attack));
        }
    });
}

#[test]
fn handshakes_that_lead_to_nothing_leave_nothing() {
    const HANDSHAKES: usize = 1_000;
    let scene = Scene::set("handshakes");
    let (tls, websocket) =
        (scene.own.address(Transport::Tls), scene.own.address(Transport::WebSocket));
    let leaves = case("handshakes", "a opens\na drops\n");
    in_parallel(HANDSHAKES, |round| {
        run(&leaves, &tls, &format!("t{round}"));
        run(&leaves, &websocket, &format!("w{round}"));
        // A hello that promises more than it has, and leaves.
        drop(open(&tls).write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"));
    });
    scene.gives_back_descriptors();
    scene.ends();
}

/// What no balancer, browser or client of TLS sends.
const NONSENSE: [(Transport, &str, &[u8]); 10] = [
    (Transport::Proxy, "no header at all", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"),
    (Transport::Proxy, "a line without end", &[b'P'; 200]),
    (Transport::Proxy, "an address that is none", b"PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n"),
    (Transport::Proxy, "addresses of another family", b"PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n"),
    (Transport::Proxy, "a version of the future", b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x0c"),
    (Transport::Proxy, "a length of 64 KiB", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"),
    (Transport::Proxy, "too short for its addresses", b"\r\n\r\n\0\r\nQUIT\n\x21\x21\x00\x04abcd"),
    (Transport::Tls, "MQTT without TLS", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"),
    (Transport::WebSocket, "MQTT without an upgrade", b"\x10\x0c\x00\x04MQTT\x04\x02\r\n\r\n"),
    (Transport::WebSocket, "another request", b"POST /mqtt HTTP/1.1\r\nHost: a\r\n\r\n"),
];

#[test]
fn headers_and_handshakes_that_lie_are_closed_at_once() {
    // Nobody is shown out for being slow here.
    let scene = Scene::set_with("few-handshakes", "headers");
    in_parallel(20 * NONSENSE.len(), |round| {
        let (transport, what, bytes) = &NONSENSE[round % NONSENSE.len()];
        let mut stream = open(&scene.own.address(*transport));
        stream.write_all(bytes).expect("sent");
        assert!(is_ended(&mut stream), "{what} over {}", transport.name());
    });
    scene.ends();
}

#[test]
fn who_is_refused_is_closed_though_it_stays() {
    let scene = Scene::set("refused");
    // 3.1.1 without an identifier and without Clean Session: 0x02, Identifier rejected.
    let connect = b"\x10\x0c\x00\x04MQTT\x04\x00\x00\x3c\x00\x00";
    let refused: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let mut stream = open(&scene.address());
            stream.write_all(connect).expect("sent");
            let mut answer = [0; 4];
            stream.read_exact(&mut answer).expect("CONNACK");
            assert_eq!(answer, [0x20, 2, 0, 2]);
            stream
        })
        .collect();
    scene.gives_back_descriptors();
    drop(refused);
    scene.ends();
}

/// SUBSCRIBE packets of a hundred filters each.
fn subscribes(steps: &mut String, filters: impl Iterator<Item = String>) -> usize {
    let filters: Vec<String> = filters.collect();
    for (packet, some) in filters.chunks(100).enumerate() {
        let words: Vec<String> =
            some.iter().map(|filter| format!(" filter={filter} qos=0")).collect();
        let packet = [format!("a > SUBSCRIBE id={}", packet + 1), words.concat(), "\n".to_owned()];
        steps.extend(packet);
    }
    filters.len().div_ceil(100)
}

#[test]
fn a_bomb_of_subscriptions_meets_its_limit() {
    let mut steps = "a connects\n".to_owned();
    let last = subscribes(&mut steps, (0..2_000).map(|number| format!("bomb/{number}/+/#")));
    let refused = vec!["0x97"; 100].join(",");
    writeln!(steps, "a <* SUBACK id={last} rc={refused}\na disconnects").unwrap();
    let scene = Scene::set("subscriptions");
    let (bomb, address) = (case("subscriptions", &steps), scene.address());
    in_parallel(1_200, |round| run(&bomb, &address, &format!("b{round}")));
    // What was there at the same time, by chance, decides what tables and the allocator keep; what all of
    // them leave behind is what counts.
    scene.ends_within(BOMB_KIB_MAX);
}

/// Every mixture of a word and `+` at nine levels: one message finds 512 filters, and no walk through
/// the index may go every way twice.
#[test]
fn filters_that_all_match_delay_nobody() {
    const LEVELS: usize = 9;
    let filter = |mixture: usize| {
        let level = |level| if mixture >> level & 1 == 0 { "l" } else { "+" };
        (0..LEVELS).map(level).collect::<Vec<_>>().join("/")
    };
    let mut steps = "a connects\n".to_owned();
    let last = subscribes(&mut steps, (0..1 << LEVELS).map(filter));
    let granted = ["0"; (1 << LEVELS) % 100].join(",");
    writeln!(steps, "a <* SUBACK id={last} rc={granted}").unwrap();
    let topic = ["l"; LEVELS].join("/");
    (0..50).for_each(|_| writeln!(steps, "a > PUBLISH topic={topic} payload=x").unwrap());
    writeln!(steps, "a > PUBLISH topic={topic} payload=last").unwrap();
    writeln!(steps, "a <* PUBLISH topic={topic} payload=last\na drops").unwrap();
    let scene = Scene::set("mixtures");
    let (mixtures, address) = (case("mixtures", &steps), scene.address());
    in_parallel(40, |round| run(&mixtures, &address, &format!("m{round}")));
    scene.ends();
}

#[test]
fn a_bomb_of_retained_messages_meets_its_limit() {
    const TOPICS: usize = 5_000;
    let scene = Scene::set("retained");
    let bomb = |payload: &str| {
        let mut steps = "a connects\n".to_owned();
        for number in 0..TOPICS {
            let qos = u8::from(number % 50 == 49);
            writeln!(steps, "a publishes topic=kept/{number} retain qos={qos} payload={payload}")
                .unwrap();
        }
        steps
    };
    scene.plays(&bomb("times:4000:x"));
    if let (Some(before), Some(now)) = (scene.before_kib, scene.own.broker.resident_kib()) {
        // A thousand are kept, with their 4 MiB; not the 20 MiB of all.
        assert!(now < before + 4 * 1024 + GROWTH_KIB_MAX, "from {before} to {now} KiB");
    }
    scene.plays("b connects\nb > SUBSCRIBE id=1 filter=kept/# qos=0\nb <* SUBACK id=1\nb drops\n");
    scene.plays(&bomb(""));
    scene.plays("b connects\nb subscribes filter=kept/# qos=0\nb nothing\n");
    scene.ends();
}

#[test]
fn wills_of_a_crowd_that_is_lost_come_once_each() {
    let scene = Scene::set("wills");
    let mut steps = "b connects\nb subscribes filter=w/+ qos=0\n".to_owned();
    for number in 0..CLIENTS {
        writeln!(steps, "c{number} connects will_topic=w/{number} will_payload=gone").unwrap();
    }
    (0..CLIENTS).for_each(|number| writeln!(steps, "c{number} drops").unwrap());
    for number in 0..CLIENTS {
        writeln!(steps, "b <* PUBLISH topic=w/{number} payload=gone").unwrap();
    }
    steps.push_str("b nothing\n");
    scene.plays(&steps);
    scene.ends();
}

#[test]
fn a_crowd_that_comes_back_again_and_again_finds_its_sessions() {
    let scene = Scene::set("returns");
    let mut steps = "b connects\n".to_owned();
    for number in 0..CLIENTS {
        writeln!(steps, "c{number} connects session_expiry=60").unwrap();
        writeln!(steps, "c{number} subscribes filter=all qos=1").unwrap();
    }
    for storm in 0..3 {
        (0..CLIENTS).for_each(|number| writeln!(steps, "c{number} drops").unwrap());
        writeln!(steps, "b publishes topic=all qos=1 payload={storm}").unwrap();
        for number in 0..CLIENTS {
            writeln!(
                steps,
                "c{number} > CONNECT clean_start=0 session_expiry=60\n\
                 c{number} < CONNACK session_present=1\n\
                 c{number} receives topic=all qos=1 dup=0|1 payload={storm}"
            )
            .unwrap();
        }
    }
    // They say goodbye for good.
    for number in 0..CLIENTS {
        writeln!(steps, "c{number} > DISCONNECT session_expiry=0\nc{number} ends").unwrap();
    }
    scene.plays(&steps);
    scene.ends();
}

/// Packets that are right, to be made wrong.
fn corpus() -> Vec<Vec<u8>> {
    let lines = [
        "CONNECT client_id=fuzz session_expiry=0 receive_max=9 user=k:v username=u password=p",
        "CONNECT client_id=fuzz will_topic=w will_payload=x will_delay=0 will_user=a:b",
        "PUBLISH topic=fuzz/t qos=1 id=7 payload=x content_type=c user=a:b alias=1",
        "PUBLISH topic=fuzz/t qos=2 id=8 payload=x correlation=y response=r",
        "PUBACK id=1 rc=0 reason=r",
        "PUBREC id=2 rc=0",
        "PUBREL id=8 rc=0",
        "PUBCOMP id=9 rc=0",
        "SUBSCRIBE id=3 sub_id=5 filter=fuzz/+ qos=1 filter=$share/g/# qos=2",
        "UNSUBSCRIBE id=4 filter=fuzz/+",
        "PINGREQ",
        "DISCONNECT rc=0 session_expiry=0",
        "AUTH rc=0x18 auth_method=m auth_data=d",
    ];
    let packet = |line: &&str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (name, rest) = words.split_first().expect("a name");
        encode(name, &Fields::parse(rest), Version::V5).expect("a right packet")
    };
    lines.iter().map(packet).collect()
}

/// Numbers that look drawn, from one seed.
struct Dice(u64);

impl Dice {
    fn draw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).expect("it is below")
    }
}

/// Some packets of the corpus in a row, with some of their bytes changed, cut out or doubled.
fn mutated(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    // Half of them come in as they should.
    let connect = corpus.first().filter(|_| dice.draw(2) == 0);
    let mut bytes = Vec::new();
    for _ in 0..=dice.draw(3) {
        bytes.extend(corpus.get(dice.draw(corpus.len())).into_iter().flatten());
    }
    for _ in 0..=dice.draw(4) {
        let at = dice.draw(bytes.len());
        match dice.draw(4) {
            0 => bytes.insert(at, 0xFF),
            1 if bytes.len() > 1 => drop(bytes.remove(at)),
            2 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = 0x80),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.draw(8)),
        }
    }
    [connect.cloned().unwrap_or_default(), bytes].concat()
}

#[test]
fn packets_with_drawn_mistakes_harm_nobody() {
    const CONNECTIONS: usize = 4_000;
    let scene = Scene::set("mistakes");
    let (corpus, address) = (corpus(), scene.address());
    in_parallel(CONNECTIONS, |round| {
        // The same mistakes in every run of the same round: a failure comes again.
        let bytes =
            mutated(&corpus, &mut Dice((round as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let mut stream = open(&address);
        // The broker may close while we still write.
        drop(stream.write_all(&bytes));
        drop(stream.shutdown(Shutdown::Write));
        assert!(is_ended(&mut stream), "round {round} of process {}: {bytes:02x?}", process::id());
    });
    scene.ends();
}
