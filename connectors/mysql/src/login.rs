//! The greeting of a server, and the log-in that answers it.

use bytes::Buf;
use plexus_admission::Trouble;
use plexus_runtime::Duplex;
use tokio::net::TcpStream;

use crate::{
    MysqlOptions,
    channel::{Channel, odd, put_counted, refused, take, until_zero},
    plugin::{Nonce, Plugin, encrypted, nonce_of},
};

/// The database is named at the log-in.
const CONNECT_WITH_DB: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
/// TLS is spoken from the second packet on.
const SSL: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
/// What a server has to be able to, and what the node is. Among what it is not: a client that sends files
/// (`LOCAL_FILES`), which a lying server could ask it for.
const NEEDED: u32 = CONNECT_WITH_DB | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;

/// utf8mb4_general_ci: texts are UTF-8 in both directions.
const CHARSET: u8 = 45;
/// The version of the greeting.
const VERSION: u8 = 10;
/// Packets of a log-in: a server that wants more of them goes round in circles.
const STEPS_MAX: usize = 8;

/// What a server says first.
#[derive(Debug)]
struct Greeting {
    abilities: u32,
    nonce: Nonce,
    plugin: Option<Plugin>,
}

impl Greeting {
    fn read(packet: &[u8]) -> Result<Self, Trouble> {
        match packet.split_first() {
            Some((&VERSION, rest)) => Self::parts(rest).ok_or_else(|| odd("its greeting")),
            Some((&0xFF, rest)) => Err(refused(rest)),
            _ => Err(odd("its greeting")),
        }
    }

    fn parts(mut rest: &[u8]) -> Option<Self> {
        let rest = &mut rest;
        until_zero(rest)?; // Its version.
        take(rest, 4)?; // The number of the connection.
        let first = take(rest, 8)?;
        take(rest, 1)?;
        let low = rest.try_get_u16_le().ok()?;
        take(rest, 3)?; // Character set and state.
        let high = rest.try_get_u16_le().ok()?;
        let length = usize::from(rest.try_get_u8().ok()?);
        take(rest, 10)?;
        let second = take(rest, length.saturating_sub(8).max(13))?;
        let plugin = until_zero(rest)?;
        Some(Self {
            abilities: u32::from(low) | u32::from(high) << 16,
            nonce: nonce_of(&[first, second].concat())?,
            plugin: Plugin::named(plugin),
        })
    }
}

/// Logs in on a new connection.
pub(crate) async fn log_in(options: &MysqlOptions) -> Result<Channel<Box<dyn Duplex>>, Trouble> {
    let line = &options.line;
    let stream = line.dial().await.map_err(|error| Trouble::Failed(error.to_string()))?;
    let mut channel: Channel<TcpStream> = Channel::new(stream);
    let greeting = Greeting::read(&channel.read().await?)?;
    let wanted = if line.is_secure() { NEEDED | SSL } else { NEEDED };
    if greeting.abilities & NEEDED != NEEDED {
        return Err(Trouble::Failed("it is too old".to_owned()));
    }
    if greeting.abilities & wanted != wanted {
        return Err(Trouble::Failed("it does not speak TLS".to_owned()));
    }
    let mut packet = Vec::new();
    packet.extend_from_slice(&wanted.to_le_bytes());
    packet.extend_from_slice(&0xFF_FFFF_u32.to_le_bytes());
    packet.push(CHARSET);
    packet.extend_from_slice(&[0; 23]);
    if line.is_secure() {
        channel.write(&packet).await?;
    }
    let (stream, sequence) = channel.into_parts();
    let stream = line.secure(stream).await.map_err(|error| Trouble::Failed(error.to_string()))?;
    let mut channel = Channel::of_parts(stream, sequence);

    // Where the server's own is not known, it may be that of the user is, and it asks for that.
    let plugin = greeting.plugin.unwrap_or(Plugin::Native);
    let password = options.password.as_deref().unwrap_or_default().as_bytes();
    let proof = plugin.prove(password, &greeting.nonce);
    for text in [options.user.as_bytes(), b"\0"] {
        packet.extend_from_slice(text);
    }
    // Proofs have 32 bytes at most: their length is one byte in both ways to write it.
    put_counted(&proof, &mut packet);
    for text in [options.database.as_bytes(), b"\0", plugin.name().as_bytes(), b"\0"] {
        packet.extend_from_slice(text);
    }
    channel.write(&packet).await?;
    let proving = Proving { plugin, nonce: greeting.nonce, password, is_secure: line.is_secure() };
    proving.finish(channel).await
}

/// A log-in under way.
struct Proving<'a> {
    plugin: Plugin,
    nonce: Nonce,
    password: &'a [u8],
    is_secure: bool,
}

impl Proving<'_> {
    async fn finish(
        mut self,
        mut channel: Channel<Box<dyn Duplex>>,
    ) -> Result<Channel<Box<dyn Duplex>>, Trouble> {
        for _ in 0..STEPS_MAX {
            let packet = channel.read().await?;
            let answer = match (packet.as_slice(), self.plugin) {
                ([0x00, ..], _) => return Ok(channel),
                ([0xFF, rest @ ..], _) => return Err(refused(rest)),
                ([0xFE, rest @ ..], _) => Some(self.switch(rest)?),
                // It remembers the password, and says OK next.
                ([0x01, 3], Plugin::CachingSha2) => None,
                // It wants the password itself.
                ([0x01, 4], Plugin::CachingSha2) if self.is_secure => {
                    Some([self.password, b"\0"].concat())
                }
                // Its key is asked for.
                ([0x01, 4], Plugin::CachingSha2) => Some(vec![2]),
                ([0x01, key @ ..], Plugin::CachingSha2) if !self.is_secure => {
                    let sealed = encrypted(self.password, &self.nonce, key);
                    Some(sealed.ok_or_else(|| odd("its key"))?)
                }
                _ => return Err(odd("its answer to the log-in")),
            };
            if let Some(answer) = answer {
                channel.write(&answer).await?;
            }
        }
        Err(odd("its log-in, which does not end,"))
    }

    /// The proof by another plugin, with another nonce.
    fn switch(&mut self, mut rest: &[u8]) -> Result<Vec<u8>, Trouble> {
        let name = until_zero(&mut rest).ok_or_else(|| odd("the plugin that it wants"))?;
        self.plugin = Plugin::named(name).ok_or_else(|| {
            let name = String::from_utf8_lossy(name);
            let name: String = name.chars().take(64).flat_map(char::escape_debug).collect();
            let known = "mysql_native_password and caching_sha2_password";
            Trouble::Failed(format!("it wants the log-in `{name}`; {known} are known here"))
        })?;
        self.nonce = nonce_of(rest).ok_or_else(|| odd("what it throws in"))?;
        Ok(self.plugin.prove(self.password, &self.nonce))
    }
}
