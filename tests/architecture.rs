//! Checks that dependencies between the top modules of `src/` point one way.
//!
//! Every `crate::…` path counts, in `use` declarations and in code, tests included. See
//! `docs/architecture.md#layers`.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The layers, lowest first. A module may use lower layers, and its own layer where that closes no
/// cycle.
const LAYERS: &[&[&str]] = &[
    &["common"],
    &["db"],
    &["i18n", "tokens", "telemetry", "config"],
    &["http", "openapi", "server"],
    &["crud"],
    &["catalog", "integration", "me", "ticket_filter"],
    &["grants"],
    &[
        "accesses",
        "areas",
        "ticket_types",
        "tags",
        "queries",
        "exclusion_rules",
        "plan_boards",
        "history",
    ],
    &["decisions", "overview"],
    &["labels"],
    &["router"],
    &["app"],
    &["demo"],
];

/// Which top module uses which others, each with the first file that does.
type Graph = BTreeMap<String, BTreeMap<String, PathBuf>>;

/// The sources to check: those of this package, or the directory that `ARCHITECTURE_SRC` names.
fn sources() -> PathBuf {
    std::env::var_os("ARCHITECTURE_SRC").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        PathBuf::from,
    )
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The top module that a file belongs to; `None` for the roots of the library and the program.
fn top_module(file: &Path, root: &Path) -> Option<String> {
    let first = file.strip_prefix(root).unwrap().iter().next().unwrap();
    let name = Path::new(first).file_stem().unwrap().to_str().unwrap();
    (!["lib", "main"].contains(&name)).then(|| name.to_owned())
}

/// The top modules that a source text names in paths that begin with `crate::`.
fn used_modules(source: &str) -> BTreeSet<String> {
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut used = BTreeSet::new();
    for (at, prefix) in code.match_indices("crate::") {
        let path = &code[at + prefix.len()..];
        match path.strip_prefix('{') {
            Some(group) => used.extend(group_heads(group)),
            None => used.extend(identifier(path)),
        }
    }
    used
}

/// The identifier that a text begins with.
fn identifier(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The first segments of the paths in a `use` group, whose opening brace has been read.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut at_start = true;
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && !c.is_whitespace() => {
                heads.extend(identifier(&group[index..]));
                at_start = false;
            }
            _ => {}
        }
    }
    heads
}

fn graph() -> Graph {
    let root = sources();
    let files = rust_files(&root);
    let modules: BTreeSet<String> = files
        .iter()
        .filter_map(|file| top_module(file, &root))
        .collect();
    let mut graph: Graph = modules
        .iter()
        .map(|module| (module.clone(), BTreeMap::new()))
        .collect();
    for file in &files {
        let Some(module) = top_module(file, &root) else {
            continue;
        };
        for used in used_modules(&fs::read_to_string(file).unwrap()) {
            if used != module && modules.contains(&used) {
                let uses = graph.get_mut(&module).unwrap();
                uses.entry(used).or_insert_with(|| file.clone());
            }
        }
    }
    graph
}

/// All modules that can be reached from `start`.
fn reachable<'g>(graph: &'g Graph, start: &str) -> BTreeSet<&'g str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        for used in graph[module].keys() {
            if seen.insert(used.as_str()) {
                open.push(used);
            }
        }
    }
    seen
}

#[test]
fn modules_form_no_cycle() {
    let graph = graph();
    let reach: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|module| (module.as_str(), reachable(&graph, module)))
        .collect();
    let cycles: BTreeSet<Vec<&str>> = reach
        .iter()
        .filter(|(module, reached)| reached.contains(*module))
        .map(|(module, reached)| {
            let back = |other: &&&str| reach[**other].contains(module);
            reached.iter().filter(back).copied().collect()
        })
        .collect();
    assert!(
        cycles.is_empty(),
        "modules that use each other: {cycles:#?}"
    );
}

#[test]
fn modules_use_lower_layers_only() {
    let layer_of = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut violations = Vec::new();
    for (module, uses) in graph() {
        let Some(layer) = layer_of(&module) else {
            violations.push(format!("`{module}` is in no layer"));
            continue;
        };
        for (used, file) in uses {
            if layer_of(&used).is_some_and(|other| other > layer) {
                violations.push(format!(
                    "`{module}` uses `{used}`, e.g. in {}",
                    file.display()
                ));
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn paths_are_found_in_use_groups_and_in_code() {
    let source = "\
use crate::{
    db::{Conn, with},
    http,
    i18n::Lang,
};
fn f() { crate::tags::g() } // crate::queries
";
    let expected = ["db", "http", "i18n", "tags"].map(str::to_owned);
    assert_eq!(used_modules(source), BTreeSet::from(expected));
}
