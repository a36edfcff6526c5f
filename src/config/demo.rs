//! Defaults of `--demo`: a database and a signing key in `./data`.

use std::{
    fs,
    path::{Path, PathBuf, absolute},
};

use anyhow::Context as _;

use crate::{db::DatabaseUrl, tokens::MIN_SECRET_BYTES};

const DIRECTORY: &str = "data";
/// Issuer and audience of the demo's tokens.
pub const ISSUER: &str = "customer-integration-demo";

/// URL of the demo database.
pub fn database_url() -> String {
    format!("sqlite://{DIRECTORY}/customer-integration.db")
}

/// Whether the URL names an SQLite file in `./data`. The demo adds its data to no other database.
pub fn owns(url: &DatabaseUrl) -> bool {
    let DatabaseUrl::Sqlite(path) = url else {
        return false;
    };
    let parent = absolute(path)
        .ok()
        .and_then(|path| path.parent().map(Path::to_owned));
    parent.is_some() && parent == absolute(DIRECTORY).ok()
}

/// Creates `./data` if it is missing.
pub fn create_directory() -> anyhow::Result<()> {
    fs::create_dir_all(DIRECTORY).context("cannot create the directory ./data")
}

/// Reads the demo's signing key. Creates it if it is missing, readable only by its owner.
pub fn load_or_create_key() -> anyhow::Result<String> {
    let path = PathBuf::from(DIRECTORY).join("demo.key");
    if let Ok(key) = fs::read_to_string(&path) {
        let key = key.trim();
        // Anyone could sign tokens with a truncated or empty key.
        anyhow::ensure!(
            key.len() >= MIN_SECRET_BYTES,
            "{} is damaged; remove it to generate a new key",
            path.display()
        );
        return Ok(key.to_owned());
    }
    create_directory()?;
    let key: String = std::iter::repeat_with(|| format!("{:016x}", rand::random::<u64>()))
        .take(4)
        .collect();
    write_private(&path, &key).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(key)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
