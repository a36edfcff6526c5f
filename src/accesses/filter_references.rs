//! What filters reference: catalog entries and accesses. Checks that it exists, and reads the names
//! for summaries.
//!
//! A filter of a partner may reference the partner's accesses only. A global rule may reference
//! accesses of any partner. Its summary contains their ids: its ETag does not depend on accesses,
//! so a name could be outdated.

use std::collections::{BTreeMap, BTreeSet};

use super::repo;
use crate::{
    common::{
        Code, FieldError, Result,
        error::ensure_valid,
        ids::{AccessId, BusinessPartnerId},
    },
    db::Conn,
    ticket_filter::{
        Names, TicketFilter,
        access_ids::{listed_accesses, referenced_accesses},
        parse::MAX_FIELD_ERRORS,
        references,
    },
};

/// Checks that everything exists that a filter references (`docs/domain.md#r8`). `partner` is the
/// owner of the filter, `None` for a global rule; `before` is the filter that is replaced. An
/// unchanged filter is not checked again.
///
/// # Errors
///
/// 422 with an error for each unknown reference.
pub async fn check(
    conn: &mut Conn,
    partner: Option<&BusinessPartnerId>,
    before: Option<&TicketFilter>,
    filter: &TicketFilter,
) -> Result<()> {
    if before == Some(filter) {
        return Ok(());
    }
    let (_, unknown) = resolve(conn, partner, filter).await?;
    ensure_valid(unknown)
}

/// The names for the summary of a filter, and an error for each reference to something that does
/// not exist.
pub async fn resolve(
    conn: &mut Conn,
    partner: Option<&BusinessPartnerId>,
    filter: &TicketFilter,
) -> Result<(Names, Vec<FieldError>)> {
    let (names, mut unknown) = references::resolve_entries(conn, filter).await?;
    let references = referenced_accesses(filter);
    let ids = references.iter().map(|(_, id)| *id);
    let accesses = read_names(conn, partner, ids).await?;
    let unknown_accesses = references
        .iter()
        .filter(|(_, id)| !accesses.contains_key(*id))
        .take(MAX_FIELD_ERRORS)
        .map(|(pointer, _)| FieldError::new(format!("/filter{pointer}"), Code::UnknownAccess));
    unknown.extend(unknown_accesses);
    let names = if partner.is_some() {
        names.with_accesses(accesses)
    } else {
        names
    };
    Ok((names, unknown))
}

/// The display names, by id, of a partner's accesses that the summaries of filters list.
pub async fn names_in<'f>(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    filters: impl IntoIterator<Item = &'f TicketFilter>,
) -> Result<BTreeMap<String, String>> {
    let ids = filters.into_iter().flat_map(listed_accesses);
    read_names(conn, Some(partner), ids).await
}

async fn read_names<'i>(
    conn: &mut Conn,
    partner: Option<&BusinessPartnerId>,
    ids: impl Iterator<Item = &'i str>,
) -> Result<BTreeMap<String, String>> {
    let ids: BTreeSet<AccessId> = ids.filter_map(|id| id.parse().ok()).collect();
    let ids = Vec::from_iter(ids);
    let rows = repo::names(conn, partner, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|(id, first_name, last_name)| (id.to_string(), format!("{first_name} {last_name}")))
        .collect())
}
