//! Files that commands name; `-` is stdin.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use plexus_terminal::Failure;

/// The bytes of a file, and an error where there are more than that.
pub(crate) fn read(file: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: io::Error| Failure::because(format_args!("cannot read {}", file.display()), &error);
    let from: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(file).map_err(failed)?),
    };
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let (file, most) = (file.display(), most / (1024 * 1024));
        let message = format!("{file}: it is longer than the {most} MiB that the API takes");
        return Err(Failure::Failed(message));
    }
    Ok(bytes)
}
