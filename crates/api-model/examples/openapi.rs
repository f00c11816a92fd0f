//! Prints the description of the API: `cargo run -p plexus-api-model --example openapi > docs/api/openapi.json`.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    println!("{:#}", plexus_api_model::openapi(env!("CARGO_PKG_VERSION")));
}
