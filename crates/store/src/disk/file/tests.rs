use std::{env, process};

use super::*;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("plexus-store-{}-{name}", process::id()));
        drop(fs::remove_dir_all(&folder));
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn a_file_keeps_its_bytes_under_its_new_name() {
    let folder = Folder::new("bytes");
    let disk = FileDisk::open(&folder.0).unwrap();
    let file = disk.create("a", 100_000).unwrap();
    let mut read = [1; 8];
    assert_eq!(disk.read_at(&file, 99_990, &mut read).unwrap(), 8);
    assert_eq!(read, [0; 8]);
    disk.write_at(&file, 99_990, b"12345678").unwrap();
    disk.rename("a", "b").unwrap();
    disk.sync(&file).unwrap();
    let file = disk.open("b").unwrap();
    assert_eq!(disk.read_at(&file, 99_990, &mut read).unwrap(), 8);
    assert_eq!(&read, b"12345678");
    assert_eq!(disk.read_at(&file, 99_996, &mut read).unwrap(), 4);
    let named = |name: &str| disk.list().unwrap().into_iter().find(|(of, _)| of == name);
    assert_eq!(named("b"), Some(("b".to_owned(), 100_000)));
    assert_eq!(named("a"), None);
    // A file that is created again is empty again.
    let file = disk.create("b", 10).unwrap();
    assert_eq!(disk.read_at(&file, 0, &mut read).unwrap(), 8);
    assert_eq!(read, [0; 8]);
    disk.remove("b").unwrap();
    assert_eq!(disk.open("b").unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_second_owner_is_refused_and_told_who_has_it() {
    let folder = Folder::new("lock");
    let disk = FileDisk::open(&folder.0).unwrap();
    let refused = FileDisk::open(&folder.0).unwrap_err();
    let wanted = format!("in use by process {}", process::id());
    assert!(refused.to_string().ends_with(&wanted), "{refused}");
    FileDisk::open_shared(&folder.0).unwrap();
    assert_eq!(FileDisk::owner(&folder.0).unwrap(), Some(process::id().to_string()));
    drop(disk);
    assert_eq!(FileDisk::owner(&folder.0).unwrap(), None);
    FileDisk::open(&folder.0).unwrap();
}

#[test]
fn a_folder_goes_with_the_store_and_with_nothing_else() {
    let folder = Folder::new("going");
    let (log, moved) = (folder.0.join("log"), folder.0.join("moved"));
    let disk = FileDisk::open(&log).unwrap();
    disk.create("0000000000000001.seg", 10).unwrap();
    disk.create("0000000000000001.spare", 10).unwrap();
    disk.create("notes.txt", 10).unwrap();
    disk.remove_folder().unwrap_err();
    fs::metadata(log.join("notes.txt")).unwrap();
    fs::remove_file(log.join("notes.txt")).unwrap();
    FileDisk::open(&log).unwrap();
    FileDisk::rename_folder(&log, &moved).unwrap();
    fs::metadata(&log).unwrap_err();
    FileDisk::open(&moved).unwrap().remove_folder().unwrap();
    fs::metadata(&moved).unwrap_err();
}

/// A loss of power must not take the folder with all that is kept in it.
#[test]
fn each_folder_that_is_made_is_durable_in_the_one_around_it() {
    let folder = Folder::new("around");
    let (outer, inner) = (folder.0.join("a"), folder.0.join("a/b"));
    let made = || {
        let mut synced = Vec::new();
        create_missing(&inner, &mut |around| {
            synced.push(around.to_owned());
            Ok(())
        })
        .unwrap();
        synced
    };
    assert_eq!(made(), [env::temp_dir(), folder.0.clone(), outer.clone()]);
    assert!(made().is_empty(), "all are there");
    assert_eq!(around(Path::new("kept")), Path::new("."));
    fs::remove_dir(&inner).unwrap();
    let refused = create_missing(&inner, &mut |_| Err(io::ErrorKind::Other.into()));
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::Other);
    fs::write(outer.join("file"), "").unwrap();
    FileDisk::create_folder(&outer.join("file")).unwrap_err();
}

#[test]
fn what_is_stored_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("modes");
    let log = folder.0.join("data/log");
    let disk = FileDisk::open(&log).unwrap();
    disk.create("a", 10).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&log), mode(log.parent().unwrap())), (0o700, 0o700));
    assert_eq!((mode(&log.join("a")), mode(&log.join(LOCK))), (0o600, 0o600));
}
