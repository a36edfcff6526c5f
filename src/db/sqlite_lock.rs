//! Process lock of an SQLite file.
//!
//! Cached data is current only because no other process writes to the file
//! ([`super::commit_counters`]). So a second process is rejected by a lock on a separate file next
//! to the database, because SQLite's own locks last for a transaction only.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::DatabaseUrl;

/// The lock on a database. Released when dropped or when the process ends, even by a crash.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "only held, never read")] Option<File>);

/// Locks a database for this process. Does nothing on PostgreSQL, which any number of processes may
/// use.
///
/// # Errors
///
/// If another process holds the lock, or a file cannot be opened.
pub fn lock_database(url: &DatabaseUrl) -> anyhow::Result<FileLock> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(FileLock(None));
    };
    // the file must exist before its path can be made canonical
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot open {path} (its directory must exist)"))?;
    let lock = lock_path(Path::new(path))?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock)
        .with_context(|| format!("cannot open {}", lock.display()))?;
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

/// The path of the lock file: next to the database, after all links are resolved.
fn lock_path(database: &Path) -> anyhow::Result<PathBuf> {
    let canonical = database
        .canonicalize()
        .with_context(|| format!("cannot find {}", database.display()))?;
    let mut path = canonical.into_os_string();
    path.push(".lock");
    Ok(path.into())
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
    fn postgres_is_not_locked() {
        assert!(lock_database(&"postgres://h/d".parse().unwrap()).is_ok());
    }
}
