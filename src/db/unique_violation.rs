//! Which constraint a write violated, named alike on both engines.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

/// The violated UNIQUE constraint by its name, `<table>_<columns>_key`.
///
/// PostgreSQL names the constraint. SQLite names the columns (`UNIQUE constraint failed: t.a, t.b`), from which the name
/// follows, because all our unique constraints are named by that convention.
pub fn constraint(error: &Error) -> Option<String> {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => Some(name(info.as_ref())),
        _ => None,
    }
}

fn name(info: &dyn DatabaseErrorInformation) -> String {
    if let Some(name) = info.constraint_name() {
        return name.to_owned();
    }
    let columns = info.message().rsplit(": ").next().unwrap_or_default();
    let mut parts = columns
        .split(", ")
        .filter_map(|column| column.split_once('.'));
    let Some((table, first)) = parts.next() else {
        return String::new();
    };
    parts.fold(format!("{table}_{first}"), |name, (_, column)| {
        format!("{name}_{column}")
    }) + "_key"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlites_columns_become_postgres_name() {
        let of = |message: &str| {
            constraint(&Error::DatabaseError(
                DatabaseErrorKind::UniqueViolation,
                Box::new(message.to_owned()),
            ))
        };
        assert_eq!(
            of("UNIQUE constraint failed: accesses.email").as_deref(),
            Some("accesses_email_key")
        );
        assert_eq!(
            of("UNIQUE constraint failed: accesses.business_partner_id, accesses.contact_id")
                .as_deref(),
            Some("accesses_business_partner_id_contact_id_key")
        );
        assert_eq!(constraint(&Error::NotFound), None);
    }
}
