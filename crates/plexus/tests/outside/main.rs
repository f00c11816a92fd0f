//! The built binary from outside: independent clients of four ecosystems, signals, limits.

mod alarms;
mod broker;
mod crashes;
mod floods;
mod limits;
mod mosquitto;
mod mqttjs;
mod paho;
mod rumqtt;
mod scram;
mod signals;
mod tokens;
