//! An SQLite file has one process that writes to it.
//!
//! What the process keeps in memory is current because nobody else writes ([`super::commit_counters`]). So a second one is refused,
//! by a lock on a file beside the database: SQLite's own locks are on the database, and last a statement only.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::DatabaseUrl;

/// The right to write to a database; given back when dropped, or when the process ends, however it ends.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "held, never used")] Option<File>);

/// Claims a database for this process. PostgreSQL is for any number of them.
pub fn lock_database(url: &DatabaseUrl) -> anyhow::Result<FileLock> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Ok(FileLock(None));
    };
    // only what exists has one name, whatever links lead to it
    let made = OpenOptions::new().create(true).append(true).open(path);
    made.with_context(|| {
        format!("cannot open {path} (the directory of an SQLite file must exist)")
    })?;
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
            "another process of this service is using {path}: an SQLite file has one process at a time. Stop the other one, or \
             run several instances on PostgreSQL"
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", lock.display()))
        }
    }
}

/// The lock's file is beside the file that a path leads to, by whatever links.
fn lock_path(database: &Path) -> anyhow::Result<PathBuf> {
    let real = database
        .canonicalize()
        .with_context(|| format!("cannot find {}", database.display()))?;
    let mut path = real.into_os_string();
    path.push(".lock");
    Ok(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_is_refused_by_whatever_path_until_the_first_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let url = |path: &Path| {
            format!("sqlite://{}", path.display())
                .parse::<DatabaseUrl>()
                .unwrap()
        };
        let linked = directory.path().join("link.db");
        std::os::unix::fs::symlink(&path, &linked).unwrap();
        let first = lock_database(&url(&linked)).unwrap();
        for second in [lock_database(&url(&path)), lock_database(&url(&linked))] {
            assert!(
                second
                    .unwrap_err()
                    .to_string()
                    .contains("one process at a time")
            );
        }
        drop(first);
        lock_database(&url(&linked)).unwrap();
        assert!(lock_database(&"postgres://h/d".parse().unwrap()).is_ok());
    }
}
