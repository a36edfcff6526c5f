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

/// The demo's signing key in `./data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoKey {
    /// Created if it is missing, readable only by its owner.
    CreateIfMissing,
    /// An error if it is missing.
    Existing,
}

impl DemoKey {
    /// Reads the key.
    ///
    /// # Errors
    /// If it cannot be read or created.
    pub fn load(self) -> anyhow::Result<String> {
        let path = PathBuf::from(DIRECTORY).join("demo.key");
        match fs::read_to_string(&path) {
            Ok(key) => check_key(&path, &key),
            Err(_) if self == Self::CreateIfMissing => create_key(&path),
            Err(error) => Err(error).with_context(|| {
                format!(
                    "cannot read {}; run `serve --demo` in this directory first",
                    path.display()
                )
            }),
        }
    }
}

fn check_key(path: &Path, key: &str) -> anyhow::Result<String> {
    let key = key.trim();
    // Anyone could sign tokens with a truncated or empty key.
    anyhow::ensure!(
        key.len() >= MIN_SECRET_BYTES,
        "{} is damaged; remove it to generate a new key",
        path.display()
    );
    Ok(key.to_owned())
}

fn create_key(path: &Path) -> anyhow::Result<String> {
    create_directory()?;
    let key: String = std::iter::repeat_with(|| format!("{:016x}", rand::random::<u64>()))
        .take(4)
        .collect();
    write_private(path, &key).with_context(|| format!("cannot write {}", path.display()))?;
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
