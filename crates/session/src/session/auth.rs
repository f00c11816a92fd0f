//! Re-authentication: the port of enhanced authentication while connected.

use plexus_types::{Instant, ReasonCode};
use plexus_wire::{Auth, Packet};

use super::Session;
use crate::{Action, Outbox, phase::Phase, refusal::Refusal};

impl Session {
    pub(super) fn on_auth(&mut self, auth: Box<Auth>, out: &mut Outbox) -> Result<(), Refusal> {
        let Phase::Connected(connection) = &mut self.phase else { return Ok(()) };
        let Some(method) = connection.authentication_method.as_deref() else {
            // [MQTT-4.12.0-7]
            return Err(Refusal::protocol("AUTH without authentication method in CONNECT"));
        };
        if auth.authentication_method.as_ref() != Some(method) {
            // [MQTT-4.12.0-5], [MQTT-4.12.1-1]
            let words = "the authentication method changed";
            return Err(Refusal::new(ReasonCode::BadAuthenticationMethod, words));
        }
        let expected = if connection.in_exchange {
            ReasonCode::ContinueAuthentication // [MQTT-4.12.0-3]
        } else {
            ReasonCode::ReAuthenticate
        };
        if auth.reason != expected {
            return Err(Refusal::protocol("AUTH out of turn"));
        }
        connection.in_exchange = true;
        self.authorize(Action::Authenticate(auth), out);
        Ok(())
    }

    pub(super) fn decide_auth(
        &mut self,
        now: Instant,
        mut auth: Box<Auth>,
        verdict: Result<(), ReasonCode>,
        out: &mut Outbox,
    ) {
        let Phase::Connected(connection) = &mut self.phase else { return };
        auth.reason = match verdict {
            Ok(()) => {
                connection.in_exchange = false;
                ReasonCode::Success
            }
            Err(ReasonCode::ContinueAuthentication) => ReasonCode::ContinueAuthentication,
            // [MQTT-4.12.1-2]
            Err(reason) => return self.close(now, &Refusal::bare(reason), None, out),
        };
        self.send(Packet::Auth(auth), out);
    }
}
