//! paho-mqtt, the Python client.

use super::broker::{Broker, python_program, run};

#[test]
fn the_python_client_is_served_in_full() {
    let broker = Broker::all();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/clients/paho_suite.py");
    let python = python_program();
    let ports = ["tcp", "tls", "ws", "wss"].map(|scheme| broker.port(scheme).to_string());
    let cafile = broker.folder.0.join("cert.pem").display().to_string();
    let mut words = vec![script.to_owned()];
    words.extend(ports);
    words.push(cafile);
    let said = run(&python, &words);
    assert!(said.trim_end().ends_with("all done"), "{said}");
}
