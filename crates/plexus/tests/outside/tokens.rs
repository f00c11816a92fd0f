//! JSON Web Tokens, shown by an independent client.

use super::broker::{Broker, python_program, run};

const SECRET: &str = "a secret that both sides share and nobody else knows";

#[test]
fn tokens_open_the_door_and_bring_rights_that_end() {
    let broker = Broker::configured(&format!(
        "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n\
         [[access.jwt]]\nname = \"tokens\"\nsecret = {SECRET:?}\nuser_name_claim = \"sub\"\n\
         leeway = \"0s\"\n"
    ));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/clients/paho_tokens.py");
    let words = [script.to_owned(), broker.port("tcp").to_string(), SECRET.to_owned()];
    let said = run(&python_program(), &words);
    assert!(said.trim_end().ends_with("all done"), "{said}");
}
