//! Links of the document: what can be called next with what an answer tells, so that tools and people can walk the API.
//!
//! They follow from the paths. An answer about `/things/{thing_id}` leads to all that can be done there, and to the lists below
//! it. What POST to `/things` creates is at `/things/{thing_id}`, where the id is the answer's `id`. Where the next operation
//! takes `If-EtagMatcher`, the answer's `ETag` is it.

#![expect(
    clippy::indexing_slicing,
    reason = "serde_json's values answer null for what is not there, and insert it"
)]

use serde_json::{Map, Value, json};

/// What links need to know of an operation.
struct Operation {
    path: String,
    method: String,
    id: String,
    summary: String,
    takes_if_match: bool,
    /// The first item of the list it answers, as in its example.
    first_item: Value,
}

/// Gives the successes of operations about single resources their links.
pub(super) fn complete(paths: &mut Value) {
    let operations: Vec<_> = all(paths).collect();
    for source in &operations {
        let links: Map<_, _> = operations
            .iter()
            .filter(|target| target.id != source.id)
            .filter_map(|target| Some((target.id.clone(), link(source, target)?)))
            .collect();
        let responses = &mut paths[&source.path][&source.method]["responses"];
        for status in ["200", "201"] {
            if let Some(response) = responses.get_mut(status).filter(|_| !links.is_empty()) {
                response["links"] = json!(links);
            }
        }
    }
}

fn all(paths: &Value) -> impl Iterator<Item = Operation> {
    let methods = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let of = move |(method, value): (&String, &Value)| Operation {
            path: path.clone(),
            method: method.clone(),
            id: value["operationId"].as_str().unwrap_or_default().to_owned(),
            summary: value["summary"].as_str().unwrap_or_default().to_owned(),
            first_item:
                value["responses"]["200"]["content"]["application/json"]["example"]["items"][0]
                    .clone(),
            takes_if_match: value["parameters"]
                .as_array()
                .is_some_and(|all| all.iter().any(|it| it["name"] == "If-Match")),
        };
        item.as_object()
            .into_iter()
            .flatten()
            .map(of)
            .collect::<Vec<_>>()
    };
    paths.as_object().into_iter().flatten().flat_map(methods)
}

/// The link from an answer of `source` to `target`, where there is one.
fn link(source: &Operation, target: &Operation) -> Option<Value> {
    let known = names(&source.path).map(|name| (name, format!("$request.path.{name}")));
    let mut parameters: Vec<_> = known.collect();
    let list_response = target.path.strip_prefix(&source.path)?;
    let here = match source.method.as_str() {
        "post" => {
            let id = list_response
                .strip_prefix("/{")
                .and_then(|rest| rest.strip_suffix('}'))?;
            parameters.push((id, "$response.body#/id".to_owned()));
            true
        }
        "get" if !source.path.ends_with('}') && target.method == "get" => {
            let id = list_response
                .strip_prefix("/{")
                .and_then(|rest| rest.strip_suffix('}'))?;
            parameters.push((
                id,
                format!(
                    "$response.body#/items/0{}",
                    place_of(id, &source.first_item)?
                ),
            ));
            true
        }
        _ if !source.path.ends_with('}') => return None,
        _ => list_response.is_empty(),
    };
    // below it, what needs no further id; a list of lists would lead everywhere
    let next = here
        || list_response
            .strip_prefix('/')
            .is_some_and(|segment| !segment.contains(['/', '{']));
    if !next {
        return None;
    }
    if here && target.takes_if_match {
        parameters.push(("If-Match", "$response.header.ETag".to_owned()));
    }
    let parameters: Map<_, _> = parameters
        .into_iter()
        .map(|(name, from)| (name.to_owned(), json!(from)))
        .collect();
    let description = format!("{}.", target.summary);
    Some(json!({"operationId": target.id, "parameters": parameters, "description": description}))
}

/// Where an item of a list has the id that a path calls `name`: in a member of this name, in its own `id`, or in that of what it is
/// about.
fn place_of(name: &str, item: &Value) -> Option<String> {
    let about = name.strip_suffix("_id").unwrap_or(name);
    let places = [format!("/{name}"), "/id".to_owned(), format!("/{about}/id")];
    places
        .into_iter()
        .find(|place| item.pointer(place).is_some_and(Value::is_string))
}

/// The parameters of a path.
pub(super) fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, path: &str) -> Operation {
        let (method, path) = (method.to_owned(), path.to_owned());
        let takes_if_match = !matches!(method.as_str(), "get" | "post");
        let first_item = json!({"id": "1", "x": {"id": "2"}});
        Operation {
            id: format!("{method}_{path}"),
            path,
            method,
            summary: "Do it".to_owned(),
            takes_if_match,
            first_item,
        }
    }

    fn parameters(from: (&str, &str), to: (&str, &str)) -> Option<Value> {
        link(&operation(from.0, from.1), &operation(to.0, to.1))
            .map(|link| link["parameters"].clone())
    }

    #[test]
    fn a_resource_leads_to_what_can_be_done_with_it() {
        let (at, id) = ("/things/{thing_id}", "$request.path.thing_id");
        assert_eq!(
            parameters(("put", at), ("get", at)),
            Some(json!({"thing_id": id}))
        );
        let with_tag = json!({"thing_id": id, "If-Match": "$response.header.ETag"});
        for method in ["put", "patch", "delete"] {
            assert_eq!(
                parameters(("get", at), (method, at)).as_ref(),
                Some(&with_tag)
            );
        }
    }

    #[test]
    fn what_was_created_is_below_where_it_was_posted() {
        let ids = json!({"a_id": "$request.path.a_id", "b_id": "$response.body#/id"});
        assert_eq!(
            parameters(("post", "/a/{a_id}/b"), ("get", "/a/{a_id}/b/{b_id}")),
            Some(ids)
        );
        assert_eq!(
            parameters(("post", "/a/{a_id}/b"), ("get", "/a/{a_id}/b/{b_id}/c")),
            None
        );
        assert_eq!(
            parameters(("post", "/a/{a_id}/b"), ("get", "/a/{a_id}/b")),
            None
        );
    }

    #[rstest::rstest]
    #[case(json!({"a_id": "1", "id": "2"}), Some("$response.body#/items/0/a_id"))]
    #[case(json!({"id": "2", "a": {"id": "3"}}), Some("$response.body#/items/0/id"))]
    #[case(json!({"a": {"id": "3"}}), Some("$response.body#/items/0/a/id"))]
    #[case(json!({"name": "x"}), None)]
    fn a_list_leads_to_its_first_item(#[case] first_item: Value, #[case] expected: Option<&str>) {
        let list = Operation {
            first_item,
            ..operation("get", "/a")
        };
        let link = link(&list, &operation("get", "/a/{a_id}"));
        assert_eq!(
            link.map(|link| link["parameters"].clone()),
            expected.map(|from| json!({"a_id": from}))
        );
    }

    #[test]
    fn a_resource_leads_to_the_lists_below_it_without_its_tag() {
        let id = json!({"a_id": "$request.path.a_id"});
        assert_eq!(
            parameters(("get", "/a/{a_id}"), ("post", "/a/{a_id}/b")),
            Some(id)
        );
        assert_eq!(
            parameters(("get", "/a/{a_id}"), ("get", "/a/{a_id}/b/{b_id}")),
            None
        );
        assert_eq!(parameters(("get", "/a"), ("put", "/a/{a_id}")), None);
        assert_eq!(
            parameters(("get", "/a/{a_id}"), ("get", "/other/{a_id}")),
            None
        );
    }
}
