//! PostgreSQL for the tests: the server at `TEST_DATABASE_URL`, otherwise a temporary cluster of
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

/// The start of the names of temporary directories; the process id follows.
const DIRECTORY_PREFIX: &str = "customer-integration-pg-";
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The PostgreSQL server of this process. Panics if none is available.
pub async fn postgres() -> &'static Postgres {
    static POSTGRES: tokio::sync::OnceCell<Postgres> = tokio::sync::OnceCell::const_new();
    POSTGRES.get_or_init(start).await
}

async fn start() -> Postgres {
    let postgres = if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        Postgres::from_url(&url)
    } else if let Some(binaries) = find_binaries() {
        start_cluster(&binaries)
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
    fn from_url(url: &str) -> Self {
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

    /// Creates a database with the current schema and returns its name.
    pub async fn create_migrated_database(&self) -> String {
        self.create_database(&self.template).await
    }

    /// Creates a database without tables and returns its name.
    pub async fn create_empty_database(&self) -> String {
        self.create_database("template0").await
    }

    async fn create_database(&self, template: &str) -> String {
        let name = format!("ci_test_{}", uuid::Uuid::now_v7().simple());
        self.execute(
            &self.admin_database,
            &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"),
        )
        .await;
        name
    }

    /// Drops a database. Runs on a separate thread, since the caller may be inside a runtime.
    pub fn drop_database(&'static self, name: String) {
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            runtime.block_on(self.execute(&self.admin_database, &sql));
        });
        let _ = thread.join();
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
fn find_binaries() -> Option<PathBuf> {
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

/// Creates a temporary cluster and waits until it accepts connections.
fn start_cluster(binaries: &Path) -> Postgres {
    remove_leftovers();
    let directory = std::env::temp_dir().join(format!("{DIRECTORY_PREFIX}{}", std::process::id()));
    let data = directory.join("data");
    fs::create_dir_all(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let owner = owner();
    if let Some(User { uid, gid }) = owner {
        chown(&directory, Some(uid), Some(gid)).unwrap();
    }
    run_initdb(&binaries.join("initdb"), owner, &data);
    spawn_server(binaries.join("postgres"), directory.clone(), owner);
    let socket = directory.join(".s.PGSQL.5432");
    let started = Instant::now();
    while !(socket.exists() && is_ready(&data)) {
        assert!(
            started.elapsed() < START_TIMEOUT,
            "PostgreSQL did not start; see {}",
            directory.join("log").display()
        );
        thread::sleep(Duration::from_millis(10));
    }
    Postgres::from_url(&format!(
        "postgres:///postgres?host={}&user=postgres",
        directory.display()
    ))
}

fn run_initdb(initdb: &Path, owner: Option<User>, data: &Path) {
    let output = run_as(owner, initdb)
        .args(["--auth=trust", "--username=postgres", "--no-sync"])
        .args(["--encoding=UTF8", "--locale=C", "-D"])
        .arg(data)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "initdb: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Settings of the temporary cluster.
const SETTINGS: [&str; 10] = [
    // German messages, where installed: the service must not depend on message texts
    "lc_messages=C.UTF-8",
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=400",
    "shared_buffers=64MB",
    // tests count statements, except for BEGIN and ROLLBACK
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.max=50000",
    "pg_stat_statements.track_utility=off",
];

/// Starts the server on a thread that lives as long as the process: the kernel sends the
/// parent-death signal when the *thread* that started the child ends.
fn spawn_server(postgres: PathBuf, directory: PathBuf, owner: Option<User>) {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        thread::spawn(move || {
            let log = fs::File::create(directory.join("log")).unwrap();
            let mut command = run_as(owner, &postgres);
            command.env("LANGUAGE", "de");
            for setting in SETTINGS {
                command.args(["-c", setting]);
            }
            let mut server = command
                .arg("-D")
                .arg(directory.join("data"))
                .arg("-k")
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

/// A user of the operating system with its group.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

/// The user that owns the files and runs the server: `postgres` for root, because `initdb` refuses
/// root; `None` for the current user.
fn owner() -> Option<User> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("the user `postgres` is missing");
    let fields: Vec<_> = line.split(':').collect();
    Some(User {
        uid: fields[2].parse().unwrap(),
        gid: fields[3].parse().unwrap(),
    })
}

/// A command that runs as `owner` and is stopped when this process ends.
fn run_as(owner: Option<User>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(User { uid, gid }) = owner {
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
        let ended_process = name
            .strip_prefix(DIRECTORY_PREFIX)
            .filter(|pid| !Path::new("/proc").join(pid).exists());
        if ended_process.is_some() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
