//! Puts what `npm run build` has left in `dashboard/dist` into the program. Without it there is
//! nothing to put in, and the program says how to build it.

use std::{env, fmt::Write, fs, io, path::Path};

/// Where the build is, as seen from this crate. The folder itself is always there, so that cargo
/// notices when something comes into it.
const DIST: &str = "../../dashboard/dist";

fn main() -> io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join(DIST);
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut paths = Vec::new();
    if dist.is_dir() {
        collect(&dist, "", &mut paths)?;
    }
    paths.sort();
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script so where to write")]
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("assets.rs"), table(&dist, &paths))
}

/// The paths of all files below a folder, but for hidden ones, which are notes of the build.
fn collect(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| {
            io::Error::other(format!(
                "dashboard/dist has a file whose name is no text: {}",
                name.display()
            ))
        })?;
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}/{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// The rows of the table: path, whether it is compressed, and the bytes. A file that has a
/// compressed one beside it is that one.
fn table(dist: &Path, paths: &[String]) -> String {
    let mut rows = String::from("&[");
    let is_packed = |path: &str| Path::new(path).extension().is_some_and(|kind| kind == "gz");
    for path in paths.iter().filter(|path| !is_packed(path)) {
        let packed = format!("{path}.gz");
        // The page itself is small, and wanted by programs that unpack nothing.
        let is_gzip = paths.contains(&packed) && path != "/index.html";
        let file = format!("{}{}", dist.display(), if is_gzip { &packed } else { path });
        let written = write!(rows, "({path:?}, {is_gzip}, include_bytes!({file:?})),");
        written.expect("invariant: a text can be written to");
    }
    rows.push(']');
    rows
}
