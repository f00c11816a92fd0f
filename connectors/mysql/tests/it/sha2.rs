//! `caching_sha2_password` of MySQL 8, played: MariaDB does not know it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, PublicKeyX509Der},
    rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_testkit::{NODE_PASSWORD, PATIENCE};

use super::{USERS, door};

const NONCE: &[u8; 20] = b"aaaaabbbbbcccccddddd";

fn send(stream: &mut TcpStream, number: u8, packet: &[u8]) {
    let [low, high] = u16::try_from(packet.len()).expect("short").to_le_bytes();
    stream.write_all(&[&[low, high, 0, number], packet].concat()).expect("sent");
}

fn hear(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).expect("a packet");
    let mut packet = vec![0; usize::from(u16::from_le_bytes([head[0], head[1]]))];
    stream.read_exact(&mut packet).expect("all of it");
    packet
}

/// Says hello as MySQL 8 does, and gives what the client answers.
fn greet(stream: &mut TcpStream) -> Vec<u8> {
    let (first, second) = NONCE.split_at(8);
    let parts: [&[u8]; 8] = [
        b"\x0A8.4.0\0\x07\0\0\0",
        first,
        b"\0\xFF\xF7\xFF\x02\0\xFF\xDF\x15",
        &[0; 10],
        second,
        b"\0",
        b"caching_sha2_password",
        b"\0",
    ];
    send(stream, 0, &parts.concat());
    hear(stream)
}

/// A MySQL that does that with whoever connects, and tells what it finds out.
fn mysql<T: Send + 'static>(
    log_in: impl FnOnce(&mut TcpStream) -> T + Send + 'static,
) -> (u16, Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
    let port = listener.local_addr().expect("bound").port();
    let (tell, told) = sync_channel(1);
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it is asked");
        tell.send(log_in(&mut stream)).expect("the test waits");
    });
    (port, told)
}

/// The server remembers a hash: the proof is enough.
#[test]
fn a_proof_is_enough_where_the_password_is_remembered() {
    let (port, told) = mysql(|stream| {
        let answer = greet(stream);
        let stored = digest(&SHA256, digest(&SHA256, NODE_PASSWORD.as_bytes()).as_ref());
        let mask = digest(&SHA256, &[stored.as_ref(), NONCE].concat());
        let at = answer.windows(8).position(|at| at == b"plexus\0\x20").expect("its user");
        let proof = &answer[at + 8..at + 40];
        let once: Vec<_> = proof.iter().zip(mask.as_ref()).map(|(a, b)| a ^ b).collect();
        send(stream, 2, b"\x01\x03");
        send(stream, 3, b"\0\0\0\x02\0\0\0");
        let query = hear(stream);
        (digest(&SHA256, &once).as_ref() == stored.as_ref(), query)
    });
    let door = door(port, USERS, PATIENCE);
    assert!(door.asks("bob", "right").is_err(), "it breaks off then");
    let (is_proved, query) = told.recv_timeout(PATIENCE).expect("it has logged in");
    assert!(is_proved, "the server knows it by its hash");
    assert!(query.starts_with(b"\x16SELECT"), "the log-in is over: {query:?}");
}

/// Where it remembers nothing, it gets the password, which only the owner of its key can read.
#[test]
fn without_tls_the_password_goes_over_encrypted() {
    let (port, told) = mysql(|stream| {
        let own = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let der: PublicKeyX509Der<'_> = own.public_key().as_der().expect("its public half");
        let key = STANDARD.encode(der.as_ref());
        let pem = format!("\x01-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n");
        greet(stream);
        send(stream, 2, b"\x01\x04");
        let asks = hear(stream);
        send(stream, 4, pem.as_bytes());
        let sealed = hear(stream);
        let own = OaepPrivateDecryptingKey::new(own).expect("a key");
        let mut opened = vec![0; own.min_output_size()];
        let opened = own.decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut opened, None).expect("for it");
        let password: Vec<_> = opened.iter().zip(NONCE).map(|(a, b)| a ^ b).collect();
        send(stream, 6, b"\0\0\0\x02\0\0\0");
        (asks, password, hear(stream))
    });
    let door = door(port, USERS, PATIENCE);
    assert!(door.asks("bob", "right").is_err(), "it breaks off then");
    let (asks, password, query) = told.recv_timeout(PATIENCE).expect("it has logged in");
    assert_eq!(asks, [2], "it asks for the key");
    assert_eq!(password, [NODE_PASSWORD.as_bytes(), b"\0"].concat());
    assert!(query.starts_with(b"\x16SELECT"), "{query:?}");
}
