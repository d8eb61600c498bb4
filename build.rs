//! Embeds the bundled benchmarks, profiles and test cases, so that nothing has to be listed or installed.

#![expect(clippy::disallowed_methods, reason = "it reads the source tree, not a host")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error, fs, io};

fn main() -> Result<(), Box<dyn error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let (mut definitions, mut cases) = (Vec::new(), Vec::new());
    for folder in ["benchmarks", "profiles"] {
        println!("cargo:rerun-if-changed={folder}");
        find(&root, Path::new(folder), &mut |path| {
            let list = if path.ends_with(".test.toml") { &mut cases } else { &mut definitions };
            list.push(path.to_owned());
        })?;
    }
    let mut code = String::new();
    for (name, doc, mut paths) in
        [("DEFINITIONS", "Benchmarks and profiles: path and text.", definitions), ("CASES", "Their test cases: path and text.", cases)]
    {
        paths.sort();
        writeln!(code, "/// {doc}\npub(crate) static {name}: &[(&str, &str)] = &[")?;
        for path in paths {
            writeln!(code, "    ({path:?}, include_str!({:?})),", root.join(&path))?;
        }
        writeln!(code, "];")?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("embedded.rs"), code)?;
    Ok(())
}

/// Every `.toml` file below a folder, by its path from the root of the project.
fn find(root: &Path, folder: &Path, found: &mut impl FnMut(&str)) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            println!("cargo:rerun-if-changed={}", path.display());
            find(root, &path, found)?;
        } else if let Some(path) = path.to_str().filter(|path| path.ends_with(".toml")) {
            found(path);
        }
    }
    Ok(())
}
