//! Every case of `conformance/`, played against the built broker over TCP, TLS, WebSocket and the
//! PROXY protocol; the attacks among them again and again; and those that only show in the memory
//! or the processor time of the process, or in what it does for others meanwhile.
//!
//! `conformance/README.md` names the variables that steer a run.

mod attacks;
mod cases;
mod floods;
mod ground;
mod list;
mod storms;
mod witness;
