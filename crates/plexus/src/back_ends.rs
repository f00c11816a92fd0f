//! What reaches others than this machine's files, as far as the program was built with it.

use std::path::Path;

use plexus_admission::Fetch;
use plexus_config::BackEnds;

/// Those that the program was built with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Built;

impl BackEnds for Built {
    fn document(&self, _url: &str, _authorities: Option<&Path>) -> Result<Fetch, String> {
        Err("this program was built without an HTTP client".to_owned())
    }
}
