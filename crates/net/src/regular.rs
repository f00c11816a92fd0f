use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The content of a file that an operator named. What is no regular file is refused before it is
/// opened: a pipe would wait for somebody who writes, and a device need never end. A file that grows
/// while it is read is refused as well, once it is larger than `size_max`.
pub fn read_regular_file(path: &Path, size_max: u64) -> io::Result<Vec<u8>> {
    let wrong = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
    let check = |metadata: std::fs::Metadata| match metadata.is_file() {
        true => Ok(metadata.len()),
        false if metadata.is_dir() => Err(wrong("it is a directory".to_owned())),
        false => Err(wrong("it is no regular file but a pipe, socket or device".to_owned())),
    };
    let too_large = || wrong(format!("it is larger than {size_max} bytes"));
    check(std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    // Another file may have come in its place.
    let size = check(file.metadata()?)?;
    if size > size_max {
        return Err(too_large());
    }
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(size_max.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > size_max { Err(too_large()) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read_regular_file;

    #[test]
    fn what_does_not_end_is_not_read() {
        let error = |path: &str| read_regular_file(Path::new(path), 8).unwrap_err().to_string();
        assert_eq!(error("/dev/zero"), "it is no regular file but a pipe, socket or device");
        assert_eq!(error("/"), "it is a directory");
        // It says that it has no bytes, and has some.
        assert_eq!(error("/proc/self/status"), "it is larger than 8 bytes");
        assert!(read_regular_file(Path::new("/proc/self/status"), 1 << 20).is_ok());
    }
}
