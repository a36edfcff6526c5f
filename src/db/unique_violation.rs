//! Violated UNIQUE constraints, with the same names on both databases.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

/// The name of the violated UNIQUE constraint, `<table>_<columns>_key`; `None` for any other error.
///
/// PostgreSQL reports the name. SQLite reports the columns (`UNIQUE constraint failed: t.a, t.b`),
/// from which the name is derived, because all UNIQUE constraints follow that naming convention.
pub fn constraint(error: &Error) -> Option<String> {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
            Some(constraint_name(info.as_ref()))
        }
        _ => None,
    }
}

fn constraint_name(info: &dyn DatabaseErrorInformation) -> String {
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

    fn constraint_of(message: &str) -> Option<String> {
        constraint(&Error::DatabaseError(
            DatabaseErrorKind::UniqueViolation,
            Box::new(message.to_owned()),
        ))
    }

    #[test]
    fn constraint_name_is_derived_from_sqlite_columns() {
        assert_eq!(
            constraint_of("UNIQUE constraint failed: accesses.email").as_deref(),
            Some("accesses_email_key")
        );
        let two_columns =
            "UNIQUE constraint failed: accesses.business_partner_id, accesses.contact_id";
        assert_eq!(
            constraint_of(two_columns).as_deref(),
            Some("accesses_business_partner_id_contact_id_key")
        );
    }

    #[test]
    fn other_error_has_no_constraint() {
        assert_eq!(constraint(&Error::NotFound), None);
    }
}
