//! *What it is.* The files of the dashboard, which `npm run build` makes of `dashboard/`, inside the
//! program. A program that was built without them has one page, which says how to get them.
//!
//! *What it never does.* No I/O and no HTTP: whoever serves the files says what goes with them.
//!
//! *Entry points.* [`asset`].
//!
//! *Tests.* Beside the code, with and without a build.

/// A file of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its bytes, compressed where `is_gzip` says so.
    pub bytes: &'static [u8],
    /// Its media type, with the character set of texts.
    pub content_type: &'static str,
    /// Whether its bytes are compressed with gzip.
    pub is_gzip: bool,
    /// Whether its path names its content, so that it may be kept for ever.
    pub is_immutable: bool,
}

/// Path, whether it is compressed, and the bytes.
type Row = (&'static str, bool, &'static [u8]);

static BUILT: &[Row] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What a browser gets where the dashboard was not built.
static MISSING: &[Row] = &[("/index.html", false, include_bytes!("missing.html"))];

const INDEX: &str = "/index.html";

/// Files whose names hold a digest of their content.
const HASHED: &str = "/assets/";

/// The media type of each kind of file that a build has.
const TYPES: [(&str, &str); 9] = [
    (".html", "text/html; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    (".json", "application/json"),
    (".txt", "text/plain; charset=utf-8"),
    (".svg", "image/svg+xml"),
    (".png", "image/png"),
    (".ico", "image/x-icon"),
    (".woff2", "font/woff2"),
];

/// The file at a path, which begins with `/`. Paths whose last part has no dot are pages of the
/// dashboard itself, which finds its way from them: they get the page that it begins with. None for a
/// file that is not there.
pub fn asset(path: &str) -> Option<Asset> {
    let rows = if BUILT.iter().any(|(path, ..)| *path == INDEX) { BUILT } else { MISSING };
    find(rows, path)
}

fn find(rows: &[Row], path: &str) -> Option<Asset> {
    let last = path.rsplit('/').next().unwrap_or_default();
    let wanted = if last.contains('.') { path } else { INDEX };
    let (path, is_gzip, bytes) = rows.iter().find(|(path, ..)| *path == wanted)?;
    let content_type = TYPES
        .iter()
        .find(|(end, _)| path.ends_with(end))
        .map_or("application/octet-stream", |(_, content_type)| content_type);
    let is_immutable = path.starts_with(HASHED);
    Some(Asset { bytes, content_type, is_gzip: *is_gzip, is_immutable })
}

#[cfg(test)]
mod tests;
