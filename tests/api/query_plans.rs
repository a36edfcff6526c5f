//! The number of queries per page does not depend on the number of rows, and every query uses an
//! index.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use actix_web::rt::time::sleep;
use rstest::rstest;
use serde_json::{Value, json};
use tokio_postgres::SimpleQueryMessage;

use crate::support::{
    Engine::Postgres,
    TestApp,
    app::{Ids, Storage, config},
    document::OPERATIONS,
    postgres::postgres,
};

/// 10,000 partners with grants. K-1 has 5,000 accesses, 1,000 tags, 200 queries, 200 rules and
/// 5,000 history entries.
const SEED: &str = r#"
    CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
    INSERT INTO catalog_entries (
        kind, id, name, active, search_name, sort_key, search_key, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT 'business_partner', 'P-' || n, 'Partner ' || n, true, 'P' || n, 'partner ' || n,
        'partner p-' || n, 1, now() + n * interval '1 ms', now(), 'erp', 'erp'
    FROM generate_series(1, 10000) n;
    INSERT INTO customer_integrations (
        business_partner_id, active, activated_at, revision, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT 'P-' || n, true, now(), 1, 1, now() + n * interval '1 ms', now(), 'erp', 'erp'
    FROM generate_series(1, 10000) n;
    INSERT INTO catalog_entries (
        kind, id, name, active, color, sort_key, search_key, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT 'area', 'X-' || n, 'Area ' || n, true, '#000000', 'area ' || n, 'area x-' || n, 1, now(),
        now(), 'erp', 'erp'
    FROM generate_series(1, 300) n;
    INSERT INTO catalog_entries (
        kind, id, name, active, ticket_kind, sort_key, search_key, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT 'ticket_type', 'X-' || n, 'Type ' || n, true, 'standard', 'type ' || n, 'type x-' || n,
        1, now(), now(), 'erp', 'erp'
    FROM generate_series(1, 300) n;
    INSERT INTO catalog_entries (
        kind, id, name, active, description, sort_key, search_key, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT 'plan_board', 'X-' || n, 'Board ' || n, true, '', 'board ' || n, 'board x-' || n, 1,
        now(), now(), 'erp', 'erp'
    FROM generate_series(1, 300) n;
    INSERT INTO grants (
        business_partner_id, kind, entry_id, approval_required, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT 'P-' || n, k.kind, k.id, false, 1, now(), now(), 'erp', 'erp'
    FROM generate_series(1, 10000) n, (VALUES ('area', 'A-1'), ('ticket_type', 'T-1'),
        ('plan_board', 'B-1')) k (kind, id);
    INSERT INTO grants (
        business_partner_id, kind, entry_id, approval_required, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT 'K-1', k.kind, 'X-' || n, false, 1, now(), now(), 'erp', 'erp'
    FROM generate_series(1, 250) n, (VALUES ('area'), ('ticket_type'), ('plan_board')) k (kind);
    INSERT INTO accesses (
        id, business_partner_id, first_name, last_name, email, language, role, approver,
        ticket_visibility, active, sort_key, search_key, version, created_at, updated_at,
        created_by, updated_by
    )
    SELECT gen_random_uuid(), CASE WHEN n <= 5000 THEN 'K-1' ELSE 'P-' || n END, 'A', 'B' || n,
        n || '@b.example', 'de', 'editor', false, 'own', true, 'b' || n || ' a', 'b' || n, 1,
        now() + n * interval '1 ms', now(), 'x', 'x'
    FROM generate_series(1, 10000) n;
    INSERT INTO tags (
        id, business_partner_id, name, area_id, internal_only, name_key, sort_key, search_key,
        version, created_at, updated_at, created_by, updated_by
    )
    SELECT gen_random_uuid(), CASE WHEN n <= 1000 THEN 'K-1' ELSE 'P-' || n END, 'Tag ' || n, 'A-1',
        false, 'tag ' || n, 'tag ' || n, 'tag ' || n, 1, now() + n * interval '1 ms', now(), 'x',
        'x'
    FROM generate_series(1, 5000) n;
    INSERT INTO queries (
        id, business_partner_id, name, active, position, filter, board_columns, sort, name_key,
        sort_key, search_key, version, created_at, updated_at, created_by, updated_by
    )
    SELECT gen_random_uuid(), CASE WHEN n <= 200 THEN 'K-1' ELSE 'P-' || n END, 'Query ' || n, true,
        n, f.filter, '["subject"]', '[]', 'query ' || n, 'query ' || n, 'query ' || n, 1,
        now() + n * interval '1 ms', now(), 'x', 'x'
    FROM generate_series(1, 3000) n,
        (VALUES (
            '{"type":"condition","field":"area","operator":"in","values":["A-1","A-2"]}'::jsonb
        )) f (filter);
    INSERT INTO exclusion_rules (
        id, business_partner_id, name, active, filter, name_key, sort_key, search_key, version,
        created_at, updated_at, created_by, updated_by
    )
    SELECT gen_random_uuid(),
        CASE WHEN n <= 200 THEN 'K-1' WHEN n <= 400 THEN NULL ELSE 'P-' || n END, 'Rule ' || n,
        true, f.filter, 'rule ' || n, 'rule ' || n, 'rule ' || n, 1, now() + n * interval '1 ms',
        now(), 'x', 'x'
    FROM generate_series(1, 3000) n,
        (VALUES (
            '{"type":"condition","field":"area","operator":"in","values":["A-1","A-2"]}'::jsonb
        )) f (filter);
    INSERT INTO filter_references (owner_id, kind, entry_id, query_id)
    SELECT id, 'area', 'A-1', id FROM queries;
    INSERT INTO filter_references (owner_id, kind, entry_id, exclusion_rule_id)
    SELECT id, 'area', 'A-1', id FROM exclusion_rules;
    INSERT INTO history (
        id, aggregate, business_partner_id, revision, at, subject, request_id, resource,
        resource_id, action, after
    )
    SELECT gen_random_uuid(), 'customer_integration',
        CASE WHEN n <= 5000 THEN 'K-1' ELSE 'P-' || n END, 1000 + n, now(), 'x', 'r', 'tag',
        't' || n, 'created', '{}'
    FROM generate_series(1, 10000) n;
    ANALYZE;
"#;

/// Tables with so few rows that a sequential scan is faster than an index.
const SMALL_TABLES: [&str; 1] = ["shared_revisions"];

/// The number of statements of an operation.
#[derive(Debug, PartialEq)]
struct OperationCost {
    operation: String,
    statements: i64,
}

/// Executes every GET operation of K-1, with pages of `limit`.
async fn measure_reads(app: &TestApp, ids: &Ids, limit: usize) -> Vec<OperationCost> {
    let mut costs = Vec::new();
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let path = ids.path(operation, "K-1");
        let unpaged = !operation.value["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .any(|parameter| parameter["name"] == "limit");
        let path = if unpaged {
            path
        } else {
            format!("{path}?limit={limit}")
        };
        // the first request fills the caches, for example with the global rules.
        app.reader().get(&path).await.is(200);
        reset_statistics(app).await;
        app.reader().get(&path).await.is(200);
        let statements = executed_statements(app).await;
        costs.push(OperationCost {
            operation: operation.id.clone(),
            statements: statements.iter().map(|statement| statement.calls).sum(),
        });
    }
    costs
}

async fn reset_statistics(app: &TestApp) {
    let database = "(SELECT oid FROM pg_database WHERE datname = current_database())";
    app.storage
        .try_execute(&format!(
            "SELECT pg_stat_statements_reset(0, {database}, 0)"
        ))
        .await
        .unwrap();
}

struct ExecutedStatement {
    query: String,
    calls: i64,
}

/// The statements of the service since the last [`reset_statistics`].
async fn executed_statements(app: &TestApp) -> Vec<ExecutedStatement> {
    let sql = "SELECT calls || ' ' || query AS text FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND query NOT LIKE '%pg_stat_statements%'";
    let rows = app.storage.query_texts(sql).await;
    rows.iter()
        .map(|row| {
            let (calls, query) = row.split_once(' ').unwrap();
            ExecutedStatement {
                query: query.to_owned(),
                calls: calls.parse().unwrap(),
            }
        })
        .collect()
}

/// The tables that the plan of a statement scans sequentially.
async fn sequential_scans(app: &TestApp, query: &str) -> BTreeSet<String> {
    let Storage::Postgres { name, .. } = &app.storage else {
        unreachable!("the engine is PostgreSQL")
    };
    let client = postgres().await.client(name).await;
    let (query, parameters) = with_fixed_limit(query);
    let values = vec!["NULL"; parameters].join(", ");
    let execute = if parameters == 0 {
        "EXECUTE q".to_owned()
    } else {
        format!("EXECUTE q({values})")
    };
    client
        .batch_execute(&format!(
            "SET plan_cache_mode = force_generic_plan; PREPARE q AS {query}"
        ))
        .await
        .unwrap();
    let messages = client
        .simple_query(&format!("EXPLAIN (FORMAT JSON) {execute}"))
        .await
        .unwrap();
    let plan = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(|plan| serde_json::from_str(plan).unwrap()),
        _ => None,
    });
    let mut tables = BTreeSet::new();
    collect_sequential_scans(&plan.unwrap(), &mut tables);
    tables
}

/// Replaces the parameter of LIMIT with the value for a page of 50. For an unknown LIMIT PostgreSQL
/// would estimate a tenth of the table. Returns the statement and the number of its parameters.
fn with_fixed_limit(query: &str) -> (String, usize) {
    let mut pieces = query.split('$');
    let mut text = pieces.next().unwrap().to_owned();
    let mut parameters = 0;
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        if text.ends_with("LIMIT ") {
            text.push_str("51");
        } else {
            parameters += 1;
            text.extend(["$", &parameters.to_string()]);
        }
        text.push_str(rest);
    }
    (text, parameters)
}

fn collect_sequential_scans(plan: &Value, tables: &mut BTreeSet<String>) {
    if plan["Node Type"] == "Seq Scan" {
        tables.insert(plan["Relation Name"].as_str().unwrap().to_owned());
    }
    match plan {
        Value::Array(plans) => plans
            .iter()
            .for_each(|plan| collect_sequential_scans(plan, tables)),
        Value::Object(members) => members
            .values()
            .for_each(|member| collect_sequential_scans(member, tables)),
        _ => {}
    }
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn number_of_queries_per_page_is_independent_of_row_count() {
    let app = app_with_one_connection().await;
    let ids = app.create_one_of_each().await;
    let with_few_rows = measure_reads(&app, &ids, 200).await;
    app.storage.try_execute(SEED).await.unwrap();
    let in_small_pages = measure_reads(&app, &ids, 20).await;
    let in_large_pages = measure_reads(&app, &ids, 200).await;

    assert_eq!(in_small_pages, in_large_pages);
    // without references a query for their names is omitted
    for (few, many) in with_few_rows.iter().zip(&in_large_pages) {
        assert_eq!(few.operation, many.operation);
        assert!(
            few.statements <= many.statements && many.statements <= 11,
            "{few:?} with few rows, {many:?} with many"
        );
    }
}

/// Reads every resource and list of K-1, each list in every order and across a page boundary.
async fn execute_reads(app: &TestApp, ids: &Ids) {
    let reader = app.reader();
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let path = ids.path(operation, "K-1");
        reader.get(&path).await.is(200);
        let parameters = operation.value["parameters"].as_array().unwrap();
        let sort = parameters
            .iter()
            .find(|parameter| parameter["name"] == "sort");
        for order in sort
            .into_iter()
            .flat_map(|sort| sort["schema"]["enum"].as_array().unwrap())
        {
            let sorted = format!("{path}?sort={}&limit=1", order.as_str().unwrap());
            let first = reader.get(&sorted).await.is(200);
            if let Some(cursor) = first.json["next_cursor"].as_str() {
                reader
                    .get(&format!("{sorted}&cursor={cursor}"))
                    .await
                    .is(200);
            }
        }
    }
}

async fn execute_filtered_lists(app: &TestApp) {
    let reader = app.reader();
    let k1 = "/customer-integrations/K-1";
    // not included: `usable=false`, which is derived from several tables and needs a scan
    for filtered_list in [
        "/catalog/areas?grantable_to=K-1".to_owned(),
        "/catalog/areas?include_usage=true".to_owned(),
        "/customer-integrations?area_id=X-7".to_owned(),
        format!("{k1}/accesses?role=editor,dispatcher&sort=email&count=true"),
        format!("{k1}/accesses?contact_id=P-77"),
        "/accesses?email=7@b.example".to_owned(),
        "/accesses?contact_id=P-77".to_owned(),
        "/customer-integrations?usable=true".to_owned(),
        "/customer-integrations?active=false&q=partner".to_owned(),
        format!("{k1}/accesses?active=true&role=editor&q=b42"),
        format!("{k1}/tags?area_id=A-1"),
        format!("{k1}/exclusion-rules?include_global=true"),
        format!("{k1}/history?resource=tag&subject=x"),
        format!("{k1}/history?resource_id=t7"),
        format!("{k1}/history?resource=tag&resource_id=t7"),
        format!("{k1}/history?from=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z"),
        "/history?aggregate=global_rules&sort=at".to_owned(),
        "/history?from=2026-01-01T00:00:00Z&subject_not=x".to_owned(),
    ] {
        reader.get(&filtered_list).await.is(200);
    }
}

/// Requests decisions by id and by email address, with and without cached policies.
async fn execute_decisions(app: &TestApp, ids: &Ids) {
    let reader = app.reader();
    let ticket = json!({
        "ticket_id": "1",
        "business_partner_id": "K-1",
        "area_id": "A-1",
        "internal": false,
        "confidential": false,
    });
    for request in [
        json!({"access_id": ids.access, "tickets": [ticket]}),
        json!({"access_email": "a@b.example", "tickets": [ticket]}),
        json!({"access_id": ids.access, "tickets": [ticket]}),
    ] {
        reader
            .post("/decisions/ticket-visibility", request)
            .await
            .is(200);
    }
}

async fn execute_preview(app: &TestApp, ids: &Ids) {
    let preview = json!({
        "business_partner_id": "K-1",
        "rule_id": ids.rule,
        "filter": {"type": "condition", "field": "area", "operator": "in", "values": ["A-2"]},
        "tickets": [{
            "ticket_id": "1",
            "business_partner_id": "K-1",
            "area_id": "A-1",
            "internal": false,
            "confidential": false,
        }],
    });
    let result = app
        .reader()
        .post("/decisions/exclusion-rule-preview", preview)
        .await
        .is(200);
    assert_eq!(result.json["accesses_left_out"], 4501);
}

async fn execute_writes(app: &TestApp, ids: &Ids) {
    let k1 = "/customer-integrations/K-1";
    app.editor()
        .patch(&format!("{k1}/tags/{}", ids.tag), json!({"area_id": "A-1"}))
        .await
        .is(200);
    app.editor()
        .delete(&format!("{k1}/areas/A-1"))
        .await
        .is_problem(409, "area_in_use");
    app.editor()
        .patch(
            &format!("{k1}/accesses/{}", ids.access),
            json!({"language": "en"}),
        )
        .await
        .is(200);
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn every_query_uses_an_index() {
    let app = TestApp::with_active_partner(Postgres).await;
    let ids = app.create_one_of_each().await;
    app.storage.try_execute(SEED).await.unwrap();
    reset_statistics(&app).await;

    execute_reads(&app, &ids).await;
    execute_filtered_lists(&app).await;
    execute_decisions(&app, &ids).await;
    execute_preview(&app, &ids).await;
    execute_writes(&app, &ids).await;

    let queries: Vec<_> = executed_statements(&app)
        .await
        .into_iter()
        .map(|statement| statement.query)
        .collect();
    assert!(
        queries.len() > 40,
        "only {} statements were executed",
        queries.len()
    );
    for query in queries {
        let tables: Vec<_> = sequential_scans(&app, &query)
            .await
            .into_iter()
            .filter(|table| !SMALL_TABLES.contains(&table.as_str()))
            .collect();
        assert!(tables.is_empty(), "sequential scan of {tables:?}: {query}");
    }
}

/// After five executions PostgreSQL compares the custom plans with a generic plan.
const EXECUTIONS_BEFORE_GENERIC_PLAN: usize = 6;

/// A service whose requests share one connection, which counts plans, and which caches no pages.
async fn app_with_one_connection() -> TestApp {
    let storage = Storage::migrated(Postgres).await;
    storage
        .try_execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        .await
        .unwrap();
    let Storage::Postgres { name, .. } = &storage else {
        unreachable!("the engine is PostgreSQL")
    };
    let track_planning =
        format!("ALTER DATABASE {name} SET pg_stat_statements.track_planning = on");
    storage.try_execute(&track_planning).await.unwrap();
    let mut config = config(&storage.url());
    config.page_cache_bytes = 0;
    config.worker_threads = 1;
    config.database_options.pool_size = 1;
    let app = TestApp::with_config(storage, config).await;
    app.fill_catalog().await;
    app.activate_partner("K-1").await;
    app
}

/// The statements that were planned since the last [`reset_statistics`].
async fn planned_statements(app: &TestApp) -> Vec<String> {
    let sql = "SELECT plans || ' of ' || calls || ': ' || query AS text FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND query NOT LIKE '%pg_stat_statements%' AND plans > 0";
    app.storage.query_texts(sql).await
}

#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn repeated_reads_are_not_planned_again() {
    let app = app_with_one_connection().await;
    let ids = app.create_one_of_each().await;
    app.storage.try_execute(SEED).await.unwrap();
    for _ in 0..EXECUTIONS_BEFORE_GENERIC_PLAN {
        execute_reads(&app, &ids).await;
    }
    reset_statistics(&app).await;
    execute_reads(&app, &ids).await;
    let planned = planned_statements(&app).await;
    assert!(planned.is_empty(), "{}", planned.join("\n"));
}

/// How often the index has been scanned, as far as sessions have reported it.
async fn index_scans(app: &TestApp, index: &str) -> i64 {
    let sql = format!(
        "SELECT idx_scan::text AS text FROM pg_stat_user_indexes WHERE indexrelname = '{index}'"
    );
    let scans = app.storage.query_texts(&sql).await;
    scans.first().expect("the index exists").parse().unwrap()
}

#[rstest]
#[case::partners("/catalog/business-partners", "catalog_entries_search_key_trgm")]
#[case::integrations("/customer-integrations", "catalog_entries_search_key_trgm")]
#[case::accesses("/accesses", "accesses_search_key_trgm")]
#[ignore = "needs PostgreSQL"]
#[actix_web::test]
async fn search_for_rare_term_uses_the_trigram_index(#[case] list: &str, #[case] index: &str) {
    let app = app_with_one_connection().await;
    app.storage.try_execute(SEED).await.unwrap();
    let before = index_scans(&app, index).await;
    let search = format!("{list}?q=9876");
    // sessions report their statistics with a delay
    let deadline = Instant::now() + Duration::from_secs(30);
    while index_scans(&app, index).await == before {
        assert!(Instant::now() < deadline, "the index was not used");
        app.reader().get(&search).await.is(200);
        sleep(Duration::from_millis(200)).await;
    }
}
