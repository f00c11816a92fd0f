use std::os::unix::fs::{PermissionsExt, symlink};

use crate::program::{Ended, Place, run};

fn set(place: &Place, user: &str, password: &[u8]) -> Ended {
    run(&mut place.plexus(["passwd", "users", user]), password)
}

#[test]
fn a_user_is_added_changed_and_removed() {
    let place = Place::new();
    assert_eq!(set(&place, "alice", b"one\n").ok(), "users: added alice\n");
    assert_eq!(set(&place, "bob", b"two").ok(), "users: added bob\n");
    let first = place.read("users");
    assert_eq!(set(&place, "alice", b"three\r\n").ok(), "users: changed the password of alice\n");
    let second = place.read("users");
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_ne!(lines(&first)[0], lines(&second)[0]);
    assert_eq!(lines(&first)[1], lines(&second)[1]);
    assert!(second.starts_with("alice:$argon2id$v=19$m=19456,t=2,p=1$"), "{second}");
    let removed = place.run(["passwd", "--delete", "users", "alice"]).ok();
    assert_eq!(removed, "users: removed alice\n");
    assert_eq!(lines(&place.read("users")), lines(&second)[1..]);
    let again = place.run(["passwd", "--delete", "users", "alice"]).failed(1);
    assert_eq!(again, "error: users: no user `alice`\n");
}

#[test]
fn the_file_is_private_and_a_link_to_it_stays_a_link() {
    let place = Place::new();
    place.write("real", "# ours\n");
    symlink("real", place.path().join("users")).unwrap();
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(place.path().join("real"), mode).unwrap();
    set(&place, "alice", b"one\n").ok();
    assert!(place.path().join("users").is_symlink());
    assert!(place.read("real").starts_with("# ours\nalice:$argon2id$"));
    let mode = |name| std::fs::metadata(place.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("real") & 0o777, 0o640);
    run(&mut place.plexus(["passwd", "new", "bob"]), b"two\n").ok();
    assert_eq!(mode("new") & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 3, "no file is left behind");
}

#[test]
fn the_file_keeps_its_owner() {
    use std::os::unix::fs::{MetadataExt, chown};
    let place = Place::new();
    let file = place.path().join("users");
    set(&place, "alice", b"one\n").ok();
    let own = std::fs::metadata(&file).unwrap();
    // Only root may give a file away; anybody else sees that nothing changes.
    let (uid, gid) = if own.uid() == 0 { (0, 12_345) } else { (own.uid(), own.gid()) };
    chown(&file, Some(uid), Some(gid)).unwrap();
    set(&place, "bob", b"two\n").ok();
    let changed = std::fs::metadata(&file).unwrap();
    assert_eq!((changed.uid(), changed.gid()), (uid, gid));
}

#[test]
fn what_cannot_be_a_user_or_a_password_is_refused() {
    let place = Place::new();
    let error = set(&place, "a:b", b"x\n").failed(2);
    assert_eq!(error, "error: the user name contains a colon or a control character\n");
    assert_eq!(set(&place, "alice", b"\n").failed(2), "error: the password is empty\n");
    let long = "x".repeat(65_536);
    let error = set(&place, "alice", long.as_bytes()).failed(2);
    assert_eq!(error, "error: the password is longer than 65,535 bytes\n");
    assert!(!place.path().join("users").exists());
    let usage = place.run(["passwd", "users"]).failed(2);
    assert!(usage.contains("<USER>"), "{usage}");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let place = Place::new();
    let error = run(&mut place.plexus(["passwd", "no/such/dir/users", "alice"]), b"one\n");
    let error = error.failed(1);
    assert!(error.starts_with("error: cannot write no/such/dir/users: No such file"), "{error}");
}
