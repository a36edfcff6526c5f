//! PostgreSQL for the tests: the server at `TEST_DATABASE_URL`, else a temporary cluster started from
//! the installed binaries. Tests that need it are ignored by default; `tests/run` includes them.
//!
//! The cluster belongs to this process: it listens on a Unix socket in a temporary directory, runs
//! without durability, and is stopped by the kernel when the process ends for any reason.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use customer_integration::db::{
    DatabaseUrl,
    migrations::{self, Direction},
};
use tokio_postgres::NoTls;

/// A PostgreSQL server on which tests create databases.
pub struct Postgres {
    /// The URL up to the database name.
    base_url: String,
    /// The query string of the URL, with `?`; empty if there is none.
    query: String,
    admin_database: String,
    template: String,
}

const PREFIX: &str = "customer-integration-pg-";
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// The PostgreSQL server of this process. Panics if none is available.
pub async fn postgres() -> &'static Postgres {
    static POSTGRES: tokio::sync::OnceCell<Postgres> = tokio::sync::OnceCell::const_new();
    POSTGRES.get_or_init(start).await
}

async fn start() -> Postgres {
    let postgres = if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        Postgres::at(&url)
    } else if let Some(binaries) = binaries() {
        cluster(&binaries)
    } else {
        panic!("no PostgreSQL: install Debian's package `postgresql`, or set TEST_DATABASE_URL")
    };
    postgres
        .execute(
            &postgres.admin_database,
            &format!("CREATE DATABASE {}", postgres.template),
        )
        .await;
    let url: DatabaseUrl = postgres.url_of(&postgres.template).parse().unwrap();
    migrations::migrate(&url, Direction::Up).await.unwrap();
    postgres
}

impl Postgres {
    fn at(url: &str) -> Self {
        let (rest, query) = url
            .split_once('?')
            .map_or((url, String::new()), |(rest, query)| {
                (rest, format!("?{query}"))
            });
        let (base, database) = rest
            .rsplit_once('/')
            .expect("TEST_DATABASE_URL must name a database");
        let template = format!("ci_template_{}", uuid::Uuid::now_v7().simple());
        Self {
            base_url: base.to_owned(),
            query,
            admin_database: database.to_owned(),
            template,
        }
    }

    /// The URL of a database.
    pub fn url_of(&self, database: &str) -> String {
        format!("{}/{database}{}", self.base_url, self.query)
    }

    /// The URL of a database, with `options` for every session.
    pub fn url_with(&self, database: &str, options: &str) -> String {
        let separator = if self.query.is_empty() { '?' } else { '&' };
        format!(
            "{}{separator}options={}",
            self.url_of(database),
            options.replace(' ', "%20").replace('=', "%3D")
        )
    }

    /// Creates a database, migrated or empty, and returns its name.
    pub async fn create_database(&self, migrated: bool) -> String {
        let name = format!("ci_test_{}", uuid::Uuid::now_v7().simple());
        let template = if migrated {
            &self.template
        } else {
            "template0"
        };
        self.execute(
            &self.admin_database,
            &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"),
        )
        .await;
        name
    }

    /// Drops a database. Runs on a separate thread, since the caller may be inside a runtime.
    pub fn drop_database(&'static self, name: String) {
        let drop = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            runtime.block_on(self.execute(&self.admin_database, &sql));
        };
        let _ = thread::spawn(drop).join();
    }

    /// Runs one or more statements.
    pub async fn execute(&self, database: &str, sql: &str) {
        self.client(database)
            .await
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Connects to a database.
    pub async fn client(&self, database: &str) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url_of(database), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }
}

/// The directory that holds `initdb` and `postgres`.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"));
    let mut candidates: Vec<_> = installed.chain(std::env::split_paths(&path)).collect();
    candidates.retain(|directory| {
        directory.join("initdb").exists() && directory.join("postgres").exists()
    });
    candidates.into_iter().next()
}

fn cluster(binaries: &Path) -> Postgres {
    remove_leftovers();
    let directory = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
    let data = directory.join("data");
    fs::create_dir_all(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let owner = owner();
    if let Some((uid, gid)) = owner {
        chown(&directory, Some(uid), Some(gid)).unwrap();
    }
    let initdb = run_as(owner, &binaries.join("initdb"))
        .args([
            "--auth=trust",
            "--username=postgres",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "-D",
        ])
        .arg(&data)
        .output()
        .unwrap();
    assert!(
        initdb.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&initdb.stderr)
    );
    keep_running(binaries.join("postgres"), directory.clone(), owner);
    let socket = directory.join(".s.PGSQL.5432");
    let started = Instant::now();
    while !(socket.exists() && is_ready(&data)) {
        assert!(
            started.elapsed() < WAIT_TIMEOUT,
            "PostgreSQL did not start; see {}",
            directory.join("log").display()
        );
        thread::sleep(Duration::from_millis(10));
    }
    Postgres::at(&format!(
        "postgres:///postgres?host={}&user=postgres",
        directory.display()
    ))
}

/// Starts the server on a thread that lives as long as the process: the kernel sends the parent-death
/// signal when the *thread* that started the child ends.
fn keep_running(postgres: PathBuf, directory: PathBuf, owner: Option<(u32, u32)>) {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        thread::spawn(move || {
            let log = fs::File::create(directory.join("log")).unwrap();
            let mut server = run_as(owner, &postgres)
                // German messages, where installed: the service must not depend on message texts
                .env("LANGUAGE", "de")
                .args(["-c", "lc_messages=C.UTF-8"])
                .arg("-D")
                .arg(directory.join("data"))
                .args([
                    "-c",
                    "listen_addresses=",
                    "-c",
                    "fsync=off",
                    "-c",
                    "synchronous_commit=off",
                ])
                // statements are counted, except for BEGIN and ROLLBACK
                .args([
                    "-c",
                    "shared_preload_libraries=pg_stat_statements",
                    "-c",
                    "pg_stat_statements.max=50000",
                ])
                .args(["-c", "pg_stat_statements.track_utility=off"])
                .args([
                    "-c",
                    "full_page_writes=off",
                    "-c",
                    "max_connections=400",
                    "-c",
                    "shared_buffers=64MB",
                    "-k",
                ])
                .arg(&directory)
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            let _ = server.wait();
        });
    });
}

/// PostgreSQL writes `ready` to the last line of its pid file.
fn is_ready(data: &Path) -> bool {
    let file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    file.lines()
        .nth(7)
        .is_some_and(|status| status.trim() == "ready")
}

/// The user and group that own the files and run the server, since `initdb` refuses root; `None` for
/// the current user.
fn owner() -> Option<(u32, u32)> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    is_root.then(|| {
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let line = users
            .lines()
            .find(|line| line.starts_with("postgres:"))
            .expect("the user `postgres` is missing");
        let ids: Vec<_> = line
            .split(':')
            .skip(2)
            .take(2)
            .map(|id| id.parse().unwrap())
            .collect();
        (ids[0], ids[1])
    })
}

/// A command that runs as `owner` and is stopped when this process ends.
fn run_as(owner: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if let Some((uid, gid)) = owner {
        command.args([
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            "--clear-groups".to_owned(),
        ]);
    }
    command
        .arg("--pdeathsig=QUIT")
        .arg(program)
        .stdin(Stdio::null())
        .current_dir("/");
    command
}

/// Removes the directories of processes that ended without cleanup.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix(PREFIX)
            .filter(|pid| !Path::new("/proc").join(pid).exists());
        if owner.is_some() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
