//! Settings of a connection to PostgreSQL, from its URL.

use std::time::Duration;

use tokio_postgres::{Config, config::Host};

use super::postgres_tls::TlsVerification;

/// Default of `connect_timeout`: time limit for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of `keepalives_idle`: idle time before the first keepalive probe.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// Default of `keepalives_interval`: time between keepalive probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Default of `keepalives_retries`: failed probes after which a connection is considered
/// broken.
const KEEPALIVE_RETRIES: u32 = 3;
/// Default of `tcp_user_timeout`: time sent data may stay unacknowledged before a connection is
/// considered broken.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);
/// tokio-postgres' default of `keepalives_idle`, which indicates that the URL does not set it.
const UNSET_KEEPALIVE_IDLE: Duration = Duration::from_hours(2);

/// Default port of PostgreSQL.
const DEFAULT_PORT: u16 = 5432;

/// Settings of a connection.
pub(super) struct PostgresSettings {
    pub config: Config,
    /// How the server's certificate is verified, if TLS is used.
    pub tls: TlsVerification,
}

impl PostgresSettings {
    /// Parses a URL. Completes it with the defaults above, so that an unreachable server is noticed
    /// in seconds instead of hours.
    pub fn parse(url: &str) -> Result<Self, tokio_postgres::Error> {
        let (url, tls) = split_verification(url);
        let mut config: Config = url.parse()?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_keepalives_idle() == UNSET_KEEPALIVE_IDLE {
            config.keepalives_idle(KEEPALIVE_IDLE);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(KEEPALIVE_INTERVAL);
        }
        if config.get_keepalives_retries().is_none() {
            config.keepalives_retries(KEEPALIVE_RETRIES);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(TCP_USER_TIMEOUT);
        }
        Ok(Self { config, tls })
    }
}

/// Replaces the values of `sslmode` that tokio-postgres does not support by `require`, and returns
/// their meaning.
fn split_verification(url: &str) -> (String, TlsVerification) {
    let Some((base, query)) = url.rsplit_once('?') else {
        return (url.to_owned(), TlsVerification::Full);
    };
    let mut verification = TlsVerification::Full;
    let parameters: Vec<_> = query
        .split('&')
        .map(|parameter| match parameter {
            "sslmode=verify-full" => "sslmode=require",
            "sslmode=verify-ca" => {
                verification = TlsVerification::Authority;
                "sslmode=require"
            }
            other => other,
        })
        .collect();
    (format!("{base}?{}", parameters.join("&")), verification)
}

/// Checks that a URL can be used. Errors do not contain the URL, which may have a password.
pub(super) fn check_postgres_url(url: &str) -> Result<(), String> {
    let before_query = url.split_once('?').map_or(url, |(base, _)| base);
    let after_scheme = before_query
        .split_once("://")
        .map_or(before_query, |(_, rest)| rest);
    let authority = after_scheme
        .split_once('/')
        .map_or(after_scheme, |(authority, _)| authority);
    let at_signs = after_scheme.matches('@').count();
    if at_signs > 1 || at_signs > authority.matches('@').count() {
        return Err(
            "DATABASE_URL: the user or password contains one of @ / ? # : and must be \
             percent-encoded: write @ as %40, / as %2F, ? as %3F, # as %23, : as %3A, % as %25"
                .to_owned(),
        );
    }
    PostgresSettings::parse(url)
        .map(drop)
        .map_err(|error| format!("DATABASE_URL: {:#}", anyhow::Error::from(error)))
}

/// The database, hosts, ports and user of a connection, without the password.
pub(super) fn describe(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<_> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            // One port is used for all hosts.
            let port = ports.get(index).or(ports.first()).unwrap_or(&DEFAULT_PORT);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        })
        .collect();
    let user = config.get_user().unwrap_or("(none)");
    format!(
        "database {} at {} as user {user}",
        config.get_dbname().unwrap_or(user),
        hosts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::SslMode;

    use super::*;

    #[test]
    fn url_overrides_default_limits() {
        let defaults = PostgresSettings::parse("postgres://u@h/d").unwrap().config;
        assert_eq!(defaults.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(defaults.get_keepalives_idle(), KEEPALIVE_IDLE);
        assert_eq!(defaults.get_keepalives_interval(), Some(KEEPALIVE_INTERVAL));
        assert_eq!(defaults.get_keepalives_retries(), Some(KEEPALIVE_RETRIES));
        assert_eq!(defaults.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));
        let query = "connect_timeout=1&keepalives_idle=2&keepalives_interval=3\
                     &keepalives_retries=4&tcp_user_timeout=5";
        let custom = PostgresSettings::parse(&format!("postgres://u@h/d?{query}"))
            .unwrap()
            .config;
        assert_eq!(custom.get_connect_timeout(), Some(&Duration::from_secs(1)));
        assert_eq!(custom.get_keepalives_idle(), Duration::from_secs(2));
        assert_eq!(
            custom.get_keepalives_interval(),
            Some(Duration::from_secs(3))
        );
        assert_eq!(custom.get_keepalives_retries(), Some(4));
        assert_eq!(custom.get_tcp_user_timeout(), Some(&Duration::from_secs(5)));
    }

    #[rstest::rstest]
    #[case("", TlsVerification::Full)]
    #[case("?sslmode=require", TlsVerification::Full)]
    #[case("?connect_timeout=1&sslmode=verify-full", TlsVerification::Full)]
    #[case("?sslmode=verify-ca&connect_timeout=1", TlsVerification::Authority)]
    fn verify_modes_of_libpq_are_accepted(#[case] query: &str, #[case] expected: TlsVerification) {
        let settings = PostgresSettings::parse(&format!("postgres://u@h/d{query}")).unwrap();
        assert_eq!(settings.tls, expected);
        if query.contains("sslmode") {
            assert_eq!(settings.config.get_ssl_mode(), SslMode::Require);
        }
    }

    #[rstest::rstest]
    #[case("postgres://u:p@h/d", "database d at h:5432 as user u")]
    #[case("postgres://u@a:1,b:2/d", "database d at a:1, b:2 as user u")]
    #[case("postgres://u@a,b:7/", "database u at a:5432, b:7 as user u")]
    #[case("postgres:///d?host=/run&user=u", "database d at /run:5432 as user u")]
    fn description_has_no_password(#[case] url: &str, #[case] expected: &str) {
        let settings = PostgresSettings::parse(url).unwrap();
        assert_eq!(describe(&settings.config), expected);
    }

    #[rstest::rstest]
    #[case("postgres://u:p%40ss@h/d", None)]
    #[case("postgres:///d?host=/run&user=u@h", None)]
    #[case("postgres://u:p@ss@h/d", Some("%40"))]
    #[case("postgres://u:p/ss@h/d", Some("%40"))]
    #[case("postgres://u:p@h/d?sslmode=strict", Some("`sslmode`"))]
    fn unusable_url_is_explained(#[case] url: &str, #[case] expected: Option<&str>) {
        let error = check_postgres_url(url).err();
        assert_eq!(error.is_some(), expected.is_some(), "{error:?}");
        assert!(error.is_none_or(|error| error.contains(expected.unwrap_or_default())));
    }
}
