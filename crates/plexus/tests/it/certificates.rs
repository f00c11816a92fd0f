//! Certificates that `plexus cert dev` makes.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::program::{Node, Place};

/// Makes certificates; gives the listener for the configuration, and the options for its clients.
fn made(place: &Place, args: &[&str]) -> (String, Vec<String>) {
    let told = place.run([&["cert", "dev"], args].concat()).ok();
    let (_, rest) = told.split_once("In plexus.toml:\n\n").expect("a listener");
    let (listener, commands) = rest.split_once("\nThen plexus serve and, ").expect("commands");
    let command = commands.lines().find(|line| line.starts_with("plexus sub ")).expect("sub");
    let words = command.split(' ').skip(2).take_while(|word| *word != "-t");
    let listener = listener.replace(":8883", ":0");
    (listener, words.map(str::to_owned).collect())
}

/// Publishes a kept message and reads it again, with these options and the node's port.
fn there_and_back(place: &Place, node: &Node, options: &[String]) {
    let with_port = |word| if word == "8883" { node.port() } else { word };
    let options = options.iter().map(|word| with_port(word.as_str())).collect::<Vec<_>>();
    let publish = ["pub", "-t", "a", "-m", "x", "-q", "1", "-r", "--quiet"];
    assert_eq!(place.run([&publish[..], &options].concat()).ok(), "");
    let subscribe = ["sub", "-t", "a", "-C", "1", "-W", "20"];
    assert_eq!(place.run([&subscribe[..], &options].concat()).ok(), "x\n");
}

fn mode(place: &Place, name: &str) -> u32 {
    fs::metadata(place.path().join(name)).expect("a file").permissions().mode() & 0o777
}

#[test]
fn what_cert_dev_says_works_for_the_broker_alone() {
    let place = Place::new();
    let (listener, options) = made(&place, &["--host", "broker.local"]);
    assert!(!listener.contains("client_auth") && !options.contains(&"--cert".to_owned()));
    place.write("plexus.toml", &listener);
    let node = Node::start(&place, &[]);
    there_and_back(&place, &node, &options);
    for name in ["ca.key", "server.key"] {
        assert_eq!(mode(&place, &format!("certs/{name}")), 0o600, "{name}");
    }
    assert_eq!(mode(&place, "certs"), 0o700);
}

#[test]
fn what_cert_dev_says_works_for_broker_and_clients() {
    let place = Place::new();
    let (listener, options) = made(&place, &["--dir", "a b", "--client", "robot-7"]);
    // The folder has a blank in its name: its files are words of a shell.
    let options = options.join(" ").replace("a b/", "a\u{a0}b/").replace('\'', "");
    let options = options.split(' ').map(|word| word.replace('\u{a0}', " ")).collect::<Vec<_>>();
    place.write("plexus.toml", &listener);
    let node = Node::start(&place, &[]);
    there_and_back(&place, &node, &options);
    assert_eq!(mode(&place, "a b/client-robot-7.key"), 0o600);
    let without = ["pub", "-t", "a", "-n", "-q", "1", "--reconnect", "never", "-h", "localhost"];
    let place_of = ["-p", node.port(), "--cafile", "a b/ca.pem"];
    let refused = place.run([&without[..], &place_of].concat()).failed(1);
    assert!(refused.contains("it wants a certificate of the client"), "{refused}");
}

#[test]
fn cert_dev_overwrites_nothing_and_signs_more() {
    let place = Place::new();
    let dev = |args: &[&str]| place.run([&["cert", "dev"], args].concat());
    dev(&["--client", "a"]).ok();
    let first = ["ca.pem", "ca.key", "server.pem", "client-a.pem"]
        .map(|name| (name, place.read(&format!("certs/{name}"))));
    let stays = |names: &[&str]| {
        for (name, text) in &first {
            let same = place.read(&format!("certs/{name}")) == *text;
            assert_eq!(same, names.contains(name), "{name}");
        }
    };
    for args in [&[][..], &["--client", "a"], &["--client", "b", "--host", "x"]] {
        let told = dev(args).failed(1);
        assert!(told.starts_with("error: nothing was made: certs/"), "{told}");
        assert!(told.contains("is there; --force replaces"), "{told}");
    }
    assert!(!place.path().join("certs/client-b.pem").exists());
    stays(&["ca.pem", "ca.key", "server.pem", "client-a.pem"]);
    let told = dev(&["--client", "b"]).ok();
    assert!(told.contains("certs/ca.pem: the development authority, for clients to trust; it was"));
    assert!(told.contains("certs/server.pem: the broker's certificate; it was there"), "{told}");
    stays(&["ca.pem", "ca.key", "server.pem", "client-a.pem"]);
    dev(&["--client", "a", "--force"]).ok();
    stays(&["ca.pem", "ca.key", "server.pem"]);
    dev(&["--force"]).ok();
    stays(&["ca.pem", "ca.key"]);
    assert_eq!(
        fs::read_dir(place.path().join("certs")).unwrap().count(),
        8,
        "nothing is left over"
    );
}

#[test]
fn cert_dev_says_why_an_authority_cannot_sign() {
    let place = Place::new();
    let dev = |args: &[&str]| place.run([&["cert", "dev"], args].concat());
    dev(&[]).ok();
    let key = place.read("certs/ca.key");
    fs::remove_file(place.path().join("certs/ca.key")).unwrap();
    let told = dev(&["--client", "a"]).failed(1);
    assert!(told.contains("certs/ca.pem is there and certs/ca.key is not"), "{told}");
    place.write("certs/ca.key", "nonsense");
    let told = dev(&["--client", "a"]).failed(1);
    assert!(told.contains("certs/ca.key holds no key that can sign"), "{told}");
    place.write("certs/ca.key", &place.read("certs/server.key"));
    let told = dev(&["--client", "a"]).failed(1);
    assert!(told.contains("cannot sign: they are no pair that `plexus cert dev` made"), "{told}");
    place.write("certs/ca.key", &key);
    dev(&["--client", "a"]).ok();
    for (args, why) in [
        (&["--host", "mqtt://a"][..], "`mqtt://a` is no host; write a name such as broker.local"),
        (&["--client", "a/b"], "`a/b` is no name for a client's certificate"),
    ] {
        let told = dev(args).failed(2);
        assert!(told.contains(why), "{told}");
    }
    dev(&["--days", "900"]).failed(2);
}
