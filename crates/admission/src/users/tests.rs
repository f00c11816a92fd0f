use std::{num::NonZeroU32, sync::Arc};

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use plexus_access::{Credentials, Enhanced, Exchange, Users};
use plexus_runtime::Runtime;
use plexus_stdx::Seed;
use plexus_types::{ClientId, ReasonCode, Text};

use super::{UserTable, UsersBy};
use crate::{Answer, Authenticator};

/// The password is `pencil`.
const LINE: &str = "ann:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
     WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

struct Node {
    table: UserTable,
    _runtime: Runtime,
}

fn node(by: UsersBy) -> Node {
    let runtime = Runtime::start(1).unwrap();
    let users = Users::parse(format!("{LINE} superuser\n").as_bytes(), Seed::new(1)).unwrap();
    Node { table: UserTable::new(users, by, runtime.handle()), _runtime: runtime }
}

fn step(client: &str, method: &str, data: &str, exchange: Option<Exchange>) -> Credentials {
    let data = Bytes::copy_from_slice(data.as_bytes());
    let method = Text::try_from(method).unwrap();
    Credentials {
        client_id: ClientId::try_from(client).unwrap(),
        user_name: Some(Text::from_static("given at CONNECT")),
        password: None,
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        certificate: None,
        enhanced: Some(Enhanced { method, data, exchange }),
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

/// The client's last message (RFC 5802, section 3).
fn proof(bare: &str, server_first: &str, password: &[u8]) -> String {
    let nonce = server_first.split_once(",s=").unwrap().0;
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let mut salted = [0; 32];
    let iterations = NonZeroU32::new(4_096).unwrap();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, password, &mut salted);
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let client_key = sign(&salted, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let said = format!("c=biws,{nonce}");
    let signature = sign(stored_key.as_ref(), format!("{bare},{server_first},{said}").as_bytes());
    let proof = client_key.as_ref().iter().zip(signature.as_ref()).map(|(one, other)| one ^ other);
    format!("{said},p={}", STANDARD.encode(proof.collect::<Vec<_>>()))
}

/// What is said in the end to that client.
async fn log_in(table: &UserTable, client: &str, name: &str, password: &[u8]) -> Answer {
    let bare = format!("n={name},r=abc");
    let mut first = step(client, "SCRAM-SHA-256", &format!("n,,{bare}"), None);
    assert!(table.concerns(&first));
    let Ok(Answer::Continue(message, exchange)) = table.ask(&mut first).await else {
        panic!("it goes on")
    };
    let message = std::str::from_utf8(&message).unwrap();
    assert!(message.starts_with("r=abc") && message.len() > "r=abc".len() + 24, "{message}");
    let last = proof(&bare, message, password);
    let mut last = step(client, "SCRAM-SHA-256", &last, Some(exchange));
    assert!(table.concerns(&last));
    table.ask(&mut last).await.unwrap()
}

fn is_refused(answer: &Answer) -> bool {
    matches!(answer, Answer::Deny(ReasonCode::NotAuthorized))
}

#[tokio::test]
async fn who_proves_the_password_has_that_name() {
    let node = node(UsersBy::UserName);
    let Answer::Allow(rights, Some(data)) = log_in(&node.table, "c", "ann", b"pencil").await else {
        panic!("let in")
    };
    assert_eq!(rights.user_name.as_deref(), Some("ann"));
    assert!(rights.is_superuser);
    assert!(data.starts_with(b"v="));
    assert!(is_refused(&log_in(&node.table, "c", "ann", b"Pencil").await));
    assert!(is_refused(&log_in(&node.table, "c", "bob", b"pencil").await));
}

#[tokio::test]
async fn a_client_known_by_its_identifier_speaks_for_itself_only() {
    let node = node(UsersBy::ClientId);
    let Answer::Allow(rights, _) = log_in(&node.table, "ann", "ann", b"pencil").await else {
        panic!("let in")
    };
    assert_eq!(rights.user_name, None, "it has proved none");
    assert!(is_refused(&log_in(&node.table, "bob", "ann", b"pencil").await));
}

#[tokio::test]
async fn other_methods_and_messages_are_not_answered() {
    let node = node(UsersBy::UserName);
    for method in ["SCRAM-SHA-1", "SCRAM-SHA-512", "PLAIN"] {
        assert!(!node.table.concerns(&step("c", method, "n,,n=ann,r=abc", None)), "{method}");
    }
    // A state of somebody else is none.
    for exchange in [None, Some(Exchange::new(7_u8))] {
        let mut wrong = step("c", "SCRAM-SHA-256", "p=tls-unique,,n=ann,r=abc", exchange);
        assert!(is_refused(&node.table.ask(&mut wrong).await.unwrap()));
    }
}

#[tokio::test]
async fn an_exchange_outlives_the_users_that_it_began_with() {
    let node = node(UsersBy::UserName);
    let mut first = step("c", "SCRAM-SHA-256", "n,,n=ann,r=abc", None);
    let Ok(Answer::Continue(message, exchange)) = node.table.ask(&mut first).await else {
        panic!("it goes on")
    };
    node.table.replace(Users::none(Seed::new(1)));
    let message = std::str::from_utf8(&message).unwrap();
    let last = proof("n=ann,r=abc", message, b"pencil");
    let mut last = step("c", "SCRAM-SHA-256", &last, Some(exchange));
    assert!(node.table.concerns(&last));
    assert!(matches!(node.table.ask(&mut last).await, Ok(Answer::Allow(..))));
    assert!(!node.table.concerns(&first), "nobody has such keys any more");
}
