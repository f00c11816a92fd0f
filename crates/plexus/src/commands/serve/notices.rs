//! What an operator should know about a node that runs.

use plexus_config::{Config, is_local};
use plexus_net::{ListenUrl, Transport};

/// Warns where passwords can be read on their way.
pub(super) fn readable_passwords(config: &Config, listeners: &[ListenUrl]) {
    let urls = readable(config.settings.access.has_authenticators(), listeners);
    if !urls.is_empty() {
        tracing::warn!(
            listeners = urls.join(" "),
            "passwords travel readable through these listeners; use tls:// or wss://, or listen at \
             127.0.0.1"
        );
    }
}

fn readable(users: bool, listeners: &[ListenUrl]) -> Vec<String> {
    let plain = |url: &&ListenUrl| matches!(url.transport(), Transport::Tcp | Transport::Ws);
    let outside = |url: &&ListenUrl| users && !is_local(url);
    listeners.iter().filter(plain).filter(outside).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn passwords_are_readable_without_tls_from_outside() {
        let urls = [
            "tcp://0.0.0.0:1883",
            "ws://192.0.2.1:8083",
            "tcp://127.0.0.1:1883",
            "tls://0.0.0.0:8883",
            "wss://0.0.0.0:8084",
            "unix:///run/plexus.sock",
        ];
        let urls = urls.map(|url| url.parse().unwrap());
        assert_eq!(readable(true, &urls), ["tcp://0.0.0.0:1883", "ws://192.0.2.1:8083"]);
        assert_eq!(readable(false, &urls), [""; 0]);
    }
}
