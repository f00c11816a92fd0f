//! Where the broker is, and how the command line named it.

use std::{ops::Deref, path::PathBuf};

/// A broker as connections are made to it, with what advice about it has to know.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(crate) server: plexus_net::Endpoint,
    /// Where the trusted authorities come from, if they are not those of the public web.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) given: Given,
}

/// How the command line named it: advice to leave something out names nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// As a URL.
    pub(crate) url: bool,
    /// The options that ask for TLS.
    pub(crate) tls: Vec<&'static str>,
}

impl Deref for Endpoint {
    type Target = plexus_net::Endpoint;

    fn deref(&self) -> &plexus_net::Endpoint {
        &self.server
    }
}

impl Endpoint {
    /// How to ask for the same with TLS.
    pub(crate) fn with_tls(&self) -> String {
        let scheme = if self.transport.is_websocket() { "wss" } else { "mqtts" };
        if self.given.url {
            return format!(
                "write {scheme}:// in the URL, and --cafile FILE unless its authority is one of \
                 the public web"
            );
        }
        "write --cafile FILE with the authority of its certificate, or --tls if that is one of the \
         public web"
            .to_owned()
    }

    /// How to ask for the same without TLS.
    pub(crate) fn without_tls(&self) -> String {
        let scheme = if self.transport.is_websocket() { "ws" } else { "mqtt" };
        let options = listed(&self.given.tls);
        match (self.given.url, self.given.tls.is_empty()) {
            (false, _) => format!("leave out {options}"),
            (true, true) => format!("write {scheme}:// in the URL"),
            (true, false) => format!("write {scheme}:// in the URL and leave out {options}"),
        }
    }

    /// How to ask for the same over WebSocket.
    pub(crate) fn with_websocket(&self) -> String {
        let scheme = if self.transport.is_tls() { "wss" } else { "ws" };
        if self.given.url { format!("write {scheme}:// in the URL") } else { "add --ws".to_owned() }
    }

    /// How to ask for the same without WebSocket.
    pub(crate) fn without_websocket(&self) -> String {
        let scheme = if self.transport.is_tls() { "mqtts" } else { "mqtt" };
        if self.given.url {
            format!("write {scheme}:// in the URL")
        } else {
            "leave out --ws".to_owned()
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)
    }
}

/// As in "a, b and c".
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
