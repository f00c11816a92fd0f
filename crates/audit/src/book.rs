//! The files of an audit log: one is written at its end, the older ones are kept as they are.

use std::io;

use plexus_store::Disk;

use crate::{
    Event, Kind, Moment, Torn,
    chain::Link,
    check::{Check, TORN},
    shelf::{file_name, numbers, read_file},
};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookOptions {
    /// Bytes beyond which a file is ended and the next one begun.
    pub file_bytes_max: u64,
    /// Files that are kept; at least 2. The oldest is deleted when there are more.
    pub files_max: usize,
}

/// What a file begins with: how the one before it ended.
#[derive(Debug)]
enum Beginning {
    /// There is none before it.
    First,
    /// It was full, or another node had begun none yet.
    Full(String),
    /// It ends in the middle of a record.
    Torn(Torn),
    /// Something in it is no record as it was written.
    Broken(String, String),
}

impl Beginning {
    fn event(&self) -> Event {
        match self {
            Self::First => Event::done(Kind::Audit, "begun"),
            Self::Full(file) => Event::done(Kind::Audit, "continued").on(file),
            Self::Torn(torn) => {
                Event::failed(Kind::Audit, TORN, torn.told()).on(torn.file.as_str())
            }
            Self::Broken(file, fault) => {
                Event::failed(Kind::Audit, "broken", fault.as_str()).on(file)
            }
        }
    }
}

/// An open audit log. What [`Book::append`] has taken stays until [`Book::write`] has written it, however
/// often that fails.
#[derive(Debug)]
pub struct Book<D: Disk> {
    disk: D,
    options: BookOptions,
    /// The last record, written or not.
    link: Link,
    number: u64,
    file: D::File,
    /// Where what is written next begins.
    at: u64,
    /// Lines that are not in the file yet.
    pending: Vec<u8>,
    /// The disk has not said yet that it has all of the file.
    is_unsynced: bool,
}

impl<D: Disk> Book<D> {
    /// Goes on where the files end, or begins the first. What a crash has torn and what somebody has
    /// changed stays as it is: a new file begins and says so, and the text of that is returned, too.
    pub fn open(disk: D, options: BookOptions, now: Moment) -> io::Result<(Self, Option<String>)> {
        let mut link = Link::START;
        let mut beginning = None;
        let mut place = None;
        let numbers = numbers(&disk)?;
        let newest = numbers.last().copied();
        let mut number = newest.map_or(1, |newest| newest + 1);
        for old in numbers.into_iter().rev() {
            let bytes = read_file(&disk, old)?;
            if !bytes.contains(&b'\n') {
                // Not even its first record was written: it is begun anew.
                number = old;
                continue;
            }
            let mut check = Check::default();
            let whole = check.file(old, file_name, &bytes);
            let last = check.last();
            let ending = match (whole, check.end().torn) {
                (Err(broken), _) => Beginning::Broken(file_name(old), broken.to_string()),
                (Ok(()), Some(torn)) => Beginning::Torn(torn),
                (Ok(()), None) => Beginning::Full(file_name(old)),
            };
            if newest == Some(old) && matches!(ending, Beginning::Full(_)) {
                place = Some((old, bytes.len() as u64));
            }
            beginning.get_or_insert(ending);
            if let Some(last) = last {
                link = last;
                break;
            }
        }
        if let Some((number, at)) = place {
            let file = disk.open(&file_name(number))?;
            return Ok((Self::at(disk, options, link, (number, file, at)), None));
        }
        let beginning = beginning.unwrap_or(Beginning::First);
        let found = match &beginning {
            Beginning::First | Beginning::Full(_) => None,
            Beginning::Torn(torn) => {
                Some(format!("{} ends in the middle of a record, as a crash leaves it", torn.file))
            }
            Beginning::Broken(_, fault) => Some(fault.clone()),
        };
        let file = disk.create(&file_name(number), 0)?;
        let mut book = Self::at(disk, options, link, (number, file, 0));
        book.append(now, &beginning.event());
        book.write(now)?;
        book.sync()?;
        Ok((book, found))
    }

    /// A book that goes on at this place in that file.
    fn at(disk: D, options: BookOptions, link: Link, place: (u64, D::File, u64)) -> Self {
        let (number, file, at) = place;
        Self { disk, options, link, number, file, at, pending: Vec::new(), is_unsynced: false }
    }

    /// Adds a record behind all others.
    pub fn append(&mut self, time: Moment, event: &Event) {
        self.link = self.link.append(time, event, &mut self.pending);
    }

    /// Whether something is not written yet.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes what was added, and begins the next file where this one is full. After an error the next
    /// call tries the same bytes at the same place.
    pub fn write(&mut self, now: Moment) -> io::Result<()> {
        self.write_pending()?;
        if self.at >= self.options.file_bytes_max {
            self.sync()?;
            self.turn_over(now)?;
        }
        Ok(())
    }

    /// Returns when the disk has what was written.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.is_unsynced {
            self.disk.sync(&self.file)?;
            self.is_unsynced = false;
        }
        Ok(())
    }

    fn write_pending(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.disk.write_at(&self.file, self.at, &self.pending)?;
            self.is_unsynced = true;
            self.at += self.pending.len() as u64;
            self.pending.clear();
        }
        Ok(())
    }

    /// Begins the next file, and deletes the oldest ones.
    fn turn_over(&mut self, now: Moment) -> io::Result<()> {
        let next = self.number + 1;
        self.file = self.disk.create(&file_name(next), 0)?;
        let before = Beginning::Full(file_name(self.number));
        (self.number, self.at) = (next, 0);
        self.append(now, &before.event());
        self.write_pending()?;
        let numbers = numbers(&self.disk)?;
        let old = numbers.len().saturating_sub(self.options.files_max.max(2));
        numbers.into_iter().take(old).try_for_each(|old| self.disk.remove(&file_name(old)))
    }
}

#[cfg(test)]
mod tests;
