//! Where the broker is and as whom to connect: options of every command that is a client.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use plexus_net::{TlsClient, TlsClientOptions, Transport};
use plexus_session::ClientOptions;
use plexus_terminal::Failure;
use plexus_types::ProtocolVersion;

use super::{
    args::text,
    endpoint::{Endpoint, Given, listed},
    trouble,
    url::ServerUrl,
};
/// How to reach a broker that no URL names whole, and the login.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// The host of the broker [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,

    /// The port of the broker [default: 1883; 8883 with TLS, 8083 and 8084 with WebSocket]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = port)]
    port: Option<u16>,

    /// Over WebSocket, at the path /mqtt
    #[arg(long)]
    ws: bool,

    /// Over TLS, trusting the authorities of the public web
    #[arg(long)]
    tls: bool,

    /// Over TLS, trusting the authorities of this PEM file
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,

    /// PEM file with the certificate of this client
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// PEM file with the key of that certificate
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Over TLS, and believe whoever answers
    #[arg(long)]
    insecure: bool,

    /// The user name
    #[arg(short = 'u', long, value_name = "NAME")]
    username: Option<String>,

    /// The password, or file:PATH of a file whose first line it is
    #[arg(
        short = 'P',
        long,
        value_name = "PASSWORD",
        env = "PLEXUS_PASSWORD",
        hide_env_values = true
    )]
    password: Option<String>,

    /// The version of the protocol
    #[arg(short = 'V', long, alias = "mqtt-version", value_name = "VERSION", default_value = "5")]
    protocol: Version,

    /// Seconds between two signs of life; 0 for none
    #[arg(short = 'k', long, value_name = "SECONDS", default_value_t = 60, value_parser = keep_alive)]
    keepalive: u16,
}

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    /// MQTT 3.1
    #[value(name = "31", alias = "3.1", alias = "mqttv31")]
    V31,
    /// MQTT 3.1.1
    #[value(name = "311", alias = "3.1.1", alias = "mqttv311")]
    V311,
    /// MQTT 5.0
    #[value(name = "5", alias = "5.0", alias = "mqttv5")]
    V5,
}

impl ServerArgs {
    /// Where the broker is.
    pub fn endpoint(&self, url: Option<&ServerUrl>) -> Result<Endpoint, Failure> {
        let transport = self.transport(url)?;
        let port = url.and_then(|url| url.port).or(self.port);
        let host = url.map(|url| url.host.clone()).or_else(|| self.host.clone());
        let path = url.filter(|url| url.transport.is_websocket()).and_then(|url| url.path.clone());
        let server = plexus_net::Endpoint {
            transport,
            host: host.unwrap_or_else(|| "localhost".to_owned()),
            port: port.or_else(|| transport.default_port()).unwrap_or_default(),
            path: path.unwrap_or_else(|| "/mqtt".to_owned()),
            tls: if transport.is_tls() { Some(self.tls_client()?) } else { None },
        };
        Ok(Endpoint {
            server,
            ca_file: self.cafile.clone(),
            given: Given { url: url.is_some(), tls: self.tls_options() },
        })
    }

    /// The options that ask for TLS, as far as they were given.
    fn tls_options(&self) -> Vec<&'static str> {
        let all = [
            (self.tls, "--tls"),
            (self.cafile.is_some(), "--cafile"),
            (self.insecure, "--insecure"),
            (self.cert.is_some(), "--cert"),
            (self.key.is_some(), "--key"),
        ];
        all.into_iter().filter_map(|(given, name)| given.then_some(name)).collect()
    }

    fn transport(&self, url: Option<&ServerUrl>) -> Result<Transport, Failure> {
        let options = self.tls_options();
        let tls = !options.is_empty();
        if let Some(url) = url {
            return match url.transport {
                plain @ (Transport::Tcp | Transport::Ws | Transport::Unix) if tls => {
                    let mend = match plain {
                        Transport::Tcp => "write mqtts:// in the URL, or ",
                        Transport::Ws => "write wss:// in the URL, or ",
                        Transport::Unix | Transport::Tls | Transport::Wss => "",
                    };
                    let options = listed(&options);
                    let message = format!("{plain} has no TLS; {mend}leave out {options}");
                    Err(Failure::Usage(message))
                }
                transport => Ok(transport),
            };
        }
        Ok(match (self.ws, tls) {
            (false, false) => Transport::Tcp,
            (false, true) => Transport::Tls,
            (true, false) => Transport::Ws,
            (true, true) => Transport::Wss,
        })
    }

    fn tls_client(&self) -> Result<TlsClient, Failure> {
        let options = TlsClientOptions {
            ca_file: self.cafile.clone(),
            insecure: self.insecure,
            cert_file: self.cert.clone(),
            key_file: self.key.clone(),
            ..TlsClientOptions::default()
        };
        TlsClient::new(&options).map_err(|error| Failure::Failed(trouble::of_files(&error)))
    }

    /// The version that is spoken.
    pub const fn version(&self) -> ProtocolVersion {
        match self.protocol {
            Version::V31 => ProtocolVersion::V31,
            Version::V311 => ProtocolVersion::V311,
            Version::V5 => ProtocolVersion::V5,
        }
    }

    /// Version, keep alive and who logs in; the rest of the options is the command's.
    pub fn login(&self, url: Option<&ServerUrl>) -> Result<ClientOptions, Failure> {
        let user_name = self.username.as_ref().or_else(|| url?.user_name.as_ref());
        let password = self.secret(url)?;
        if !self.version().is_v5() && user_name.is_none() && password.is_some() {
            // [MQTT3-3.1.2-22]
            let message = "before MQTT 5.0 a password (-P, or PLEXUS_PASSWORD in the environment) \
                           needs a user: add -u NAME";
            return Err(Failure::Usage(message.into()));
        }
        Ok(ClientOptions {
            version: self.version(),
            keep_alive: self.keepalive,
            user_name: user_name.map(|name| text(name, "the user name")).transpose()?,
            password,
            ..ClientOptions::default()
        })
    }

    fn secret(&self, url: Option<&ServerUrl>) -> Result<Option<Bytes>, Failure> {
        let of_url = || url?.password.clone();
        let Some(password) = self.password.clone().or_else(of_url) else { return Ok(None) };
        let Some(path) = password.strip_prefix("file:") else {
            return Ok(Some(Bytes::from(password)));
        };
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::Failed(format!("cannot read {path}: {}", trouble::plain(&error)))
        })?;
        Ok(Some(Bytes::from(text.lines().next().unwrap_or_default().to_owned())))
    }
}

fn port(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| "a port is a number from 1 to 65535".to_owned())
}

fn keep_alive(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected whole seconds, from 0 to 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{keep_alive, port};

    #[test]
    fn numbers_that_are_none_are_told_in_words() {
        assert_eq!(port("65535"), Ok(65_535));
        for text in ["abc", "0", "65536", "-1", ""] {
            assert_eq!(port(text).unwrap_err(), "a port is a number from 1 to 65535", "{text}");
        }
        assert_eq!(keep_alive("0"), Ok(0));
        assert!(keep_alive("1m").unwrap_err().contains("whole seconds"));
    }
}
