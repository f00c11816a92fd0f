//! The program from outside: what it prints, how it ends.

mod acl;
mod api;
mod asking;
mod audit;
mod back_ends;
mod bench;
mod broker;
mod certificates;
mod client;
mod config;
mod fences;
mod help;
mod hostile_server;
mod passwd;
mod program;
mod publish;
mod reconnect;
mod reload;
mod revoked;
mod serve;
mod shut_doors;
mod store;
mod stores;
mod subscribe;
mod tenants;
mod transports;
