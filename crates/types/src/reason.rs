use std::fmt;

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// A Reason Code of MQTT 5.0 (section 2.4). Older versions see what
        /// `wire` can say of it in their terms.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum ReasonCode {
            $($(#[$doc])* $name = $code,)*
        }

        impl ReasonCode {
            /// Every code, in order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code of that number.
            pub const fn new(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name that section 2.4 gives it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

reason_codes! {
    /// Also Normal disconnection and Granted QoS 0.
    Success = 0x00, "Success";
    /// Granted QoS 1.
    GrantedQos1 = 0x01, "Granted QoS 1";
    /// Granted QoS 2.
    GrantedQos2 = 0x02, "Granted QoS 2";
    /// The client leaves and wants its Will published.
    DisconnectWithWill = 0x04, "Disconnect with Will Message";
    /// Accepted, but nobody subscribes to it.
    NoMatchingSubscribers = 0x10, "No matching subscribers";
    /// Nothing to unsubscribe.
    NoSubscriptionExisted = 0x11, "No subscription existed";
    /// The authentication exchange goes on.
    ContinueAuthentication = 0x18, "Continue authentication";
    /// The client starts a new authentication exchange.
    ReAuthenticate = 0x19, "Re-authenticate";
    /// Refused without a reason that may be told.
    UnspecifiedError = 0x80, "Unspecified error";
    /// The bytes are no packet.
    MalformedPacket = 0x81, "Malformed Packet";
    /// The packet is well-formed and against the rules.
    ProtocolError = 0x82, "Protocol Error";
    /// Valid and not accepted by this server.
    ImplementationSpecificError = 0x83, "Implementation specific error";
    /// The server does not speak that version.
    UnsupportedProtocolVersion = 0x84, "Unsupported Protocol Version";
    /// The Client Identifier is not allowed.
    ClientIdentifierNotValid = 0x85, "Client Identifier not valid";
    /// Who the client says it is could not be shown.
    BadUserNameOrPassword = 0x86, "Bad User Name or Password";
    /// May not do that.
    NotAuthorized = 0x87, "Not authorized";
    /// The server cannot be used now.
    ServerUnavailable = 0x88, "Server unavailable";
    /// Too much to do; come later.
    ServerBusy = 0x89, "Server busy";
    /// Banned by the operator.
    Banned = 0x8A, "Banned";
    /// The server goes down.
    ServerShuttingDown = 0x8B, "Server shutting down";
    /// Authentication Method unknown or not the one that was begun.
    BadAuthenticationMethod = 0x8C, "Bad authentication method";
    /// Nothing was heard for one and a half Keep Alive.
    KeepAliveTimeout = 0x8D, "Keep Alive timeout";
    /// Another connection took the session.
    SessionTakenOver = 0x8E, "Session taken over";
    /// Well-formed and not accepted.
    TopicFilterInvalid = 0x8F, "Topic Filter invalid";
    /// Well-formed and not accepted.
    TopicNameInvalid = 0x90, "Topic Name invalid";
    /// That identifier is taken.
    PacketIdentifierInUse = 0x91, "Packet Identifier in use";
    /// Nothing of that identifier is known.
    PacketIdentifierNotFound = 0x92, "Packet Identifier not found";
    /// More unacknowledged messages than Receive Maximum.
    ReceiveMaximumExceeded = 0x93, "Receive Maximum exceeded";
    /// Zero, above the maximum, or not defined.
    TopicAliasInvalid = 0x94, "Topic Alias invalid";
    /// Larger than the Maximum Packet Size.
    PacketTooLarge = 0x95, "Packet too large";
    /// More than the server takes.
    MessageRateTooHigh = 0x96, "Message rate too high";
    /// A limit set by the operator.
    QuotaExceeded = 0x97, "Quota exceeded";
    /// Ended by the operator.
    AdministrativeAction = 0x98, "Administrative action";
    /// The payload is not what the Payload Format Indicator says.
    PayloadFormatInvalid = 0x99, "Payload format invalid";
    /// The server keeps no retained messages.
    RetainNotSupported = 0x9A, "Retain not supported";
    /// Above the Maximum QoS.
    QosNotSupported = 0x9B, "QoS not supported";
    /// Go elsewhere for now.
    UseAnotherServer = 0x9C, "Use another server";
    /// Go elsewhere for good.
    ServerMoved = 0x9D, "Server moved";
    /// The server has no shared subscriptions.
    SharedSubscriptionsNotSupported = 0x9E, "Shared Subscriptions not supported";
    /// Too many connections in a time.
    ConnectionRateExceeded = 0x9F, "Connection rate exceeded";
    /// The longest allowed connection time is over.
    MaximumConnectTime = 0xA0, "Maximum connect time";
    /// The server has no Subscription Identifiers.
    SubscriptionIdentifiersNotSupported = 0xA1, "Subscription Identifiers not supported";
    /// The server has no wildcard subscriptions.
    WildcardSubscriptionsNotSupported = 0xA2, "Wildcard Subscriptions not supported";
}

impl ReasonCode {
    /// The number of the code.
    pub const fn get(self) -> u8 {
        self as u8
    }

    /// Whether it says that the request failed: 0x80 and above.
    pub const fn is_error(self) -> bool {
        self.get() >= 0x80
    }

    /// The code of SUBACK that grants a quality of service.
    pub const fn granted(qos: crate::Qos) -> Self {
        match qos {
            crate::Qos::AtMostOnce => Self::Success,
            crate::Qos::AtLeastOnce => Self::GrantedQos1,
            crate::Qos::ExactlyOnce => Self::GrantedQos2,
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:02X})", self.name(), self.get())
    }
}
