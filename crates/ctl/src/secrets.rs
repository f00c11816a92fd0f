//! Passwords: asked for on a terminal, or read from a file or from stdin, and never an argument, because
//! every user of the machine can see those.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::Path,
};

use plexus_terminal::Failure;

/// Longer ones the API does not take.
const LINE_MAX: usize = 4 * 1024;

/// Where a password comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secret<'a> {
    /// What it is, as it is asked for.
    pub(crate) what: &'a str,
    /// A file whose first line it is.
    pub(crate) file: Option<&'a Path>,
    /// Whether it is new: then it is asked for twice.
    pub(crate) is_new: bool,
}

impl Secret<'_> {
    /// Asks for it or reads it. Several that come from stdin are lines in the order in which they are asked for.
    pub(crate) fn get(self) -> Result<String, Failure> {
        let line = match self.file {
            Some(path) => {
                let file = File::open(path).map_err(|error| self.unreadable(path, &error))?;
                line(&mut BufReader::new(file)).map_err(|error| self.unreadable(path, &error))?
            }
            None if io::stdin().is_terminal() => return self.ask(),
            None => line(&mut io::stdin().lock()).map_err(|error| {
                Failure::because(format_args!("cannot read the {} from stdin", self.what), &error)
            })?,
        };
        first_line(&line).map_err(|why| Failure::Usage(format!("the {}: {why}", self.what)))
    }

    fn ask(self) -> Result<String, Failure> {
        let failed = |error: io::Error| {
            Failure::because(format_args!("cannot ask for the {}", self.what), &error)
        };
        let mut prompt = format!("{}: ", self.what);
        if let Some(first) = prompt.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let password = rpassword::prompt_password(prompt).map_err(failed)?;
        if self.is_new && rpassword::prompt_password("Once more: ").map_err(failed)? != password {
            return Err(Failure::Failed("the passwords differ; nothing was changed".to_owned()));
        }
        first_line(password.as_bytes())
            .map_err(|why| Failure::Usage(format!("the {}: {why}", self.what)))
    }

    fn unreadable(self, path: &Path, error: &io::Error) -> Failure {
        Failure::because(format_args!("cannot read the {} in {}", self.what, path.display()), error)
    }
}

/// A line and no more: what is behind it may be another one's.
fn line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LINE_MAX as u64 + 2).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The first line, without its end.
pub(crate) fn first_line(bytes: &[u8]) -> Result<String, &'static str> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err("it is empty"),
        Ok(line) if line.len() > LINE_MAX => Err("it is longer than 4,096 bytes"),
        Ok(line) => Ok(line.to_owned()),
        Err(_) => Err("it is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{LINE_MAX, first_line, line};

    #[test]
    fn a_secret_is_the_first_line() {
        assert_eq!(first_line(b"secret\n").as_deref(), Ok("secret"));
        assert_eq!(first_line(b"secret\r\nmore").as_deref(), Ok("secret"));
        assert_eq!(first_line(b"with space ").as_deref(), Ok("with space "));
        assert_eq!(first_line(b"\nsecret"), Err("it is empty"));
        assert_eq!(first_line(b"\xFF"), Err("it is not UTF-8"));
        assert!(first_line(&[b'a'; LINE_MAX]).is_ok());
        assert_eq!(first_line(&[b'a'; LINE_MAX + 1]), Err("it is longer than 4,096 bytes"));
    }

    #[test]
    fn several_secrets_are_several_lines() {
        let mut stdin = Cursor::new("old\nnew\n");
        assert_eq!(line(&mut stdin).unwrap(), b"old\n");
        assert_eq!(line(&mut stdin).unwrap(), b"new\n");
        assert!(line(&mut Cursor::new(vec![b'a'; 1 << 20])).unwrap().len() < 5_000);
    }
}
