use std::fmt;

use plexus_session::ClientOptions;
use plexus_types::ReasonCode;

use super::trouble::Trouble;

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Down {
    /// It was ended from this side.
    Wanted,
    /// The broker refused CONNECT.
    Refused { reason: ReasonCode, text: Option<String> },
    /// The broker said DISCONNECT.
    ByServer { reason: ReasonCode, text: Option<String> },
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
        (ReasonCode::BadUserNameOrPassword, Some(_)) => "check -u and -P".to_owned(),
        (ReasonCode::NotAuthorized, Some(user)) => {
            format!("the user `{user}` may not connect, or the password is wrong: check -u and -P")
        }
        (ReasonCode::UnsupportedProtocolVersion, _) => {
            "the broker does not speak this version: try -V 311".to_owned()
        }
        (ReasonCode::ClientIdentifierNotValid, _) => {
            "the broker does not take this client identifier: give another one with -i".to_owned()
        }
        (ReasonCode::PacketTooLarge, _) => "CONNECT is too large: shorten the will".to_owned(),
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
            "another client has connected with the client identifier `{}`: give each its own with \
             -i",
            options.client_id
        ),
        ReasonCode::NotAuthorized => "the user may not do that: check -u and -P".to_owned(),
        ReasonCode::SharedSubscriptionsNotSupported
        | ReasonCode::WildcardSubscriptionsNotSupported
        | ReasonCode::SubscriptionIdentifiersNotSupported => {
            "subscribe to other filters".to_owned()
        }
        _ => return None,
    })
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, text: &Option<String>| match text {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        };
        match self {
            Self::Wanted => f.write_str("disconnected"),
            Self::Refused { reason, text } => {
                write!(f, "the broker refused the connection: {reason}")?;
                with(f, text)
            }
            Self::ByServer { reason, text } => {
                write!(f, "the broker ended the connection: {reason}")?;
                with(f, text)
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
        assert_eq!(mend(bad, Some("al"), Some("x")), "check -u and -P");
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
}
