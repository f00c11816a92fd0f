//! SCRAM over AUTH of MQTT 5.0, by a client that has nothing of ours.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use super::broker::{Broker, python_program, run};

const PASSWORD: &str = "correct, horse = staple";

/// What `plexus passwd --print` shows for the password.
fn entry(function: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plexus"))
        .args(["passwd", "--print", "--scram", function, "--iterations", "4096"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("plexus starts");
    let mut stdin = child.stdin.take().expect("piped");
    writeln!(stdin, "{PASSWORD}").expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("ended");
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

#[test]
fn scram_lets_in_who_knows_the_password_and_again_later() {
    let (short, long) = (entry("sha256"), entry("sha512"));
    assert!(short.starts_with("SCRAM-SHA-256$4096:"), "{short}");
    let broker = Broker::configured(&format!(
        "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n\
         [access.lockout]\nfailures = \"off\"\n\
         [access.users]\n\"r=7,north\" = {short:?}\nann = {long:?}\n"
    ));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/clients/scram_suite.py");
    for (user, method) in [("r=7,north", "SCRAM-SHA-256"), ("ann", "SCRAM-SHA-512")] {
        let port = broker.port("tcp").to_string();
        let words = [script, &port, user, PASSWORD, method].map(str::to_owned);
        let said = run(&python_program(), &words);
        assert!(said.trim_end().ends_with("all done"), "{said}");
    }
}
