//! From CONNECT to the decision who it is.

use std::sync::Arc;

use plexus_types::{ClientId, Instant, ProtocolVersion, ReasonCode, Text};
use plexus_wire::{Auth, Connect, Packet, ProtocolError};

use crate::{
    Action, Admitted, CloseReason, Credentials, Decision, Options, Outbox, Output, connack,
    refusal::{self, Refusal},
};

/// A connection whose client is not yet known: checks CONNECT, asks for authentication, then admits
/// or refuses.
///
/// ```text
///  start ──▶ Asked ──Ok──▶ Admitted ──refuse──▶ Refused (CONNACK with the reason, Close)
///              │ ▲ └──────────────────────────────▶ Refused
///     Continue ▼ │ AUTH
///            Exchange
/// ```
/// An enhanced authentication goes through [`Action::Authenticate`]: the decision carries the AUTH
/// of the server, and the verdict `Err(ContinueAuthentication)` sends it; `Ok` admits, and its data
/// goes with CONNACK.
#[derive(Debug)]
pub struct Connecting {
    options: Arc<Options>,
    version: ProtocolVersion,
    assigned: Option<ClientId>,
    /// Taken by the decision.
    connect: Option<Box<Connect>>,
    /// Maximum Packet Size of the client.
    packet_size_max: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Asked,
    Exchange,
    Admitted,
    Refused,
}

impl Connecting {
    /// A connection that said CONNECT. `assigned` is the identifier that the shell drew because the
    /// Client Identifier is empty; whether it may be empty is decided here.
    pub fn new(options: Arc<Options>, connect: Box<Connect>, assigned: Option<ClientId>) -> Self {
        let (version, packet_size_max) = (connect.version, connack::packet_size_max(&connect));
        let (connect, stage) = (Some(connect), Stage::Fresh);
        Self { options, version, assigned, connect, packet_size_max, stage }
    }

    /// Checks CONNECT: asks for authentication, or refuses.
    pub fn start(&mut self, _now: Instant, out: &mut Outbox) {
        let Some(connect) = self.connect.as_deref() else { return };
        if self.stage != Stage::Fresh {
            return;
        }
        match check(connect, &self.options).and_then(|()| self.client_id(connect)) {
            Err(refusal) => self.refuse_with(&refusal, None, out),
            Ok(client_id) => {
                let credentials = Credentials {
                    client_id,
                    user_name: connect.user_name.clone(),
                    password: connect.password.clone(),
                    authentication_method: connect.properties.authentication_method.clone(),
                    authentication_data: connect.properties.authentication_data.clone(),
                };
                self.stage = Stage::Asked;
                out.push(Output::Authorize(Action::Connect(Box::new(credentials))));
            }
        }
    }

    /// The answer to what was asked: admits, goes on with the exchange, or refuses.
    pub fn handle_decision(&mut self, _now: Instant, decision: Decision, out: &mut Outbox) {
        if self.stage != Stage::Asked {
            return;
        }
        match (decision.verdict, decision.action) {
            (Ok(()), Action::Connect(credentials)) => self.admit(credentials.client_id, None, out),
            (Ok(()), Action::Authenticate(auth)) => {
                let Some(connect) = self.connect.as_deref() else { return };
                match self.client_id(connect) {
                    Ok(client_id) => self.admit(client_id, Some(auth), out),
                    Err(refusal) => self.refuse_with(&refusal, None, out),
                }
            }
            (Err(ReasonCode::ContinueAuthentication), Action::Authenticate(mut auth)) => {
                auth.reason = ReasonCode::ContinueAuthentication; // [MQTT-4.12.0-2]
                self.stage = Stage::Exchange;
                out.push(Output::Send(Packet::Auth(auth)));
            }
            (Err(reason), _) => self.refuse(reason, None, out),
            (Ok(()), Action::Publish(_) | Action::Subscribe(_)) => {}
        }
    }

    /// A packet before CONNACK: AUTH of an exchange, or the end.
    pub fn handle_packet(
        &mut self,
        _now: Instant,
        packet: Result<Packet, ProtocolError>,
        out: &mut Outbox,
    ) {
        match packet {
            _ if matches!(self.stage, Stage::Admitted | Stage::Refused) => {}
            Ok(Packet::Auth(auth)) if self.stage == Stage::Exchange => self.handle_auth(auth, out),
            Ok(Packet::Disconnect(_)) => {
                self.stage = Stage::Refused;
                out.push(Output::Close(CloseReason::ByClient));
            }
            // [MQTT-3.1.2-30], [MQTT-3.14.0-1]: nothing else before CONNACK, hence no DISCONNECT.
            Ok(_) => self.refuse_with(&Refusal::protocol("a packet before CONNACK"), None, out),
            Err(error) => self.refuse_with(&Refusal::from(&error), None, out),
        }
    }

    /// Refuses for a reason that the shell has: busy, quota, another server …; also after
    /// [`Output::Admit`], as long as no session has taken the client.
    pub fn refuse(&mut self, reason: ReasonCode, server_reference: Option<Text>, out: &mut Outbox) {
        self.refuse_with(&Refusal::by_server(reason), server_reference, out);
    }

    /// Whether the next packet of the client is awaited: the AUTH of an exchange.
    pub fn awaits_packet(&self) -> bool {
        self.stage == Stage::Exchange
    }

    /// The version that the client speaks.
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    fn handle_auth(&mut self, auth: Box<Auth>, out: &mut Outbox) {
        let method = self
            .connect
            .as_ref()
            .and_then(|connect| connect.properties.authentication_method.as_ref());
        if auth.reason != ReasonCode::ContinueAuthentication {
            // [MQTT-4.12.0-3]
            self.refuse_with(&Refusal::protocol("AUTH that does not continue"), None, out);
        } else if auth.authentication_method.as_ref() != method {
            // [MQTT-4.12.0-5]
            let words = "the authentication method changed";
            self.refuse_with(&Refusal::new(ReasonCode::BadAuthenticationMethod, words), None, out);
        } else {
            self.stage = Stage::Asked;
            out.push(Output::Authorize(Action::Authenticate(auth)));
        }
    }

    fn admit(&mut self, client_id: ClientId, auth: Option<Box<Auth>>, out: &mut Outbox) {
        let Some(mut connect) = self.connect.take() else { return };
        self.stage = Stage::Admitted;
        // From here on the field is what CONNACK says.
        connect.properties.authentication_data = auth.and_then(|auth| auth.authentication_data);
        let assigned = self.assigned.is_some();
        let options = Arc::clone(&self.options);
        let after = crate::LogPosition::ZERO;
        let admitted = Admitted { client_id, assigned, connect, options, after, expires: None };
        out.push(Output::Admit(Box::new(admitted)));
    }

    /// CONNACK with the reason, then close ([MQTT-3.1.4-2], [MQTT-3.2.2-7], [MQTT-4.13.2-1],
    /// [MQTT3-3.2.2-5]); nothing of the client is processed afterwards ([MQTT-3.1.4-6],
    /// [MQTT3-3.1.4-5]).
    fn refuse_with(&mut self, refusal: &Refusal, reference: Option<Text>, out: &mut Outbox) {
        if self.stage == Stage::Refused {
            return;
        }
        self.stage = Stage::Refused;
        let reason = refusal::of_connect(refusal.reason);
        let client = (self.version, self.packet_size_max);
        if let Some(packet) = connack::refuse(client, reason, refusal.text(), reference) {
            out.push(Output::Send(packet));
        }
        out.push(Output::Close(CloseReason::Refused(refusal.reason)));
    }

    /// The identifier of the client, its own or the assigned one ([MQTT-3.1.3-6], [MQTT3-3.1.3-6]).
    fn client_id(&self, connect: &Connect) -> Result<ClientId, Refusal> {
        if !connect.client_id.as_bytes().is_empty() {
            return Ok(ClientId::new(&connect.client_id));
        }
        self.assigned
            .clone()
            .ok_or(Refusal::new(ReasonCode::ClientIdentifierNotValid, "empty client identifier"))
    }
}

fn check(connect: &Connect, options: &Options) -> Result<(), Refusal> {
    check_client_id(connect, options)?;
    let Some(will) = &connect.will else { return Ok(()) };
    if will.qos > options.maximum_qos {
        // [MQTT-3.2.2-12]
        return Err(Refusal::new(ReasonCode::QosNotSupported, "Will QoS above Maximum QoS"));
    }
    if will.retain && !options.retain_available {
        // [MQTT-3.2.2-13]
        return Err(Refusal::new(ReasonCode::RetainNotSupported, "retained Will"));
    }
    if will.topic.len() > options.topic_length_max || will.topic.levels() > options.topic_levels_max
    {
        return Err(Refusal::new(ReasonCode::TopicNameInvalid, "Will Topic too long or too deep"));
    }
    if options.validate_payload_format
        && plexus_wire::property::payload_format_is_utf8(&will.properties)
        && std::str::from_utf8(&will.payload).is_err()
    {
        return Err(Refusal::new(ReasonCode::PayloadFormatInvalid, "Will Payload is not UTF-8"));
    }
    Ok(())
}

/// The longest Client Identifier of 3.1, in characters.
const CLIENT_ID_LENGTH_31: usize = 23;

fn check_client_id(connect: &Connect, options: &Options) -> Result<(), Refusal> {
    // [MQTT-3.1.3-8], [MQTT3-3.1.3-9]
    let invalid = |words| Err(Refusal::new(ReasonCode::ClientIdentifierNotValid, words));
    let length = connect.client_id.as_bytes().len();
    match connect.version {
        ProtocolVersion::V31 if length == 0 => invalid("empty client identifier"),
        ProtocolVersion::V31 if connect.client_id.chars().count() > CLIENT_ID_LENGTH_31 => {
            invalid("client identifier too long")
        }
        // [MQTT3-3.1.3-7], [MQTT3-3.1.3-8]
        ProtocolVersion::V311 if length == 0 && !connect.clean_start => {
            invalid("empty client identifier without clean session")
        }
        _ if length > options.client_id_length_max => invalid("client identifier too long"),
        _ => Ok(()),
    }
}
