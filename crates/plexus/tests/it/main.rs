//! The program from outside: what it prints, how it ends.

mod acl;
mod back_ends;
mod bench;
mod broker;
mod config;
mod help;
mod passwd;
mod program;
mod publish;
mod reconnect;
mod reload;
mod serve;
mod store;
mod subscribe;
mod transports;
