//! Compares operations: ids, paths, scopes, parameters, bodies and responses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Comparison, Direction, members, resolved, string_set};

/// The versions in the paths of a document, e.g. `v1` of `/api/v1`.
pub(super) fn versions(document: &Value) -> BTreeSet<&str> {
    members(&document["paths"])
        .filter_map(|(path, _)| version(path))
        .collect()
}

fn version(path: &str) -> Option<&str> {
    path.split('/').find(|segment| {
        segment
            .strip_prefix('v')
            .is_some_and(|rest| rest.parse::<u32>().is_ok())
    })
}

impl Comparison<'_> {
    pub(super) fn operations(&mut self) {
        let versions = versions(self.new);
        for (path, item) in members(&self.old["paths"]) {
            if version(path).is_some_and(|version| !versions.contains(version)) {
                continue;
            }
            for (method, old) in members(item) {
                let id = old["operationId"].as_str().unwrap_or(path);
                match self.new["paths"][path].get(method) {
                    Some(new) => self.operation(id, old, new),
                    None => self.report(
                        id,
                        format!("operation removed: {} {path}", method.to_uppercase()),
                    ),
                }
            }
        }
    }

    fn operation(&mut self, id: &str, old: &Value, new: &Value) {
        if old["operationId"] != new["operationId"] {
            self.report(id, format!("operationId is now {}", new["operationId"]));
        }
        for scope in
            string_set(&new["x-required-scopes"]).difference(&string_set(&old["x-required-scopes"]))
        {
            self.report(id, format!("scope added: {scope}"));
        }
        self.parameters(id, old, new);
        self.body(id, &old["requestBody"], &new["requestBody"]);
        for (status, response) in members(&old["responses"]) {
            if !status.starts_with('4') && !status.starts_with('5') {
                self.response(id, status, response, &new["responses"][status]);
            }
        }
        self.problems(id, &old["responses"], &new["responses"]);
    }

    fn parameters(&mut self, id: &str, old: &Value, new: &Value) {
        let key = |parameter: &Value| (parameter["in"].clone(), parameter["name"].clone());
        let parameters = |operation: &Value| {
            operation["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        let before = parameters(old);
        let now = parameters(new);
        for old in &before {
            let name = old["name"].as_str().unwrap_or_default();
            let Some(new) = now.iter().find(|new| key(new) == key(old)) else {
                self.report(id, format!("parameter removed: {name}"));
                continue;
            };
            if old["required"] != true && new["required"] == true {
                self.report(id, format!("parameter is required now: {name}"));
            }
            self.schema(Direction::Request, id, name, &old["schema"], &new["schema"]);
        }
        for new in now
            .iter()
            .filter(|new| new["required"] == true && before.iter().all(|old| key(old) != key(new)))
        {
            self.report(id, format!("required parameter added: {}", new["name"]));
        }
    }

    fn body(&mut self, id: &str, old: &Value, new: &Value) {
        if old.is_null() || new.is_null() {
            if !old.is_null() {
                self.report(id, "body removed");
            } else if new["required"] == true {
                self.report(id, "required body added");
            }
            return;
        }
        if old["required"] != true && new["required"] == true {
            self.report(id, "body is required now");
        }
        self.content(
            Direction::Request,
            id,
            "body",
            &old["content"],
            &new["content"],
        );
    }

    fn response(&mut self, id: &str, status: &str, old: &Value, new: &Value) {
        if new.is_null() {
            self.report(id, format!("status removed: {status}"));
            return;
        }
        let (old, _) = resolved(self.old, old);
        let (new, _) = resolved(self.new, new);
        self.content(
            Direction::Response,
            id,
            status,
            &old["content"],
            &new["content"],
        );
        for (name, header) in members(&old["headers"]) {
            let (old, _) = resolved(self.old, header);
            let (new, _) = resolved(self.new, &new["headers"][name]);
            if new.is_null() || old["required"] == true && new["required"] != true {
                self.report(id, format!("{status} no longer has the header {name}"));
            }
        }
    }

    /// Compares the content of error responses. A removed error status is not a breaking change.
    fn problems(&mut self, id: &str, old: &Value, new: &Value) {
        let is_error =
            |(status, _): &(&String, &Value)| status.starts_with('4') || status.starts_with('5');
        for (status, old) in members(old).filter(is_error) {
            if let Some(new) = new.get(status) {
                let (old, _) = resolved(self.old, old);
                let (new, _) = resolved(self.new, new);
                self.content(
                    Direction::Response,
                    id,
                    status,
                    &old["content"],
                    &new["content"],
                );
            }
        }
    }

    fn content(&mut self, direction: Direction, id: &str, at: &str, old: &Value, new: &Value) {
        for (media, old) in members(old) {
            match new.get(media) {
                Some(new) => self.schema(direction, id, at, &old["schema"], &new["schema"]),
                None => self.report(id, format!("{at}: media type removed: {media}")),
            }
        }
    }
}
