//! Why something of the peer is refused, in a code and in words.

use std::borrow::Cow;

use plexus_types::{ReasonCode, Text};

/// A reason with the words that a Reason String may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: ReasonCode,
    pub(crate) words: Option<Cow<'static, str>>,
}

impl Refusal {
    pub(crate) const fn new(reason: ReasonCode, words: &'static str) -> Self {
        Self { reason, words: Some(Cow::Borrowed(words)) }
    }

    /// Only the code.
    pub(crate) const fn bare(reason: ReasonCode) -> Self {
        Self { reason, words: None }
    }

    /// The server ends the connection of itself. The words are for people; they also reach clients
    /// that overlook the code of a DISCONNECT without properties, as paho-mqtt 2.1 does.
    pub(crate) const fn by_server(reason: ReasonCode) -> Self {
        let words = match reason {
            ReasonCode::SessionTakenOver => {
                "another connection with the same client identifier took the session over"
            }
            ReasonCode::KeepAliveTimeout => {
                "nothing was heard for one and a half times the keep alive"
            }
            ReasonCode::ServerShuttingDown => "the server is shutting down",
            ReasonCode::AdministrativeAction => "the session was ended by the operator",
            _ => return Self::bare(reason),
        };
        Self::new(reason, words)
    }

    pub(crate) fn protocol(words: &'static str) -> Self {
        Self::new(ReasonCode::ProtocolError, words)
    }

    /// The words, if they are a constant of ours.
    pub(crate) fn constant_words(&self) -> Option<&'static str> {
        match self.words {
            Some(Cow::Borrowed(words)) => Some(words),
            Some(Cow::Owned(_)) | None => None,
        }
    }

    /// The words as Reason String.
    pub(crate) fn text(&self) -> Option<Text> {
        match self.words.as_ref()? {
            Cow::Borrowed(words) => Some(Text::from_static(words)),
            Cow::Owned(words) => Text::try_from(words.as_str()).ok(),
        }
    }
}

impl From<&plexus_wire::ProtocolError> for Refusal {
    fn from(error: &plexus_wire::ProtocolError) -> Self {
        Self { reason: error.reason_code(), words: Some(Cow::Owned(error.to_string())) }
    }
}

/// The reason as PUBACK and PUBREC may say it (sections 3.4.2.1 and 3.5.2.1).
pub(crate) const fn of_publish(reason: ReasonCode) -> ReasonCode {
    match reason {
        ReasonCode::Success
        | ReasonCode::NoMatchingSubscribers
        | ReasonCode::ImplementationSpecificError
        | ReasonCode::NotAuthorized
        | ReasonCode::TopicNameInvalid
        | ReasonCode::PacketIdentifierInUse
        | ReasonCode::QuotaExceeded
        | ReasonCode::PayloadFormatInvalid => reason,
        ReasonCode::MessageRateTooHigh | ReasonCode::ServerBusy => ReasonCode::QuotaExceeded,
        ReasonCode::Banned => ReasonCode::NotAuthorized,
        _ if reason.is_error() => ReasonCode::UnspecifiedError,
        _ => ReasonCode::Success,
    }
}

/// The reason as SUBACK may say it of a refused filter (section 3.9.3).
pub(crate) const fn of_subscribe(reason: ReasonCode) -> ReasonCode {
    match reason {
        ReasonCode::ImplementationSpecificError
        | ReasonCode::NotAuthorized
        | ReasonCode::TopicFilterInvalid
        | ReasonCode::PacketIdentifierInUse
        | ReasonCode::QuotaExceeded
        | ReasonCode::SharedSubscriptionsNotSupported
        | ReasonCode::SubscriptionIdentifiersNotSupported
        | ReasonCode::WildcardSubscriptionsNotSupported => reason,
        ReasonCode::MessageRateTooHigh | ReasonCode::ServerBusy => ReasonCode::QuotaExceeded,
        ReasonCode::Banned => ReasonCode::NotAuthorized,
        _ => ReasonCode::UnspecifiedError,
    }
}

/// The reason as a refusing CONNACK may say it (section 3.2.2.2).
pub(crate) const fn of_connect(reason: ReasonCode) -> ReasonCode {
    match reason {
        ReasonCode::MalformedPacket
        | ReasonCode::ProtocolError
        | ReasonCode::ImplementationSpecificError
        | ReasonCode::UnsupportedProtocolVersion
        | ReasonCode::ClientIdentifierNotValid
        | ReasonCode::BadUserNameOrPassword
        | ReasonCode::NotAuthorized
        | ReasonCode::ServerUnavailable
        | ReasonCode::ServerBusy
        | ReasonCode::Banned
        | ReasonCode::BadAuthenticationMethod
        | ReasonCode::TopicNameInvalid
        | ReasonCode::PacketTooLarge
        | ReasonCode::QuotaExceeded
        | ReasonCode::PayloadFormatInvalid
        | ReasonCode::RetainNotSupported
        | ReasonCode::QosNotSupported
        | ReasonCode::UseAnotherServer
        | ReasonCode::ServerMoved
        | ReasonCode::ConnectionRateExceeded => reason,
        ReasonCode::ServerShuttingDown => ReasonCode::ServerUnavailable,
        _ => ReasonCode::UnspecifiedError,
    }
}

/// The reason as a DISCONNECT of the server may say it (section 3.14.2.1).
pub(crate) const fn of_disconnect(reason: ReasonCode) -> ReasonCode {
    match reason {
        ReasonCode::ClientIdentifierNotValid
        | ReasonCode::BadUserNameOrPassword
        | ReasonCode::Banned => ReasonCode::NotAuthorized,
        ReasonCode::ServerUnavailable => ReasonCode::ServerBusy,
        ReasonCode::UnsupportedProtocolVersion
        | ReasonCode::PacketIdentifierInUse
        | ReasonCode::PacketIdentifierNotFound => ReasonCode::ProtocolError,
        _ => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without words the DISCONNECT would be one byte long, which some clients take for a success.
    #[test]
    fn what_the_server_ends_of_itself_it_says_in_words() {
        for reason in [
            ReasonCode::SessionTakenOver,
            ReasonCode::KeepAliveTimeout,
            ReasonCode::ServerShuttingDown,
            ReasonCode::AdministrativeAction,
        ] {
            assert!(Refusal::by_server(reason).text().is_some(), "{reason:?}");
        }
        assert_eq!(
            Refusal::by_server(ReasonCode::QuotaExceeded),
            Refusal::bare(ReasonCode::QuotaExceeded)
        );
    }
}
