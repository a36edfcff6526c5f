//! Settings of the database.

use clap::Args;

use super::{
    demo,
    errors::{ConfigErrors, non_empty},
    help,
};
use crate::db::{DatabaseUrl, DbOptions};

/// Settings of the database.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Database: `sqlite://path/to/file.db`, or `postgres://user:password@host/database`
    #[arg(long, env, hide_env_values = true)]
    database_url: Option<String>,
    /// File that contains the URL
    #[arg(long, env)]
    database_url_file: Option<String>,
    #[arg(long, env, help = help(
        "Connections to PostgreSQL, or read connections of SQLite", DbOptions::default().pool_size
    ))]
    database_pool_size: Option<String>,
}

impl DatabaseArgs {
    /// Validates the arguments. `demo` provides a default database.
    pub fn validate(
        self,
        demo: bool,
        errors: &mut ConfigErrors,
    ) -> (Option<DatabaseUrl>, DbOptions) {
        let default = DbOptions::default();
        let pool_size = errors.number(
            "DATABASE_POOL_SIZE",
            self.database_pool_size,
            1..=1000,
            default.pool_size,
        );
        let options = DbOptions {
            pool_size,
            ..default
        };
        let url = non_empty(self.database_url);
        let file = non_empty(self.database_url_file);
        let is_set = url.is_some() || file.is_some();
        let url = if is_set {
            errors.text_or_file("DATABASE_URL", url, file)
        } else if demo {
            Some(demo::database_url())
        } else {
            errors.add("DATABASE_URL is not set; example: sqlite://data/customer-integration.db");
            None
        };
        let url = url.and_then(|url| errors.collect(url.parse()));
        if demo && let Some(url) = &url {
            if demo::owns(url) {
                errors.collect(demo::create_directory());
            } else {
                errors.add(
                    "--demo fills its database with demo data, so DATABASE_URL must be unset or \
                     name an SQLite file in ./data; omit --demo to serve another database",
                );
            }
        }
        (url, options)
    }
}
