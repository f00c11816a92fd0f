//! mqtt.js, the client of Node and the browser.

use super::broker::{Broker, run};

#[test]
fn the_javascript_client_is_served_in_full() {
    let broker = Broker::all();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/clients/mqttjs_suite.js");
    let ports = ["tcp", "tls", "ws", "wss"].map(|scheme| broker.port(scheme).to_string());
    let mut words = vec![script.to_owned()];
    words.extend(ports);
    let said = run("node", &words);
    assert!(said.trim_end().ends_with("all done"), "{said}");
}
