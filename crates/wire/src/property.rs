//! Properties of 5.0, section 2.2.2: one table of identifiers and their types, the reading of a
//! property section, and the properties that travel with an Application Message.

mod message;
mod section;
mod user;

pub use self::{
    message::{
        MessagePropertiesBuilder, MessageProperty, MessagePropertyIter, message_properties,
        payload_format_is_utf8,
    },
    user::UserPropertyIter,
};
pub(crate) use self::{section::Section, user::put_pair};

use crate::{ProtocolError, reader::Reader};

/// How the value of a property is written, section 2.2.2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Byte,
    TwoByte,
    FourByte,
    Variable,
    Text,
    Binary,
    Pair,
}

macro_rules! properties {
    ($($name:ident = $id:literal: $kind:ident;)*) => {
        /// The identifier of a property, table 2-4.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum PropertyId {
            $($name = $id,)*
        }

        impl PropertyId {
            /// The property of that identifier.
            pub(crate) const fn new(id: u32) -> Option<Self> {
                match id {
                    $($id => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// How its value is written.
            const fn kind(self) -> Kind {
                match self {
                    $(Self::$name => Kind::$kind,)*
                }
            }
        }
    };
}

properties! {
    PayloadFormatIndicator = 0x01: Byte;
    MessageExpiryInterval = 0x02: FourByte;
    ContentType = 0x03: Text;
    ResponseTopic = 0x08: Text;
    CorrelationData = 0x09: Binary;
    SubscriptionIdentifier = 0x0B: Variable;
    SessionExpiryInterval = 0x11: FourByte;
    AssignedClientIdentifier = 0x12: Text;
    ServerKeepAlive = 0x13: TwoByte;
    AuthenticationMethod = 0x15: Text;
    AuthenticationData = 0x16: Binary;
    RequestProblemInformation = 0x17: Byte;
    WillDelayInterval = 0x18: FourByte;
    RequestResponseInformation = 0x19: Byte;
    ResponseInformation = 0x1A: Text;
    ServerReference = 0x1C: Text;
    ReasonString = 0x1F: Text;
    ReceiveMaximum = 0x21: TwoByte;
    TopicAliasMaximum = 0x22: TwoByte;
    TopicAlias = 0x23: TwoByte;
    MaximumQos = 0x24: Byte;
    RetainAvailable = 0x25: Byte;
    UserProperty = 0x26: Pair;
    MaximumPacketSize = 0x27: FourByte;
    WildcardSubscriptionAvailable = 0x28: Byte;
    SubscriptionIdentifierAvailable = 0x29: Byte;
    SharedSubscriptionAvailable = 0x2A: Byte;
}

impl PropertyId {
    /// The identifier on the wire; all that exist need one byte.
    pub(crate) const fn get(self) -> u8 {
        self as u8
    }

    /// Its place in a set of properties.
    const fn bit(self) -> u64 {
        1 << self.get()
    }

    /// Reads an identifier.
    fn read(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        Self::new(reader.varint()?).ok_or(ProtocolError::PropertyUnknown)
    }

    /// Passes over a value of this property without looking into it.
    fn skip_value(self, reader: &mut Reader<'_>) -> Result<(), ProtocolError> {
        match self.kind() {
            Kind::Byte => reader.skip(1).map(drop),
            Kind::TwoByte => reader.skip(2).map(drop),
            Kind::FourByte => reader.skip(4).map(drop),
            Kind::Variable => reader.varint().map(drop),
            Kind::Text | Kind::Binary => reader.binary_slice().map(drop),
            Kind::Pair => reader.binary_slice().and_then(|_| reader.binary_slice()).map(drop),
        }
    }
}
