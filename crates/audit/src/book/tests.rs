use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use super::*;
use crate::shelf::verify_disk;

const NOW: Moment = Moment::from_micros(1_000_000);
const LARGE: BookOptions = BookOptions { file_bytes_max: 1 << 20, files_max: 8 };

/// Files in memory that grow. Clones are the same folder.
#[derive(Debug, Clone, Default)]
struct Folder {
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// So many bytes of the next write are written, and then it fails.
    fails_behind: Arc<Mutex<Option<usize>>>,
}

impl Folder {
    fn names(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.files.lock().unwrap().get_mut(name).unwrap());
    }
}

impl Disk for Folder {
    type File = String;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let files = self.files.lock().unwrap();
        Ok(files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect())
    }

    fn create(&self, name: &str, length: u64) -> io::Result<String> {
        self.files.lock().unwrap().insert(name.to_owned(), vec![0; length as usize]);
        Ok(name.to_owned())
    }

    fn has(&self, name: &str, _: &String) -> io::Result<bool> {
        Ok(self.files.lock().unwrap().contains_key(name))
    }

    fn free_bytes(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    fn open(&self, name: &str) -> io::Result<String> {
        Ok(name.to_owned())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files
            .lock()
            .unwrap()
            .remove(name)
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read_at(&self, file: &String, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let files = self.files.lock().unwrap();
        let rest = &files[file][at as usize..];
        // Fewer than asked for are no error.
        let count = rest.len().min(into.len()).min(100);
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, file: &String, at: u64, bytes: &[u8]) -> io::Result<()> {
        let fails_behind = self.fails_behind.lock().unwrap().take();
        let written = &bytes[..fails_behind.unwrap_or(bytes.len())];
        self.change(file, |file| {
            let end = at as usize + written.len();
            file.resize(file.len().max(end), 0);
            file[at as usize..end].copy_from_slice(written);
        });
        fails_behind.map_or(Ok(()), |_| Err(io::ErrorKind::StorageFull.into()))
    }

    fn sync(&self, _: &String) -> io::Result<()> {
        Ok(())
    }
}

fn open(folder: &Folder, options: BookOptions) -> (Book<Folder>, Option<String>) {
    Book::open(folder.clone(), options, NOW).unwrap()
}

fn write(book: &mut Book<Folder>, count: usize) {
    for _ in 0..count {
        book.append(NOW, &Event::done(Kind::Change, "rules").because("3 rules"));
        book.write(NOW).unwrap();
    }
}

const FIRST: &str = "audit-00000001.jsonl";

#[test]
fn a_book_goes_on_where_it_ended() {
    let folder = Folder::default();
    for life in 0..3 {
        let (mut book, found) = open(&folder, LARGE);
        assert_eq!(found, None);
        write(&mut book, 2);
        let summary = verify_disk(&folder).unwrap();
        assert_eq!((summary.files, summary.last), (1, 1 + 2 * (life + 1)));
    }
}

#[test]
fn a_full_file_is_followed_by_the_next_and_the_oldest_goes() {
    let folder = Folder::default();
    let options = BookOptions { file_bytes_max: 1_000, files_max: 3 };
    let (mut book, _) = open(&folder, options);
    write(&mut book, 40);
    let names = folder.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(!names.contains(&FIRST.to_owned()));
    let summary = verify_disk(&folder).unwrap();
    assert!(summary.first > 1);
    drop(book);
    let (mut book, found) = open(&folder, options);
    assert_eq!(found, None);
    write(&mut book, 1);
    assert_eq!(verify_disk(&folder).unwrap().last, summary.last + 1);
}

#[test]
fn what_a_crash_has_torn_is_told_by_the_next_file() {
    let folder = Folder::default();
    write(&mut open(&folder, LARGE).0, 3);
    folder.change(FIRST, |bytes| bytes.truncate(bytes.len() - 10));
    assert_eq!(verify_disk(&folder).unwrap().torn.unwrap().file, FIRST);
    let (mut book, found) = open(&folder, LARGE);
    assert!(found.unwrap().contains("ends in the middle of a record"));
    write(&mut book, 1);
    let summary = verify_disk(&folder).unwrap();
    assert_eq!((summary.files, summary.last, summary.torn), (2, 5, None));
    // The torn end is evidence: it may not be changed either.
    folder.change(FIRST, |bytes| *bytes.last_mut().unwrap() ^= 1);
    assert!(verify_disk(&folder).is_err());
}

/// The crash comes when the next file is there and holds nothing, or half of its first record.
#[test]
fn a_file_that_was_not_begun_is_begun_anew() {
    for half in [&b""[..], b"{\"seq\":5,\"ti"] {
        let folder = Folder::default();
        write(&mut open(&folder, LARGE).0, 3);
        folder.files.lock().unwrap().insert("audit-00000002.jsonl".to_owned(), half.to_vec());
        let (mut book, found) = open(&folder, LARGE);
        assert_eq!(found, None);
        write(&mut book, 1);
        let summary = verify_disk(&folder).unwrap();
        assert_eq!((summary.files, summary.last, summary.torn), (2, 6, None));
    }
}

#[test]
fn what_somebody_has_changed_is_found_at_the_start_and_stays_broken() {
    let folder = Folder::default();
    write(&mut open(&folder, LARGE).0, 3);
    folder.change(FIRST, |bytes| bytes[30] ^= 1);
    let (mut book, found) = open(&folder, LARGE);
    assert!(found.unwrap().starts_with("audit-00000001.jsonl:1: "));
    write(&mut book, 1);
    assert_eq!(folder.names().len(), 2);
    assert!(verify_disk(&folder).is_err());
}

#[test]
fn what_the_disk_did_not_take_is_written_when_it_does() {
    for behind in [0, 1, 100, 300] {
        let folder = Folder::default();
        let (mut book, _) = open(&folder, LARGE);
        book.append(NOW, &Event::done(Kind::Node, "start"));
        book.append(NOW, &Event::done(Kind::Node, "stop"));
        *folder.fails_behind.lock().unwrap() = Some(behind);
        book.write(NOW).unwrap_err();
        assert!(book.is_pending());
        // What is there already may be read meanwhile.
        verify_disk(&folder).unwrap();
        book.write(NOW).unwrap();
        assert_eq!(verify_disk(&folder).unwrap().last, 3, "{behind}");
    }
}
