//! Brings the tools of the foreign judges, or says in one line how to bring them.
//!
//! Python packages go to `target/verify/venv`, Node packages to `target/verify/node`. Each folder
//! carries a copy of the list it was made from, written last: a list that changed, or an
//! installation that was cut short, is made anew.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::job::Job;

/// The Python interpreter of an environment with `tests/judges/requirements.txt`.
///
/// # Errors
/// Python is missing and cannot be installed, or pip failed.
pub(crate) fn python(job: &Job) -> Result<PathBuf> {
    let list = judges(job).join("requirements.txt");
    let folder = job.places.out.join("venv");
    let python = folder.join("bin/python");
    if is_made_from(&folder, &list) && python.is_file() {
        return Ok(python);
    }

    let system = program(job, "python3", "python3")?;
    let mut venv = job.command(&system);
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    // Debian's Python has the module but not what it unpacks.
    if !job.run(&mut venv)?.status.success() {
        package(job, "python3-venv")?;
        job.must(&mut venv, "`python3 -m venv` failed")?;
    }
    let mut pip = job.command(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--quiet",
        "-r",
    ])
    .arg(&list);
    job.must(
        &mut pip,
        "pip could not install tests/judges/requirements.txt",
    )?;
    mark_made_from(&folder, &list)?;
    Ok(python)
}

/// A folder with the judges' scripts and, beside them, the packages of
/// `tests/judges/package-lock.json`.
///
/// # Errors
/// As [`npm_packages`].
pub(crate) fn node(job: &Job) -> Result<PathBuf> {
    npm_packages(job, &judges(job), "node")
}

/// A folder below `target/verify` with the scripts of `source` and, beside them, the packages of its
/// `package-lock.json`: Node looks for packages from the folder of the script upward.
///
/// # Errors
/// Node is missing or too old, or npm failed.
pub(crate) fn npm_packages(job: &Job, source: &Path, name: &str) -> Result<PathBuf> {
    let npm = node_and_npm(job)?;
    let list = source.join("package-lock.json");
    let folder = job.places.out.join(name);
    if !is_made_from(&folder, &list) {
        fs::create_dir_all(&folder).context("cannot make the folder of the Node packages")?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(source.join(name), folder.join(name))
                .with_context(|| format!("cannot copy {name}"))?;
        }
        let mut ci = job.command(npm);
        ci.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&folder);
        job.must(&mut ci, &format!("`npm ci` failed for {}", list.display()))?;
        mark_made_from(&folder, &list)?;
    }
    let entries =
        fs::read_dir(source).with_context(|| format!("cannot read {}", source.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mjs") {
            let name = path.file_name().context("a script without a name")?;
            fs::copy(&path, folder.join(name))
                .with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(folder)
}

/// npm, when it and a Node that is new enough are there. Debian 12 itself has only Node 18, so apt
/// is no help.
fn node_and_npm(job: &Job) -> Result<PathBuf> {
    let (Some(node), Some(npm)) = (on_path("node"), on_path("npm")) else {
        bail!("Node.js is missing: install version {NODE_MAJOR} or newer with its npm");
    };
    let version = job
        .must(
            job.command(&node).arg("--version"),
            "`node --version` failed",
        )?
        .output;
    let major = version.trim().trim_start_matches('v').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= NODE_MAJOR => Ok(npm),
        _ => bail!(
            "Node.js {NODE_MAJOR} or newer is needed, this is {}",
            version.trim()
        ),
    }
}

/// Finds a program on the path; `package` is the Debian package that brings it.
///
/// # Errors
/// It is missing and cannot be installed.
pub(crate) fn program(job: &Job, name: &str, package: &str) -> Result<PathBuf> {
    if let Some(path) = on_path(name) {
        return Ok(path);
    }
    self::package(job, package)?;
    on_path(name).with_context(|| format!("the package `{package}` brought no program `{name}`"))
}

/// The folder of the scripts.
pub(crate) fn judges(job: &Job) -> PathBuf {
    job.places.root.join("tests/judges")
}

/// Installs a Debian package.
///
/// # Errors
/// It cannot be installed; the message says how to.
pub(crate) fn package(job: &Job, package: &str) -> Result<()> {
    let advice = format!("install it: apt-get install {package}");
    let Some(apt_get) = on_path("apt-get") else {
        bail!(
            "`{package}` is missing and this is no Debian system; install what brings the same programs"
        );
    };
    if !nix::unistd::geteuid().is_root() {
        bail!("`{package}` is missing; as root, {advice}");
    }
    println!("   installs the Debian package {package}");
    let install = |job: &Job| {
        let mut command = job.command(&apt_get);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command.args([
            "install",
            "--yes",
            "--quiet",
            "--no-install-recommends",
            package,
        ]);
        job.run(&mut command)
    };
    if install(job)?.status.success() {
        return Ok(());
    }
    // A fresh machine has no package lists, or old ones.
    job.must(
        job.command(&apt_get).args(["update", "--quiet"]),
        "apt-get update failed",
    )?;
    if install(job)?.status.success() {
        return Ok(());
    }
    bail!("apt-get could not install `{package}`; {advice}")
}

/// A port of the loopback interface that was free a moment ago.
///
/// # Errors
/// There is none.
pub(crate) fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// The program of this name, if it is on the path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn is_made_from(folder: &Path, list: &Path) -> bool {
    match (fs::read(folder.join(MARK)), fs::read(list)) {
        (Ok(then), Ok(now)) => then == now,
        _ => false,
    }
}

fn mark_made_from(folder: &Path, list: &Path) -> Result<()> {
    fs::copy(list, folder.join(MARK)).with_context(|| format!("cannot copy {}", list.display()))?;
    Ok(())
}

/// The oldest Node that `playwright-core` runs on.
const NODE_MAJOR: u32 = 20;

/// The copy of the list a folder was made from.
const MARK: &str = "made-from";
