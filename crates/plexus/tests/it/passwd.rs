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

#[test]
fn nothing_but_a_user_file_is_changed() {
    let place = Place::new();
    let text = "# mine\n[access]\nusers_file = \"users\"\n";
    place.write("users", text);
    let error = set(&place, "alice", b"one\n").failed(1);
    let told =
        "error: nothing was changed, users:2 is no line of a user file: expected `name:<stored";
    assert!(error.starts_with(told), "{error}");
    assert_eq!(place.read("users"), text);
    place.write("users", "bob:hunter2\n");
    let error = set(&place, "alice", b"one\n").failed(1);
    assert!(error.contains("users:1") && !error.contains("hunter2"), "{error}");
    assert_eq!(set(&place, "bob", b"one\n").ok(), "users: changed the password of bob\n");
}

const SHA256: &str = "1495b377a349e723baeccd6015a0ef0dc18f5a789e00ee8a897df2bb9ac7df1b";

#[test]
fn users_of_other_brokers_are_taken_all_or_none() {
    let place = Place::new();
    let list = format!(
        "user_id,password_hash,salt,is_superuser\nalice,{SHA256},NaCl-of-2026,true\n\
         bob,{SHA256},NaCl-of-2026,false\n"
    );
    place.write("export.csv", &list);
    place.write("users", "# ours\n");
    let import = |more: &[&str]| {
        let words = ["passwd", "users", "--import", "export.csv"];
        place.run(words.iter().chain(more))
    };
    let error = import(&[]).failed(2);
    assert!(error.starts_with("error: how are the passwords hashed? Add --scheme"), "{error}");
    let error = import(&["--scheme", "sha3"]).failed(2);
    assert!(error.contains("names no scheme; there are phc, bcrypt"), "{error}");
    let error = import(&["--scheme", "sha512"]).failed(1);
    let told = "error: nothing was changed, export.csv:2: the password of user `alice` has a hash";
    assert!(error.starts_with(told) && !error.contains(SHA256), "{error}");
    assert_eq!(place.read("users"), "# ours\n");
    let said = import(&["--scheme", "sha256"]).ok();
    assert_eq!(
        said,
        "users: users added: 2, replaced: 0\n\
         users:2: the stored password of alice is weak (SHA); set it anew with `plexus passwd`\n\
         users:3: the stored password of bob is weak (SHA); set it anew with `plexus passwd`\n"
    );
    let taken = place.read("users");
    assert!(taken.starts_with("# ours\nalice:$sha256$salt=before$TmFDbC1vZi0yMDI2$"), "{taken}");
    assert!(taken.contains(" superuser\nbob:") && taken.ends_with("H3xs\n"), "{taken}");
    // Nothing takes the place of a user unless that is asked for.
    let error = import(&["--scheme", "sha256"]).failed(1);
    assert!(error.contains("users: user `alice` is there already (and 1 more)"), "{error}");
    assert_eq!(place.read("users"), taken);
    // A new password of a superuser leaves it one, and is not weak any more.
    assert_eq!(
        set(&place, "alice", b"new\n").ok(),
        "users: changed the password of alice\n\
         users:3: the stored password of bob is weak (SHA); set it anew with `plexus passwd`\n"
    );
    assert!(place.read("users").contains("$argon2id$"));
    assert!(place.read("users").lines().any(|line| line.ends_with(" superuser")));
    let said = place.run(["passwd", "users", "--check"]).ok();
    assert!(
        said.starts_with("users: users: 2, with a weak stored password: 1\nusers:3: "),
        "{said}"
    );
    let said = import(&["--scheme", "sha256", "--replace"]).ok();
    assert!(said.starts_with("users: users added: 0, replaced: 2\n"), "{said}");
    assert_eq!(place.read("users"), taken);
}

#[test]
fn other_forms_of_lists_are_told_by_their_names() {
    let place = Place::new();
    let hash = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    place
        .write("a.json", &format!("[\n{{\"user_id\": \"ann\", \"password_hash\": \"{hash}\"}}\n]"));
    let json = ["passwd", "users", "--import", "a.json", "--scheme", "bcrypt"];
    assert_eq!(place.run(json).ok(), "users: users added: 1, replaced: 0\n");
    assert_eq!(place.read("users"), format!("ann:{hash}\n"));
    place.write("passwords", "bob:secret\n");
    let mosquitto = ["passwd", "users", "--import", "passwords"];
    let error = place.run(mosquitto).failed(1);
    assert!(
        error.contains("passwords:1: expected `name:$7$") && !error.contains("secret"),
        "{error}"
    );
    let error = place.run(["passwd", "users", "--import", "none.csv"]).failed(1);
    assert_eq!(error, "error: there is no file none.csv\n");
}

#[test]
fn keys_of_scram_are_made_of_passwords_that_every_client_reads_alike() {
    let place = Place::new();
    let scram = |user: &str, more: &[&str], password: &str| {
        let words = ["passwd", "users", user, "--scram"];
        run(&mut place.plexus(words.iter().chain(more)), password.as_bytes())
    };
    scram("ann", &["sha256"], "secret\n").ok();
    scram("bob", &["sha512", "--iterations", "5000"], "secret\n").ok();
    let users = place.read("users");
    assert!(users.starts_with("ann:SCRAM-SHA-256$16384:"), "{users}");
    assert!(users.contains("\nbob:SCRAM-SHA-512$5000:"), "{users}");
    let error = scram("eve", &["sha256", "--iterations", "4095"], "secret\n").failed(2);
    assert!(error.contains("4096 to 5000000 iterations"), "{error}");
    let error = scram("eve", &["sha256"], "b\u{fc}ro\n").failed(2);
    assert!(error.contains("other characters than those of ASCII"), "{error}");
    assert_eq!(place.read("users"), users);
    // A hash in the place of keys locks those out who know the method only: it has to be meant.
    let plain = |more: &[&str]| {
        let words = ["passwd", "users", "bob"];
        run(&mut place.plexus(words.iter().chain(more)), b"other\n")
    };
    let error = plain(&[]).failed(1);
    assert!(error.contains("nothing was changed: bob has keys of SCRAM"), "{error}");
    assert!(
        error.contains("--scram sha512, or set a hash in their place with --replace"),
        "{error}"
    );
    assert_eq!(place.read("users"), users);
    scram("bob", &["sha512"], "other\n").ok();
    plain(&["--replace"]).ok();
    assert!(place.read("users").contains("\nbob:$argon2id$"));
    plain(&[]).ok();
}
