//! Section 4.1: a session ends by a clean start, with its connection if its expiry is zero, or when
//! its expiry has passed, and not before ([MQTT-3.1.2-23], [MQTT-4.1.0-1], [MQTT-4.1.0-2]). CONNACK
//! says whether there was one ([MQTT-3.2.2-2], [MQTT-3.2.2-3]).

use std::time::Duration;

use plexus_types::ProtocolVersion;

use super::Invariant;
use crate::{history::History, seen::Seen};

#[derive(Debug)]
pub(super) struct SessionKept;

impl Invariant for SessionKept {
    fn name(&self) -> &'static str {
        "session_kept"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Ended { actor, cleaned: false } => {
                let client = history.client(*actor);
                let expiry = client.expiry_min();
                let until = client.detached_at + Duration::from_secs(u64::from(expiry));
                // The log counts in milliseconds.
                let grain = if history.has_log { Duration::from_millis(1) } else { Duration::ZERO };
                if client.attached && !client.doubtful {
                    return Err(format!("the session of client {actor} ended under it"));
                }
                if expiry > 0 && !client.doubtful && history.now + grain < until {
                    return Err(format!(
                        "the session of client {actor} ended before its {expiry} s had passed"
                    ));
                }
            }
            Seen::Survived { actor, .. } if history.client(*actor).gone => {
                return Err(format!(
                    "the session of client {actor} is back after CONNACK ended it"
                ));
            }
            Seen::Vanished { actor, allowed: false } => {
                return Err(format!("the session of client {actor} was lost in the crash"));
            }
            Seen::Accepted { actor, resumed, connack, .. } => {
                let terms = history.client(*actor).terms.as_ref();
                let told = connack.session_present;
                let silent = terms.is_some_and(|terms| terms.version == ProtocolVersion::V31);
                if !silent && told != *resumed {
                    return Err(format!("client {actor} was told {told}, it is {resumed}"));
                }
                if *resumed && terms.is_some_and(|terms| terms.clean) {
                    return Err(format!("client {actor} asked for a clean start and resumed"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
