use std::{fs, path::Path};

use plexus_api_model::{
    ApiKeyUpdate, ErrorCode, Mfa, Moment, NewApiKey, NewUser, PasswordChange, Role, UserUpdate,
};
use plexus_runtime::Runtime;
use plexus_stdx::Seed;

use super::{BookError, FIRST_USER, People};
use crate::kept::testing::Folder;

fn open(runtime: &Runtime, file: Option<&Path>) -> (People, Option<String>) {
    People::open(file.map(Path::to_owned), runtime.handle(), Seed::new(1)).unwrap()
}

fn user(name: &str, role: Role) -> NewUser {
    NewUser {
        username: name.to_owned(),
        password: "long enough".to_owned(),
        role,
        description: String::new(),
    }
}

fn key(name: &str, expired_at: Option<Moment>) -> NewApiKey {
    let (name, desc) = (name.to_owned(), String::new());
    NewApiKey { name, role: Role::Viewer, enable: true, expired_at, desc }
}

#[test]
fn the_first_start_makes_an_administrator_whose_password_is_told_once() {
    let (runtime, folder) = (Runtime::start(2).unwrap(), Folder::new("first"));
    let file = folder.file("api.json");
    let (people, drawn) = open(&runtime, Some(&file));
    let password = drawn.unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains(&password));
    let log_in = |people: &People, password: &str| {
        runtime.handle().wait_for(people.log_in(FIRST_USER, (password, None), None))
    };
    let (token, role) = log_in(&people, &password).unwrap();
    assert_eq!(role, Role::Administrator);
    assert_eq!(people.by_token(&token).unwrap().name, FIRST_USER);
    assert_eq!(log_in(&people, "wrong").unwrap_err().code, ErrorCode::BadUserNameOrPassword);
    let change = PasswordChange { old_pwd: password.clone(), new_pwd: "another one".to_owned() };
    let changed = people.change_password(FIRST_USER, change, None, Some(&token));
    runtime.handle().wait_for(changed).unwrap();
    // It is there after a restart, and no other is made.
    let (people, drawn) = open(&runtime, Some(&file));
    assert!(drawn.is_none() && log_in(&people, &password).is_err());
    assert!(log_in(&people, "another one").is_ok());
    assert_eq!(people.by_token(&token).unwrap_err().code, ErrorCode::BadToken);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn somebody_can_always_change_something() {
    let runtime = Runtime::start(2).unwrap();
    let (people, _) = open(&runtime, None);
    let code = |result: Result<(), plexus_api_model::ApiError>| result.unwrap_err().code;
    let viewer = || UserUpdate { role: Some(Role::Viewer), description: None };
    assert_eq!(
        code(runtime.handle().wait_for(people.delete_user(FIRST_USER))),
        ErrorCode::NotAllowed
    );
    assert_eq!(
        code(runtime.handle().wait_for(people.change_user(FIRST_USER, viewer())).map(drop)),
        ErrorCode::NotAllowed
    );
    let add = |new| runtime.handle().wait_for(people.add_user(new));
    add(user("ann", Role::Administrator)).unwrap();
    assert_eq!(add(user("ann", Role::Viewer)).unwrap_err().code, ErrorCode::AlreadyExists);
    let (token, _) =
        runtime.handle().wait_for(people.log_in("ann", ("long enough", None), None)).unwrap();
    runtime.handle().wait_for(people.change_user(FIRST_USER, viewer())).unwrap();
    assert_eq!(code(runtime.handle().wait_for(people.delete_user("ann"))), ErrorCode::NotAllowed);
    runtime
        .handle()
        .wait_for(
            people.change_user(
                FIRST_USER,
                UserUpdate { role: Some(Role::Administrator), ..viewer() },
            ),
        )
        .unwrap();
    runtime.handle().wait_for(people.change_user("ann", viewer())).unwrap();
    assert_eq!(people.by_token(&token).unwrap().role, Role::Viewer, "log-ins go on with it");
    runtime.handle().wait_for(people.delete_user("ann")).unwrap();
    assert_eq!(people.by_token(&token).unwrap_err().code, ErrorCode::BadToken);
    assert_eq!(code(runtime.handle().wait_for(people.delete_user("ann"))), ErrorCode::UserNotFound);
}

#[test]
fn who_guesses_has_to_wait() {
    let runtime = Runtime::start(2).unwrap();
    let (people, drawn) = open(&runtime, None);
    let peer = Some("192.0.2.1".parse().unwrap());
    let log_in = |password: &str| {
        runtime.handle().wait_for(people.log_in(FIRST_USER, (password, None), peer))
    };
    let guesses = (0..20).map(|_| log_in("wrong guess").unwrap_err().code);
    let waits = guesses.skip_while(|code| *code == ErrorCode::BadUserNameOrPassword);
    assert!(waits.count() > 0);
    // The right one has to wait, too.
    assert_eq!(log_in(&drawn.unwrap()).unwrap_err().code, ErrorCode::TooManyRequests);
}

#[test]
fn a_key_opens_while_it_is_in_force() {
    let runtime = Runtime::start(1).unwrap();
    let (people, _) = open(&runtime, None);
    let made = runtime.handle().wait_for(people.add_key(key("board", None))).unwrap();
    let opens = || people.by_key(&made.key.api_key, &made.api_secret).map(|caller| caller.name);
    assert_eq!(opens().unwrap(), "board");
    assert!(people.by_key(&made.key.api_key, "guessed").is_err());
    let set = |enable, millis| {
        let (enable, expired_at) = (Some(enable), Some(Moment::from_millis(millis)));
        ApiKeyUpdate { enable, expired_at, ..ApiKeyUpdate::default() }
    };
    runtime.handle().wait_for(people.change_key("board", set(false, u64::MAX / 2))).unwrap();
    assert_eq!(opens().unwrap_err().code, ErrorCode::BadApiKeyOrSecret);
    runtime.handle().wait_for(people.change_key("board", set(true, 1))).unwrap();
    assert!(people.key("board").unwrap().expired && opens().is_err());
    runtime.handle().wait_for(people.change_key("board", set(true, u64::MAX / 2))).unwrap();
    assert!(opens().is_ok());
    runtime.handle().wait_for(people.delete_key("board")).unwrap();
    assert!(opens().is_err());
}

#[test]
fn a_book_that_is_none_stops_the_start() {
    let (runtime, folder) = (Runtime::start(1).unwrap(), Folder::new("broken"));
    for text in ["", "{", "[]", r#"{"version":1,"users":{"a":{}}}"#] {
        fs::write(folder.file("api.json"), text).unwrap();
        let error = People::open(Some(folder.file("api.json")), runtime.handle(), Seed::new(1))
            .unwrap_err();
        assert!(matches!(error, BookError::Form(..)), "{text}: {error}");
    }
    fs::write(folder.file("api.json"), r#"{"version":2}"#).unwrap();
    let error =
        People::open(Some(folder.file("api.json")), runtime.handle(), Seed::new(1)).unwrap_err();
    assert!(matches!(error, BookError::Version { version: 2, .. }), "{error}");
}

#[test]
fn names_that_would_not_fit_into_a_path_are_refused() {
    let runtime = Runtime::start(1).unwrap();
    let (people, _) = open(&runtime, None);
    for name in ["", " a", "a/b", "a:b", "a\n", &"a".repeat(257)] {
        let added = runtime.handle().wait_for(people.add_user(user(name, Role::Viewer)));
        assert_eq!(added.unwrap_err().code, ErrorCode::BadRequest, "{name:?}");
        assert!(runtime.handle().wait_for(people.add_key(key(name, None))).is_err(), "{name:?}");
    }
    let short = NewUser { password: "1234567".to_owned(), ..user("ann", Role::Viewer) };
    assert!(runtime.handle().wait_for(people.add_user(short)).is_err());
}

#[test]
fn a_second_factor_is_asked_for_when_it_was_confirmed_and_its_codes_hold_once() {
    let (runtime, folder) = (Runtime::start(2).unwrap(), Folder::new("mfa"));
    let open =
        || People::open(Some(folder.file("api.json")), runtime.handle(), Seed::new(1)).unwrap();
    let (people, password) = open();
    let password = password.unwrap();
    let log_in = |people: &People, code: Option<&str>| {
        let shown = (password.as_str(), code);
        runtime.handle().wait_for(people.log_in(FIRST_USER, shown, None)).map(drop)
    };
    let code = |error: Result<(), plexus_api_model::ApiError>| error.unwrap_err().code;
    let begun = people.begin_mfa(FIRST_USER, "n").unwrap();
    assert!(begun.uri.contains(&begun.secret));
    log_in(&people, None).unwrap();
    let confirm =
        |shown: &str| runtime.handle().wait_for(people.confirm_mfa(FIRST_USER, shown, None));
    assert_eq!(code(confirm("000000")), ErrorCode::BadMfaToken);
    // As an app makes them.
    let now = super::totp::codes_around(&begun.secret, plexus_runtime::unix_now());
    confirm(&now[1]).unwrap();
    assert_eq!(code(log_in(&people, None)), ErrorCode::BadMfaToken);
    assert_eq!(code(log_in(&people, Some(&now[1]))), ErrorCode::BadMfaToken, "it was used");
    log_in(&people, Some(&now[2])).unwrap();
    assert_eq!(people.begin_mfa(FIRST_USER, "n").unwrap_err().code, ErrorCode::NotAllowed);
    // It outlives the node, and an end of it.
    drop(people);
    let (people, _) = open();
    assert_eq!(code(log_in(&people, None)), ErrorCode::BadMfaToken);
    assert_eq!(people.users()[0].mfa, Mfa::Totp);
    // A right password makes no guesses free.
    let tried: Vec<_> = (0..12).map(|_| code(log_in(&people, Some("000000")))).collect();
    assert_eq!(tried.last(), Some(&ErrorCode::TooManyRequests), "{tried:?}");
    runtime.handle().wait_for(people.end_mfa(FIRST_USER)).unwrap();
    assert_eq!(people.users()[0].mfa, Mfa::None);
}

#[test]
fn people_of_another_node_are_merged_and_somebody_can_change_everything() {
    let runtime = Runtime::start(2).unwrap();
    let ((people, password), (other, _)) = (open(&runtime, None), open(&runtime, None));
    let wait = runtime.handle();
    wait.wait_for(other.add_user(user("ann", Role::Viewer))).unwrap();
    let stored = other.stored_book().unwrap();
    assert_eq!(wait.wait_for(people.merge(stored.clone(), false)).unwrap(), (1, 1));
    let password = password.unwrap();
    wait.wait_for(people.log_in(FIRST_USER, (&password, None), None)).unwrap();
    wait.wait_for(people.log_in("ann", ("long enough", None), None)).unwrap();
    assert_eq!(wait.wait_for(people.merge(stored.clone(), true)).unwrap(), (2, 0));
    assert!(wait.wait_for(people.log_in(FIRST_USER, (&password, None), None)).is_err());
    // Nobody would be left who can change anything.
    let mut viewers = stored;
    viewers["users"][FIRST_USER]["role"] = "viewer".into();
    let error = wait.wait_for(people.merge(viewers, true)).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotAllowed);
    for wrong in ["{}", r#"{"version":1,"users":{"x":{"password":"plain","role":"viewer"}}}"#] {
        let wrong = serde_json::from_str(wrong).unwrap();
        assert_eq!(
            wait.wait_for(people.merge(wrong, true)).unwrap_err().code,
            ErrorCode::BadRequest
        );
    }
}
