//! The imports between the modules of each crate, which must not form a cycle.
//!
//! A module here is one that the crate's root declares, including its submodules. Two modules that need each other
//! share code that belongs in a third.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::repository;
use super::sources::program;

/// The modules of a crate, each with the other modules that it imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Returns every source folder of the workspace that contains a library.
fn libraries() -> Vec<PathBuf> {
    let mut folders = vec![repository().join("infra/local/src")];
    for parent in ["functions", "shared"] {
        let entries = std::fs::read_dir(repository().join(parent)).unwrap().map(Result::unwrap);
        folders.extend(entries.map(|entry| entry.path().join("src")));
    }
    folders.retain(|folder| folder.join("lib.rs").is_file());
    folders
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).filter(|word| !word.is_empty())
}

/// Returns the modules that a crate's root declares.
fn declared(root: &str) -> BTreeSet<String> {
    let lines = root.lines().map(str::trim).filter_map(|line| line.strip_suffix(';'));
    let modules = lines.filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        line.strip_prefix("mod ")
    });
    modules.map(str::to_owned).collect()
}

/// Returns the names that a crate's root exports, each with the module that defines it.
fn exported(root: &str, modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for statement in root.split(';').filter_map(|statement| statement.trim().split_once("use ")) {
        let mut words = words(statement.1);
        let Some(module) = words.next().filter(|module| modules.contains(*module)) else { continue };
        names.extend(words.map(|name| (name.to_owned(), module.to_owned())));
    }
    names
}

/// Returns the first names after `crate::`, one for each member of a list in braces.
fn crate_names(program: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in program.match_indices("crate::") {
        let preceded = program[..at].ends_with(|char: char| char.is_alphanumeric() || char == '_');
        let rest = &program[at + "crate::".len()..];
        if preceded {
            continue;
        }
        if !rest.starts_with('{') {
            names.extend(words(rest).next().map(str::to_owned));
            continue;
        }
        let (mut depth, mut begins) = (0, false);
        for (at, char) in rest.char_indices() {
            match char {
                '{' => (depth, begins) = (depth + 1, depth == 0),
                '}' => depth -= 1,
                ',' => begins = depth == 1,
                char if begins && !char.is_whitespace() => {
                    names.extend(words(&rest[at..]).next().map(str::to_owned));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

/// Returns the program text of a module and its submodules.
fn module_text(folder: &Path, module: &str) -> String {
    let mut text = String::new();
    let mut waiting = vec![folder.join(format!("{module}.rs")), folder.join(module)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() && !path.ends_with("tests.rs") {
            text.push_str(&program(&std::fs::read_to_string(path).unwrap()));
        }
    }
    text
}

fn graph(folder: &Path) -> Graph {
    let root = program(&std::fs::read_to_string(folder.join("lib.rs")).unwrap());
    let modules = declared(&root);
    let exported = exported(&root, &modules);
    let named = |module: &String| {
        let names = crate_names(&module_text(folder, module)).into_iter();
        let targets = names.filter_map(|name| match modules.contains(&name) {
            true => Some(name),
            false => exported.get(&name).cloned(),
        });
        targets.filter(|target| target != module).collect()
    };
    modules.iter().map(|module| (module.clone(), named(module))).collect()
}

/// Returns the modules that belong to an import cycle or depend on one.
fn cyclic_modules(mut graph: Graph) -> BTreeSet<String> {
    loop {
        let done: Vec<String> =
            graph.iter().filter(|(_, named)| named.is_empty()).map(|(module, _)| module.clone()).collect();
        if done.is_empty() {
            return graph.into_keys().collect();
        }
        for module in &done {
            graph.remove(module);
            for named in graph.values_mut() {
                named.remove(module);
            }
        }
    }
}

#[test]
fn modules_of_a_crate_import_each_other_one_way() {
    let mut edges = 0;
    for folder in libraries() {
        let graph = graph(&folder);
        edges += graph.values().map(BTreeSet::len).sum::<usize>();
        let cycles = cyclic_modules(graph.clone());
        let named = cycles.iter().map(|module| format!("{module} names {:?}", graph[module]));
        assert!(cycles.is_empty(), "{}: {:?}", folder.display(), named.collect::<Vec<_>>());
    }
    assert!(edges > 150, "{edges} imports were seen");
}

#[test]
fn import_cycle_is_detected_in_every_spelling() {
    let root = "mod a;\npub mod b;\npub(crate) mod c;\npub use b::{One, Two};\npub use c::Three;\n";
    let modules = declared(root);
    assert_eq!(modules.len(), 3);
    let exported = exported(root, &modules);
    assert_eq!((exported["One"].as_str(), exported["Three"].as_str()), ("b", "c"));
    let text =
        "use crate::{a::x, One, b::{y, z}};\nfn f() { crate::c::g(); my_crate::d(); }\nuse crate::Three;";
    let names: Vec<String> = crate_names(text).into_iter().collect();
    assert_eq!(names, ["One", "Three", "a", "b", "c"]);
    let pair = |module: &str, named: &[&str]| {
        (module.to_owned(), named.iter().map(|name| (*name).to_owned()).collect())
    };
    let graph = Graph::from([pair("a", &["b"]), pair("b", &["c"]), pair("c", &["b"]), pair("d", &["a"])]);
    let cycles: Vec<String> = cyclic_modules(graph).into_iter().collect();
    assert_eq!(cycles, ["a", "b", "c", "d"], "a module that depends on a cycle is listed with it");
    assert_eq!(cyclic_modules(Graph::from([pair("a", &["b"]), pair("b", &[])])), BTreeSet::new());
}
