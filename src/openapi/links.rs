//! Links (OpenAPI Link Objects): the operations that can follow a successful response.
//!
//! They are derived from the paths. A response about `/things/{thing_id}` links to the operations
//! on that path and to those directly below it. A resource created by POST to `/things` is at
//! `/things/{thing_id}`, with the `id` of the response. If the linked operation accepts `If-Match`,
//! the link passes the `ETag` of the response.

use serde_json::{Map, Value, json};

/// The parts of an operation that links are made of.
struct Operation {
    path: String,
    method: String,
    id: String,
    summary: String,
    takes_if_match: bool,
    /// The first item in the example of a list response.
    first_item: Value,
}

impl Operation {
    fn new(path: &str, method: &str, operation: &Value) -> Self {
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        let example = &operation["responses"]["200"]["content"]["application/json"]["example"];
        let parameters = operation["parameters"].as_array();
        Self {
            path: path.to_owned(),
            method: method.to_owned(),
            id: text("operationId"),
            summary: text("summary"),
            takes_if_match: parameters
                .into_iter()
                .flatten()
                .any(|parameter| parameter["name"] == "If-Match"),
            first_item: example["items"][0].clone(),
        }
    }
}

/// Adds links to the successful responses of all operations.
pub(super) fn complete(paths: &mut Value) {
    let operations = operations(paths);
    for source in &operations {
        let links = links_from(source, &operations);
        if links.is_empty() {
            continue;
        }
        let responses = &mut paths[&source.path][&source.method]["responses"];
        for status in ["200", "201"] {
            if let Some(response) = responses.get_mut(status) {
                response["links"] = json!(links);
            }
        }
    }
}

fn operations(paths: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in paths.as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            operations.push(Operation::new(path, method, operation));
        }
    }
    operations
}

fn links_from(source: &Operation, operations: &[Operation]) -> Map<String, Value> {
    operations
        .iter()
        .filter(|target| target.id != source.id)
        .filter_map(|target| Some((target.id.clone(), link(source, target)?)))
        .collect()
}

/// The link from a response of `source` to `target`, if there is one.
fn link(source: &Operation, target: &Operation) -> Option<Value> {
    let rest = target.path.strip_prefix(&source.path)?;
    let is_about_resource = source.path.ends_with('}');
    let mut parameters: Vec<_> = path_parameters(&source.path)
        .map(|name| (name, format!("$request.path.{name}")))
        .collect();
    let same_resource = match source.method.as_str() {
        "post" => {
            parameters.push((item_parameter(rest)?, "$response.body#/id".to_owned()));
            true
        }
        "get" if !is_about_resource && target.method == "get" => {
            let name = item_parameter(rest)?;
            let pointer = id_pointer(name, &source.first_item)?;
            parameters.push((name, format!("$response.body#/items/0{pointer}")));
            true
        }
        _ if !is_about_resource => return None,
        _ => rest.is_empty(),
    };
    if !same_resource && !is_child(rest) {
        return None;
    }
    if same_resource && target.takes_if_match {
        parameters.push(("If-Match", "$response.header.ETag".to_owned()));
    }
    let parameters: Map<_, _> = parameters
        .into_iter()
        .map(|(name, expression)| (name.to_owned(), json!(expression)))
        .collect();
    Some(json!({
        "operationId": target.id,
        "parameters": parameters,
        "description": format!("{}.", target.summary)
    }))
}

/// The name in `/{name}`, the rest of the path from a collection to its items.
fn item_parameter(rest: &str) -> Option<&str> {
    rest.strip_prefix("/{")?.strip_suffix('}')
}

/// Whether `rest`, the path below a resource, is one fixed segment. It needs no other id.
fn is_child(rest: &str) -> bool {
    rest.strip_prefix('/')
        .is_some_and(|segment| !segment.contains(['/', '{']))
}

/// Where an item of a list contains the id that a path calls `name`: in the member of this name, in
/// its `id`, or in the `id` of the resource it describes.
fn id_pointer(name: &str, item: &Value) -> Option<String> {
    let resource = name.strip_suffix("_id").unwrap_or(name);
    let pointers = [
        format!("/{name}"),
        "/id".to_owned(),
        format!("/{resource}/id"),
    ];
    pointers
        .into_iter()
        .find(|pointer| item.pointer(pointer).is_some_and(Value::is_string))
}

/// The names of the parameters in a path.
pub(super) fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: &str = "/things/{thing_id}";

    fn operation(method: &str, path: &str) -> Operation {
        Operation {
            id: format!("{method}_{path}"),
            path: path.to_owned(),
            method: method.to_owned(),
            summary: "Do it".to_owned(),
            takes_if_match: !matches!(method, "get" | "post"),
            first_item: json!({"id": "1", "x": {"id": "2"}}),
        }
    }

    /// The parameters of the link between two operations, each given as method and path.
    fn link_parameters(source: (&str, &str), target: (&str, &str)) -> Option<Value> {
        link(
            &operation(source.0, source.1),
            &operation(target.0, target.1),
        )
        .map(|link| link["parameters"].clone())
    }

    #[test]
    fn resource_links_to_read_of_same_path() {
        let expected = json!({"thing_id": "$request.path.thing_id"});
        assert_eq!(
            link_parameters(("put", THING), ("get", THING)),
            Some(expected)
        );
    }

    #[rstest::rstest]
    fn resource_links_to_writes_with_its_etag(#[values("put", "patch", "delete")] method: &str) {
        let expected = json!({
            "thing_id": "$request.path.thing_id",
            "If-Match": "$response.header.ETag"
        });
        assert_eq!(
            link_parameters(("get", THING), (method, THING)),
            Some(expected)
        );
    }

    #[test]
    fn created_resource_is_linked_by_its_id() {
        let expected = json!({"a_id": "$request.path.a_id", "b_id": "$response.body#/id"});
        let post = ("post", "/a/{a_id}/b");
        let links = |path| link_parameters(post, ("get", path));
        assert_eq!(links("/a/{a_id}/b/{b_id}"), Some(expected));
        assert_eq!(links("/a/{a_id}/b/{b_id}/c"), None);
        assert_eq!(links("/a/{a_id}/b"), None);
    }

    #[rstest::rstest]
    #[case::own_name(json!({"a_id": "1", "id": "2"}), Some("$response.body#/items/0/a_id"))]
    #[case::id(json!({"id": "2", "a": {"id": "3"}}), Some("$response.body#/items/0/id"))]
    #[case::nested(json!({"a": {"id": "3"}}), Some("$response.body#/items/0/a/id"))]
    #[case::none(json!({"name": "x"}), None)]
    fn list_links_to_its_first_item(#[case] first_item: Value, #[case] expected: Option<&str>) {
        let list = Operation {
            first_item,
            ..operation("get", "/a")
        };
        let link = link(&list, &operation("get", "/a/{a_id}"));
        let parameters = link.map(|link| link["parameters"].clone());
        assert_eq!(
            parameters,
            expected.map(|expression| json!({"a_id": expression}))
        );
    }

    #[test]
    fn resource_links_to_lists_directly_below_without_etag() {
        let expected = json!({"a_id": "$request.path.a_id"});
        let get = ("get", "/a/{a_id}");
        assert_eq!(
            link_parameters(get, ("post", "/a/{a_id}/b")),
            Some(expected)
        );
        assert_eq!(link_parameters(get, ("get", "/a/{a_id}/b/{b_id}")), None);
        assert_eq!(link_parameters(get, ("get", "/other/{a_id}")), None);
    }

    #[test]
    fn list_does_not_link_to_writes() {
        assert_eq!(link_parameters(("get", "/a"), ("put", "/a/{a_id}")), None);
    }
}
