//! Where `serve --demo` keeps its file and its key, and what its tokens are called.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

use crate::tokens::MIN_SECRET;

const DIRECTORY: &str = "data";
/// Issuer and audience of the demo's tokens.
pub const NAME: &str = "customer-integration-demo";

/// The demo's database.
pub fn database_url() -> String {
    format!("sqlite://{DIRECTORY}/customer-integration.db")
}

/// Makes the directory when there is none yet.
pub fn make_directory() -> anyhow::Result<()> {
    fs::create_dir_all(DIRECTORY).context("cannot create the directory ./data")
}

/// The demo's key, made when there is none yet and readable by its owner only.
pub fn key() -> anyhow::Result<String> {
    let path = PathBuf::from(DIRECTORY).join("demo.key");
    if let Ok(key) = fs::read_to_string(&path) {
        let key = key.trim();
        // with an empty one, anybody could sign
        anyhow::ensure!(
            key.len() >= MIN_SECRET,
            "{} is damaged: remove it, and another one is made",
            path.display()
        );
        return Ok(key.to_owned());
    }
    make_directory()?;
    let key: String = std::iter::repeat_with(|| format!("{:016x}", rand::random::<u64>()))
        .take(4)
        .collect();
    write_private(&path, &key).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(key)
}

fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
