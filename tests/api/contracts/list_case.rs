//! The documented lists, and how a test adds an item to each.

use serde_json::{Value, json};

use crate::support::{
    Client, TestApp,
    app::filter,
    document::{OPERATIONS, Operation},
};

/// A documented list.
pub(super) struct ListCase {
    pub(super) operation: &'static str,
    /// The path relative to `/api/v1`, for the data of [`TestApp::with_active_partner`].
    pub(super) path: &'static str,
    /// A JSON pointer to the id of an item.
    pub(super) id: &'static str,
}

pub(super) const LISTS: [ListCase; 16] = [
    ListCase {
        operation: "list_catalog_business_partners",
        path: "/catalog/business-partners",
        id: "/id",
    },
    ListCase {
        operation: "list_catalog_areas",
        path: "/catalog/areas",
        id: "/id",
    },
    ListCase {
        operation: "list_catalog_ticket_types",
        path: "/catalog/ticket-types",
        id: "/id",
    },
    ListCase {
        operation: "list_catalog_plan_boards",
        path: "/catalog/plan-boards",
        id: "/id",
    },
    ListCase {
        operation: "list_customer_integrations",
        path: "/customer-integrations",
        id: "/business_partner/id",
    },
    ListCase {
        operation: "list_accesses",
        path: "/customer-integrations/K-1/accesses",
        id: "/id",
    },
    ListCase {
        operation: "list_all_accesses",
        path: "/accesses",
        id: "/id",
    },
    ListCase {
        operation: "list_areas",
        path: "/customer-integrations/K-1/areas",
        id: "/area_id",
    },
    ListCase {
        operation: "list_ticket_types",
        path: "/customer-integrations/K-1/ticket-types",
        id: "/ticket_type_id",
    },
    ListCase {
        operation: "list_plan_boards",
        path: "/customer-integrations/K-1/plan-boards",
        id: "/plan_board_id",
    },
    ListCase {
        operation: "list_tags",
        path: "/customer-integrations/K-1/tags",
        id: "/id",
    },
    ListCase {
        operation: "list_queries",
        path: "/customer-integrations/K-1/queries",
        id: "/id",
    },
    ListCase {
        operation: "list_exclusion_rules",
        path: "/customer-integrations/K-1/exclusion-rules",
        id: "/id",
    },
    ListCase {
        operation: "list_global_exclusion_rules",
        path: "/exclusion-rules",
        id: "/id",
    },
    ListCase {
        operation: "list_history",
        path: "/customer-integrations/K-1/history",
        id: "/id",
    },
    ListCase {
        operation: "list_system_history",
        path: "/history",
        id: "/id",
    },
];

/// Lists without paging, because they are short and constant.
pub(super) const UNPAGED: [&str; 1] = ["list_ticket_fields"];

impl ListCase {
    pub(super) fn of(operation: &str) -> &'static Self {
        LISTS
            .iter()
            .find(|list| list.operation == operation)
            .expect("a list of the table")
    }

    /// Adds an item that sorts as `name`. Names may repeat, `n` must be unique.
    pub(super) async fn add(&self, app: &TestApp, n: usize, name: &str) {
        let id = format!("X-{n:03}");
        let unique_name = format!("{name} {n}");
        match self.operation {
            "list_catalog_business_partners" | "list_customer_integrations" => {
                put_catalog_entry(app, "business-partners", &id, name).await;
            }
            "list_catalog_areas" => put_catalog_entry(app, "areas", &id, name).await,
            "list_catalog_ticket_types" => put_catalog_entry(app, "ticket-types", &id, name).await,
            "list_catalog_plan_boards" => put_catalog_entry(app, "plan-boards", &id, name).await,
            "list_areas" => {
                put_catalog_entry(app, "areas", &id, name).await;
                self.put_grant(&app.editor(), &id).await;
            }
            "list_ticket_types" => {
                put_catalog_entry(app, "ticket-types", &id, name).await;
                self.put_grant(&app.editor(), &id).await;
            }
            "list_plan_boards" => {
                put_catalog_entry(app, "plan-boards", &id, name).await;
                self.put_grant(&app.erp(), &id).await;
            }
            "list_accesses" | "list_all_accesses" => {
                let email = format!("x{n}@b.example");
                app.create_access("K-1", &email, json!({"last_name": name}))
                    .await;
            }
            "list_tags" => self.post(app, json!({"name": unique_name})).await,
            // every change adds a history entry
            "list_history" | "list_system_history" => {
                let tags = Self::of("list_tags");
                tags.post(app, json!({"name": unique_name})).await;
            }
            "list_queries" => {
                let query =
                    json!({"name": unique_name, "filter": filter(), "columns": ["subject"]});
                self.post(app, query).await;
            }
            "list_exclusion_rules" | "list_global_exclusion_rules" => {
                let rule = json!({"name": unique_name, "filter": filter()});
                self.post(app, rule).await;
            }
            unknown => panic!("no way to add an item to {unknown}"),
        }
    }

    async fn put_grant(&self, client: &Client, id: &str) {
        let path = format!("{}/{id}", self.path);
        client.put(&path, Value::Null).await.is(201);
    }

    async fn post(&self, app: &TestApp, body: Value) {
        app.global_rules_editor()
            .post(self.path, body)
            .await
            .is(201);
    }

    /// The documented sort orders, or an empty one if the list has no `sort` parameter.
    pub(super) fn orders(&self) -> Vec<String> {
        let operation = OPERATIONS
            .iter()
            .find(|operation| operation.id == self.operation)
            .unwrap();
        let parameters = operation.value["parameters"].as_array().unwrap();
        let Some(sort) = parameters
            .iter()
            .find(|parameter| parameter["name"] == "sort")
        else {
            return vec![String::new()];
        };
        let orders = sort["schema"]["enum"].as_array().expect("sort is an enum");
        orders
            .iter()
            .map(|order| order.as_str().unwrap().to_owned())
            .collect()
    }

    /// The path of the list in this order, ready for more query parameters.
    pub(super) fn path_sorted_by(&self, sort: &str) -> String {
        if sort.is_empty() {
            format!("{}?", self.path)
        } else {
            format!("{}?sort={sort}&", self.path)
        }
    }

    /// The opposite order; `None` for the empty one.
    pub(super) fn reverse_of(sort: &str) -> Option<String> {
        let reversed = sort
            .strip_prefix('-')
            .map_or_else(|| format!("-{sort}"), ToOwned::to_owned);
        (!sort.is_empty()).then_some(reversed)
    }

    pub(super) fn ids(&self, items: &[Value]) -> Vec<String> {
        items
            .iter()
            .map(|item| item.pointer(self.id).unwrap().as_str().unwrap().to_owned())
            .collect()
    }

    /// Deletes items. Returns whether the API can delete items of this list.
    pub(super) async fn delete(&self, app: &TestApp, ids: &[String]) -> bool {
        let deletes_item = |operation: &&Operation| {
            let list_path = operation.path.rsplit_once('/').map(|(list, _)| list);
            operation.method == "DELETE"
                && list_path == Some(&format!("/api/v1{}", self.path_template()))
        };
        let Some(operation) = OPERATIONS.iter().find(deletes_item) else {
            return false;
        };
        for id in ids {
            app.client_with_scope(&operation.scope)
                .delete(&format!("{}/{id}", self.path))
                .await
                .is(204);
        }
        true
    }

    /// The path as documented.
    fn path_template(&self) -> String {
        self.path.replace("K-1", "{business_partner_id}")
    }
}

async fn put_catalog_entry(app: &TestApp, kind: &str, id: &str, name: &str) {
    let body = match kind {
        "business-partners" => json!({"name": name, "search_name": "X"}),
        "areas" => json!({"name": name, "color": "#000000"}),
        "ticket-types" => json!({"name": name, "kind": "dynamic"}),
        "plan-boards" => json!({"name": name}),
        unknown => panic!("unknown kind {unknown}"),
    };
    app.erp()
        .put(&format!("/catalog/{kind}/{id}"), body)
        .await
        .is(201);
}
