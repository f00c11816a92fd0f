//! The program from outside: what it prints, how it ends.

mod config;
mod help;
mod passwd;
mod program;
mod serve;
