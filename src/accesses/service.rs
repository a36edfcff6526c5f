//! The rules of accesses.

use super::{
    Access, AccessRef, Role,
    dto::{AccessCreate, AccessListQuery, AccessPatch, AllAccessListQuery, IneffectiveReason},
    repo::{self, AccessFields, AccessRow},
};
use crate::{
    catalog::{self, BusinessPartner, CatalogEntry as _, EntryKind},
    common::{
        Code, Error, FieldError, Rejections, Resource as _, Result,
        email::Email,
        error::{Reference, ensure_valid},
        ids::BusinessPartnerId,
        merge_patch,
        page::{Page, PageRequest, Rows},
    },
    crud::{ApplyPatch, CrudResource, CrudRow as _, Parent as _, UniqueConstraint},
    db::{Conn, Db, Tx, sql_types::EnumText},
    grants,
    i18n::Lang,
    integration::{ConfigurationLock, IntegrationState},
};

pub use super::repo::{access_counts, list_for_preview, look_up, partners};

/// The e-mail address is the login, so it is unique across all partners.
const UNIQUE_EMAIL: UniqueConstraint = UniqueConstraint {
    constraint: "accesses_email_key",
    pointer: "/email",
    code: Code::DuplicateEmail,
};

/// A contact has at most one access per partner.
const UNIQUE_CONTACT: UniqueConstraint = UniqueConstraint {
    constraint: "accesses_business_partner_id_contact_id_key",
    pointer: "/contact_id",
    code: Code::DuplicateContact,
};

impl CrudResource<ConfigurationLock> for Access {
    type Row = AccessRow;
    type Create = AccessCreate;
    type Patch = AccessPatch;
    type Filter = AccessListQuery;

    const MAX: i64 = 20_000;
    const UNIQUE: &'static [UniqueConstraint] = &[UNIQUE_EMAIL, UNIQUE_CONTACT];
    const LOCALIZED: bool = true;

    async fn new_fields(
        _: &mut Tx<'_, IntegrationState>,
        _: &ConfigurationLock,
        body: AccessCreate,
    ) -> Result<AccessFields> {
        Ok(body.into())
    }

    async fn check_rules(
        tx: &mut Tx<'_, IntegrationState>,
        parent: &ConfigurationLock,
        stored: Option<&AccessRow>,
        fields: &AccessFields,
        rejections: &mut Rejections,
    ) -> Result<()> {
        if !rejections.concern("/role") {
            rejections.collect(ensure_approver_may_act(fields.role.0, fields.approver))?;
        }
        if fields.active && !stored.is_some_and(|stored| stored.fields.active) {
            rejections.collect(ensure_may_be_active(tx.conn, &parent.0).await)?;
        }
        let fields = AccessFields {
            email: valid_or_default(rejections, "/email", &fields.email),
            contact_id: valid_or_default(rejections, "/contact_id", &fields.contact_id),
            ..fields.clone()
        };
        let unique = ensure_unique(tx.conn, &parent.0, stored, &fields).await;
        rejections.collect(unique)?;
        Ok(())
    }

    async fn load_page(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        filter: &AccessListQuery,
        page: &PageRequest,
    ) -> Result<Rows<AccessRow>> {
        repo::list(conn, &parent.0, filter, page).await
    }

    async fn to_views(
        conn: &mut Conn,
        parent: &ConfigurationLock,
        state: Option<&IntegrationState>,
        rows: Vec<AccessRow>,
    ) -> Result<Vec<Self>> {
        let state = match state {
            Some(state) => state,
            None => &parent.load_state(conn).await?,
        };
        Ok(rows.into_iter().map(|row| view(row, state)).collect())
    }

    fn localize(self, lang: Lang) -> Self {
        Self::localize(self, lang)
    }
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
        let Self {
            contact_id,
            first_name,
            last_name,
            email,
            language,
            role,
            approver,
            ticket_visibility,
            active,
        } = self;
        merge_patch::assign(&mut fields.contact_id, contact_id);
        merge_patch::assign(&mut fields.first_name, first_name);
        merge_patch::assign(&mut fields.last_name, last_name);
        merge_patch::assign(&mut fields.email, email);
        merge_patch::assign(
            &mut fields.language,
            language.map(|language| EnumText(language.get())),
        );
        merge_patch::assign(&mut fields.role, role.map(|role| EnumText(role.get())));
        merge_patch::assign(&mut fields.approver, approver);
        merge_patch::assign(
            &mut fields.ticket_visibility,
            ticket_visibility.map(|visibility| EnumText(visibility.get())),
        );
        merge_patch::assign(&mut fields.active, active);
    }
}

/// One page of the accesses of all partners. `only` limits the list to one partner.
pub async fn list_all(
    conn: &mut Conn,
    only: Option<&BusinessPartnerId>,
    filter: &AllAccessListQuery,
    page: &PageRequest,
) -> Result<Page<Access>> {
    let rows = repo::list_all(conn, only, filter, page).await?;
    Ok(Page::new(rows, page)
        .map(|row| view_of(row.access, row.integration_active, row.partner_active)))
}

fn view(row: AccessRow, state: &IntegrationState) -> Access {
    view_of(row, state.integration.active, state.partner.active)
}

fn view_of(row: AccessRow, integration_active: bool, partner_active: bool) -> Access {
    let audit = row.audit();
    let fields = row.fields;
    let ineffective_reasons =
        ineffective_reasons(integration_active, partner_active, fields.active);
    Access {
        id: row.id,
        business_partner_id: row.business_partner_id,
        contact_id: fields.contact_id,
        first_name: fields.first_name,
        last_name: fields.last_name,
        email: fields.email,
        language: fields.language.0,
        role: fields.role.0,
        approver: fields.approver,
        ticket_visibility: fields.ticket_visibility.0,
        active: fields.active,
        effective: ineffective_reasons.is_empty(),
        ineffective_reasons,
        ineffective_messages: None,
        audit,
    }
}

fn ineffective_reasons(
    integration_active: bool,
    partner_active: bool,
    access_active: bool,
) -> Vec<IneffectiveReason> {
    let mut reasons = Vec::new();
    if !integration_active {
        reasons.push(IneffectiveReason::IntegrationInactive);
    }
    if !partner_active {
        reasons.push(IneffectiveReason::BusinessPartnerInactive);
    }
    if !access_active {
        reasons.push(IneffectiveReason::AccessInactive);
    }
    reasons
}

async fn ensure_may_be_active(conn: &mut Conn, partner: &BusinessPartnerId) -> Result<()> {
    let areas = grants::count_available(conn, partner, EntryKind::Area).await?;
    let ticket_types = grants::count_available(conn, partner, EntryKind::TicketType).await?;
    ensure_complete(areas, ticket_types)
}

/// An active access needs an available area and ticket type (`docs/domain.md#r2`).
fn ensure_complete(areas: i64, ticket_types: i64) -> Result<()> {
    let mut missing = Vec::new();
    if areas == 0 {
        missing.push(FieldError::new("/active", Code::NoArea));
    }
    if ticket_types == 0 {
        missing.push(FieldError::new("/active", Code::NoTicketType));
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::field_errors(Code::IntegrationIncomplete, missing))
    }
}

/// An approver needs a role that may act (`docs/domain.md#r6`).
fn ensure_approver_may_act(role: Role, approver: bool) -> Result<()> {
    if approver && !role.may_create() {
        return Err(Error::from_field(
            FieldError::new("/approver", Code::ApproverRole).with("role", <&str>::from(role)),
        ));
    }
    Ok(())
}

/// The value of a member, or the default if it is invalid.
fn valid_or_default<T: Clone + Default>(rejections: &Rejections, pointer: &str, value: &T) -> T {
    if rejections.concern(pointer) {
        T::default()
    } else {
        value.clone()
    }
}

/// E-mail address and contact must be unique (`docs/domain.md#r7`).
///
/// Checked before writing, because the engines differ in which of several violated constraints they
/// report, and both must be reported.
async fn ensure_unique(
    conn: &mut Conn,
    partner: &BusinessPartnerId,
    stored: Option<&AccessRow>,
    fields: &AccessFields,
) -> Result<()> {
    let email = &fields.email;
    let contact_id = &fields.contact_id;
    if stored.is_some_and(|stored| {
        stored.fields.email == *email && stored.fields.contact_id == *contact_id
    }) {
        return Ok(());
    }
    let mut others = repo::find_conflicts(conn, partner, email, contact_id.as_ref()).await?;
    others.retain(|other| stored.is_none_or(|stored| stored.id != other.id));
    let mut violations = Vec::new();
    if others.iter().any(|other| other.fields.email == *email) {
        violations.push(UNIQUE_EMAIL.violation());
    }
    if contact_id.is_some()
        && others.iter().any(|other| {
            other.business_partner_id == *partner && other.fields.contact_id == *contact_id
        })
    {
        violations.push(UNIQUE_CONTACT.violation());
    }
    ensure_valid(violations)
}

/// Adds the access that has the e-mail address, and its partner, to the error `duplicate_email`, if
/// `can_read` allows the caller to read that partner. Other results stay unchanged.
pub async fn with_duplicate<T>(
    result: Result<T>,
    db: &Db,
    email: Option<Email>,
    can_read: impl Fn(&BusinessPartnerId) -> bool,
) -> Result<T> {
    let (Err(error), Some(email)) = (&result, email) else {
        return result;
    };
    if !error.has_field_error(Code::DuplicateEmail) {
        return result;
    }
    let email = String::from(email);
    let found = db
        .read(async |conn| references_to(conn, &email).await)
        .await?;
    match found {
        Some((partner, references)) if can_read(&partner) => {
            result.map_err(|error| error.with_references(references))
        }
        _ => result,
    }
}

/// The access with an e-mail address and its business partner, as references of an error.
async fn references_to(
    conn: &mut Conn,
    email: &str,
) -> Result<Option<(BusinessPartnerId, Vec<Reference>)>> {
    let Some((row, _)) = repo::look_up(conn, &AccessRef::Email(email.to_owned())).await? else {
        return Ok(None);
    };
    let partner = row.business_partner_id;
    let partner_name = catalog::service::find::<BusinessPartner>(conn, &partner)
        .await?
        .map(|entry| entry.name)
        .unwrap_or_default();
    let access_name = format!("{} {}", row.fields.first_name, row.fields.last_name);
    let references = vec![
        Reference {
            kind: Access::KIND,
            id: row.id.to_string(),
            name: access_name,
        },
        Reference {
            kind: BusinessPartner::RESOURCE,
            id: partner.to_string(),
            name: partner_name,
        },
    ];
    Ok(Some((partner, references)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(0, 3, &[Code::NoArea])]
    #[case(2, 0, &[Code::NoTicketType])]
    #[case(0, 0, &[Code::NoArea, Code::NoTicketType])]
    fn r2_missing_grants_are_reported(
        #[case] areas: i64,
        #[case] ticket_types: i64,
        #[case] expected: &[Code],
    ) {
        let Err(Error::Client(error)) = ensure_complete(areas, ticket_types) else {
            panic!("not a client error")
        };
        assert_eq!(error.code, Code::IntegrationIncomplete);
        let codes: Vec<_> = error
            .field_errors
            .iter()
            .map(|field_error| field_error.code)
            .collect();
        assert_eq!(codes, expected);
    }

    #[test]
    fn r2_one_area_and_one_ticket_type_suffice() {
        assert!(ensure_complete(1, 1).is_ok());
    }

    #[rstest::rstest]
    #[case(Role::Observer, true, false)]
    #[case(Role::Observer, false, true)]
    #[case(Role::Editor, true, true)]
    #[case(Role::Dispatcher, true, true)]
    fn r6_approver_requires_role_that_may_act(
        #[case] role: Role,
        #[case] approver: bool,
        #[case] expected: bool,
    ) {
        assert_eq!(ensure_approver_may_act(role, approver).is_ok(), expected);
    }

    fn with_active(fields: &AccessFields, active: bool) -> AccessFields {
        let mut fields = fields.clone();
        let patch = AccessPatch {
            active: Some(active),
            ..AccessPatch::default()
        };
        patch.apply_to(&mut fields);
        fields
    }

    #[test]
    fn r10_deactivation_and_reactivation_change_nothing_else() {
        let body = serde_json::json!({
            "first_name": "Änne", "last_name": "Schäfer", "email": "a@b.example"
        });
        let active = AccessFields::from(serde_json::from_value::<AccessCreate>(body).unwrap());
        let inactive = with_active(&active, false);
        let expected = AccessFields {
            active: false,
            ..active.clone()
        };
        assert_eq!(inactive, expected);
        assert_eq!(with_active(&inactive, false), inactive);
        assert_eq!(with_active(&inactive, true), active);
    }

    #[test]
    fn effective_access_has_no_ineffective_reasons() {
        assert_eq!(ineffective_reasons(true, true, true), []);
    }

    #[test]
    fn every_ineffective_reason_is_listed() {
        use IneffectiveReason::*;
        let all = [IntegrationInactive, BusinessPartnerInactive, AccessInactive];
        assert_eq!(ineffective_reasons(false, false, false), all);
    }
}
