//! A connection to the server, on which one request after the other is answered.

use std::io;

use ldap_client_proto::{
    BindAuthentication, BindRequest, DerefAliases, ExtendedRequest, LdapMessage, LdapOperation,
    LdapResult, MessageId, ResultCode, SearchRequest, SearchResultEntry,
};
use plexus_admission::Trouble;
use plexus_runtime::Duplex;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{LdapServer, place::Search};

/// Bytes of one message: what is asked for are short texts.
const MESSAGE_SIZE_MAX: usize = 256 * 1_024;
/// Messages that answer one search: an entry, others that show that it is not the only one, and referrals, which
/// are not followed.
const MESSAGES_MAX: usize = 64;
/// Entries that are asked for: a second one shows that the first is not the only one.
const ENTRIES_MAX: i32 = 2;
/// What a server says of a mistake is cut there.
const SAID_LENGTH_MAX: usize = 200;

/// The request for TLS (RFC 4511, section 4.14.1).
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// The version of LDAP.
const VERSION: i64 = 3;
/// The tag of each message (RFC 4511, section 5.1).
const SEQUENCE: u8 = 0x30;

/// A connection.
pub(crate) struct Session {
    channel: Channel<Box<dyn Duplex>>,
    /// Whether nothing is under way.
    is_sound: bool,
}

/// Messages to and fro.
struct Channel<T> {
    stream: T,
    /// The number of the last request; the first is 1.
    last: i32,
}

impl Session {
    /// A connection as nobody.
    pub(crate) async fn open(server: &LdapServer) -> Result<Self, Trouble> {
        let line = &server.line;
        let stream: TcpStream = line.dial().await.map_err(|error| failed(&error))?;
        let mut channel = Channel { stream, last: 0 };
        if server.start_tls {
            let request = ExtendedRequest { oid: START_TLS.to_owned(), value: None };
            channel.send(LdapOperation::ExtendedRequest(request)).await?;
            match channel.receive().await? {
                LdapOperation::ExtendedResponse(it) if it.result.code == ResultCode::Success => {}
                LdapOperation::ExtendedResponse(it) => return Err(refused(&it.result)),
                _ => return Err(odd()),
            }
        }
        let stream = line.secure(channel.stream).await.map_err(|error| failed(&error))?;
        Ok(Self { channel: Channel { stream, last: channel.last }, is_sound: true })
    }

    pub(crate) fn is_over(&self) -> bool {
        !self.is_sound
    }

    /// What the server says to somebody of that name with that password.
    pub(crate) async fn bind(
        &mut self,
        name: &str,
        password: &[u8],
    ) -> Result<LdapResult, Trouble> {
        self.is_sound = false;
        // Either of them empty is a bind that proves nothing, and succeeds (RFC 4513, section 5.1).
        if name.is_empty() || password.is_empty() {
            return Err(Trouble::Failed("a name and a password are needed".to_owned()));
        }
        let authentication = BindAuthentication::Simple(password.to_vec().into());
        let request = BindRequest { version: VERSION, name: name.to_owned(), authentication };
        self.channel.send(LdapOperation::BindRequest(request)).await?;
        match self.channel.receive().await? {
            LdapOperation::BindResponse(response) => {
                self.is_sound = true;
                Ok(response.result)
            }
            _ => Err(odd()),
        }
    }

    /// The entries that are found, up to two, and how the search ended.
    pub(crate) async fn search(
        &mut self,
        search: &Search,
        attributes: &[String],
    ) -> Result<(Vec<SearchResultEntry>, LdapResult), Trouble> {
        self.is_sound = false;
        let request = SearchRequest {
            base_dn: search.base.clone(),
            scope: search.scope,
            deref_aliases: DerefAliases::NeverDerefAliases,
            size_limit: ENTRIES_MAX,
            time_limit: 0,
            types_only: false,
            filter: search.filter.clone(),
            attributes: attributes.to_vec(),
        };
        self.channel.send(LdapOperation::SearchRequest(request)).await?;
        let mut entries = Vec::new();
        for _ in 0..MESSAGES_MAX {
            match self.channel.receive().await? {
                LdapOperation::SearchResultEntry(entry) => entries.push(entry),
                LdapOperation::SearchResultReference(_) => {}
                LdapOperation::SearchResultDone(result) => {
                    self.is_sound = true;
                    return Ok((entries, result));
                }
                _ => break,
            }
        }
        Err(odd())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Channel<T> {
    async fn send(&mut self, operation: LdapOperation) -> Result<(), Trouble> {
        // 0 is for what the server says unasked.
        self.last = self.last.checked_add(1).unwrap_or(1);
        let message_id = MessageId(self.last);
        let message = LdapMessage { message_id, operation, controls: Vec::new() };
        let sent = async {
            self.stream.write_all(&message.encode()).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| failed(&error))
    }

    /// Reads one message, and no byte behind it.
    async fn receive(&mut self) -> Result<LdapOperation, Trouble> {
        let bytes = self.read().await.map_err(|error| failed(&error))?;
        let message = LdapMessage::decode(&bytes).map_err(|_| odd())?;
        // Another number is that of a request that was not made; 0 says that it breaks off.
        if message.message_id.0 == self.last { Ok(message.operation) } else { Err(odd()) }
    }

    async fn read(&mut self) -> io::Result<Vec<u8>> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it sends no message of LDAP");
        let mut bytes = vec![0; 2];
        self.stream.read_exact(&mut bytes).await?;
        let length = match *bytes.as_slice() {
            [SEQUENCE, length @ 0..=0x7F] => usize::from(length),
            [SEQUENCE, count @ 0x81..=0x84] => {
                let mut length = [0; 4];
                let from = length.len() - usize::from(count & 0x7F);
                let digits = length.get_mut(from..).ok_or_else(wrong)?;
                self.stream.read_exact(digits).await?;
                bytes.extend_from_slice(digits);
                usize::try_from(u32::from_be_bytes(length)).map_err(|_| wrong())?
            }
            _ => return Err(wrong()),
        };
        if length > MESSAGE_SIZE_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
        }
        let head = bytes.len();
        bytes.resize(head + length, 0);
        self.stream.read_exact(bytes.get_mut(head..).ok_or_else(wrong)?).await?;
        Ok(bytes)
    }
}

/// What is no answer to what was asked. It may be no directory at all.
fn odd() -> Trouble {
    Trouble::Failed("its answer cannot be read".to_owned())
}

fn failed(error: &io::Error) -> Trouble {
    Trouble::Failed(error.to_string())
}

/// What the server says of a request that it does not fulfil.
pub(crate) fn refused(result: &LdapResult) -> Trouble {
    let said = result.diagnostic_message.chars().take(SAID_LENGTH_MAX);
    let said: String = said.flat_map(char::escape_debug).collect();
    let code = result.code;
    Trouble::Failed(if said.is_empty() { code.to_string() } else { format!("{code}: {said}") })
}
