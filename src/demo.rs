//! `serve --demo`: a realistic catalogue and one configured partner, written through the same services as everything else.
//!
//! What is there already is left alone, so a second start goes on from where the first one ended.

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
    catalog::{self, Area, BusinessPartner, CatalogEntry, PlanBoard, TicketType},
    common::{
        Actor, Code,
        change::{EtagMatcher, Precondition},
        ids::ErpId,
    },
    crud::{self, Parent as _},
    db::Db,
    exclusion_rules::{ExclusionRule, GlobalRules},
    grants::{self, Grant},
    integration::{self, ConfigurationLock},
    plan_boards::PlanBoardGrant,
    queries::TicketQuery,
    tags::Tag,
    ticket_types::TicketTypeGrant,
    tokens::{self, TokenSettings},
};

/// The partner that the walk-through of the README configures; the demo leaves it alone.
const WALK_THROUGH: &str = "K-1001";
/// The partner that is configured from the start.
const CONFIGURED: &str = "K-1003";
/// How long the printed token is valid.
const TOKEN_LIFETIME: Duration = Duration::from_hours(12);
/// All scopes.
const SCOPES: &str = "integration:read integration:write global-rules:write catalog:read catalog:write decisions:read audit:read";

/// Writes what is missing.
pub async fn fill(db: &Db) -> anyhow::Result<()> {
    for (id, name, kind) in [
        ("anomalie", "Anomalie", "standard"),
        ("rueckruf", "Rückruf", "standard"),
        ("aufgabe", "Aufgabe", "standard"),
        ("aenderung", "Änderungsanfrage", "standard"),
        ("eintritt", "Mitarbeitereintritt", "dynamic"),
        ("bestellung", "Hardwarebestellung", "dynamic"),
    ] {
        tell::<TicketType>(db, id, json!({"name": name, "kind": kind})).await?;
    }
    for (id, name, color, start) in [
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
        tell::<Area>(
            db,
            id,
            json!({"name": name, "color": color, "start_ticket_types": start}),
        )
        .await?;
    }
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
        tell::<PlanBoard>(db, id, json!({"name": name, "description": description})).await?;
    }
    for (id, name, search_name) in [
        (WALK_THROUGH, "Muster Maschinenbau GmbH", "MUSTER"),
        ("K-1002", "Bäckerei Sonnenschein e. K.", "SONNENSCHEIN"),
        (CONFIGURED, "Stadtwerke Fließtal AöR", "SWFLIESS"),
        (
            "K-1004",
            "Gemeinschaftspraxis Dr. Öztürk & Partner",
            "OEZTUERK",
        ),
        ("K-1005", "Hafenlogistik Nord AG", "HAFENNORD"),
    ] {
        tell::<BusinessPartner>(db, id, json!({"name": name, "search_name": search_name})).await?;
    }
    global_rules(db).await?;
    configure(db).await
}

/// Configures one partner, unless somebody has been there before.
async fn configure(db: &Db) -> anyhow::Result<()> {
    let partner = CONFIGURED.parse().map_err(|_| anyhow::anyhow!("bad id"))?;
    let standing = db
        .read(async |conn| integration::service::load_state(conn, &partner).await)
        .await?;
    if standing.integration.revision > 1 {
        return Ok(());
    }
    let any = Precondition::default;
    integration::service::update(
        db,
        actor(),
        partner.clone(),
        body(json!({"active": true}))?,
        any(),
    )
    .await?;
    for id in ["service-desk", "netz", "erp"] {
        grant::<AreaGrant>(db, id, json!({})).await?;
    }
    for (id, approval) in [
        ("anomalie", false),
        ("rueckruf", false),
        ("aenderung", true),
        ("eintritt", true),
    ] {
        grant::<TicketTypeGrant>(db, id, json!({"approval_required": approval})).await?;
    }
    grant::<PlanBoardGrant>(db, "wartung", json!({})).await?;
    for access in [
        json!({"first_name": "Änne", "last_name": "Schäfer", "email": "aenne.schaefer@swfliess.example", "contact_id": "P-77",
            "role": "dispatcher", "approver": true, "ticket_visibility": "partner"}),
        json!({"first_name": "Jörg", "last_name": "Weiß", "email": "joerg.weiss@swfliess.example", "role": "editor"}),
        json!({"first_name": "Mary", "last_name": "O'Neill", "email": "mary.oneill@swfliess.example", "language": "en"}),
        json!({"first_name": "Karl", "last_name": "Ruhestand", "email": "karl.ruhestand@swfliess.example", "active": false}),
    ] {
        crud::service::create::<Access, _>(
            db,
            actor(),
            ConfigurationLock(partner.clone()),
            body(access)?,
        )
        .await?;
    }
    ticket_settings(db, &ConfigurationLock(partner)).await
}

/// Tags, queries and rules, so that every sub-tab has something to show.
async fn ticket_settings(db: &Db, home: &ConfigurationLock) -> anyhow::Result<()> {
    for tag in [
        json!({"name": "VPN", "description": "Fernzugriff der Außenstellen", "area_id": "netz"}),
        json!({"name": "Drucker"}),
        json!({"name": "Eskalation", "description": "Mit der Serviceleitung abgestimmt", "internal_only": true}),
    ] {
        crud::service::create::<Tag, _>(db, actor(), home.clone(), body(tag)?).await?;
    }
    for query in [
        json!({"name": "Meine offenen Tickets", "columns": ["reference_number", "subject", "status", "created_at"],
            "sort": [{"field": "created_at", "direction": "descending"}],
            "filter": {"type": "all", "filters": [condition("main_contact", "is_self", &[]), condition("status", "not_in", &["closed"])]}}),
        json!({"name": "Dringende Störungen", "description": "Was heute niemand liegen lassen darf",
            "columns": ["reference_number", "area", "subject", "urgency", "impact"],
            "filter": {"type": "all", "filters": [
                condition("ticket_type", "in", &["anomalie"]), condition("status", "in", &["open", "in_progress"]),
                {"type": "any", "filters": [condition("urgency", "in", &["high"]), condition("impact", "in", &["high"])]}]}}),
    ] {
        crud::service::create::<TicketQuery, _>(db, actor(), home.clone(), body(query)?).await?;
    }
    for rule in [
        json!({"name": "Altfälle", "description": "Vor der Umstellung abgeschlossen",
            "filter": {"type": "all", "filters": [condition("status", "in", &["closed"]), condition("created_at", "older_than", &["P2Y"])]}}),
        json!({"name": "Personalsachen", "filter": {"type": "any", "filters": [
            condition("tag", "any_of", &["Personal", "Kündigung"]), condition("subject", "contains", &["Gehalt"])]}}),
    ] {
        crud::service::create::<ExclusionRule, _>(db, actor(), home.clone(), body(rule)?).await?;
    }
    Ok(())
}

/// Rules for all partners, unless there are some already.
async fn global_rules(db: &Db) -> anyhow::Result<()> {
    if db
        .read(async |conn| GlobalRules.load_state(conn).await)
        .await?
        .revision
        > 0
    {
        return Ok(());
    }
    let rule = json!({"name": "Sicherheitsvorfälle", "description": "Bis zur Freigabe durch den Informationssicherheitsbeauftragten",
        "filter": {"type": "all", "filters": [condition("area", "in", &["sicherheit"]), condition("released", "is", &["false"])]}});
    crud::service::create::<ExclusionRule, _>(db, actor(), GlobalRules, body(rule)?).await?;
    Ok(())
}

fn condition(field: &str, operator: &str, values: &[&str]) -> Value {
    json!({"type": "condition", "field": field, "operator": operator, "values": values})
}

/// Says where to go: addresses, a token, and a first request to paste.
pub fn print_welcome(
    out: &mut impl Write,
    mut address: SocketAddr,
    tokens: &TokenSettings,
) -> anyhow::Result<()> {
    if address.ip().is_unspecified() {
        // what listens on all addresses, as in a container, is reached on this one
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let token = tokens::dev_claims(tokens, "demo", SCOPES, TOKEN_LIFETIME)
        .map(|claims| tokens::sign(tokens, &claims));
    let token = token
        .transpose()?
        .unwrap_or_else(|| "…  # from your identity provider".to_owned());
    writeln!(
        out,
        "\nThe demo serves at http://{address} until you press Ctrl+C. What it makes for itself is in ./data."
    )?;
    writeln!(out, "Documentation to try out: http://{address}/docs")?;
    writeln!(
        out,
        "\nIn another terminal, paste the token (valid for 12 hours) and a first request:\n"
    )?;
    writeln!(out, "export BASE=http://{address}/api/v1")?;
    writeln!(out, "export TOKEN={token}")?;
    writeln!(
        out,
        "curl -s -H \"Authorization: Bearer $TOKEN\" $BASE/customer-integrations/{CONFIGURED}\n"
    )?;
    writeln!(out, "Why may Jörg Weiß not see this ticket?\n")?;
    writeln!(out, "{}\n", explained())?;
    Ok(out.flush()?)
}

/// A question that is decided by several steps, as a command to paste.
fn explained() -> String {
    let ticket = json!({"ticket_id": "INC-2041", "business_partner_id": CONFIGURED, "area_id": "netz", "internal": false, "confidential": false,
        "status": "open", "tags": ["VPN"], "subject": "Gehaltsabrechnung nicht abrufbar", "main_contact_id": "P-77", "created_by_access_id": null});
    let question = json!({"access_email": "joerg.weiss@swfliess.example", "explain": true, "tickets": [ticket]});
    format!(
        "curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -H 'Accept-Language: de' \\\n  \
         $BASE/decisions/ticket-visibility -d '{question}'"
    )
}

async fn tell<E: CatalogEntry>(db: &Db, id: &str, said: Value) -> anyhow::Result<()> {
    let only_new = Precondition {
        if_none_match: Some(EtagMatcher::Any),
        ..Precondition::default()
    };
    match catalog::service::put::<E>(db, actor(), known(id)?, body(said)?, only_new).await {
        Err(error) if error.code() != Code::PreconditionFailed => Err(error.into()),
        _ => Ok(()),
    }
}

async fn grant<G: Grant<Put: DeserializeOwned + Validate>>(
    db: &Db,
    id: &str,
    how: Value,
) -> anyhow::Result<()> {
    let partner = known(CONFIGURED)?;
    grants::service::put::<G>(
        db,
        actor(),
        partner,
        known(id)?,
        body(how)?,
        Precondition::default(),
    )
    .await?;
    Ok(())
}

fn known<K>(id: &str) -> anyhow::Result<ErpId<K>> {
    id.parse()
        .map_err(|_| anyhow::anyhow!("bad id in the demo data: {id}"))
}

fn body<T: DeserializeOwned + Validate>(json: Value) -> anyhow::Result<T> {
    let body: T = serde_json::from_value(json)?;
    body.validate()?;
    Ok(body)
}

fn actor() -> Actor {
    Actor {
        subject: "demo".to_owned(),
        client: None,
        request_id: "demo".to_owned(),
    }
}
