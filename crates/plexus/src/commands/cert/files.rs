//! The folder of certificates: keys for their owner only, and nothing half written.

use std::{
    fs::{self, DirBuilder, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use plexus_net::read_regular_file;
use plexus_terminal::Failure;

use crate::commands::passwd::create_private;

const FILE_SIZE_MAX: u64 = 64 * 1024;
/// Certificates are there to be shown.
const CERTIFICATE_MODE: u32 = 0o644;
const KEY_MODE: u32 = 0o600;

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// A file of it, as a message or a command line has it.
    pub(super) fn shown(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Its real place, once it is there.
    pub(super) fn absolute(&self, name: &str) -> PathBuf {
        fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone()).join(name)
    }

    /// Whether it has a certificate or a key of that name.
    pub(super) fn has(&self, stem: &str) -> bool {
        // A link that leads nowhere is there as well.
        ["pem", "key"]
            .iter()
            .any(|end| fs::symlink_metadata(self.0.join(format!("{stem}.{end}"))).is_ok())
    }

    /// Certificate and key of the authority, if it is there.
    pub(super) fn authority(&self) -> Result<Option<(String, String)>, Failure> {
        match (self.read("ca.pem")?, self.read("ca.key")?) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            (found, _) => {
                let (here, lost) =
                    if found.is_some() { ("ca.pem", "ca.key") } else { ("ca.key", "ca.pem") };
                let (here, lost) = (self.shown(here), self.shown(lost));
                Err(Failure::Failed(format!(
                    "{here} is there and {lost} is not: the authority cannot sign; bring {lost} \
                     back, or use another --dir"
                )))
            }
        }
    }

    /// Makes it if it is missing.
    pub(super) fn make(&self) -> Result<(), Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(|error| {
            Failure::because(format_args!("cannot make the folder {}", self.0.display()), &error)
        })
    }

    /// Writes a certificate and its key. The key comes first: a certificate is there with its key or not.
    pub(super) fn put(&self, stem: &str, certificate: &str, key: &str) -> Result<(), Failure> {
        self.write(&format!("{stem}.key"), key, KEY_MODE)?;
        self.write(&format!("{stem}.pem"), certificate, CERTIFICATE_MODE)
    }

    /// In one step: a reader, and a crash, find the old file or the new one, never half.
    fn write(&self, name: &str, text: &str, mode: u32) -> Result<(), Failure> {
        let target = self.0.join(name);
        let beside = self.0.join(format!("{name}.{}.new", std::process::id()));
        let written = create_private(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.set_permissions(Permissions::from_mode(mode))?;
            file.sync_all()?;
            fs::rename(&beside, &target)
        });
        written.map_err(|error| {
            drop(fs::remove_file(&beside));
            Failure::because(format_args!("cannot write {}", target.display()), &error)
        })
    }

    fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.0.join(name);
        let failed = |error: &io::Error| {
            Failure::because(format_args!("cannot read {}", path.display()), error)
        };
        match read_regular_file(&path, FILE_SIZE_MAX) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(failed(&io::Error::other("it is not UTF-8"))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }
}
