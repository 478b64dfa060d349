//! `load --echo PROGRAM` measures our echo against the limit: `cargo verify bench`. With `--peers`
//! it measures other libraries too: `cargo verify bench-peers`.
//!
//! Each measurement is a fresh process of the server, on one core; the load is on another. Where
//! they can, servers take turns of a few milliseconds, so that whatever else the machine does meets
//! all of them. The order is shuffled anew each time, and every figure is set against that of the
//! limit in the same turn; compression, which the limit cannot do, against ours.

mod client;
mod contender;
mod deflated;
mod frames;
mod hostile;
mod process;
mod results;
mod topic;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use contender::Contender;
use process::Cores;
use results::{Results, Turn};
use topic::{Amounts, Measuring, Topic};

fn main() -> ExitCode {
    match Options::parse().and_then(|options| options.map_or(Ok(true), |options| run(&options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::from(2)
        }
    }
}

struct Options {
    /// The first is ours, others are set beside it.
    echo: Vec<PathBuf>,
    peers: bool,
    node: Option<PathBuf>,
    rounds: usize,
    seed: u64,
    short: bool,
    amounts: Amounts,
    topics: Vec<String>,
    servers: Vec<String>,
    results: Option<PathBuf>,
}

impl Options {
    /// Nothing: help was asked for.
    fn parse() -> Result<Option<Self>> {
        use lexopt::{Arg, ValueExt as _};
        let mut options = Self {
            echo: Vec::new(),
            peers: false,
            node: None,
            rounds: 5,
            seed: 5,
            short: false,
            amounts: FULL,
            topics: Vec::new(),
            servers: Vec::new(),
            results: None,
        };
        let list = |value: std::ffi::OsString| {
            anyhow::Ok(value.string()?.split(',').map(str::to_owned).collect())
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("echo") => options.echo.push(PathBuf::from(parser.value()?)),
                Arg::Long("peers") => options.peers = true,
                Arg::Long("node") => options.node = Some(PathBuf::from(parser.value()?)),
                Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
                Arg::Long("seed") => options.seed = parser.value()?.parse()?,
                Arg::Long("milliseconds") => {
                    options.amounts.time = Duration::from_millis(parser.value()?.parse()?)
                }
                Arg::Long("short") => {
                    (options.amounts, options.rounds, options.short) = (SHORT, 1, true);
                }
                Arg::Long("topics") => options.topics = list(parser.value()?)?,
                Arg::Long("server") => options.servers.push(parser.value()?.string()?),
                Arg::Long("results") => options.results = Some(PathBuf::from(parser.value()?)),
                Arg::Long("help") | Arg::Short('h') => {
                    print!("{HELP}");
                    return Ok(None);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        ensure!(
            !options.echo.is_empty(),
            "--echo is missing: the program of our echo example"
        );
        Ok(Some(options))
    }

    fn contenders(&self) -> Result<Vec<Contender>> {
        let mut contenders = Vec::new();
        if let Some((ours, others)) = self.echo.split_first() {
            contenders.extend(Contender::ours(ours)?);
            contenders.extend(others.iter().map(|other| Contender::build(other)));
        }
        if self.peers {
            contenders.extend(Contender::peers(self.node.as_deref())?);
        }
        let wanted = |contender: &Contender| {
            contender.is_base()
                || self.servers.is_empty()
                || self
                    .servers
                    .iter()
                    .any(|name| contender.name.starts_with(name.as_str()))
        };
        contenders.retain(wanted);
        Ok(contenders)
    }

    fn topics(&self) -> Vec<Topic> {
        let mut topics = Topic::all(&self.amounts);
        topics.retain(|topic| self.wants(topic.name()));
        topics
    }

    fn wants(&self, topic: &str) -> bool {
        self.topics.is_empty() || self.topics.iter().any(|name| name == topic)
    }
}

/// False: something could not be measured.
fn run(options: &Options) -> Result<bool> {
    let cores = Cores::choose(options.short)?;
    cores.take_load()?;
    process::allow_sockets(
        options.amounts.idle.max(options.amounts.fan_out[1]) as u64 * 5 / 4 + 100,
    )?;
    let contenders = options.contenders()?;
    let mut topics = options.topics();
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let mut results = Results::default();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        rng.shuffle(&mut topics);
        for &topic in topics
            .iter()
            .filter(|topic| round == 0 || !topic.is_exact())
        {
            measure(topic, options, &cores, &contenders, &mut rng, &mut results);
        }
    }
    let names: Vec<_> = contenders
        .iter()
        .map(|contender| contender.name.as_str())
        .collect();
    let mut text = format!("{}\n{}", machine(options), results.markdown(&names));
    if options.wants("hostile") {
        let servers: Vec<_> = contenders
            .iter()
            .filter(|contender| contender.is_judged())
            .collect();
        match hostile::table(&cores, &servers) {
            Ok(table) => text.push_str(&table),
            Err(error) => results.fail(format!("hostile: {error:#}")),
        }
    }
    println!("{text}");
    for failure in results.failures() {
        println!("failed: {failure}");
    }
    if let Some(path) = &options.results {
        fs::write(path, format!("{ABOUT}\n{text}"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(results.failures().is_empty())
}

/// One topic, all servers in an order of its own. Those whose load goes on take turns.
fn measure(
    topic: Topic,
    options: &Options,
    cores: &Cores,
    contenders: &[Contender],
    rng: &mut fastrand::Rng,
    results: &mut Results,
) {
    let amounts = &options.amounts;
    let mut order: Vec<_> = contenders.iter().collect();
    rng.shuffle(&mut order);
    let mut fail = |contender: &Contender, error: anyhow::Error| {
        results.fail(format!("{}, {}: {error:#}", topic.name(), contender.name));
    };
    let mut done = Turn::new();
    let mut loads = Vec::new();
    for contender in order {
        match topic.begin(cores, amounts, contender, rng) {
            Ok(Some(Measuring::Done(figures))) => done.push((contender, figures)),
            Ok(Some(Measuring::InTurns(load))) => loads.push((contender, load)),
            Ok(None) => {}
            Err(error) => fail(contender, error),
        }
    }
    let mut turns = vec![done];
    for _ in 0..amounts.turns {
        rng.shuffle(&mut loads);
        let mut turn = Turn::new();
        loads.retain_mut(|(contender, load)| {
            let figures = load.turn(amounts.time / amounts.turns);
            let figures = figures.map_err(|error| fail(contender, error));
            figures
                .map(|figures| turn.push((contender, figures)))
                .is_ok()
        });
        turns.push(turn);
    }
    for (contender, load) in loads {
        if let Err(error) = load.end() {
            fail(contender, error);
        }
    }
    results.add(&turns);
}

/// Where this was measured, without names.
fn machine(options: &Options) -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let load = read("/proc/loadavg");
    format!(
        "{}, {} cores, Linux {}, {}, {} rounds of {} ms, seed {}, load average of the last minute at the end {}",
        model.unwrap_or("unknown processor").trim(),
        cpuinfo.matches("model name").count(),
        read("/proc/sys/kernel/osrelease").trim(),
        rustc.unwrap_or_default(),
        options.rounds,
        options.amounts.time.as_millis(),
        options.seed,
        load.split(' ').next().unwrap_or_default(),
    )
}

const FULL: Amounts = Amounts {
    time: Duration::from_millis(500),
    turns: 25,
    idle: 5000,
    deflate_idle: 1000,
    fan_out: [1000, 10_000],
};

/// Enough to see that everything works.
const SHORT: Amounts = Amounts {
    time: Duration::from_millis(20),
    turns: 2,
    idle: 500,
    deflate_idle: 100,
    fan_out: [10, 100],
};

/// What the reader of the tables must know.
const ABOUT: &str = include_str!("about.md");

const HELP: &str = "\
usage: load --echo PROGRAM [OPTION]..

  --echo PROGRAM        our echo example; given again, another build of it, to be set beside
  --peers               measure other libraries too
  --node FOLDER         npm ws among them; the folder holds ws.mjs and its packages
  --rounds N            measure everything N times (5)
  --milliseconds N      how long each server is measured (500)
  --seed N              of the order and the payloads (5)
  --short               once, and as little as shows that everything works
  --topics LIST         only these of a,b,c,d,e,f,g,h,i,handshakes,idle,idle-deflate,fan-out,
                        calls, hostile
  --server NAME         only those whose names begin with this, or with another one given so; the
                        limit always, and ours with compression
  --results FILE        write the tables there too
";
