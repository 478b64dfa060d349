//! The servers that are compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::frames::Answer;

/// A server that can be started.
pub struct Contender {
    pub name: String,
    pub answer: Answer,
    /// What starts it as an echo.
    echo: Vec<String>,
    /// What starts it as a fan-out, if it can do that.
    fan_out: Option<Vec<String>>,
}

impl Contender {
    /// The limit and ours. `echo` is the program of our example.
    ///
    /// # Errors
    /// A program is not built.
    pub fn ours(echo: &Path) -> Result<Vec<Self>> {
        let limit = beside("limit")?;
        let limit = Self {
            name: LIMIT.to_owned(),
            answer: Answer::Masked,
            echo: vec![limit.clone(), "echo".to_owned()],
            fan_out: Some(vec![limit, "fan-out".to_owned()]),
        };
        ensure!(echo.is_file(), "{} is not built", echo.display());
        let ours = Self {
            name: "wirelet".to_owned(),
            answer: Answer::Echo,
            echo: vec![echo.display().to_string(), "0".to_owned()],
            fan_out: Some(vec![beside("wirelet-fan-out")?]),
        };
        Ok(vec![limit, ours])
    }

    /// Each other library twice: batched, and as its README says. `node` is a folder with `ws`.
    ///
    /// # Errors
    /// A program is not built.
    pub fn peers(node: Option<&Path>) -> Result<Vec<Self>> {
        let mut peers = Vec::new();
        for name in PEERS {
            let program = beside(&format!("peer-{name}"))?;
            let version = locked_version(name)?;
            peers.extend(Self::both(&format!("{name} {version}"), &[program]));
        }
        if let Some(node) = node {
            let script = node.join("ws.mjs").display().to_string();
            let manifest = std::fs::read_to_string(node.join("node_modules/ws/package.json"))?;
            let version = manifest
                .split("\"version\": \"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            let version = version.context("the version of npm ws is not known")?;
            peers.extend(Self::both(
                &format!("npm ws {version}"),
                &["node".to_owned(), script],
            ));
        }
        Ok(peers)
    }

    fn both(name: &str, start: &[String]) -> [Self; 2] {
        [("", "best"), (", README", "readme")].map(|(suffix, mode)| Self {
            name: format!("{name}{suffix}"),
            answer: Answer::Echo,
            echo: [start, &[mode.to_owned()]].concat(),
            fan_out: None,
        })
    }

    pub fn is_limit(&self) -> bool {
        self.name == LIMIT
    }

    pub fn echo(&self) -> Command {
        command(&self.echo)
    }

    pub fn fan_out(&self) -> Option<Command> {
        self.fan_out.as_deref().map(command)
    }
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// A program that was built into the same folder as this one.
fn beside(name: &str) -> Result<String> {
    let path: PathBuf = std::env::current_exe()?.with_file_name(name);
    ensure!(path.is_file(), "{} is not built", path.display());
    Ok(path.display().to_string())
}

/// The version of a crate that was compiled.
fn locked_version(name: &str) -> Result<&'static str> {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let version = LOCK
        .split(&entry)
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    version.with_context(|| format!("{name} is not in the lock file"))
}

const LOCK: &str = include_str!("../../Cargo.lock");

const LIMIT: &str = "limit";

/// Crates; `peer-` and the name is the program.
const PEERS: [&str; 6] = [
    "fastwebsockets",
    "tokio-websockets",
    "tokio-tungstenite",
    "yawc",
    "sockudo-ws",
    "wtx",
];
