//! *What it is.* The player of the cases under `conformance/`: it opens real connections to a
//! broker over TCP, TLS, WebSocket and the PROXY protocol, sends what a case says, and compares what
//! comes back, field by field.
//!
//! *What it never does.* It shares no code with the broker. A judge that used the codec of the
//! accused would share its errors, and would be unable to send what that codec rightly refuses to
//! write: alias 0, a property twice, a length that lies. So [`encode()`] and [`decode()`] turn the
//! words of a case into bytes and back by one table of properties, and check nothing that a case
//! does not name. They are no second codec of the product; nothing outside the tests uses them.
//!
//! *Entry points.* [`load_directory`] reads the cases, [`Broker`] starts the program, [`play`]
//! plays one case.
//!
//! *Reading order.* `case` (the file), `step` (the language), `field` and `scope` (values),
//! `encode`, `decode`, `matching`, `socket` and `link` (transports), `player`, `suite`.
//!
//! *Tests.* `tests/it` plays every case, and storms that show in the memory of the process; the
//! small languages have tables beside their code.

mod broker;
mod case;
mod decode;
mod encode;
mod error;
mod field;
mod link;
mod matching;
mod packet;
mod player;
mod property;
mod raw;
mod scope;
mod settings;
mod socket;
mod step;
mod suite;
mod websocket;

pub use self::{
    broker::Broker,
    case::{Case, CaseFile, Transport, Version, load_directory, read_cases},
    decode::decode,
    encode::encode,
    error::{Failure, LoadError, ScriptError, StartError},
    field::{Field, Fields},
    link::Address,
    packet::Packet,
    player::play,
    settings::Settings,
    step::{Cut, PacketWords, Step, Verb, parse_step},
    suite::{Outcome, Summary, play_all},
};
