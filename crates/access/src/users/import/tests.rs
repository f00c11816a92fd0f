use super::{Found, ImportError, ImportProblem, csv, json, mosquitto};
use crate::{HashError, Login, NameError, PasswordScheme, Users};

const SHA256: &str = "1495b377a349e723baeccd6015a0ef0dc18f5a789e00ee8a897df2bb9ac7df1b";

fn scheme(text: &str) -> PasswordScheme {
    text.parse().unwrap()
}

/// Whether the users log in with `secret`, once they are lines of a user file.
fn log_in(found: &Found) -> Vec<(&str, bool)> {
    let text = crate::edit::set_all("", found);
    let users = Users::parse(text.as_bytes(), plexus_stdx::Seed::new(1)).unwrap();
    let login = |name: &str| match users.check(name, b"secret") {
        Login::Right { is_superuser } => is_superuser,
        wrong => panic!("{name}: {wrong:?}"),
    };
    found.keys().map(|name| (name.as_str(), login(name))).collect()
}

fn problem(read: Result<Found, ImportError>) -> (usize, ImportProblem) {
    let error = read.unwrap_err();
    (error.line, error.problem)
}

#[test]
fn comma_separated_values_are_read_by_their_columns() {
    let salted = format!(
        "user_id,password_hash,salt,is_superuser\r\nalice,{SHA256},NaCl-of-2026,true\r\n\r\n\
         \"o\"\"k, really\",{SHA256},\"NaCl-of-2026\",false\r\n"
    );
    let found = csv(&salted, scheme("sha256")).unwrap();
    assert_eq!(log_in(&found), [("alice", true), ("o\"k, really", false)]);
    // Python: hashlib.sha512(b"secret").hexdigest(), bcrypt by libxcrypt.
    let unsalted =
        "password_hash,user_id\n$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW,bob\n";
    assert_eq!(log_in(&csv(unsalted, scheme("bcrypt")).unwrap()), [("bob", false)]);
}

#[test]
fn mistakes_in_comma_separated_values_have_their_line() {
    let read = |text: &str| problem(csv(text, scheme("sha256")));
    assert_eq!(read("\n"), (1, ImportProblem::Empty));
    assert_eq!(read("user_id,password_hash\n"), (1, ImportProblem::Empty));
    for first in ["user_id,hash", "user_id", "user_id,user_id,password_hash", "alice,secret", "\"x"]
    {
        assert_eq!(read(&format!("{first}\n")), (1, ImportProblem::Columns), "{first}");
    }
    let behind = |line: &str| read(&format!("user_id,password_hash,salt,is_superuser\n\n{line}\n"));
    for line in
        ["alice", &format!("alice,{SHA256},s,true,x"), "alice,\"x,s,true", "a,\"x\"y,s,true"]
    {
        assert_eq!(behind(line), (3, ImportProblem::Fields), "{line}");
    }
    assert_eq!(behind(&format!("alice,{SHA256},s,1")), (3, ImportProblem::Flag("alice".into())));
    assert_eq!(behind(&format!(",{SHA256},s,true")), (3, ImportProblem::Name(NameError::Empty)));
    let (line, hash) = behind("alice,secret,s,true");
    assert!(
        line == 3
            && matches!(hash, ImportProblem::Hash(name, HashError::Output(_)) if name == "alice")
    );
    let twice = format!("alice,{SHA256},s,true\nalice,{SHA256},s,true");
    assert_eq!(behind(&twice), (4, ImportProblem::Twice("alice".into())));
}

#[test]
fn a_list_of_json_is_read() {
    let text = format!(
        r#"[{{ "user_id": "alice", "password_hash": "{SHA256}", "salt": "NaCl-of-2026", "is_superuser": true }},
            {{ "password_hash": "{SHA256}", "user_id": "bob", "salt": "NaCl-of-2026" }}]"#
    );
    let found = json(&text, scheme("sha256")).unwrap();
    assert_eq!(log_in(&found), [("alice", true), ("bob", false)]);
}

#[test]
fn mistakes_in_json_have_their_line() {
    let read = |text: &str| problem(json(text, scheme("sha256")));
    assert_eq!(read("[]"), (1, ImportProblem::Empty));
    let shape = |text: &str| {
        let (line, problem) = read(text);
        assert!(matches!(problem, ImportProblem::Json(_)), "{problem}");
        line
    };
    assert_eq!(shape("{}"), 1);
    assert_eq!(shape("[\n"), 2);
    assert_eq!(shape("[\n1]"), 2);
    let one = format!(r#"{{"user_id":"alice","password_hash":"{SHA256}"}}"#);
    assert_eq!(shape(&format!("[\n\n{one}] x")), 3);
    assert_eq!(shape(&format!("[\n{}]", one.replace("hash", "sum"))), 2);
    assert_eq!(read(&format!("[{one},\n{one}]")), (2, ImportProblem::Twice("alice".into())));
    let (line, problem) = read(&format!("[{one},\n\n{}]", one.replace(SHA256, "secret")));
    assert!(line == 3 && matches!(problem, ImportProblem::Hash(..)), "{line} {problem}");
}

/// Made by `mosquitto_passwd -b FILE alice secret` and, for the second, `-H sha512 … bob secret`.
const MOSQUITTO: &str = "# made elsewhere\n\
     alice:$7$101$NSO7rnzcEgsKZOny$7ZWRu/UPssjy2kBHZkqCT9dOKj2cQru9eTckOHNYfMIpxm1M4j\
      OAfEDdo9uvJfGyqG/VQ73jmD4Qr4rahU/zaQ==\n\
     bob:$6$I1VPWEe/yQV9FfoH$PqNtcwQsaox1j66jbhj78NhQ+Nz6EoSBIVM1hszk4gsRDGFg6CfIG3PO\
      UFZfRtme7OA22n0nCkhDKC6lnyyMwA==\n";

#[test]
fn a_password_file_of_mosquitto_is_read() {
    let found = mosquitto(MOSQUITTO).unwrap();
    assert_eq!(log_in(&found), [("alice", false), ("bob", false)]);
    assert!(!found["alice"].password.is_weak() && found["bob"].password.is_weak());
}

#[test]
fn mistakes_in_a_password_file_of_mosquitto_have_their_line() {
    let read = |text: &str| problem(mosquitto(text));
    assert_eq!(read("# nobody\n"), (1, ImportProblem::Empty));
    assert_eq!(read("# a\nalice:secret\n"), (2, ImportProblem::NoColon));
    assert_eq!(read("alice\n"), (1, ImportProblem::NoColon));
    assert_eq!(read("alice:$5$c2FsdA==$AAAA\n"), (1, ImportProblem::NoColon));
    assert_eq!(read(&format!("{MOSQUITTO}{MOSQUITTO}")).0, 5);
    let hash = |line: &str| match read(line) {
        (1, ImportProblem::Hash(_, error)) => error,
        other => panic!("{line}: {other:?}"),
    };
    assert!(matches!(hash("alice:$7$101$$AAAA\n"), HashError::Salt(_)));
    assert!(matches!(hash("alice:$7$101$AAAA$AAAA\n"), HashError::Output(_)));
    assert!(matches!(hash("alice:$7$x$AAAA$AAAAAAAAAAAAAAAAAAAAAA\n"), HashError::Cost(_)));
    assert!(matches!(hash("alice:$7$5000001$AAAA$AAAAAAAAAAAAAAAAAAAAAA\n"), HashError::Cost(_)));
    assert!(matches!(hash("alice:$6$AAAA$AAAA\n"), HashError::Output(_)));
}
