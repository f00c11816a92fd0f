use plexus_types::{ReasonCode, TextError};

/// One table: variant, reason code, clause, words. A clause without a number of its own is named by
/// its section.
macro_rules! violations {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($field:ident: $type:ty),* })? = $reason:ident, $clause:literal, $text:literal;
    )*) => {
        /// What a peer did wrong: one variant for each rule that bytes can break. The connection
        /// is lost after it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
        #[non_exhaustive]
        pub enum ProtocolError {
            $(
                $(#[$doc])*
                #[error($text)]
                $name $({
                    $(#[doc = "What the peer sent."] $field: $type),*
                })?,
            )*
        }

        impl ProtocolError {
            /// Every violation: its name, its reason code and its clause.
            pub const ALL: &'static [(&'static str, ReasonCode, &'static str)] =
                &[$((stringify!($name), ReasonCode::$reason, $clause),)*];

            /// What a peer of 5.0 is told in CONNACK or DISCONNECT.
            pub const fn reason_code(&self) -> ReasonCode {
                match self {
                    $(Self::$name { .. } => ReasonCode::$reason,)*
                }
            }

            /// The statement or section of the specification that is violated.
            pub const fn clause(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $clause,)*
                }
            }
        }
    };
}

violations! {
    // Framing.
    /// More than four bytes.
    VariableByteInteger = MalformedPacket, "section 1.5.5",
        "a variable byte integer is longer than four bytes";
    /// [MQTT-1.5.5-1]; 3.x does not ask for it.
    NotMinimal = MalformedPacket, "MQTT-1.5.5-1",
        "a variable byte integer uses more bytes than it needs";
    /// Type 0, and 15 before 5.0.
    ReservedType = MalformedPacket, "section 2.1.2", "the packet type is reserved";
    /// [MQTT-2.1.3-1] [MQTT3-2.2.2-1] [MQTT3-2.2.2-2].
    ReservedFlags = MalformedPacket, "MQTT-2.1.3-1",
        "reserved flags of the fixed header are not as listed";
    /// [MQTT-3.6.1-1] [MQTT3-3.6.1-1].
    PubRelFlags = MalformedPacket, "MQTT-3.6.1-1", "the flags of PUBREL are not 0010";
    /// [MQTT-3.8.1-1] [MQTT3-3.8.1-1].
    SubscribeFlags = MalformedPacket, "MQTT-3.8.1-1", "the flags of SUBSCRIBE are not 0010";
    /// [MQTT-3.10.1-1] [MQTT3-3.10.1-1].
    UnsubscribeFlags = MalformedPacket, "MQTT-3.10.1-1", "the flags of UNSUBSCRIBE are not 0010";
    /// [MQTT-3.14.1-1] [MQTT3-3.14.1-1].
    DisconnectFlags = MalformedPacket, "MQTT-3.14.1-1", "the flags of DISCONNECT are not 0000";
    /// [MQTT-3.15.1-1].
    AuthFlags = MalformedPacket, "MQTT-3.15.1-1", "the flags of AUTH are not 0000";
    /// [MQTT-3.2.2-15].
    PacketTooLarge = PacketTooLarge, "MQTT-3.2.2-15", "the packet is larger than what is accepted";
    /// [MQTT-3.1.0-1] [MQTT3-3.1.0-1].
    FirstNotConnect = ProtocolError, "MQTT-3.1.0-1", "the first packet is not CONNECT";
    /// [MQTT-3.1.0-2] [MQTT3-3.1.0-2].
    SecondConnect = ProtocolError, "MQTT-3.1.0-2", "a second CONNECT";
    /// A packet that only the other side sends.
    WrongDirection = ProtocolError, "section 2.1.2", "this side never receives such a packet";
    /// A field runs past the end of its packet.
    Truncated = MalformedPacket, "section 4.13.1", "the packet ends before its content";
    /// The packet is longer than its content.
    TrailingBytes = MalformedPacket, "section 4.13.1", "bytes follow the content of the packet";
    /// [MQTT-1.5.4-1] [MQTT3-1.5.3-1], surrogates included.
    NotUtf8 = MalformedPacket, "MQTT-1.5.4-1", "a string is not well-formed UTF-8";
    /// [MQTT-1.5.4-2] [MQTT3-1.5.3-2].
    NullCharacter = MalformedPacket, "MQTT-1.5.4-2", "a string contains U+0000";
    /// [MQTT-2.2.1-3] [MQTT3-2.3.1-1].
    PacketIdZero = ProtocolError, "MQTT-2.2.1-3", "the packet identifier is zero";

    // CONNECT and CONNACK.
    /// [MQTT-3.1.2-1] [MQTT3-3.1.2-1].
    ProtocolName = UnsupportedProtocolVersion, "MQTT-3.1.2-1", "the protocol name is not known";
    /// [MQTT-3.1.2-2] [MQTT3-3.1.2-2]. The version of the decoder is then the one to answer in.
    UnsupportedVersion { level: u8 } = UnsupportedProtocolVersion, "MQTT-3.1.2-2",
        "protocol level {level} is not spoken here";
    /// [MQTT-3.1.2-3] [MQTT3-3.1.2-3].
    ConnectReservedFlag = MalformedPacket, "MQTT-3.1.2-3", "the reserved connect flag is set";
    /// [MQTT-3.1.2-12] [MQTT3-3.1.2-14].
    WillQos = MalformedPacket, "MQTT-3.1.2-12", "the Will QoS is 3";
    /// [MQTT-3.1.2-11] [MQTT3-3.1.2-11] [MQTT3-3.1.2-13].
    WillQosWithoutWill = ProtocolError, "MQTT-3.1.2-11", "a Will QoS without a Will";
    /// [MQTT-3.1.2-13] [MQTT3-3.1.2-15].
    WillRetainWithoutWill = ProtocolError, "MQTT-3.1.2-13", "a Will Retain without a Will";
    /// [MQTT3-3.1.2-22]; 5.0 allows it.
    PasswordWithoutUserName = ProtocolError, "MQTT3-3.1.2-22", "a password without a user name";
    /// [MQTT-3.2.2-1].
    ConnAckFlags = MalformedPacket, "MQTT-3.2.2-1", "reserved flags of CONNACK are set";
    /// [MQTT-3.2.2-6] [MQTT3-3.2.2-4].
    SessionPresentOnError = ProtocolError, "MQTT-3.2.2-6", "a refusing CONNACK with a session";
    /// [MQTT-3.2.2-8].
    ConnAckReason = ProtocolError, "MQTT-3.2.2-8", "a reason code that CONNACK does not have";
    /// A return code of 3.x above 5.
    ReturnCode = ProtocolError, "section 3.2.2.3", "a reserved connect return code";

    // PUBLISH and its acknowledgements.
    /// [MQTT-3.3.1-4] [MQTT3-3.3.1-4].
    PublishQos = MalformedPacket, "MQTT-3.3.1-4", "the QoS of PUBLISH is 3";
    /// [MQTT-3.3.1-2] [MQTT3-3.3.1-2].
    PublishDup = MalformedPacket, "MQTT-3.3.1-2", "DUP is set in a PUBLISH of QoS 0";
    /// [MQTT-3.3.2-2] [MQTT3-3.3.2-2] [MQTT-4.7.0-1] [MQTT3-4.7.1-1].
    TopicWildcard = TopicNameInvalid, "MQTT-3.3.2-2", "a topic name contains a wildcard";
    /// [MQTT-4.7.3-1] [MQTT3-4.7.3-1]: empty, and no alias stands for it.
    TopicEmpty = ProtocolError, "MQTT-4.7.3-1", "a topic name is empty";
    /// [MQTT-3.3.2-8].
    TopicAliasZero = TopicAliasInvalid, "MQTT-3.3.2-8", "the topic alias is zero";
    /// [MQTT-3.3.2-14].
    ResponseTopic = ProtocolError, "MQTT-3.3.2-14",
        "the response topic is empty or contains a wildcard";
    /// Neither 0 nor 1.
    PayloadFormat = ProtocolError, "section 3.3.2.3.2", "the payload format is neither 0 nor 1";
    /// [MQTT-3.3.4-6].
    SubscriptionIdFromClient = ProtocolError, "MQTT-3.3.4-6",
        "a PUBLISH of a client carries a subscription identifier";
    /// [MQTT-3.4.2-1].
    PubAckReason = ProtocolError, "MQTT-3.4.2-1", "a reason code that PUBACK does not have";
    /// [MQTT-3.5.2-1].
    PubRecReason = ProtocolError, "MQTT-3.5.2-1", "a reason code that PUBREC does not have";
    /// [MQTT-3.6.2-1].
    PubRelReason = ProtocolError, "MQTT-3.6.2-1", "a reason code that PUBREL does not have";
    /// [MQTT-3.7.2-1].
    PubCompReason = ProtocolError, "MQTT-3.7.2-1", "a reason code that PUBCOMP does not have";

    // SUBSCRIBE, UNSUBSCRIBE and their answers.
    /// [MQTT-3.8.3-2] [MQTT3-3.8.3-3].
    SubscribeEmpty = ProtocolError, "MQTT-3.8.3-2", "SUBSCRIBE without a filter";
    /// [MQTT-3.10.3-2] [MQTT3-3.10.3-2].
    UnsubscribeEmpty = ProtocolError, "MQTT-3.10.3-2", "UNSUBSCRIBE without a filter";
    /// [MQTT-3.8.3-5] [MQTT3-3.8.3-4].
    SubscriptionOptionsReserved = MalformedPacket, "MQTT-3.8.3-5",
        "reserved bits of the subscription options are set";
    /// [MQTT3-3.8.3-4] and section 3.8.3.1 of 5.0.
    SubscriptionQos = ProtocolError, "MQTT3-3.8.3-4", "a subscription asks for QoS 3";
    /// The value 3.
    RetainHandling = ProtocolError, "section 3.8.3.1", "the retain handling is 3";
    /// [MQTT-3.8.3-4].
    NoLocalShared = ProtocolError, "MQTT-3.8.3-4", "No Local on a shared subscription";
    /// Zero.
    SubscriptionIdZero = ProtocolError, "section 3.8.2.1.2", "a subscription identifier is zero";
    /// [MQTT-3.9.3-2] [MQTT3-3.9.3-2].
    SubAckReason = ProtocolError, "MQTT-3.9.3-2", "a reason code that SUBACK does not have";
    /// [MQTT-3.11.3-2].
    UnsubAckReason = ProtocolError, "MQTT-3.11.3-2", "a reason code that UNSUBACK does not have";
    /// [MQTT-3.8.4-6]: none at all.
    ReasonsMissing = ProtocolError, "MQTT-3.8.4-6", "an answer without a reason code";
    /// More than [`Limits::filters`](crate::Limits::filters).
    TooManyFilters = QuotaExceeded, "section 4.13.2", "more filters in a packet than accepted";

    // DISCONNECT and AUTH.
    /// [MQTT-3.14.2-1].
    DisconnectReason = ProtocolError, "MQTT-3.14.2-1",
        "a reason code that this side's DISCONNECT does not have";
    /// [MQTT-3.14.2-2].
    SessionExpiryFromServer = ProtocolError, "MQTT-3.14.2-2",
        "a server's DISCONNECT carries a session expiry interval";
    /// [MQTT-3.15.2-1].
    AuthReason = ProtocolError, "MQTT-3.15.2-1",
        "a reason code that this side's AUTH does not have";
    /// AUTH does not name its method.
    AuthenticationMethodMissing = ProtocolError, "section 3.15.2.2.2",
        "AUTH without an authentication method";

    // Properties.
    /// No property has that identifier.
    PropertyUnknown = MalformedPacket, "section 2.2.2.2", "a property identifier is not known";
    /// The property belongs to other packets.
    PropertyNotAllowed = MalformedPacket, "section 2.2.2.2",
        "a property does not belong into this packet";
    /// Only User Properties, and Subscription Identifiers of PUBLISH, may stand twice.
    PropertyTwice = ProtocolError, "section 2.2.2.2", "a property stands twice";
    /// More than [`Limits::user_properties`](crate::Limits::user_properties).
    TooManyUserProperties = QuotaExceeded, "section 4.13.2",
        "more user properties in a packet than accepted";
    /// A byte that means yes or no is neither 0 nor 1.
    BooleanProperty = ProtocolError, "section 3.1.2.11.6",
        "a property that means yes or no is neither 0 nor 1";
    /// Zero.
    ReceiveMaximumZero = ProtocolError, "section 3.1.2.11.3", "the receive maximum is zero";
    /// Zero.
    MaximumPacketSizeZero = ProtocolError, "section 3.1.2.11.4",
        "the maximum packet size is zero";
    /// Neither 0 nor 1.
    MaximumQos = ProtocolError, "section 3.2.2.3.4", "the maximum QoS is neither 0 nor 1";
    /// Data without a method.
    AuthenticationDataAlone = ProtocolError, "section 3.1.2.11.10",
        "authentication data without an authentication method";
}

impl From<TextError> for ProtocolError {
    fn from(error: TextError) -> Self {
        match error {
            TextError::NotUtf8 => Self::NotUtf8,
            TextError::Null => Self::NullCharacter,
            TextError::TooLong => unreachable!("a two-byte length cannot say more than 65,535"),
        }
    }
}
