//! What goes wrong with a client, in words that are equal for equal troubles.

use std::io;

use plexus_net::StreamError;
use plexus_session::ClientClose;

/// What the system says, without the number that only programmers know.
pub(super) fn of_io(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.rsplit_once(" (os error ").map_or(text.as_str(), |(words, _)| words);
    words.to_lowercase()
}

/// What the stream says.
pub(super) fn of_stream(error: &StreamError) -> String {
    match error {
        StreamError::Io(error) => of_io(error),
        StreamError::Tls(error) => format!("TLS: {error}"),
        StreamError::WebSocket(error) => format!("WebSocket: {error}"),
        StreamError::Proxy(error) => error.to_string(),
        StreamError::ServerName(name) => format!("`{name}` is no host name"),
    }
}

/// Why a client closes its connection, unless it wanted to.
pub(super) fn of_close(close: ClientClose) -> Option<String> {
    match close {
        ClientClose::Wanted => None,
        ClientClose::ByServer(reason) => Some(format!("ended by the broker: {reason}")),
        ClientClose::Fault(reason) => Some(format!("the broker broke the protocol: {reason}")),
        ClientClose::Silence => Some("no answer from the broker in time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_system_are_left_out() {
        assert_eq!(of_io(&io::Error::from_raw_os_error(111)), "connection refused");
        assert_eq!(of_close(ClientClose::Wanted), None);
    }
}
