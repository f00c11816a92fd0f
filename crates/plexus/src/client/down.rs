use std::fmt;

use plexus_types::ReasonCode;

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
    /// The broker does not answer.
    Silence,
    /// The connection failed or ended.
    Lost(String),
}

impl Down {
    /// Whether another attempt may go better.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::Silence | Self::Lost(_) => true,
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
            Self::Silence => f.write_str("the broker does not answer"),
            Self::Lost(why) => f.write_str(why),
        }
    }
}
