//! How a connection ended, in words, and what mends it.

use std::fmt;

use plexus_session::ClientOptions;
use plexus_terminal::Failure;
use plexus_types::ReasonCode;

use super::trouble::Trouble;
/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Down {
    /// It was ended from this side.
    Wanted,
    /// The broker refused CONNECT.
    Refused {
        /// The reason code.
        reason: ReasonCode,
        /// What was said besides.
        text: Option<String>,
    },
    /// The broker said DISCONNECT.
    ByServer {
        /// The reason code.
        reason: ReasonCode,
        /// What was said besides.
        text: Option<String>,
    },
    /// The broker broke a rule of the protocol.
    Fault(ReasonCode),
    /// The connection failed or ended, or nobody answers on it.
    Lost(Trouble),
}

impl Down {
    /// Whether another attempt may go better.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Refused { reason, .. } | Self::ByServer { reason, .. } => matches!(
                reason,
                ReasonCode::ServerBusy
                    | ReasonCode::ServerUnavailable
                    | ReasonCode::ServerShuttingDown
                    | ReasonCode::ConnectionRateExceeded
                    | ReasonCode::KeepAliveTimeout
                    | ReasonCode::QuotaExceeded
                    | ReasonCode::MaximumConnectTime
                    | ReasonCode::AdministrativeAction
                    | ReasonCode::UnspecifiedError
            ),
            Self::Wanted | Self::Fault(_) => false,
        }
    }

    /// Whether what was on its way to the broker may be the reason.
    pub(crate) const fn may_be_of_messages(&self) -> bool {
        match self {
            Self::Lost(trouble) => trouble.is_cut,
            Self::ByServer { reason, .. } => {
                !self.may_pass()
                    || matches!(reason, ReasonCode::QuotaExceeded | ReasonCode::UnspecifiedError)
            }
            Self::Wanted | Self::Refused { .. } | Self::Fault(_) => false,
        }
    }

    /// How a command ends that does not connect again.
    pub fn failure(&self, options: &ClientOptions) -> Failure {
        let message = match self.mend(options) {
            Some(mend) => format!("{self}; {mend}"),
            None => self.to_string(),
        };
        if self.is_refusal() { Failure::Refused(message) } else { Failure::Failed(message) }
    }

    /// Whether the broker did not want what it was asked, rather than to go on at all.
    const fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::ByServer { reason, .. } => !matches!(
                reason,
                ReasonCode::Success
                    | ReasonCode::ServerShuttingDown
                    | ReasonCode::ServerUnavailable
                    | ReasonCode::ServerBusy
                    | ReasonCode::KeepAliveTimeout
                    | ReasonCode::MaximumConnectTime
                    | ReasonCode::MalformedPacket
                    | ReasonCode::ProtocolError
            ),
            Self::Wanted | Self::Fault(_) | Self::Lost(_) => false,
        }
    }

    /// What a person who connects with these options can do about it.
    pub(crate) fn mend(&self, options: &ClientOptions) -> Option<String> {
        match self {
            Self::Lost(trouble) => trouble.mend.clone(),
            Self::Refused { reason, .. } => refused(*reason, options),
            Self::ByServer { reason, .. } => ended(*reason, options),
            Self::Wanted | Self::Fault(_) => None,
        }
    }
}

fn refused(reason: ReasonCode, options: &ClientOptions) -> Option<String> {
    Some(match (reason, options.user_name.as_deref()) {
        (ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized, None) => {
            "the broker wants a user: write -u NAME and -P PASSWORD".to_owned()
        }
        (ReasonCode::BadUserNameOrPassword, Some(_)) if options.password.is_none() => {
            "the password is missing: write -P PASSWORD".to_owned()
        }
        (ReasonCode::BadUserNameOrPassword, Some(_)) => {
            "check the user name and the password".to_owned()
        }
        (ReasonCode::NotAuthorized, Some(user)) => {
            format!("the user `{user}` may not connect, or the password is wrong")
        }
        (ReasonCode::UnsupportedProtocolVersion, _) => {
            "the broker does not speak this version: try -V 311".to_owned()
        }
        (ReasonCode::ClientIdentifierNotValid, _) => {
            "the broker does not take this client identifier: give another one with -i".to_owned()
        }
        (ReasonCode::PacketTooLarge, _) if options.will.is_some() => {
            "CONNECT is too large: shorten the will".to_owned()
        }
        (ReasonCode::PacketTooLarge, _) => "CONNECT is too large".to_owned(),
        _ => return None,
    })
}

fn ended(reason: ReasonCode, options: &ClientOptions) -> Option<String> {
    Some(match reason {
        ReasonCode::PacketTooLarge => {
            "a packet was larger than what the broker takes; in Plexus its key \
             mqtt.max_packet_size says how large a packet may be"
                .to_owned()
        }
        ReasonCode::SessionTakenOver => format!(
            "give each client its own identifier with -i; this one is `{}`",
            options.client_id
        ),
        ReasonCode::NotAuthorized => forbidden(options, "do that"),
        ReasonCode::SharedSubscriptionsNotSupported
        | ReasonCode::WildcardSubscriptionsNotSupported
        | ReasonCode::SubscriptionIdentifiersNotSupported => {
            "subscribe to other filters".to_owned()
        }
        _ => return None,
    })
}

/// What stands in the way of who may not do something.
pub(crate) fn forbidden(options: &ClientOptions, what: &str) -> String {
    match options.user_name.as_deref() {
        Some(user) => format!("the user `{user}` may not {what}"),
        None => format!("who has no user may not {what}: write -u NAME and -P PASSWORD"),
    }
}

/// Whether the words of the broker say no more than the name of the code.
fn says_the_same(reason: ReasonCode, text: &str) -> bool {
    const SMALL: [&str; 7] = ["the", "a", "is", "was", "has", "been", "are"];
    let words = |text: &str| {
        let all = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
        all.filter(|word| !word.is_empty() && !SMALL.contains(&word.as_str())).collect::<Vec<_>>()
    };
    let name = words(reason.name());
    words(text).iter().all(|word| name.contains(word))
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, reason: ReasonCode, text: &Option<String>| {
            let more = text.as_ref().filter(|text| !says_the_same(reason, text));
            more.map_or(Ok(()), |text| write!(f, ": {text}"))
        };
        match self {
            Self::Wanted => f.write_str("disconnected"),
            Self::Refused { reason, text } => {
                write!(f, "the broker refused the connection: {reason}")?;
                with(f, *reason, text)
            }
            Self::ByServer { reason, text } => {
                write!(f, "the broker ended the connection: {reason}")?;
                with(f, *reason, text)
            }
            Self::Fault(reason) => write!(f, "the broker broke the protocol: {reason}"),
            Self::Lost(trouble) => fmt::Display::fmt(trouble, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use plexus_session::ClientOptions;
    use plexus_terminal::Failure;
    use plexus_types::ReasonCode;

    use super::Down;
    #[test]
    fn who_is_refused_is_told_what_the_broker_wants() {
        let options = |user: Option<&str>, password: Option<&'static str>| ClientOptions {
            user_name: user.map(|user| user.try_into().unwrap()),
            password: password.map(Bytes::from),
            ..ClientOptions::default()
        };
        let mend = |reason, user, password| {
            let down = Down::Refused { reason, text: None };
            down.mend(&options(user, password)).unwrap_or_default()
        };
        let (bad, not) = (ReasonCode::BadUserNameOrPassword, ReasonCode::NotAuthorized);
        for reason in [bad, not] {
            assert!(mend(reason, None, None).contains("write -u NAME and -P PASSWORD"));
        }
        assert!(mend(bad, Some("al"), None).contains("the password is missing"));
        assert_eq!(mend(bad, Some("al"), Some("x")), "check the user name and the password");
        assert!(mend(not, Some("al"), Some("x")).contains("the user `al` may not connect"));
        assert!(mend(ReasonCode::UnsupportedProtocolVersion, None, None).contains("-V 311"));
        assert_eq!(mend(ReasonCode::ServerBusy, None, None), "");
    }

    #[test]
    fn the_end_by_the_broker_is_told_with_its_mend() {
        let down = |reason| Down::ByServer { reason, text: None };
        let large = down(ReasonCode::PacketTooLarge);
        assert_eq!(large.to_string(), "the broker ended the connection: Packet too large (0x95)");
        let mend = |down: &Down| down.mend(&ClientOptions::default());
        assert!(mend(&large).unwrap().contains("mqtt.max_packet_size"));
        assert!(mend(&down(ReasonCode::SessionTakenOver)).unwrap().contains("-i"));
        assert_eq!(mend(&down(ReasonCode::ServerShuttingDown)), None);
    }

    #[test]
    fn words_of_the_broker_are_told_once() {
        let told =
            |reason, text: &str| Down::ByServer { reason, text: Some(text.into()) }.to_string();
        let down = told(ReasonCode::ServerShuttingDown, "the server is shutting down");
        assert_eq!(down, "the broker ended the connection: Server shutting down (0x8B)");
        let large = told(ReasonCode::PacketTooLarge, "packet too large: 9 of 5 bytes");
        assert!(large.ends_with("Packet too large (0x95): packet too large: 9 of 5 bytes"));
    }

    #[test]
    fn the_exit_code_says_whether_the_broker_refused_or_went() {
        let options = ClientOptions::default();
        let refused = |reason| {
            let failure = Down::ByServer { reason, text: None }.failure(&options);
            matches!(failure, Failure::Refused(_))
        };
        for reason in [ReasonCode::PacketTooLarge, ReasonCode::NotAuthorized, ReasonCode::Banned] {
            assert!(refused(reason), "{reason}");
        }
        for reason in [ReasonCode::ServerShuttingDown, ReasonCode::ProtocolError] {
            assert!(!refused(reason), "{reason}");
        }
    }

    #[test]
    fn only_some_ends_may_have_to_do_with_what_was_sent() {
        let may = |reason| Down::ByServer { reason, text: None }.may_be_of_messages();
        for reason in [
            ReasonCode::ServerShuttingDown,
            ReasonCode::ServerBusy,
            ReasonCode::ServerUnavailable,
            ReasonCode::ConnectionRateExceeded,
            ReasonCode::KeepAliveTimeout,
            ReasonCode::MaximumConnectTime,
            ReasonCode::AdministrativeAction,
        ] {
            assert!(!may(reason), "{reason}");
        }
        assert!(may(ReasonCode::UnspecifiedError) && may(ReasonCode::QuotaExceeded));
    }
}
