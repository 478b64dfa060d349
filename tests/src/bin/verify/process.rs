//! Processes that cannot outlive their time: each is the leader of its own process group, and the
//! group is killed when its owner is done with it, out of time, or interrupted.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// What a command that ended left behind.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// Standard output and standard error as they came.
    pub(crate) output: String,
}

/// Runs a command to its end, or to `deadline`. Its output is appended to the file `log`.
///
/// # Errors
/// It could not be started, or it was killed at the deadline.
pub(crate) fn run(command: &mut Command, log: &Path, deadline: Instant) -> Result<Finished> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .context("cannot open the log")?;
    writeln!(file, "$ {}", shown(command))?;
    let start = file.metadata()?.len();
    command.stdout(file.try_clone()?).stderr(file);
    let mut group = Group::spawn(command)?;
    let status = group.wait(deadline)?;
    // Bytes, not a string, decide where this command's part begins; the rest may be in any encoding.
    let bytes = std::fs::read(log).context("cannot read the log")?;
    let output = String::from_utf8_lossy(&bytes[start as usize..]).into_owned();
    match status {
        Some(status) => Ok(Finished { status, output }),
        None => bail!(
            "`{}` did not end within the time of this step and was killed",
            shown(command)
        ),
    }
}

/// A program that runs beside a judge until it is stopped.
pub(crate) struct Server {
    group: Group,
    lines: Receiver<String>,
    name: String,
    log: PathBuf,
    seen: Vec<String>,
}

impl Server {
    /// Starts `command` and waits for a line that holds `marker`; its output is copied to `log`.
    /// Gives the server and the text that stands behind the marker, up to the next white space.
    ///
    /// # Errors
    /// It could not be started, it ended, or the deadline came before the line did.
    pub(crate) fn start(
        command: &mut Command,
        marker: &str,
        log: &Path,
        deadline: Instant,
    ) -> Result<(Server, String)> {
        let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let name = shown(command);
        let group = Group::spawn(command)?;
        // The command holds the writing ends: without them the reader sees the end of the output.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut copy = File::create(log).context("cannot open the log of a server")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(reader)
                .split(b'\n')
                .map_while(|line| line.ok())
            {
                let line = String::from_utf8_lossy(&line).into_owned();
                // A log that cannot be written must not stop the server on a full pipe.
                let _ = writeln!(copy, "{line}");
                let _ = sender.send(line);
            }
        });
        let mut server = Server {
            group,
            lines,
            name,
            log: log.to_owned(),
            seen: Vec::new(),
        };
        let address = server.wait_for(marker, deadline)?;
        Ok((server, address))
    }

    /// Where its output is.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Waits for the next line that holds `marker`; gives what stands behind it, up to the next
    /// white space.
    ///
    /// # Errors
    /// It ended, or the deadline came before the line did.
    pub(crate) fn wait_for(&mut self, marker: &str, deadline: Instant) -> Result<String> {
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    let found = line.split_once(marker).map(|(_, rest)| rest.to_owned());
                    self.seen.push(line);
                    if let Some(rest) = found {
                        return Ok(rest
                            .split_whitespace()
                            .next()
                            .unwrap_or_default()
                            .to_owned());
                    }
                }
                Err(RecvTimeoutError::Timeout) => bail!("`{}` never printed `{marker}`", self.name),
                Err(RecvTimeoutError::Disconnected) => {
                    let last = self
                        .seen
                        .last()
                        .map_or("it printed nothing", String::as_str);
                    bail!("`{}` ended before it printed `{marker}`: {last}", self.name)
                }
            }
        }
    }

    /// Waits for the program to end by itself.
    ///
    /// # Errors
    /// It still ran at the deadline.
    pub(crate) fn wait(mut self, deadline: Instant) -> Result<ExitStatus> {
        let status = self.group.wait(deadline)?;
        status.ok_or_else(|| anyhow!("`{}` did not end within the time of this step", self.name))
    }

    /// Kills the program.
    ///
    /// # Errors
    /// It had ended by itself, or a task of it panicked: then what the judge saw was luck.
    pub(crate) fn stop(mut self) -> Result<()> {
        let ended = self.group.wait(Instant::now())?;
        // The pipe ends with the group; the bound is for a process that left the group.
        while let Ok(line) = self.lines.recv_timeout(PIPE_BOUND) {
            self.seen.push(line);
        }
        if let Some(line) = self.seen.iter().find(|line| line.contains("panicked at")) {
            bail!("`{}` panicked: {line}", self.name);
        }
        match ended {
            Some(status) => bail!("`{}` ended while it was judged: {status}", self.name),
            None => Ok(()),
        }
    }
}

/// Kills every process group that is alive: the run was interrupted.
pub(crate) fn kill_all() {
    if let Ok(live) = LIVE.lock() {
        live.iter().for_each(|&id| kill(id));
    }
}

/// A process that leads a group; dropping it kills the group.
struct Group {
    id: i32,
    ended: Receiver<std::io::Result<ExitStatus>>,
}

impl Group {
    fn spawn(command: &mut Command) -> Result<Group> {
        let program = command.get_program().to_string_lossy().into_owned();
        // Held over the start, so that an interrupt cannot fall between start and entry.
        let mut live = LIVE
            .lock()
            .map_err(|_| anyhow!("the list of processes is gone"))?;
        let mut child: Child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{program}`"))?;
        let id = child.id() as i32;
        live.push(id);
        let (sender, ended) = channel();
        thread::spawn(move || sender.send(child.wait()));
        Ok(Group { id, ended })
    }

    /// Waits for the leader; at the deadline the group is killed and the answer is `None`.
    fn wait(&mut self, deadline: Instant) -> Result<Option<ExitStatus>> {
        match self
            .ended
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(status) => Ok(Some(status.context("cannot wait for a process")?)),
            Err(_) => {
                kill(self.id);
                let _ = self.ended.recv();
                Ok(None)
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The leader may be gone while what it started still runs.
        kill(self.id);
        if let Ok(mut live) = LIVE.lock() {
            live.retain(|&id| id != self.id);
        }
    }
}

fn kill(id: i32) {
    // The only error is that nobody is left in the group.
    let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
}

/// A command as one would type it, without its environment.
fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// How long the output of a killed group may still come.
const PIPE_BOUND: Duration = Duration::from_secs(5);

/// The leaders of the groups that may have living members.
static LIVE: Mutex<Vec<i32>> = Mutex::new(Vec::new());

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of its own for each test.
    fn log(test: &str) -> PathBuf {
        std::env::temp_dir().join(format!("verify-{}-{test}.log", std::process::id()))
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn far_away() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn output_and_status_come_back() {
        let log = log("output");
        let first = run(&mut shell("echo one"), &log, far_away()).unwrap();
        let second = run(
            &mut shell("echo two; echo three >&2; exit 3"),
            &log,
            far_away(),
        )
        .unwrap();
        std::fs::remove_file(&log).unwrap();
        assert_eq!(
            (first.status.code(), first.output.as_str()),
            (Some(0), "one\n")
        );
        assert_eq!(
            (second.status.code(), second.output.as_str()),
            (Some(3), "two\nthree\n")
        );
    }

    #[test]
    fn a_command_out_of_time_is_killed() {
        let log = log("late");
        let error = run(&mut shell("sleep 1000"), &log, Instant::now())
            .err()
            .unwrap();
        std::fs::remove_file(&log).unwrap();
        assert!(error.to_string().contains("was killed"), "{error}");
    }

    #[test]
    fn what_a_server_started_dies_with_it() {
        let log = log("group");
        let mut command = shell("sleep 1000 & echo at here; wait");
        let (server, address) = Server::start(&mut command, "at ", &log, far_away()).unwrap();
        assert_eq!(address, "here");
        let Server { group, lines, .. } = server;
        drop(group);
        // The child of the shell holds the pipe too: its end proves that both are gone.
        assert_eq!(
            lines.recv_timeout(Duration::from_secs(60)),
            Err(RecvTimeoutError::Disconnected)
        );
        std::fs::remove_file(&log).unwrap();
    }

    #[test]
    fn a_server_that_is_never_ready_is_told() {
        let log = log("never");
        let error = Server::start(
            &mut shell("echo port in use; exit 1"),
            "at ",
            &log,
            far_away(),
        );
        std::fs::remove_file(&log).unwrap();
        assert!(error.err().unwrap().to_string().ends_with("port in use"));
    }

    #[test]
    fn a_server_that_panicked_is_told() {
        let log = log("panic");
        let mut command = shell("echo a task panicked at x.rs; echo at here; sleep 1000");
        let (server, _) = Server::start(&mut command, "at h", &log, far_away()).unwrap();
        let error = server.stop().err().unwrap();
        std::fs::remove_file(&log).unwrap();
        assert!(error.to_string().contains("panicked"), "{error}");
    }
}
