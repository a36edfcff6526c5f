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
    common::{Actor, Code, etag::EtagMatcher, ids::ErpId, precondition::Precondition},
    crud::{self, Parent as _},
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

/// The partner that the guide configures step by step. The demo only creates its catalog entry.
const GUIDE_PARTNER: &str = "K-1001";
/// The partner that the demo configures.
const CONFIGURED_PARTNER: &str = "K-1003";
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
        (
            "rollout-2027",
            "Rollout 2027",
            "Umstellung der Standorte auf die neue Arbeitsplatzumgebung",
        ),
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
        (GUIDE_PARTNER, "Muster Maschinenbau GmbH", "MUSTER"),
        ("K-1002", "Bäckerei Sonnenschein e. K.", "SONNENSCHEIN"),
        (CONFIGURED_PARTNER, "Stadtwerke Fließtal AöR", "SWFLIESS"),
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
    crud::service::create::<ExclusionRule, _>(db, actor(), GlobalRules, body(rule)?).await?;
    Ok(())
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
    let activation = body(json!({"active": true}))?;
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
    grant::<PlanBoardGrant>(db, "wartung", json!({})).await
}

async fn create_accesses(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    for access in [
        json!({
            "first_name": "Änne", "last_name": "Schäfer",
            "email": "aenne.schaefer@swfliess.example", "contact_id": "P-77",
            "role": "dispatcher", "approver": true, "ticket_visibility": "partner"
        }),
        json!({
            "first_name": "Jörg", "last_name": "Weiß",
            "email": "joerg.weiss@swfliess.example", "role": "editor"
        }),
        json!({
            "first_name": "Mary", "last_name": "O'Neill",
            "email": "mary.oneill@swfliess.example", "language": "en"
        }),
        json!({
            "first_name": "Karl", "last_name": "Ruhestand",
            "email": "karl.ruhestand@swfliess.example", "active": false
        }),
    ] {
        crud::service::create::<Access, _>(db, actor(), parent.clone(), body(access)?).await?;
    }
    Ok(())
}

async fn create_tags(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    let parent = PartnerTags::new(parent.0.clone());
    for tag in [
        json!({
            "name": "VPN", "description": "Fernzugriff der Außenstellen", "area_id": "netz"
        }),
        json!({"name": "Drucker"}),
        json!({
            "name": "Eskalation", "description": "Mit der Serviceleitung abgestimmt",
            "internal_only": true
        }),
    ] {
        crud::service::create::<Tag, _>(db, actor(), parent.clone(), body(tag)?).await?;
    }
    Ok(())
}

async fn create_queries(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    for query in [
        json!({
            "name": "Meine offenen Tickets",
            "columns": ["reference_number", "subject", "status", "created_at"],
            "sort": [{"field": "created_at", "direction": "descending"}],
            "filter": {"type": "all", "filters": [
                condition("main_contact", "is_self", &[]),
                condition("status", "not_in", &["closed"])]}
        }),
        json!({
            "name": "Dringende Störungen",
            "description": "Was heute niemand liegen lassen darf",
            "columns": ["reference_number", "area", "subject", "urgency", "impact"],
            "filter": {"type": "all", "filters": [
                condition("ticket_type", "in", &["anomalie"]),
                condition("status", "in", &["open", "in_progress"]),
                {"type": "any", "filters": [
                    condition("urgency", "in", &["high"]),
                    condition("impact", "in", &["high"])]}]}
        }),
    ] {
        crud::service::create::<TicketQuery, _>(db, actor(), parent.clone(), body(query)?).await?;
    }
    Ok(())
}

async fn create_rules(db: &Db, parent: &ConfigurationLock) -> anyhow::Result<()> {
    for rule in [
        json!({
            "name": "Altfälle", "description": "Vor der Umstellung abgeschlossen",
            "filter": {"type": "all", "filters": [
                condition("status", "in", &["closed"]),
                condition("created_at", "older_than", &["P2Y"])]}
        }),
        json!({
            "name": "Personalsachen",
            "filter": {"type": "any", "filters": [
                condition("tag", "any_of", &["Personal", "Kündigung"]),
                condition("subject", "contains", &["Gehalt"])]}
        }),
    ] {
        crud::service::create::<ExclusionRule, _>(db, actor(), parent.clone(), body(rule)?).await?;
    }
    Ok(())
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
        "access_email": "joerg.weiss@swfliess.example",
        "explain": true,
        "tickets": [{
            "ticket_id": "INC-2041", "business_partner_id": CONFIGURED_PARTNER,
            "area_id": "netz", "internal": false, "confidential": false, "status": "open",
            "tags": ["VPN"], "subject": "Gehaltsabrechnung nicht abrufbar",
            "main_contact_id": "P-77", "created_by_access_id": null
        }]
    });
    format!(
        "curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \
         -H 'Accept-Language: de' \\\n  $BASE/decisions/ticket-visibility -d '{body}'"
    )
}

/// Creates a catalog entry, unless it exists.
async fn create_entry<E: WritableEntry>(db: &Db, id: &str, json: Value) -> anyhow::Result<()> {
    let precondition = Precondition {
        if_none_match: Some(EtagMatcher::Any),
        ..Precondition::default()
    };
    match catalog::service::put::<E>(db, actor(), erp_id(id)?, body(json)?, precondition).await {
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
    let body = Some(body(json)?);
    grants::service::put::<G>(db, actor(), partner, erp_id(id)?, body, precondition).await?;
    Ok(())
}

fn erp_id<K>(id: &str) -> anyhow::Result<ErpId<K>> {
    id.parse()
        .map_err(|_| anyhow::anyhow!("invalid id in the demo data: {id}"))
}

fn body<T: DeserializeOwned + Validate>(json: Value) -> anyhow::Result<T> {
    let body: T = serde_json::from_value(json)?;
    body.validate()?;
    Ok(body)
}

fn actor() -> Actor {
    Actor {
        subject: "demo".to_owned(),
        request_id: "demo".to_owned(),
        ..Actor::default()
    }
}
