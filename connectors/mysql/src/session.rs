//! A connection to the server, with the queries that are prepared there.

use std::{fmt, sync::Arc};

use bytes::Buf;
use plexus_admission::{Fields, Inquiry, Trouble};
use plexus_runtime::Duplex;

use crate::{
    MysqlOptions,
    channel::{Channel, number, odd, put_counted, refused},
    login::log_in,
    record::{Column, fields},
};

const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
/// Parameters are texts.
const VAR_STRING: u8 = 0xFD;

/// Columns of what is read.
const COLUMNS_MAX: u64 = 64;
/// Records behind those that are wanted which are read over; beyond them the connection is closed.
const RECORDS_MORE: usize = 100;

/// A connection.
pub struct Session {
    channel: Channel<Box<dyn Duplex>>,
    /// Each query that was asked on it, with its number there.
    prepared: Vec<(Arc<str>, u32)>,
    /// Whether nothing is under way.
    is_sound: bool,
}

impl Session {
    pub(crate) async fn open(options: &MysqlOptions) -> Result<Self, Trouble> {
        let channel = log_in(options).await?;
        Ok(Self { channel, prepared: Vec::new(), is_sound: true })
    }

    pub(crate) fn is_over(&self) -> bool {
        !self.is_sound
    }

    pub(crate) async fn records(&mut self, inquiry: &Inquiry) -> Result<Vec<Fields>, Trouble> {
        self.is_sound = false;
        let statement = self.prepare(inquiry).await?;
        self.channel.command(&execution(statement, &inquiry.values)).await?;
        let head = self.channel.read().await?;
        let count = match head.as_slice() {
            [0xFF, rest @ ..] => {
                self.is_sound = true;
                return Err(refused(rest));
            }
            // It wants a file (0xFB), or has done something in place of reading (0x00).
            [] | [0x00 | 0xFB, ..] => return Err(odd("what it has in place of records")),
            mut count => number(&mut count),
        };
        let count = count.filter(|count| *count <= COLUMNS_MAX);
        let count = count.ok_or_else(|| Trouble::Nonsense("too many columns".to_owned()))?;
        let mut columns = Vec::new();
        for _ in 0..count {
            columns.push(Column::read(&self.channel.read().await?)?);
        }
        self.end_of_columns().await?;
        self.read(&columns, inquiry.count_max).await
    }

    async fn read(&mut self, columns: &[Column], count_max: usize) -> Result<Vec<Fields>, Trouble> {
        let mut records = Vec::new();
        for _ in 0..=count_max.saturating_add(RECORDS_MORE) {
            let packet = self.channel.read().await?;
            match packet.as_slice() {
                [0x00, record @ ..] if records.len() < count_max => {
                    records.push(fields(columns, record)?);
                }
                [0x00, ..] => {}
                [0xFE, end @ ..] if end.len() < 8 => {
                    self.is_sound = is_last(end);
                    break;
                }
                [0xFF, rest @ ..] => {
                    self.is_sound = true;
                    return Err(refused(rest));
                }
                _ => return Err(odd("a record")),
            }
        }
        Ok(records)
    }

    /// The number of a query there.
    async fn prepare(&mut self, inquiry: &Inquiry) -> Result<u32, Trouble> {
        if let Some((_, number)) = self.prepared.iter().find(|(text, _)| *text == inquiry.text) {
            return Ok(*number);
        }
        self.channel.command(&[&[PREPARE], inquiry.text.as_bytes()].concat()).await?;
        let packet = self.channel.read().await?;
        let mut rest = match packet.as_slice() {
            [0x00, rest @ ..] => rest,
            [0xFF, rest @ ..] => return Err(refused(rest)),
            _ => return Err(odd("what it says of a query")),
        };
        let mut parts = || {
            let number = rest.try_get_u32_le().ok()?;
            Some((number, rest.try_get_u16_le().ok()?, rest.try_get_u16_le().ok()?))
        };
        let (number, columns, places) = parts().ok_or_else(|| odd("what it says of a query"))?;
        if usize::from(places) != inquiry.values.len() {
            return Err(Trouble::Failed("it finds another number of places".to_owned()));
        }
        // What they are is told again with the records.
        for count in [places, columns].into_iter().filter(|count| *count > 0) {
            for _ in 0..count {
                self.channel.read().await?;
            }
            self.end_of_columns().await?;
        }
        self.prepared.push((Arc::clone(&inquiry.text), number));
        Ok(number)
    }

    async fn end_of_columns(&mut self) -> Result<(), Trouble> {
        match self.channel.read().await?.as_slice() {
            [0xFE, rest @ ..] if rest.len() < 8 => Ok(()),
            _ => Err(odd("the end of its columns")),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Whether nothing follows what ends there: warnings, then the state.
fn is_last(mut end: &[u8]) -> bool {
    const MORE_RESULTS: u16 = 1 << 3;
    let state = end.try_get_u16_le().and_then(|_| end.try_get_u16_le());
    state.is_ok_and(|state| state & MORE_RESULTS == 0)
}

fn execution(statement: u32, values: &[String]) -> Vec<u8> {
    let mut packet = vec![EXECUTE];
    packet.extend_from_slice(&statement.to_le_bytes());
    packet.push(0); // No cursor.
    packet.extend_from_slice(&1_u32.to_le_bytes());
    if values.is_empty() {
        return packet;
    }
    // None of them is without a value.
    packet.resize(packet.len() + values.len().div_ceil(8), 0);
    packet.push(1); // Their types follow.
    for _ in values {
        packet.extend_from_slice(&[VAR_STRING, 0]);
    }
    for value in values {
        put_counted(value.as_bytes(), &mut packet);
    }
    packet
}
