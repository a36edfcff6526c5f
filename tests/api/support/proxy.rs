//! A network between the service and PostgreSQL that can fall silent.

use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_postgres::config::Host;

use super::postgres::Postgres;

/// Carries connections to PostgreSQL until it is told to freeze. A frozen connection stays open and silent for good, as if
/// the server had vanished; after a thaw, new ones are carried again.
pub struct Proxy {
    port: u16,
    server: tokio_postgres::Config,
    frozen: watch::Sender<bool>,
}

impl Proxy {
    /// A way to a database of `server`, as long as the runtime of the test lives.
    pub async fn to(server: &Postgres, database: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server: tokio_postgres::Config = server.url_of(database).parse().unwrap();
        let frozen = watch::Sender::new(false);
        let (to, freeze) = (server.clone(), frozen.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, to.clone(), freeze.subscribe()));
            }
        });
        Self {
            port,
            server,
            frozen,
        }
    }

    /// The database's URL on this way.
    pub fn url(&self) -> String {
        let (user, database) = (
            self.server.get_user().unwrap(),
            self.server.get_dbname().unwrap(),
        );
        let password = self
            .server
            .get_password()
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        format!(
            "postgres://{user}:{password}@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    /// From now on nothing comes through.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// From now on new connections come through.
    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }
}

async fn carry(client: TcpStream, server: tokio_postgres::Config, frozen: watch::Receiver<bool>) {
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match &server.get_hosts()[0] {
        Host::Tcp(host) => {
            join(
                client,
                TcpStream::connect((host.as_str(), port)).await.unwrap(),
                frozen,
            )
            .await
        }
        Host::Unix(directory) => {
            let socket = directory.join(format!(".s.PGSQL.{port}"));
            join(client, UnixStream::connect(socket).await.unwrap(), frozen).await;
        }
    }
}

async fn join(
    mut client: TcpStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    mut frozen: watch::Receiver<bool>,
) {
    let ended = tokio::select! {
        biased;
        _ = frozen.wait_for(|frozen| *frozen) => false,
        _ = copy_bidirectional(&mut client, &mut server) => true,
    };
    if !ended {
        std::future::pending::<()>().await;
    }
}
