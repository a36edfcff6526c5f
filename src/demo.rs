//! `serve --demo`: sample data, written through the same services as all other data.
//!
//! Existing data is not changed, so a restart completes an interrupted start.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use validator::Validate;

use crate::{
    accesses::Access,
    areas::AreaGrant,
    catalog::{self, Area, BusinessPartner, PlanBoard, TicketType, WritableEntry},
    common::{Actor, Code, Draft, etag::EtagMatcher, ids::ErpId, precondition::Precondition},
    crud::{self, CrudResource, Parent},
    db::Db,
    exclusion_rules::{ExclusionRule, GlobalRules},
    grants::{self, Grant},
    integration::{self, ConfigurationLock},
    overview,
    plan_boards::PlanBoardGrant,
    queries::TicketQuery,
    tags::{Tag, service::PartnerTags},
    ticket_types::TicketTypeGrant,
    tokens::{self, TokenSettings},
};

/// The partner that the demo configures. The examples of the OpenAPI document and the guide use it.
const CONFIGURED_PARTNER: &str = "K-1001";
/// Validity of the printed token.
const TOKEN_LIFETIME: Duration = Duration::from_hours(12);
/// All scopes.
const SCOPES: &str = "integration:read integration:write global-rules:write catalog:read \
                      catalog:write decisions:read audit:read";

/// Writes the sample data that is missing.
pub async fn fill(db: &Db) -> anyhow::Result<()> {
    create_ticket_types(db).await?;
    create_areas(db).await?;
    create_plan_boards(db).await?;
    create_business_partners(db).await?;
    create_global_rules(db).await?;
    configure_partner(db).await
}

async fn create_ticket_types(db: &Db) -> anyhow::Result<()> {
    for (id, name, kind) in [
        ("anomalie", "Anomalie", "standard"),
        ("rueckruf", "Rückruf", "standard"),
        ("aufgabe", "Aufgabe", "standard"),
        ("aenderung", "Änderungsanfrage", "standard"),
        ("eintritt", "Mitarbeitereintritt", "dynamic"),
        ("bestellung", "Hardwarebestellung", "dynamic"),
    ] {
        create_entry::<TicketType>(db, id, json!({"name": name, "kind": kind})).await?;
    }
    Ok(())
}

async fn create_areas(db: &Db) -> anyhow::Result<()> {
    for (id, name, color, start_ticket_types) in [
        ("service-desk", "Service Desk", "#2CA02C", Value::Null),
        (
            "netz",
            "Netzwerk",
            "#1F77B4",
            json!(["anomalie", "rueckruf"]),
        ),
        (
            "server",
            "Server & Speicher",
            "#9467BD",
            json!(["anomalie", "aufgabe", "aenderung"]),
        ),
        (
            "erp",
            "ERP-Anwendungen",
            "#FF7F0E",
            json!(["anomalie", "aenderung"]),
        ),
        (
            "beschaffung",
            "Beschaffung",
            "#8C564B",
            json!(["bestellung"]),
        ),
        ("sicherheit", "Informationssicherheit", "#D62728", json!([])),
    ] {
        let body = json!({"name": name, "color": color, "start_ticket_types": start_ticket_types});
        create_entry::<Area>(db, id, body).await?;
    }
    Ok(())
}

async fn create_plan_boards(db: &Db) -> anyhow::Result<()> {
    for (id, name, description) in [
        ("rollout", "Rollout 2027", "Umstellung der Standorte"),
        (
            "wartung",
            "Wartungsfenster",
            "Geplante Wartungen der gemeinsam genutzten Systeme",
        ),
        (
            "umzug-hafen",
            "Umzug Hafenkontor",
            "Verlegung des Rechenraums",
        ),
    ] {
        let body = json!({"name": name, "description": description});
        create_entry::<PlanBoard>(db, id, body).await?;
    }
    Ok(())
}

async fn create_business_partners(db: &Db) -> anyhow::Result<()> {
    for (id, name, search_name) in [
        (CONFIGURED_PARTNER, "Muster Maschinenbau GmbH", "MUSTER"),
        ("K-1002", "Bäckerei Sonnenschein e. K.", "SONNENSCHEIN"),
        ("K-1003", "Stadtwerke Fließtal AöR", "SWFLIESS"),
        (
            "K-1004",
            "Gemeinschaftspraxis Dr. Öztürk & Partner",
            "OEZTUERK",
        ),
        ("K-1005", "Hafenlogistik Nord AG", "HAFENNORD"),
    ] {
        let body = json!({"name": name, "search_name": search_name});
        create_entry::<BusinessPartner>(db, id, body).await?;
    }
    Ok(())
}

/// Creates global exclusion rules, unless there have been any.
async fn create_global_rules(db: &Db) -> anyhow::Result<()> {
    let state = db
        .read(async |conn| GlobalRules.load_state(conn).await)
        .await?;
    if state.revision > 0 {
        return Ok(());
    }
    let rule = json!({
        "name": "Sicherheitsvorfälle",
        "description": "Bis zur Freigabe durch den Informationssicherheitsbeauftragten",
        "filter": {"type": "all", "filters": [
            condition("area", "in", &["sicherheit"]),
            condition("released", "is", &["false"])]}
    });
    create::<ExclusionRule, _>(
        db,
        &GlobalRules,
        "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e70",
        rule,
    )
    .await
}

/// Configures one partner, unless its configuration has been changed before.
async fn configure_partner(db: &Db) -> anyhow::Result<()> {
    let partner = erp_id(CONFIGURED_PARTNER)?;
    let state = db
        .read(async |conn| integration::service::load_state(conn, &partner).await)
        .await?;
    if state.integration.revision > 1 {
        return Ok(());
    }
    let activation = draft(json!({"active": true}))?.into_valid()?;
    let precondition = Precondition::default();
    overview::service::update(db, actor(), partner.clone(), activation, precondition).await?;
    create_grants(db).await?;
    let parent = ConfigurationLock(partner);
    create_accesses(db, &parent).await?;
    create_tags(db, &parent).await?;
    create_queries(db, &parent).await?;
    create_rules(db, &parent).await
}

async fn create_grants(db: &Db) -> anyhow::Result<()> {
    for id in ["service-desk", "netz", "erp"] {
        grant::<AreaGrant>(db, id, json!({})).await?;
    }
    for (id, approval_required) in [
        ("anomalie", false),
        ("rueckruf", false),
        ("aenderung", true),
        ("eintritt", true),
    ] {
        let body = json!({"approval_required": approval_required});
        grant::<TicketTypeGrant>(db, id, body).await?;
    }
    for id in ["rollout", "wartung"] {
        grant::<PlanBoardGrant>(db, id, json!({})).await?;
    }
    Ok(())
}

async fn create_accesses(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    for (id, access) in [
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e60",
            json!({
                "first_name": "Änne", "last_name": "Schäfer",
                "email": "aenne.schaefer@muster.example", "contact_id": "P-77",
                "role": "editor", "approver": true, "ticket_visibility": "partner"
            }),
        ),
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e61",
            json!({
                "first_name": "Jörg", "last_name": "Weiß",
                "email": "joerg.weiss@muster.example", "role": "editor"
            }),
        ),
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e62",
            json!({
                "first_name": "Mary", "last_name": "O'Neill",
                "email": "mary.oneill@muster.example", "language": "en"
            }),
        ),
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e63",
            json!({
                "first_name": "Karl", "last_name": "Ruhestand",
                "email": "karl.ruhestand@muster.example", "active": false
            }),
        ),
    ] {
        create::<Access, _>(db, parent, id, access).await?;
    }
    Ok(())
}

async fn create_tags(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    let parent = PartnerTags::new(parent.0.clone());
    for (id, tag) in [
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e64",
            json!({
                "name": "VPN", "description": "Fernzugriff der Außenstellen", "area_id": "netz"
            }),
        ),
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e65",
            json!({"name": "Drucker"}),
        ),
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e66",
            json!({"name": "Personal", "internal_only": true}),
        ),
    ] {
        create::<Tag, _>(db, &parent, id, tag).await?;
    }
    Ok(())
}

async fn create_queries(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    for (id, query) in [
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e67",
            json!({
                "name": "Offene Netzwerktickets",
                "columns": ["reference_number", "subject", "status"],
                "sort": [{"field": "created_at", "direction": "descending"}],
                "filter": {"type": "all", "filters": [
                    condition("area", "in", &["netz"]),
                    condition("status", "not_in", &["closed"])]}
            }),
        ),
        (
            "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e68",
            json!({
                "name": "Meine offenen Tickets",
                "columns": ["reference_number", "subject", "status", "created_at"],
                "sort": [{"field": "created_at", "direction": "descending"}],
                "filter": {"type": "all", "filters": [
                    condition("main_contact", "is_self", &[]),
                    condition("status", "not_in", &["closed"])]}
            }),
        ),
    ] {
        create::<TicketQuery, _>(db, parent, id, query).await?;
    }
    Ok(())
}

async fn create_rules(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    let rule = json!({
        "name": "Personalakten",
        "filter": condition("tag", "any_of", &["Personal"])
    });
    create::<ExclusionRule, _>(db, parent, "019aa3c1-7a52-7c3e-9b1f-2f6d3a4c5e69", rule).await
}

fn condition(field: &str, operator: &str, values: &[&str]) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": values})
}

/// Prints the addresses, a token, and first requests to paste.
pub fn print_welcome(
    out: &mut impl Write,
    mut address: SocketAddr,
    tokens: &TokenSettings,
) -> anyhow::Result<()> {
    if address.ip().is_unspecified() {
        // in a container the service listens on all addresses; clients connect to this one
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let token = tokens::dev_claims(tokens, "demo", SCOPES, TOKEN_LIFETIME)
        .and_then(|claims| tokens::sign(tokens, &claims))
        .unwrap_or_else(|_| "…  # from your identity provider".to_owned());
    let explain = explain_command();
    write!(
        out,
        "
The demo is running at http://{address}. Press Ctrl+C to stop it. Its data is stored in ./data.
Documentation to try out: http://{address}/docs

In another terminal, paste the token (valid for 12 hours) and a first request:

export BASE=http://{address}/api/v1
export TOKEN={token}
curl -s -H \"Authorization: Bearer $TOKEN\" $BASE/customer-integrations/{CONFIGURED_PARTNER}

Why can Jörg Weiß not see this ticket?

{explain}

"
    )?;
    Ok(out.flush()?)
}

/// A command that requests a decision with several failed steps.
fn explain_command() -> String {
    let body = json!({
        "access_email": "joerg.weiss@muster.example",
        "explain": true,
        "tickets": [{
            "ticket_id": "INC-2041", "business_partner_id": CONFIGURED_PARTNER,
            "area_id": "netz", "internal": false, "confidential": false, "status": "open",
            "tags": ["VPN", "Personal"], "subject": "Gehaltsabrechnung nicht abrufbar",
            "main_contact_id": "P-77", "created_by_access_id": null
        }]
    });
    format!(
        "curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \
         -H 'Accept-Language: de' \\\n  $BASE/decisions/ticket-visibility -d '{body}'"
    )
}

/// Creates a resource with a fixed id, which the examples of the OpenAPI document use.
async fn create<R, P>(db: &Db, parent: &P, id: &str, json: Value) -> anyhow::Result<()>
where
    R: CrudResource<P, Create: DeserializeOwned + Validate>,
    P: Parent,
{
    let id = uuid::Uuid::parse_str(id)?.into();
    let draft = draft(json)?;
    crud::service::create_with_id::<R, P>(db, actor(), parent.clone(), id, draft).await?;
    Ok(())
}

/// Creates a catalog entry, unless it exists.
async fn create_entry<E: WritableEntry>(db: &Db, id: &str, json: Value) -> anyhow::Result<()> {
    let precondition = Precondition {
        if_none_match: Some(EtagMatcher::Any),
        ..Precondition::default()
    };
    match catalog::service::put::<E>(db, actor(), erp_id(id)?, draft(json)?, precondition).await {
        Err(error) if error.code() != Code::PreconditionFailed => Err(error.into()),
        _ => Ok(()),
    }
}

async fn grant<G: Grant<Put: DeserializeOwned + Validate>>(
    db: &Db,
    id: &str,
    json: Value,
) -> anyhow::Result<()> {
    let partner = erp_id(CONFIGURED_PARTNER)?;
    let precondition = Precondition::default();
    let draft = Some(draft(json)?);
    grants::service::put::<G>(db, actor(), partner, erp_id(id)?, draft, precondition).await?;
    Ok(())
}

fn erp_id<K>(id: &str) -> anyhow::Result<ErpId<K>> {
    id.parse()
        .map_err(|_| anyhow::anyhow!("invalid id in the demo data: {id}"))
}

fn draft<T: DeserializeOwned + Validate>(json: Value) -> anyhow::Result<Draft<T>> {
    let body: T = serde_json::from_value(json)?;
    body.validate()?;
    Ok(body.into())
}

fn actor() -> Actor {
    Actor {
        subject: "demo".to_owned(),
        request_id: "demo".to_owned(),
        ..Actor::default()
    }
}
