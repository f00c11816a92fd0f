use plexus_types::{ProtocolVersion, Qos, ReasonCode};
use plexus_wire::{
    Packet,
    property::{MessageProperty, message_properties},
};

use crate::{
    broker::Script,
    program::{Ended, Node, Place, run},
};

/// Runs `pub` against a broker that only listens; gives what it published.
fn published(args: &[&str], input: &[u8]) -> (Ended, Vec<Packet>) {
    let (place, script) = (Place::new(), Script::new());
    place.write("payload", "one\ntwo");
    let port = script.port();
    let mut command = place.plexus(["pub", "-p", &port].iter().chain(args));
    let script_side = std::thread::spawn(move || {
        let mut peer = script.accept(false);
        let mut packets = Vec::new();
        loop {
            match peer.expect() {
                Packet::Disconnect(_) => return packets,
                Packet::Publish(publish) => {
                    if publish.qos == Qos::AtLeastOnce {
                        peer.acknowledge(publish.packet_id, ReasonCode::Success);
                    }
                    packets.push(Packet::Publish(publish));
                }
                other => panic!("{other:?}"),
            }
        }
    });
    let ended = run(&mut command, input);
    (ended, script_side.join().expect("the script ends"))
}

fn payloads(packets: &[Packet]) -> Vec<String> {
    let payload = |packet: &Packet| match packet {
        Packet::Publish(publish) => String::from_utf8(publish.payload.to_vec()).expect("UTF-8"),
        other => panic!("{other:?}"),
    };
    packets.iter().map(payload).collect()
}

#[test]
fn the_payload_is_an_argument_a_file_lines_or_nothing() {
    let payloads_of = |args: &[&str], input: &[u8]| {
        let (ended, packets) = published(&[&["-t", "a"], args].concat(), input);
        assert_eq!(ended.ok(), "");
        payloads(&packets)
    };
    assert_eq!(payloads_of(&["-m", "x"], b""), ["x"]);
    assert_eq!(payloads_of(&["-n"], b""), [""]);
    assert_eq!(payloads_of(&["-f", "payload"], b""), ["one\ntwo"]);
    assert_eq!(payloads_of(&["-f", "-"], b"a\nb\n"), ["a\nb\n"]);
    assert_eq!(payloads_of(&["-l"], b"a\n\nb"), ["a", "", "b"]);
    assert_eq!(payloads_of(&["-l", "-f", "payload", "-q", "1"], b""), ["one", "two"]);
    assert_eq!(payloads_of(&["-l"], b""), [] as [&str; 0]);
}

#[test]
fn many_lines_all_arrive_in_order() {
    let lines = (0..5_000).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
    let (ended, packets) = published(&["-t", "a", "-l", "-q", "1"], lines.as_bytes());
    assert_eq!(ended.ok(), "");
    assert!(payloads(&packets).iter().map(String::as_str).eq(lines.lines()));
}

#[test]
fn flags_and_properties_are_those_of_the_command_line() {
    let args = ["-t", "a", "-m", "x", "-r", "-D", "message-expiry-interval=9"];
    let more = ["-D", "user-property=k=v", "-D", "content-type=text/plain"];
    let (ended, packets) = published(&[&args[..], &more[..]].concat(), b"");
    assert_eq!(ended.ok(), "");
    let [Packet::Publish(publish)] = &packets[..] else { panic!("{packets:?}") };
    assert!(publish.retain);
    assert_eq!(publish.properties.message_expiry_interval, Some(9));
    let found = message_properties(&publish.properties.forwarded).collect::<Vec<_>>();
    assert!(found.contains(&MessageProperty::ContentType("text/plain".try_into().unwrap())));
    assert_eq!(found.len(), 2);
}

#[test]
fn who_connects_is_on_the_command_line() {
    let (place, script) = (Place::new(), Script::new());
    place.write("secret", "pass\nword\n");
    let url = format!("mqtt://al%69ce@127.0.0.1:{}/from/url", script.port());
    let mut command = place.plexus(["pub", "-L", &url, "-n", "-i", "me", "-k", "7"]);
    command.args(["-P", "file:secret", "--will-topic", "w", "--will-payload", "gone"]);
    command.args([
        "--will-qos",
        "1",
        "-D",
        "will.delay-interval=3",
        "-D",
        "connect.user-property=a=b",
    ]);
    command.args(["-x", "1h"]);
    let script_side = std::thread::spawn(move || {
        let mut peer = script.accept(false);
        let publish = peer.expect_publish();
        peer.expect_end();
        (peer.version(), publish.topic.to_string(), peer.connect())
    });
    assert_eq!(run(&mut command, b"").ok(), "");
    let (version, topic, connect) = script_side.join().unwrap();
    assert_eq!((version, topic.as_str()), (ProtocolVersion::V5, "from/url"));
    assert_eq!((connect.client_id.as_str(), connect.keep_alive), ("me", 7));
    assert_eq!(connect.user_name.as_deref(), Some("alice"));
    assert_eq!(connect.password.as_deref(), Some(&b"pass"[..]));
    assert!(connect.clean_start);
    assert_eq!(connect.properties.session_expiry_interval, 3_600);
    assert_eq!(connect.properties.user_properties.iter().count(), 1);
    let will = connect.will.unwrap();
    assert_eq!((will.topic.as_str(), &will.payload[..]), ("w", &b"gone"[..]));
    assert_eq!((will.qos, will.delay_interval), (Qos::AtLeastOnce, 3));
}

#[test]
fn older_versions_are_spoken_too() {
    for (name, version) in [("31", ProtocolVersion::V31), ("311", ProtocolVersion::V311)] {
        let (place, script) = (Place::new(), Script::new());
        let mut command = place.plexus(["pub", "-p", &script.port(), "-V", name, "-t", "a", "-n"]);
        let script_side = std::thread::spawn(move || {
            let mut peer = script.accept(false);
            peer.expect_publish();
            peer.expect_end();
            (peer.version(), peer.connect().client_id.len())
        });
        assert_eq!(run(&mut command, b"").ok(), "");
        let (spoken, id_length) = script_side.join().unwrap();
        assert_eq!(spoken, version);
        assert!(id_length <= 23, "3.1 allows no more");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_before_anybody_is_asked() {
    let place = Place::new();
    let usage = |args: &[&str]| place.run(["pub"].iter().chain(args)).failed(2);
    assert_eq!(
        usage(&["-t", "a/#", "-n"]),
        "error: the topic `a/#` cannot be: `#` at character 3 is a wildcard, for subscriptions \
         only; publish to one topic at a time\n"
    );
    assert_eq!(usage(&["-n"]), "error: no topic; write --topic, for example -t room/light\n");
    assert!(usage(&["-t", "", "-n"]).starts_with("error: the topic is empty; write"));
    assert!(usage(&["-t", "a"]).contains("--message <TEXT>|--file <FILE>|--lines|--null"));
    assert!(usage(&["-t", "a", "-n", "-q", "3"]).contains("use 0, 1 or 2"));
    assert_eq!(
        usage(&["-t", "a", "-n", "-V", "311", "-D", "content-type=x"]),
        "error: properties and a session expiry need MQTT 5.0; remove -D, -x or -V\n"
    );
    assert!(usage(&["-t", "a", "-n", "-L", "http://h"]).contains("use mqtt://, mqtts://"));
    assert!(usage(&["-t", "a", "-n", "-c"]).contains("--id <ID>"));
    let error = place.run(["pub", "-t", "a", "-f", "no/such"]).failed(1);
    assert_eq!(error, "error: cannot read no/such: No such file or directory\n");
}

#[test]
fn a_message_that_the_broker_cannot_take_is_refused_with_its_size() {
    let place = Place::new();
    place.write("large", &"x".repeat(5_000));
    let limit = ["--listen", "tcp://127.0.0.1:0", "--set", "mqtt.max_packet_size=1KiB"];
    let node = Node::start(&place, &limit);
    let publish = |args: &[&str]| {
        place.run(["pub", "-p", node.port(), "-t", "a", "-f", "large"].iter().chain(args)).failed(4)
    };
    for qos in ["0", "1", "2"] {
        assert_eq!(
            publish(&["-q", qos]),
            "message 1: 5000 bytes and its topic make a packet of more than 1024 bytes\n\
             error: the message is too large: the broker takes packets of at most 1024 bytes (in \
             Plexus mqtt.max_packet_size)\n"
        );
    }
    let error = publish(&["-q", "1", "-V", "311"]);
    assert!(error.contains("while message 1 with 5000 bytes was on its way"), "{error}");
}

#[test]
fn what_was_not_read_with_qos_0_is_no_success() {
    // Half-way through the message, and behind it: DISCONNECT is what is not read then.
    for (size, read) in [(40_000_000, 0), (100, 2 + 3 + 100)] {
        let (place, script) = (Place::new(), Script::new());
        place.write("large", &"x".repeat(size));
        let args = ["pub", "-p", &script.port(), "-t", "a", "-f", "large", "-V", "311"];
        let mut command = place.plexus(args);
        let script_side = std::thread::spawn(move || script.accept(false).reset_behind(read));
        let error = run(&mut command, b"").failed(1);
        script_side.join().unwrap();
        let told = "the connection ended before the broker had read everything";
        let count = format!("none of {size} bytes; -q 1 sends again");
        assert!(error.contains(told) && error.contains(&count), "{error}");
    }
}
