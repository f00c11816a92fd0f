//! The built binary from outside: independent clients of four ecosystems, signals, limits.

mod alarms;
mod broker;
mod certificates;
mod crashes;
mod deliveries;
mod floods;
mod identities;
mod limits;
mod mosquitto;
mod mqttjs;
mod paho;
mod raw;
mod resent;
mod rumqtt;
mod scram;
mod shared_bodies;
mod signals;
mod tokens;
