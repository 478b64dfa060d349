//! The servers that are compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::frames::Answer;

/// A server that can be started.
pub struct Contender {
    pub name: String,
    pub answer: Answer,
    /// What starts it as an echo without compression, if that is measured.
    echo: Option<Vec<String>>,
    /// What starts it as a fan-out, if it can do that.
    fan_out: Option<Vec<String>>,
    /// What starts it as an echo that compresses.
    deflate: Option<Vec<String>>,
    /// What it compresses refers to its messages before.
    pub takeover: bool,
}

impl Contender {
    /// One that cannot do anything yet.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            answer: Answer::Echo,
            echo: None,
            fan_out: None,
            deflate: None,
            takeover: false,
        }
    }

    /// The limit and ours. `echo` is the program of our example.
    ///
    /// # Errors
    /// A program is not built.
    pub fn ours(echo: &Path) -> Result<Vec<Self>> {
        let limit = beside("limit")?;
        let limit = Self {
            answer: Answer::Masked,
            echo: Some(vec![limit.clone(), "echo".to_owned()]),
            fan_out: Some(vec![limit, "fan-out".to_owned()]),
            ..Self::named(LIMIT)
        };
        ensure!(echo.is_file(), "{} is not built", echo.display());
        let echo = [echo.display().to_string(), "0".to_owned()];
        let ours = Self {
            echo: Some(echo.to_vec()),
            fan_out: Some(vec![beside("wirelet-fan-out")?]),
            ..Self::named("wirelet")
        };
        let [alone, takeover] = Self::deflating(
            "wirelet",
            &echo,
            ["--deflate", "--deflate=takeover,threshold=32"],
        );
        Ok(vec![limit, ours, alone, takeover])
    }

    /// Another build of our echo example, under its own name.
    pub fn build(echo: &Path) -> Self {
        let echo = echo.display().to_string();
        Self {
            echo: Some(vec![echo.clone(), "0".to_owned()]),
            ..Self::named(&echo)
        }
    }

    /// Each other library twice: batched, and as its README says; those that can compress twice
    /// more. `node` is a folder with `ws`.
    ///
    /// # Errors
    /// A program is not built.
    pub fn peers(node: Option<&Path>) -> Result<Vec<Self>> {
        let mut peers = Vec::new();
        for (name, compresses) in PEERS {
            let program = beside(&format!("peer-{name}"))?;
            let version = locked_version(name)?;
            let (name, start) = (&format!("{name} {version}"), &[program]);
            peers.extend(Self::both(name, start));
            if compresses {
                peers.extend(Self::deflating(name, start, DEFLATE));
            }
        }
        if let Some(node) = node {
            let script = node.join("ws.mjs").display().to_string();
            let manifest = std::fs::read_to_string(node.join("node_modules/ws/package.json"))?;
            let version = manifest
                .split("\"version\": \"")
                .nth(1)
                .and_then(|rest| rest.split('"').next());
            let version = version.context("the version of npm ws is not known")?;
            let (name, start) = (&format!("npm ws {version}"), &["node".to_owned(), script]);
            peers.extend(Self::both(name, start));
            peers.extend(Self::deflating(name, start, DEFLATE));
        }
        Ok(peers)
    }

    fn both(name: &str, start: &[String]) -> [Self; 2] {
        [("", "best"), (", README", "readme")].map(|(suffix, mode)| Self {
            echo: Some([start, &[mode.to_owned()]].concat()),
            ..Self::named(&format!("{name}{suffix}"))
        })
    }

    /// Each message for itself, and with takeover.
    fn deflating(name: &str, start: &[String], words: [&str; 2]) -> [Self; 2] {
        [(words[0], false), (words[1], true)].map(|(word, takeover)| Self {
            deflate: Some([start, &[word.to_owned()]].concat()),
            takeover,
            ..Self::named(&format!(
                "{name}{}",
                if takeover { TAKEOVER } else { ALONE }
            ))
        })
    }

    /// The others are set against it, where it can do what they do: the limit, or ours that
    /// compresses each message for itself.
    pub fn is_base(&self) -> bool {
        self.name == LIMIT || self.name.strip_prefix("wirelet") == Some(ALONE)
    }

    /// A library without compression, in the best way known: the limit checks no more than it needs,
    /// and how a library is used changes nothing about its rules.
    pub fn is_judged(&self) -> bool {
        self.echo.is_some() && self.name != LIMIT && !self.name.ends_with("README")
    }

    pub fn echo(&self) -> Option<Command> {
        self.echo.as_deref().map(command)
    }

    pub fn deflate(&self) -> Option<Command> {
        self.deflate.as_deref().map(command)
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

/// Ends of names.
const ALONE: &str = ", deflate";
const TAKEOVER: &str = ", deflate, takeover";

/// How the other programs are told to compress.
const DEFLATE: [&str; 2] = ["deflate", "takeover"];

/// Crates, and whether they can compress; `peer-` and the name is the program.
const PEERS: [(&str, bool); 6] = [
    ("fastwebsockets", false),
    ("tokio-websockets", false),
    ("tokio-tungstenite", false),
    ("yawc", true),
    ("sockudo-ws", true),
    ("wtx", false),
];
