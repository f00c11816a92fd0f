//! Every case of `conformance/`, played against the built broker over TCP and WebSocket, and the
//! attacks that only show in the memory or the processor time of its process.
//!
//! `conformance/README.md` names the variables that steer a run.

mod cases;
mod ground;
mod storms;
