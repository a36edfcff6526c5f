//! Process lock of an SQLite file.
//!
//! Cached data is current only because no other process writes to the file
//! ([`super::commit_counters`]). So a second process is rejected by a lock on a separate file next
//! to the database, because SQLite's own locks last for a transaction only.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::DatabaseUrl;

/// The lock on a database. Released when dropped or when the process ends, even by a crash.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "only held, never read")] Option<File>);

/// Permissions of all files of a database: only the owner may read and write them.
const PRIVATE: u32 = 0o600;

/// Locks a database for this process. Does nothing on PostgreSQL, which any number of processes may
/// use.
///
/// Creates the files of the database readable only by their owner, and restricts existing ones.
///
/// # Errors
///
/// If another process holds the lock, or a file cannot be opened.
pub fn lock_database(url: &DatabaseUrl) -> anyhow::Result<FileLock> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(FileLock(None));
    };
    // The file must exist before its path can be made canonical.
    open_private(Path::new(path))
        .with_context(|| format!("cannot open {path} (its directory must exist)"))?;
    let database = Path::new(path)
        .canonicalize()
        .with_context(|| format!("cannot find {path}"))?;
    let lock = with_suffix(&database, ".lock");
    let file = open_private(&lock).with_context(|| format!("cannot open {}", lock.display()))?;
    // SQLite creates these two with the permissions of the database. They exist after a crash.
    for suffix in ["-wal", "-shm"] {
        restrict(&with_suffix(&database, suffix));
    }
    match file.try_lock() {
        Ok(()) => Ok(FileLock(Some(file))),
        Err(TryLockError::WouldBlock) => bail!(
            "another process is using {path}: only one process at a time can use an SQLite file. \
             Stop the other process, or use PostgreSQL to run several instances"
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", lock.display()))
        }
    }
}

/// Opens a file for writing. Creates it if it is missing.
fn open_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(PRIVATE)
        .open(path)?;
    restrict(path);
    Ok(file)
}

/// Restricts the permissions of a file, if it exists. Only its owner can do that, so a failure is
/// logged and ignored.
fn restrict(path: &Path) {
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    if metadata.permissions().mode() & 0o777 & !PRIVATE == 0 {
        return;
    }
    if let Err(error) = fs::set_permissions(path, Permissions::from_mode(PRIVATE)) {
        tracing::warn!(path = %path.display(), %error, "other users may be able to read this file");
    }
}

/// The path of a file next to the database.
fn with_suffix(database: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut path = database.to_owned().into_os_string();
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite_url(path: &Path) -> DatabaseUrl {
        format!("sqlite://{}", path.display()).parse().unwrap()
    }

    #[test]
    fn second_lock_is_rejected_until_first_is_released() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let first = lock_database(&sqlite_url(&link)).unwrap();
        for second in [&path, &link] {
            let error = lock_database(&sqlite_url(second)).unwrap_err();
            assert!(error.to_string().contains("one process at a time"));
        }

        drop(first);
        lock_database(&sqlite_url(&link)).unwrap();
    }

    #[test]
    fn files_are_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let files = ["x.db", "x.db-wal", "x.db.lock"].map(|name| directory.path().join(name));
        for file in &files[..2] {
            fs::write(file, "").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        }
        let _lock = lock_database(&sqlite_url(&path)).unwrap();
        for file in files {
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, PRIVATE, "{}", file.display());
        }
    }

    #[test]
    fn postgres_is_not_locked() {
        assert!(lock_database(&"postgres://h/d".parse().unwrap()).is_ok());
    }
}
