//! A TCP proxy between the service and PostgreSQL that can stop forwarding.

use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_postgres::config::Host;

use super::postgres::Postgres;

/// Forwards connections to PostgreSQL until [`Proxy::freeze`]. A frozen connection stays open and
/// silent indefinitely, as if the server had vanished. After [`Proxy::thaw`], new connections are
/// forwarded again.
pub struct Proxy {
    port: u16,
    server: tokio_postgres::Config,
    frozen: watch::Sender<bool>,
}

impl Proxy {
    /// Starts a proxy to a database of `server`. It runs until the runtime of the test ends.
    pub async fn to(server: &Postgres, database: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server: tokio_postgres::Config = server.url_of(database).parse().unwrap();
        let frozen = watch::Sender::new(false);
        let target = server.clone();
        let freeze_sender = frozen.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, target.clone(), freeze_sender.subscribe()));
            }
        });
        Self {
            port,
            server,
            frozen,
        }
    }

    /// The URL of the database through this proxy.
    pub fn url(&self) -> String {
        let user = self.server.get_user().unwrap();
        let database = self.server.get_dbname().unwrap();
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

    /// Stops forwarding on all connections.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// Forwards new connections again.
    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }
}

async fn forward(client: TcpStream, server: tokio_postgres::Config, frozen: watch::Receiver<bool>) {
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match &server.get_hosts()[0] {
        Host::Tcp(host) => {
            forward_until_frozen(
                client,
                TcpStream::connect((host.as_str(), port)).await.unwrap(),
                frozen,
            )
            .await;
        }
        Host::Unix(directory) => {
            let socket = directory.join(format!(".s.PGSQL.{port}"));
            forward_until_frozen(client, UnixStream::connect(socket).await.unwrap(), frozen).await;
        }
    }
}

/// Forwards until either side closes its connection. When frozen, holds both open indefinitely.
async fn forward_until_frozen(
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
