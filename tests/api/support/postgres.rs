//! PostgreSQL for the tests: the one named by `TEST_DATABASE_URL`, else a throw-away cluster started from the installed
//! binaries, else none – which is said plainly, and is a failure where `CI=true`.
//!
//! The cluster belongs to this process: it listens on a Unix socket in a temporary directory, does not care for durability,
//! and is stopped by the kernel when the process ends, however it ends.

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

/// Where the databases of tests are made.
pub struct Postgres {
    /// `postgres://…` up to the database's name, and what follows it.
    url: (String, String),
    admin_database: String,
    template: String,
}

const PREFIX: &str = "customer-integration-pg-";
const RETRY_LIMIT: Duration = Duration::from_secs(30);

/// The one PostgreSQL of this process; `None` when there is none to be had.
pub async fn postgres() -> Option<&'static Postgres> {
    static POSTGRES: tokio::sync::OnceCell<Option<Postgres>> = tokio::sync::OnceCell::const_new();
    POSTGRES.get_or_init(start).await.as_ref()
}

async fn start() -> Option<Postgres> {
    let postgres = if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        Postgres::at(&url)
    } else if let Some(binaries) = binaries() {
        cluster(&binaries)
    } else {
        let missing =
            "no PostgreSQL: install Debian's package `postgresql`, or set TEST_DATABASE_URL";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
        eprintln!("{missing}; ONLY SQLITE IS TESTED");
        return None;
    };
    postgres
        .execute(
            &postgres.admin_database,
            &format!("CREATE DATABASE {}", postgres.template),
        )
        .await;
    let url: DatabaseUrl = postgres.url_of(&postgres.template).parse().unwrap();
    migrations::migrate(&url, Direction::Up).await.unwrap();
    Some(postgres)
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
            url: (base.to_owned(), query),
            admin_database: database.to_owned(),
            template,
        }
    }

    /// The URL of a database.
    pub fn url_of(&self, database: &str) -> String {
        format!("{}/{database}{}", self.url.0, self.url.1)
    }

    /// The URL of a database, with settings for every session.
    pub fn url_with(&self, database: &str, options: &str) -> String {
        let joint = if self.url.1.is_empty() { '?' } else { '&' };
        format!(
            "{}{joint}options={}",
            self.url_of(database),
            options.replace(' ', "%20").replace('=', "%3D")
        )
    }

    /// A new database; migrated, or empty.
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

    /// Drops a database, from wherever a test ends.
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

    /// Runs statements, one after the other.
    pub async fn execute(&self, database: &str, sql: &str) {
        self.client(database)
            .await
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// A plain client.
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
        .map(|it| it.path().join("bin"));
    let mut candidates: Vec<_> = installed.chain(std::env::split_paths(&path)).collect();
    candidates.retain(|directory| {
        directory.join("initdb").exists() && directory.join("postgres").exists()
    });
    candidates.into_iter().next()
}

fn cluster(binaries: &Path) -> Postgres {
    sweep();
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
            started.elapsed() < RETRY_LIMIT,
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

/// Starts the server on a thread that lives as long as the process: the parent-death signal is sent when the *thread* that
/// started a child ends.
fn keep_running(postgres: PathBuf, directory: PathBuf, owner: Option<(u32, u32)>) {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        thread::spawn(move || {
            let log = fs::File::create(directory.join("log")).unwrap();
            let mut server = run_as(owner, &postgres)
                // speaks German (where its catalogue of messages is installed): nothing may depend on a message's text
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
                // statements are counted; BEGIN and ROLLBACK are none
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

/// PostgreSQL writes `ready` into the last line of its pid file.
fn is_ready(data: &Path) -> bool {
    let file = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    file.lines()
        .nth(7)
        .is_some_and(|status| status.trim() == "ready")
}

/// `initdb` refuses root: then the files belong to, and the server runs as, the package's user.
fn owner() -> Option<(u32, u32)> {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    is_root.then(|| {
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let line = users
            .lines()
            .find(|line| line.starts_with("postgres:"))
            .expect("no user `postgres`");
        let ids: Vec<_> = line
            .split(':')
            .skip(2)
            .take(2)
            .map(|id| id.parse().unwrap())
            .collect();
        (ids[0], ids[1])
    })
}

/// A command that ends with this process, run as `owner`.
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

/// Removes what processes left that ended without cleaning up.
fn sweep() {
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
