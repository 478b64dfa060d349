//! Rules about the tree that no compiler knows: what may lie at the top, how long a file may be,
//! that each dependency says why it is there, and that no test is left out of the build.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::job::{self, Job, Tally};

/// Applies every rule to every file; the log names all faults.
pub(crate) fn run(job: &Job) -> Result<Tally> {
    let root = &job.places.root;
    let mut faults = top_level(&names_in(root)?);
    let mut files = Vec::new();
    collect(root, &job.places.target, &mut files)?;
    for path in &files {
        let shown = path
            .strip_prefix(root)
            .unwrap_or(path)
            .display()
            .to_string();
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        if is_text(path) {
            faults.extend(white_space(&shown, &text));
        }
        if has_extension(path, "rs") {
            faults.extend(rust_source(&shown, &text));
        }
        if path.file_name().is_some_and(|name| name == "Cargo.toml") {
            faults.extend(unexplained_dependencies(&shown, &text));
        }
    }
    faults.extend(unreachable_tests(root, &files)?);

    for fault in &faults {
        job.note(fault)?;
    }
    match faults.as_slice() {
        [] => Ok(Tally::default()),
        [only] => bail!("{only}"),
        [first, ..] => bail!(
            "{first} (and {} more faults, all in the log)",
            faults.len() - 1
        ),
    }
}

fn names_in(folder: &Path) -> Result<Vec<String>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Files below `folder` that belong to the project: build output and tools of others do not, nor
/// do inputs a fuzzer found, which are bytes and no text.
fn collect(folder: &Path, target: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for name in names_in(folder)? {
        let path = folder.join(&name);
        let skipped = path == target
            || matches!(name.as_str(), ".git" | "target" | "node_modules" | "corpus");
        if skipped || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(&path, target, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn top_level(names: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| !TOP_LEVEL.contains(&name.as_str()) && !name.starts_with("LICENSE-"))
        .map(|name| format!("{name}: the top level does not hold this name"))
        .collect()
}

fn white_space(shown: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            faults.push(format!(
                "{shown}:{}: white space at the end of the line",
                number + 1
            ));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        faults.push(format!("{shown}: the last line has no end"));
    }
    faults
}

fn rust_source(shown: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > RUST_LINES {
        faults.push(format!("{shown}: {lines} lines, more than {RUST_LINES}"));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = UNFINISHED.iter().find(|mark| line.contains(**mark)) {
            faults.push(format!("{shown}:{}: {mark}", number + 1));
        }
    }
    faults
}

/// Dependencies without a comment in the line above them.
fn unexplained_dependencies(shown: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut inside = false;
    let mut previous = "";
    // A dependency may span lines: `name = [` and `name = {` count their brackets.
    let mut depth = 0_i32;
    for (number, line) in text.lines().map(str::trim).enumerate() {
        let mut named = None;
        if depth == 0 && line.starts_with('[') {
            let section = line
                .trim_start_matches('[')
                .split(']')
                .next()
                .unwrap_or_default();
            inside = is_dependency_list(section);
            named = section
                .rsplit_once('.')
                .filter(|(list, _)| is_dependency_list(list))
                .map(|(_, name)| name);
        } else if !line.is_empty() && !line.starts_with('#') {
            if inside && depth == 0 {
                named = line.split(['.', '=', ' ']).next();
            }
            depth += bracket_balance(line);
        }
        if let Some(name) = named.filter(|_| !previous.starts_with('#')) {
            faults.push(format!(
                "{shown}:{}: no comment above says why `{name}` is needed",
                number + 1
            ));
        }
        previous = line;
    }
    faults
}

/// `dependencies`, `dev-dependencies`, `workspace.dependencies`, `target.'..'.dependencies`.
fn is_dependency_list(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or_default();
    matches!(
        last,
        "dependencies" | "dev-dependencies" | "build-dependencies"
    )
}

fn bracket_balance(line: &str) -> i32 {
    line.chars().fold(0, |balance, c| match c {
        '[' | '{' => balance + 1,
        ']' | '}' => balance - 1,
        _ => balance,
    })
}

/// Files in `tests/tests` that no test program includes: they look like tests and never run.
fn unreachable_tests(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let folder = root.join("tests/tests");
    let metadata = job::metadata(root)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata names no packages")?;
    let sources = packages
        .iter()
        .filter_map(|package| package["targets"].as_array())
        .flatten();
    let mut reached = BTreeSet::new();
    for source in sources
        .filter_map(|target| target["src_path"].as_str())
        .map(PathBuf::from)
    {
        if source.starts_with(&folder) {
            reach(&source, true, &mut reached);
        }
    }
    Ok(files
        .iter()
        .filter(|path| {
            path.starts_with(&folder) && has_extension(path, "rs") && !reached.contains(*path)
        })
        .map(|path| {
            format!(
                "{}: no test program includes this file",
                path.strip_prefix(root).unwrap_or(path).display()
            )
        })
        .collect())
}

/// Follows `mod name;` and `#[path = ".."]` from a file. A root looks beside itself; another
/// file looks in the folder of its own name.
fn reach(file: &Path, is_root: bool, reached: &mut BTreeSet<PathBuf>) {
    if !file.is_file() || !reached.insert(file.to_owned()) {
        return;
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    let beside = file.parent().unwrap_or(Path::new(""));
    let is_mod = file.file_name().is_some_and(|name| name == "mod.rs");
    let folder = if is_root || is_mod {
        beside.to_owned()
    } else {
        file.with_extension("")
    };
    let mut other_path = None;
    for line in text.lines().map(str::trim) {
        if let Some(path) = line
            .strip_prefix("#[path = \"")
            .and_then(|rest| rest.strip_suffix("\"]"))
        {
            other_path = Some(beside.join(path));
        } else if let Some(name) = module_of(line) {
            match other_path.take() {
                Some(path) => reach(&path, false, reached),
                None => {
                    reach(&folder.join(format!("{name}.rs")), false, reached);
                    reach(&folder.join(name).join("mod.rs"), false, reached);
                }
            }
        }
    }
}

/// The name in `mod name;`, with or without a visibility.
fn module_of(line: &str) -> Option<&str> {
    let declaration = line.strip_suffix(';')?;
    let (before, name) = declaration.rsplit_once(' ')?;
    (before == "mod" || before.ends_with(" mod") && before.starts_with("pub")).then_some(name)
}

fn is_text(path: &Path) -> bool {
    TEXT.iter().any(|extension| has_extension(path, extension))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// What may lie at the top, licences apart; `.git` and `target` are not in the repository.
const TOP_LEVEL: [&str; 13] = [
    ".cargo",
    ".ci",
    ".git",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "adapters",
    "core",
    "examples",
    "target",
    "tests",
];

/// The most lines a Rust file may have.
const RUST_LINES: usize = 600;

/// Marks of unfinished work, spelled so that this file does not hold them.
const UNFINISHED: [&str; 2] = [concat!("todo", "!"), concat!("FIX", "ME")];

/// Files that people edit.
const TEXT: [&str; 12] = [
    "rs", "toml", "md", "py", "mjs", "js", "json", "html", "css", "txt", "x", "yml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_needs_a_comment_right_above_it() {
        let good = "[dependencies]\n# Why.\na = \"1\"\n# Why.\nb = { version = \"1\", features = [\n\"x\",\n] }\n\
                    [features]\nc = []\n# Why.\n[target.'cfg(unix)'.dependencies.d]\nversion = \"1\"\n";
        assert!(unexplained_dependencies("m", good).is_empty());
        for bad in [
            "[dependencies]\na = \"1\"\n",
            "[dev-dependencies]\n# Why.\na = \"1\"\nb.workspace = true\n",
            "[workspace.dependencies]\n# Why.\n\na = \"1\"\n",
            "[target.'cfg(unix)'.build-dependencies]\na = \"1\"\n",
            "[dependencies.a]\nversion = \"1\"\n",
        ] {
            assert_eq!(unexplained_dependencies("m", bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_line_may_not_end_in_white_space() {
        assert!(white_space("m", "a\n\nb\n").is_empty());
        for bad in ["a \n", "a\t\n", "a\r\n", "a"] {
            assert_eq!(white_space("m", bad).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn unfinished_and_long_sources_are_faults() {
        assert!(rust_source("m", &"\n".repeat(600)).is_empty());
        assert_eq!(rust_source("m", &"\n".repeat(601)).len(), 1);
        assert_eq!(rust_source("m", UNFINISHED[0]).len(), 1);
        assert_eq!(rust_source("m", UNFINISHED[1]).len(), 1);
    }

    #[test]
    fn module_declarations_are_found() {
        assert_eq!(module_of("mod a;"), Some("a"));
        assert_eq!(module_of("pub(crate) mod a;"), Some("a"));
        assert_eq!(module_of("use a;"), None);
        assert_eq!(module_of("mod a {"), None);
    }

    #[test]
    fn the_top_level_is_fixed() {
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert!(top_level(&names(&["Cargo.toml", "tests", "LICENSE-MIT"])).is_empty());
        assert_eq!(top_level(&names(&["notes.md"])).len(), 1);
    }
}
