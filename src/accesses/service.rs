//! The rules of accesses.

use super::{
    Access, AccessId, Census, Who,
    dto::{AccessCreate, AccessListQuery, AccessPatch, IneffectiveReason, Role},
    repo::{self, AccessFacts, AccessRow},
};
use crate::{
    catalog::{BusinessPartnerId, EntryKind},
    db::{Conn, Tx, types::Word},
    elements::{Amend, Element, Home as _, Stored as _},
    grants,
    integration::{Configuration, Standing},
    kernel::{Code, Error, Fault, Result, error::no_faults, page::PageRequest, patch},
};

impl Element<Configuration> for Access {
    type Row = AccessRow;
    type Create = AccessCreate;
    type Patch = AccessPatch;
    type Filter = AccessListQuery;

    const MAX: i64 = 20_000;

    async fn settle(
        tx: &mut Tx<'_, Standing>,
        home: &Configuration,
        stored: Option<&AccessRow>,
        facts: &mut AccessFacts,
    ) -> Result<()> {
        approver_may_act(facts.role.0, facts.approver)?;
        if facts.active && !stored.is_some_and(|stored| stored.facts.active) {
            may_be_active(tx.conn, &home.0).await?;
        }
        unique(tx.conn, &home.0, stored, facts).await
    }

    fn duplicate(constraint: &str) -> Error {
        duplicate(constraint)
    }

    async fn page(
        conn: &mut Conn,
        home: &Configuration,
        filter: &AccessListQuery,
        page: &PageRequest,
    ) -> Result<Vec<AccessRow>> {
        repo::list(conn, &home.0, filter, page).await
    }

    async fn show(
        conn: &mut Conn,
        home: &Configuration,
        at: Option<&Standing>,
        rows: Vec<AccessRow>,
    ) -> Result<Vec<Self>> {
        let at = match at {
            Some(at) => at,
            None => &home.standing(conn).await?,
        };
        Ok(rows.into_iter().map(|row| shown(row, at)).collect())
    }
}

/// How many accesses a partner has, by kind.
pub async fn census(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<Census> {
    repo::census(conn, partner).await
}

/// Who an access is, of whichever partner, and the revision of its partner's integration at that moment.
pub async fn look_up(conn: &mut Conn, who: &Who) -> Result<Option<(AccessRow, i64)>> {
    repo::look_up(conn, who).await
}

/// Some of a partner's accesses in the order of their list: those named, or else the first active ones; `limit` at most.
pub async fn some(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    named: Option<&[AccessId]>,
    limit: i64,
) -> Result<Vec<AccessRow>> {
    repo::some(conn, partner, named, limit).await
}

/// The partners that some accesses are of.
pub async fn partners(conn: &mut Conn, named: &[AccessId]) -> Result<Vec<BusinessPartnerId>> {
    repo::partners(conn, named).await
}

impl From<AccessCreate> for AccessFacts {
    fn from(body: AccessCreate) -> Self {
        Self {
            contact_id: body.contact_id,
            first_name: body.first_name.into(),
            last_name: body.last_name.into(),
            email: body.email.into(),
            language: Word(body.language.get()),
            role: Word(body.role.get()),
            approver: body.approver,
            ticket_visibility: Word(body.ticket_visibility.get()),
            active: body.active,
        }
    }
}

impl Amend<AccessFacts> for AccessPatch {
    fn amend(self, facts: &mut AccessFacts) {
        patch::set(&mut facts.contact_id, self.contact_id);
        patch::set(&mut facts.first_name, self.first_name);
        patch::set(&mut facts.last_name, self.last_name);
        patch::set(&mut facts.email, self.email);
        patch::set(
            &mut facts.language,
            self.language.map(|language| Word(language.get())),
        );
        patch::set(&mut facts.role, self.role.map(|role| Word(role.get())));
        patch::set(&mut facts.approver, self.approver);
        patch::set(
            &mut facts.ticket_visibility,
            self.ticket_visibility
                .map(|visibility| Word(visibility.get())),
        );
        patch::set(&mut facts.active, self.active);
    }
}

fn shown(row: AccessRow, standing: &Standing) -> Access {
    let audit = row.audit();
    let AccessRow {
        id,
        business_partner_id,
        facts,
        ..
    } = row;
    let reasons = ineffective_reasons(
        standing.integration.active,
        standing.partner.active,
        facts.active,
    );
    Access {
        id,
        business_partner_id,
        contact_id: facts.contact_id,
        first_name: facts.first_name,
        last_name: facts.last_name,
        email: facts.email,
        language: facts.language.0,
        role: facts.role.0,
        approver: facts.approver,
        ticket_visibility: facts.ticket_visibility.0,
        active: facts.active,
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
    reasons
        .into_iter()
        .filter(|(active, _)| !active)
        .map(|(_, reason)| reason)
        .collect()
}

async fn may_be_active(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<()> {
    let areas = grants::service::count(conn, partner, EntryKind::Area).await?;
    let ticket_types = grants::service::count(conn, partner, EntryKind::TicketType).await?;
    complete(areas, ticket_types)
}

/// R2: an access may be active only while the partner has at least one area and at least one ticket type.
fn complete(areas: i64, ticket_types: i64) -> Result<()> {
    let missing = [(areas, Code::NoArea), (ticket_types, Code::NoTicketType)];
    let faults: Vec<_> = missing
        .into_iter()
        .filter(|(count, _)| *count == 0)
        .map(|(_, code)| Fault::new("/active", code))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::faults(Code::IntegrationIncomplete, faults))
    }
}

/// R6: an approver needs a role that may act; judged on the merged result of a patch.
fn approver_may_act(role: Role, approver: bool) -> Result<()> {
    if approver && !role.may_create() {
        return Err(Error::at(
            Fault::new("/approver", Code::ApproverRole).with("role", <&str>::from(role)),
        ));
    }
    Ok(())
}

/// R7: an e-mail address is a login and exists once over all partners; a contact exists once within its partner. All that is taken is
/// told, the same on both engines; of the constraints each would tell another one first.
async fn unique(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    stored: Option<&AccessRow>,
    facts: &AccessFacts,
) -> Result<()> {
    let AccessFacts {
        email, contact_id, ..
    } = facts;
    if stored.is_some_and(|stored| {
        stored.facts.email == *email && stored.facts.contact_id == *contact_id
    }) {
        return Ok(());
    }
    let mut others = repo::namesakes(conn, partner, email, contact_id.as_ref()).await?;
    others.retain(|other| stored.is_none_or(|stored| stored.id != other.id));
    let same_email = others.iter().any(|other| other.facts.email == *email);
    let same_contact = contact_id.is_some()
        && others
            .iter()
            .any(|it| it.business_partner_id == *partner && it.facts.contact_id == *contact_id);
    no_faults(
        [
            same_email.then(email_taken),
            same_contact.then(contact_taken),
        ]
        .into_iter()
        .flatten()
        .collect(),
    )
}

fn email_taken() -> Fault {
    Fault::new("/email", Code::DuplicateEmail)
}

fn contact_taken() -> Fault {
    Fault::new("/contact_id", Code::DuplicateContact)
}

/// What a violated constraint means: another write came between.
fn duplicate(constraint: &str) -> Error {
    match constraint {
        "accesses_email_key" => Error::at(email_taken()),
        "accesses_business_partner_id_contact_id_key" => Error::at(contact_taken()),
        other => Error::Internal(anyhow::anyhow!("unexpected violation of {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(error: Error) -> (Code, Vec<Code>) {
        let Error::Refused(refusal) = error else {
            panic!("{error}")
        };
        (
            refusal.code,
            refusal.faults.iter().map(|fault| fault.code).collect(),
        )
    }

    #[test]
    fn r2_what_is_missing_is_named() {
        assert!(complete(1, 1).is_ok());
        assert_eq!(
            codes(complete(0, 3).unwrap_err()),
            (Code::IntegrationIncomplete, vec![Code::NoArea])
        );
        assert_eq!(
            codes(complete(2, 0).unwrap_err()),
            (Code::IntegrationIncomplete, vec![Code::NoTicketType])
        );
        let both = vec![Code::NoArea, Code::NoTicketType];
        assert_eq!(
            codes(complete(0, 0).unwrap_err()),
            (Code::IntegrationIncomplete, both)
        );
    }

    #[rstest::rstest]
    #[case(Role::Observer, true, false)]
    #[case(Role::Observer, false, true)]
    #[case(Role::Editor, true, true)]
    #[case(Role::Dispatcher, true, true)]
    fn r6_approvers_need_a_role_that_may_act(
        #[case] role: Role,
        #[case] approver: bool,
        #[case] good: bool,
    ) {
        assert_eq!(approver_may_act(role, approver).is_ok(), good);
    }

    #[test]
    fn r7_a_violated_constraint_names_the_field() {
        let at = |constraint| match duplicate(constraint) {
            Error::Refused(refusal) => (refusal.code, refusal.faults[0].pointer.clone()),
            error => panic!("{error}"),
        };
        assert_eq!(
            at("accesses_email_key"),
            (Code::DuplicateEmail, "/email".to_owned())
        );
        let contact = "accesses_business_partner_id_contact_id_key";
        assert_eq!(
            at(contact),
            (Code::DuplicateContact, "/contact_id".to_owned())
        );
        assert_eq!(duplicate("accesses_pkey").code(), Code::InternalError);
    }

    #[test]
    fn r10_a_patch_that_says_nothing_new_leaves_the_facts_alone() {
        let body = serde_json::json!({"first_name": "Änne", "last_name": "Schäfer", "email": "a@b.example"});
        let facts = AccessFacts::from(serde_json::from_value::<AccessCreate>(body).unwrap());
        let switched = |facts: &AccessFacts, active| {
            let mut facts = facts.clone();
            AccessPatch {
                active: Some(active),
                ..AccessPatch::default()
            }
            .amend(&mut facts);
            facts
        };
        let off = switched(&facts, false);
        assert_eq!(
            off,
            AccessFacts {
                active: false,
                ..facts.clone()
            }
        );
        assert_eq!(switched(&off, false), off);
        assert_eq!(switched(&off, true), facts);
    }

    #[test]
    fn every_reason_is_told() {
        use IneffectiveReason::*;
        assert_eq!(ineffective_reasons(true, true, true), []);
        let all = [IntegrationInactive, BusinessPartnerInactive, AccessInactive];
        assert_eq!(ineffective_reasons(false, false, false), all);
    }
}
