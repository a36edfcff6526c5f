//! The tables, which are the same in both databases. A test compares this file with the migrations.

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;
    use crate::common::sql::Json;

    catalog_entries (kind, id) {
        kind -> Text,
        id -> Text,
        name -> Text,
        active -> Bool,
        search_name -> Nullable<Text>,
        color -> Nullable<Text>,
        start_ticket_types -> Nullable<Json>,
        ticket_kind -> Nullable<Text>,
        description -> Nullable<Text>,
        sort_key -> Text,
        search_key -> Text,
        version -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        created_by -> Text,
        updated_by -> Text,
        created_by_name -> Nullable<Text>,
        updated_by_name -> Nullable<Text>,
    }
}

/// Name of the catalog's row in [`shared_revisions`].
pub const CATALOG: &str = "catalog";
/// Name of the global rules' row in [`shared_revisions`].
pub const GLOBAL_RULES: &str = "global_rules";

diesel::table! {
    shared_revisions (name) {
        name -> Text,
        revision -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;

    customer_integrations (business_partner_id) {
        business_partner_id -> Text,
        active -> Bool,
        activated_at -> Nullable<UtcTimestamp>,
        revision -> BigInt,
        version -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        created_by -> Text,
        updated_by -> Text,
        created_by_name -> Nullable<Text>,
        updated_by_name -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;
    use crate::common::sql::Uuid;

    accesses (id) {
        id -> Uuid,
        business_partner_id -> Text,
        contact_id -> Nullable<Text>,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        language -> Text,
        role -> Text,
        approver -> Bool,
        ticket_visibility -> Text,
        active -> Bool,
        sort_key -> Text,
        search_key -> Text,
        version -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        created_by -> Text,
        updated_by -> Text,
        created_by_name -> Nullable<Text>,
        updated_by_name -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;

    grants (business_partner_id, kind, entry_id) {
        business_partner_id -> Text,
        kind -> Text,
        entry_id -> Text,
        approval_required -> Bool,
        version -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        created_by -> Text,
        updated_by -> Text,
        created_by_name -> Nullable<Text>,
        updated_by_name -> Nullable<Text>,
    }
}

diesel::table! {
    revoked_grants (business_partner_id, kind, entry_id) {
        business_partner_id -> Text,
        kind -> Text,
        entry_id -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;
    use crate::common::sql::Json;
    use crate::common::sql::Uuid;

    history (id) {
        id -> Uuid,
        aggregate -> Text,
        business_partner_id -> Nullable<Text>,
        revision -> BigInt,
        at -> UtcTimestamp,
        subject -> Text,
        client -> Nullable<Text>,
        request_id -> Text,
        resource -> Text,
        resource_id -> Text,
        action -> Text,
        before -> Nullable<Json>,
        after -> Nullable<Json>,
        subject_name -> Nullable<Text>,
        actor -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;
    use crate::common::sql::Uuid;

    tags (id) {
        id -> Uuid,
        business_partner_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        area_id -> Nullable<Text>,
        internal_only -> Bool,
        name_key -> Text,
        sort_key -> Text,
        search_key -> Text,
        version -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        created_by -> Text,
        updated_by -> Text,
        created_by_name -> Nullable<Text>,
        updated_by_name -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;
    use crate::common::sql::Json;
    use crate::common::sql::Uuid;

    queries (id) {
        id -> Uuid,
        business_partner_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        active -> Bool,
        position -> BigInt,
        filter -> Json,
        board_columns -> Json,
        sort -> Json,
        name_key -> Text,
        sort_key -> Text,
        search_key -> Text,
        version -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        created_by -> Text,
        updated_by -> Text,
        created_by_name -> Nullable<Text>,
        updated_by_name -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::UtcTimestamp;
    use crate::common::sql::Json;
    use crate::common::sql::Uuid;

    exclusion_rules (id) {
        id -> Uuid,
        business_partner_id -> Nullable<Text>,
        owner -> Text,
        name -> Text,
        description -> Nullable<Text>,
        active -> Bool,
        filter -> Json,
        name_key -> Text,
        sort_key -> Text,
        search_key -> Text,
        version -> BigInt,
        created_at -> UtcTimestamp,
        updated_at -> UtcTimestamp,
        created_by -> Text,
        updated_by -> Text,
        created_by_name -> Nullable<Text>,
        updated_by_name -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::common::sql::Uuid;

    filter_references (owner_id, kind, entry_id) {
        owner_id -> Uuid,
        kind -> Text,
        entry_id -> Text,
        query_id -> Nullable<Uuid>,
        exclusion_rule_id -> Nullable<Uuid>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    catalog_entries,
    shared_revisions,
    customer_integrations,
    accesses,
    grants,
    revoked_grants,
    tags,
    queries,
    exclusion_rules,
    filter_references,
    history
);
