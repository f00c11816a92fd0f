//! Log-ins that outlast a command, and secrets of keys.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{
    Folder, run_in,
    sample::yes,
    server::{Server, refusal},
};
use crate::connection::Surroundings;

fn files(folder: &Folder) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder.path().join("state/logins")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_log_in_lasts_until_it_is_ended() {
    let (server, folder) = (Server::start(yes), Folder::new());
    let (url, around) = (server.url(), folder.around());
    let password = folder.file("password", "a good one\r\n");
    let told = run_in(&around, &url, &["login", "--password-file", &password]).fine();
    assert_eq!(told, format!("logged in at {url} as admin, administrator\n"));
    assert_eq!(server.seen()[0].json()["password"], "a good one");
    let [file] = files(&folder).try_into().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);

    run_in(&around, &url, &["nodes"]).fine();
    assert!(server.seen()[1].head.contains("authorization: Bearer word\r\n"));
    // Somewhere else nobody is logged in.
    let elsewhere = Server::start(yes);
    assert!(
        run_in(&around, &elsewhere.url(), &["nodes"]).failure().contains("nobody is logged in")
    );

    assert!(run_in(&around, &url, &["logout"]).fine().contains("logged out"));
    assert_eq!(server.lines().last().unwrap(), "POST /api/v5/logout");
    assert!(files(&folder).is_empty());
    assert!(run_in(&around, &url, &["logout"]).fine().contains("nobody was logged in"));
}

#[test]
fn a_log_in_that_failed_leaves_nothing() {
    let server = Server::start(|_| refusal(401, "BAD_USERNAME_OR_PWD", "wrong"));
    let folder = Folder::new();
    let password = folder.file("password", "guess");
    let failure =
        run_in(&folder.around(), &server.url(), &["login", "--password-file", &password]).failure();
    assert!(failure.contains("401 BAD_USERNAME_OR_PWD"), "{failure}");
    assert!(files(&folder).is_empty());
}

#[test]
fn a_log_in_that_others_can_read_is_not_used() {
    let (server, folder) = (Server::start(yes), Folder::new());
    let (url, around) = (server.url(), folder.around());
    let password = folder.file("password", "a good one");
    run_in(&around, &url, &["login", "--password-file", &password]).fine();
    let [file] = files(&folder).try_into().unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let failure = run_in(&around, &url, &["nodes"]).failure();
    assert!(failure.contains("others may read this log-in"), "{failure}");
    run_in(&around, &url, &["logout"]).fine();
    assert!(files(&folder).is_empty(), "that is how it is mended");
    fs::write(&file, "nonsense").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(run_in(&around, &url, &["nodes"]).failure().contains("it holds no log-in"));
}

#[test]
fn a_key_wants_its_secret() {
    let (server, folder) = (Server::start(yes), Folder::new());
    let around = Surroundings { logins: None, secret: None };
    let failure = run_in(&around, &server.url(), &["nodes", "--key", "k"]).failure();
    assert!(failure.contains("PLEXUS_API_SECRET"), "{failure}");
    let secret = folder.file("secret", "s3\n");
    run_in(&around, &server.url(), &["nodes", "--key", "k", "--secret-file", &secret]).fine();
    assert!(server.seen()[0].head.contains("authorization: Basic azpzMw==\r\n"));
    let empty = folder.file("empty", "\n");
    let failure =
        run_in(&around, &server.url(), &["nodes", "--key", "k", "--secret-file", &empty]).failure();
    assert!(failure.contains("empty: it is empty"), "{failure}");
}
