//! The rules of accesses.

use super::{
    Access, AccessId, Census,
    dto::{AccessCreate, AccessListQuery, AccessPatch, IneffectiveReason, Role},
    repo::{self, AccessRow, Facts},
};
use crate::{
    catalog::{BusinessPartnerId, EntryKind},
    db::{Conn, Db, Tx},
    grants,
    integration::{self, Configuration, Standing},
    kernel::{
        Actor, Change, Code, Done, Error, Fault, Result,
        change::Precondition,
        found,
        page::{Page, PageRequest},
        patch,
    },
};

/// Most accesses a partner may have.
pub const MAX_ACCESSES: i64 = 20_000;

/// A page of a partner's accesses.
pub async fn list(
    conn: &mut Conn,
    standing: &Standing,
    filter: &AccessListQuery,
    page: &PageRequest,
) -> Result<Page<Access>> {
    let rows = repo::list(conn, standing.business_partner_id(), filter, page).await?;
    Ok(Page::new(rows, page).map(|row| shown(row, standing)))
}

/// One access.
pub async fn get(db: &Db, partner: &BusinessPartnerId, id: AccessId) -> Result<Access> {
    db.read(async |conn| {
        let standing = integration::service::standing(conn, partner).await?;
        Ok(shown(found(repo::find(conn, partner, id).await?)?, &standing))
    })
    .await
}

/// Adds an access.
pub async fn create(db: &Db, actor: Actor, partner: BusinessPartnerId, body: AccessCreate) -> Result<Done<Access>> {
    db.mutate(actor, Configuration(partner), async move |tx| {
        let facts = new_facts(body.clone());
        approver_may_act(facts.role, facts.approver)?;
        let partner = tx.locked.business_partner_id().clone();
        within_limit(census(tx.conn, &partner).await?.all)?;
        if facts.active {
            may_be_active(tx).await?;
        }
        let row = AccessRow::new(AccessId::generate(), partner, facts, tx.born());
        repo::insert(tx.conn, &row).await?.map_err(|constraint| duplicate(&constraint))?;
        Ok(Change::Created(shown(row, &tx.locked)))
    })
    .await
}

/// Changes an access; deactivating and reactivating it is a change like any other.
pub async fn update(
    db: &Db,
    actor: Actor,
    partner: BusinessPartnerId,
    id: AccessId,
    body: AccessPatch,
    precondition: Precondition,
) -> Result<Done<Access>> {
    db.mutate(actor, Configuration(partner), async move |tx| {
        let partner = tx.locked.business_partner_id().clone();
        let stored = found(repo::find(tx.conn, &partner, id).await?)?;
        let before = shown(stored.clone(), &tx.locked);
        precondition.check(Some(&before))?;
        let facts = merged(stored.facts(), body.clone());
        if facts == stored.facts() {
            return Ok(Change::Unchanged(before));
        }
        approver_may_act(facts.role, facts.approver)?;
        if facts.active && !stored.active {
            may_be_active(tx).await?;
        }
        let row = AccessRow::new(id, partner, facts, tx.touched(&stored.audit()));
        repo::update(tx.conn, &row).await?.map_err(|constraint| duplicate(&constraint))?;
        Ok(Change::Updated { before, after: shown(row, &tx.locked) })
    })
    .await
}

/// How many accesses a partner has, by kind.
pub async fn census(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Census> {
    repo::census(conn, partner).await
}

fn new_facts(body: AccessCreate) -> Facts {
    Facts {
        contact_id: body.contact_id,
        first_name: body.first_name.into(),
        last_name: body.last_name.into(),
        email: body.email.into(),
        language: body.language.get(),
        role: body.role.get(),
        approver: body.approver,
        ticket_visibility: body.ticket_visibility.get(),
        active: body.active,
    }
}

fn merged(mut facts: Facts, body: AccessPatch) -> Facts {
    let AccessPatch { contact_id, first_name, last_name, email, language, role, approver, ticket_visibility, active } =
        body;
    patch::set(&mut facts.contact_id, contact_id);
    patch::set(&mut facts.first_name, first_name);
    patch::set(&mut facts.last_name, last_name);
    patch::set(&mut facts.email, email);
    patch::set(&mut facts.language, language.map(|language| language.get()));
    patch::set(&mut facts.role, role.map(|role| role.get()));
    patch::set(&mut facts.approver, approver);
    patch::set(&mut facts.ticket_visibility, ticket_visibility.map(|visibility| visibility.get()));
    patch::set(&mut facts.active, active);
    facts
}

fn shown(row: AccessRow, standing: &Standing) -> Access {
    let audit = row.audit();
    let reasons = ineffective_reasons(standing.integration.active, standing.partner.active, row.active);
    Access {
        id: row.id,
        business_partner_id: row.business_partner_id,
        contact_id: row.contact_id,
        first_name: row.first_name,
        last_name: row.last_name,
        email: row.email,
        language: row.language.0,
        role: row.role.0,
        approver: row.approver,
        ticket_visibility: row.ticket_visibility.0,
        active: row.active,
        effective: reasons.is_empty(),
        ineffective_reasons: reasons,
        audit,
    }
}

fn ineffective_reasons(integration: bool, partner: bool, access: bool) -> Vec<IneffectiveReason> {
    let reasons = [
        (integration, IneffectiveReason::IntegrationInactive),
        (partner, IneffectiveReason::BusinessPartnerInactive),
        (access, IneffectiveReason::AccessInactive),
    ];
    reasons.into_iter().filter(|(active, _)| !active).map(|(_, reason)| reason).collect()
}

async fn may_be_active(tx: &mut Tx<'_, Standing>) -> Result<()> {
    let partner = tx.locked.business_partner_id().clone();
    let areas = grants::service::count(tx.conn, &partner, EntryKind::Area).await?;
    let ticket_types = grants::service::count(tx.conn, &partner, EntryKind::TicketType).await?;
    complete(areas, ticket_types)
}

/// R2: an access may be active only while the partner has at least one area and at least one ticket type.
fn complete(areas: i64, ticket_types: i64) -> Result<()> {
    let missing = [(areas, Code::NoArea), (ticket_types, Code::NoTicketType)];
    let faults: Vec<_> =
        missing.into_iter().filter(|(count, _)| *count == 0).map(|(_, code)| Fault::new("/active", code)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::faults(Code::IntegrationIncomplete, faults)) }
}

/// R6: an approver needs a role that may act; judged on the merged result of a patch.
fn approver_may_act(role: Role, approver: bool) -> Result<()> {
    if approver && !role.may_create() {
        return Err(Error::at(Fault::new("/approver", Code::ApproverRole).with("role", <&str>::from(role))));
    }
    Ok(())
}

/// R7: an e-mail address is a login and exists once over all partners; a contact exists once within its partner.
fn duplicate(constraint: &str) -> Error {
    match constraint {
        "accesses_email_key" => Error::at(Fault::new("/email", Code::DuplicateEmail)),
        "accesses_business_partner_id_contact_id_key" => Error::at(Fault::new("/contact_id", Code::DuplicateContact)),
        other => Error::Internal(anyhow::anyhow!("unexpected violation of {other}")),
    }
}

/// Quantities are bounded (domain.md section 4).
fn within_limit(accesses: i64) -> Result<()> {
    if accesses < MAX_ACCESSES { Ok(()) } else { Err(Error::refuse(Code::LimitReached).with("max", MAX_ACCESSES)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(error: Error) -> (Code, Vec<Code>) {
        let Error::Refused(refusal) = error else { panic!("{error}") };
        (refusal.code, refusal.faults.iter().map(|fault| fault.code).collect())
    }

    #[test]
    fn r2_what_is_missing_is_named() {
        assert!(complete(1, 1).is_ok());
        assert_eq!(codes(complete(0, 3).unwrap_err()), (Code::IntegrationIncomplete, vec![Code::NoArea]));
        assert_eq!(codes(complete(2, 0).unwrap_err()), (Code::IntegrationIncomplete, vec![Code::NoTicketType]));
        let both = vec![Code::NoArea, Code::NoTicketType];
        assert_eq!(codes(complete(0, 0).unwrap_err()), (Code::IntegrationIncomplete, both));
    }

    #[rstest::rstest]
    #[case(Role::Observer, true, false)]
    #[case(Role::Observer, false, true)]
    #[case(Role::Editor, true, true)]
    #[case(Role::Dispatcher, true, true)]
    fn r6_approvers_need_a_role_that_may_act(#[case] role: Role, #[case] approver: bool, #[case] good: bool) {
        assert_eq!(approver_may_act(role, approver).is_ok(), good);
    }

    #[test]
    fn r7_a_violated_constraint_names_the_field() {
        let at = |constraint| match duplicate(constraint) {
            Error::Refused(refusal) => (refusal.code, refusal.faults[0].pointer.clone()),
            error => panic!("{error}"),
        };
        assert_eq!(at("accesses_email_key"), (Code::DuplicateEmail, "/email".to_owned()));
        let contact = "accesses_business_partner_id_contact_id_key";
        assert_eq!(at(contact), (Code::DuplicateContact, "/contact_id".to_owned()));
        assert_eq!(duplicate("accesses_pkey").code(), Code::InternalError);
    }

    #[test]
    fn r10_a_patch_that_says_nothing_new_leaves_the_facts_alone() {
        let body = serde_json::json!({"first_name": "Änne", "last_name": "Schäfer", "email": "a@b.example"});
        let facts = new_facts(serde_json::from_value(body).unwrap());
        let off = merged(facts.clone(), AccessPatch { active: Some(false), ..AccessPatch::default() });
        assert_eq!(off, Facts { active: false, ..facts.clone() });
        assert_eq!(merged(off.clone(), AccessPatch { active: Some(false), ..AccessPatch::default() }), off);
        assert_eq!(merged(off, AccessPatch { active: Some(true), ..AccessPatch::default() }), facts);
    }

    #[test]
    fn every_reason_is_told() {
        use IneffectiveReason::*;
        assert_eq!(ineffective_reasons(true, true, true), []);
        let all = [IntegrationInactive, BusinessPartnerInactive, AccessInactive];
        assert_eq!(ineffective_reasons(false, false, false), all);
    }

    #[test]
    fn the_limit_is_the_last_one_allowed() {
        assert!(within_limit(MAX_ACCESSES - 1).is_ok());
        assert_eq!(within_limit(MAX_ACCESSES).unwrap_err().code(), Code::LimitReached);
    }
}
