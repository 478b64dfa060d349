//! A server under measurement: a process of its own on a core of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// One core for the server, one for the load.
#[derive(Clone, Copy)]
pub struct Cores {
    server: CpuSet,
    load: CpuSet,
}

impl Cores {
    /// The last two cores that this process may use: the first ones serve interrupts. With `share`
    /// a machine with one core will do.
    ///
    /// # Errors
    /// There are too few.
    pub fn choose(share: bool) -> Result<Self> {
        let allowed = sched_getaffinity(Pid::this())?;
        let mut cores = (0..CpuSet::count())
            .rev()
            .filter(|&core| allowed.is_set(core).unwrap_or(false));
        let server = cores.next().context("no core may be used")?;
        let load = match cores.next() {
            Some(core) => core,
            None if share => server,
            None => bail!("two cores are needed: one for the server, one for the load"),
        };
        let only = |core| {
            let mut set = CpuSet::new();
            set.set(core)?;
            anyhow::Ok(set)
        };
        Ok(Self {
            server: only(server)?,
            load: only(load)?,
        })
    }

    /// This thread does the load from now on.
    ///
    /// # Errors
    /// The kernel does not allow it.
    pub fn take_load(&self) -> Result<()> {
        Ok(sched_setaffinity(Pid::from_raw(0), &self.load)?)
    }

    /// Starts a process on the core of the servers: it inherits the core of who starts it.
    fn spawn(&self, command: &mut Command) -> Result<Child> {
        sched_setaffinity(Pid::from_raw(0), &self.server)?;
        let child = command.spawn();
        self.take_load()?;
        let program = command.get_program().to_string_lossy();
        child.with_context(|| format!("cannot start `{program}`"))
    }
}

/// It is killed when this is dropped.
pub struct Server {
    child: Child,
    clock: ClockId,
    pub port: u16,
}

impl Server {
    /// Starts it and waits until it says on which port it listens.
    ///
    /// # Errors
    /// It does not start, or says something else.
    pub fn start(cores: &Cores, command: &mut Command) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = cores.spawn(command)?;
        let program = command.get_program().to_string_lossy();
        let stdout = child.stdout.take().context("no output")?;
        let clock = clock_getcpuclockid(pid_of(&child));
        // From here on it is killed whatever happens.
        let mut server = Self {
            child,
            clock: clock?,
            port: 0,
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line
            .trim_end()
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        server.port = port.with_context(|| format!("`{program}` did not say where it listens"))?;
        Ok(server)
    }

    /// Processor time it used so far: user and system, all threads, in steps of nanoseconds.
    ///
    /// # Errors
    /// It is gone.
    pub fn cpu(&self) -> Result<Duration> {
        Ok(self.clock.now().context("the server is gone")?.into())
    }

    /// As [`cpu`](Self::cpu), once it has stopped working.
    ///
    /// # Errors
    /// As there.
    pub fn cpu_at_rest(&self) -> Result<Duration> {
        let mut before = self.cpu()?;
        loop {
            thread::sleep(Duration::from_millis(2));
            let now = self.cpu()?;
            if now == before {
                return Ok(now);
            }
            before = now;
        }
    }

    /// Bytes of memory that belong to it alone.
    ///
    /// # Errors
    /// It is gone, or the kernel does not say.
    pub fn private_bytes(&self) -> Result<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = fs::read_to_string(path).context("the kernel has no smaps_rollup")?;
        let kib: u64 = text
            .lines()
            .filter(|line| line.starts_with("Private_"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum();
        ensure!(kib > 0, "smaps_rollup names no private memory");
        Ok(kib * 1024)
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Counts the system calls of a running process: `strace`, until it is asked for the sum.
pub struct Tracer {
    child: Child,
    report: std::path::PathBuf,
}

impl Tracer {
    /// Attaches to a server.
    ///
    /// # Errors
    /// There is no `strace`, or it may not attach.
    pub fn attach(server: &Server) -> Result<Self> {
        let report = std::env::temp_dir().join(format!("load-{}.strace", server.id()));
        let mut child = Command::new("strace")
            .args(["-f", "-c", "-o"])
            .arg(&report)
            .args(["-p", &server.id().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("`strace` is not installed")?;
        let stderr = child.stderr.take().context("no output")?;
        let tracer = Self { child, report };
        let mut line = String::new();
        BufReader::new(stderr).read_line(&mut line)?;
        ensure!(line.contains("attached"), "{}", line.trim_end());
        Ok(tracer)
    }

    /// Detaches, and gives how many calls there were, by name.
    ///
    /// # Errors
    /// Its report is not what it should be.
    pub fn calls(mut self) -> Result<Vec<(String, u64)>> {
        kill(pid_of(&self.child), Signal::SIGINT)?;
        self.child.wait()?;
        let text = fs::read_to_string(&self.report).context("`strace` wrote no report")?;
        let rows = text.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let calls = fields.get(3)?.parse().ok()?;
            fields.first()?.parse::<f64>().ok()?;
            let name = *fields.last()?;
            (name != "total").then(|| (name.to_owned(), calls))
        });
        let rows: Vec<_> = rows.collect();
        ensure!(!rows.is_empty(), "`strace` counted nothing");
        Ok(rows)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.report);
    }
}

/// Opens the way to thousands of sockets, here and in every process that is started from here.
///
/// # Errors
/// The hard limit is too low.
pub fn allow_sockets(count: u64) -> Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= count {
        return Ok(());
    }
    setrlimit(Resource::RLIMIT_NOFILE, count.min(hard).max(soft), hard)?;
    ensure!(
        hard >= count,
        "{count} open files are needed, and the limit is {hard}"
    );
    Ok(())
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}
