//! The rules of accesses.

use super::{
    Access, AccessCounts, AccessRef, Role,
    dto::{AccessCreate, AccessListQuery, AccessPatch, IneffectiveReason},
    repo::{self, AccessFields, AccessRow},
};
use crate::{
    catalog::EntryKind,
    common::{
        Code, Error, FieldError, Result,
        error::ensure_valid,
        ids::{AccessId, BusinessPartnerId},
        merge_patch,
        page::PageRequest,
    },
    crud::{ApplyPatch, CrudResource, CrudRow as _, Parent as _},
    db::{Conn, Tx, sql_types::EnumText},
    grants,
    integration::{ConfigurationLock, IntegrationState},
};

impl CrudResource<ConfigurationLock> for Access {
    type Row = AccessRow;
    type Create = AccessCreate;
    type Patch = AccessPatch;
    type Filter = AccessListQuery;

    const MAX: i64 = 20_000;

    async fn apply_rules(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &ConfigurationLock,
        stored: Option<&AccessRow>,
        fields: &mut AccessFields,
    ) -> Result<()> {
        approver_may_act(fields.role.0, fields.approver)?;
        if fields.active && !stored.is_some_and(|stored| stored.fields.active) {
            may_be_active(tx.conn, &parent.0).await?;
        }
        unique(tx.conn, &parent.0, stored, fields).await
    }

    fn duplicate(constraint: &str) -> Error {
        duplicate(constraint)
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        filter: &AccessListQuery,
        page: &PageRequest,
    ) -> Result<Vec<AccessRow>> {
        repo::list(conn, &parent.0, filter, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        at: Option<&IntegrationState>,
        rows: Vec<AccessRow>,
    ) -> Result<Vec<Self>> {
        let at = match at {
            Some(at) => at,
            None => &parent.load_state(conn).await?,
        };
        Ok(rows.into_iter().map(|row| view(row, at)).collect())
    }
}

/// How many accesses a partner has, by kind.
pub async fn access_counts(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<AccessCounts> {
    repo::access_counts(conn, partner).await
}

/// Who an access is, of whichever partner, and the revision of its partner's integration at that moment.
pub async fn look_up(conn: &mut Conn, who: &AccessRef) -> Result<Option<(AccessRow, i64)>> {
    repo::look_up(conn, who).await
}

/// Some of a partner's accesses in the order of their list: those named, or else the first active ones; `limit` at most.
pub async fn list_for_preview(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    named: Option<&[AccessId]>,
    limit: i64,
) -> Result<Vec<AccessRow>> {
    repo::list_for_preview(conn, partner, named, limit).await
}

/// The partners that some accesses are of.
pub async fn partners(conn: &mut Conn, named: &[AccessId]) -> Result<Vec<BusinessPartnerId>> {
    repo::partners(conn, named).await
}

impl From<AccessCreate> for AccessFields {
    fn from(body: AccessCreate) -> Self {
        Self {
            contact_id: body.contact_id,
            first_name: body.first_name.into(),
            last_name: body.last_name.into(),
            email: body.email.into(),
            language: EnumText(body.language.get()),
            role: EnumText(body.role.get()),
            approver: body.approver,
            ticket_visibility: EnumText(body.ticket_visibility.get()),
            active: body.active,
        }
    }
}

impl ApplyPatch<AccessFields> for AccessPatch {
    fn apply_to(self, fields: &mut AccessFields) {
        merge_patch::assign(&mut fields.contact_id, self.contact_id);
        merge_patch::assign(&mut fields.first_name, self.first_name);
        merge_patch::assign(&mut fields.last_name, self.last_name);
        merge_patch::assign(&mut fields.email, self.email);
        merge_patch::assign(
            &mut fields.language,
            self.language.map(|language| EnumText(language.get())),
        );
        merge_patch::assign(&mut fields.role, self.role.map(|role| EnumText(role.get())));
        merge_patch::assign(&mut fields.approver, self.approver);
        merge_patch::assign(
            &mut fields.ticket_visibility,
            self.ticket_visibility
                .map(|visibility| EnumText(visibility.get())),
        );
        merge_patch::assign(&mut fields.active, self.active);
    }
}

fn view(row: AccessRow, state: &IntegrationState) -> Access {
    let audit = row.audit();
    let AccessRow {
        id,
        business_partner_id,
        fields,
        ..
    } = row;
    let reasons = ineffective_reasons(
        state.integration.active,
        state.partner.active,
        fields.active,
    );
    Access {
        id,
        business_partner_id,
        contact_id: fields.contact_id,
        first_name: fields.first_name,
        last_name: fields.last_name,
        email: fields.email,
        language: fields.language.0,
        role: fields.role.0,
        approver: fields.approver,
        ticket_visibility: fields.ticket_visibility.0,
        active: fields.active,
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
    let field_errors: Vec<_> = missing
        .into_iter()
        .filter(|(count, _)| *count == 0)
        .map(|(_, code)| FieldError::new("/active", code))
        .collect();
    if field_errors.is_empty() {
        Ok(())
    } else {
        Err(Error::field_errors(
            Code::IntegrationIncomplete,
            field_errors,
        ))
    }
}

/// R6: an approver needs a role that may act; judged on the merged result of a patch.
fn approver_may_act(role: Role, approver: bool) -> Result<()> {
    if approver && !role.may_create() {
        return Err(Error::from_field(
            FieldError::new("/approver", Code::ApproverRole).with("role", <&str>::from(role)),
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
    fields: &AccessFields,
) -> Result<()> {
    let AccessFields {
        email, contact_id, ..
    } = fields;
    if stored.is_some_and(|stored| {
        stored.fields.email == *email && stored.fields.contact_id == *contact_id
    }) {
        return Ok(());
    }
    let mut others = repo::find_conflicts(conn, partner, email, contact_id.as_ref()).await?;
    others.retain(|other| stored.is_none_or(|stored| stored.id != other.id));
    let same_email = others.iter().any(|other| other.fields.email == *email);
    let same_contact = contact_id.is_some()
        && others
            .iter()
            .any(|it| it.business_partner_id == *partner && it.fields.contact_id == *contact_id);
    ensure_valid(
        [
            same_email.then(email_taken),
            same_contact.then(contact_taken),
        ]
        .into_iter()
        .flatten()
        .collect(),
    )
}

fn email_taken() -> FieldError {
    FieldError::new("/email", Code::DuplicateEmail)
}

fn contact_taken() -> FieldError {
    FieldError::new("/contact_id", Code::DuplicateContact)
}

/// What a violated constraint means: another write came between.
fn duplicate(constraint: &str) -> Error {
    match constraint {
        "accesses_email_key" => Error::from_field(email_taken()),
        "accesses_business_partner_id_contact_id_key" => Error::from_field(contact_taken()),
        other => Error::Internal(anyhow::anyhow!("unexpected violation of {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(error: Error) -> (Code, Vec<Code>) {
        let Error::Client(refusal) = error else {
            panic!("{error}")
        };
        (
            refusal.code,
            refusal
                .field_errors
                .iter()
                .map(|field_error| field_error.code)
                .collect(),
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
            Error::Client(refusal) => (refusal.code, refusal.field_errors[0].pointer.clone()),
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
        let fields = AccessFields::from(serde_json::from_value::<AccessCreate>(body).unwrap());
        let toggled = |fields: &AccessFields, active| {
            let mut fields = fields.clone();
            AccessPatch {
                active: Some(active),
                ..AccessPatch::default()
            }
            .apply_to(&mut fields);
            fields
        };
        let off = toggled(&fields, false);
        assert_eq!(
            off,
            AccessFields {
                active: false,
                ..fields.clone()
            }
        );
        assert_eq!(toggled(&off, false), off);
        assert_eq!(toggled(&off, true), fields);
    }

    #[test]
    fn every_reason_is_told() {
        use IneffectiveReason::*;
        assert_eq!(ineffective_reasons(true, true, true), []);
        let all = [IntegrationInactive, BusinessPartnerInactive, AccessInactive];
        assert_eq!(ineffective_reasons(false, false, false), all);
    }
}
