//! The program as its user meets it: what it prints, how it ends.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

fn chat(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = chat(arguments).output().unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// Ends the server if the test fails before it did.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn help_and_faults_on_the_command_line() {
    let (status, out, err) = run(&["--help"]);
    assert_eq!((status, err.as_str()), (Some(0), ""));
    assert!(out.contains("--listen ADDR:PORT"), "{out}");
    for arguments in [&["--nonsense"][..], &["--listen"], &["extra"]] {
        let (status, out, err) = run(arguments);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn it_serves_refuses_a_port_in_use_and_stops_on_both_signals() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Running(chat(&["--listen", "127.0.0.1:0"]).spawn().unwrap());
        let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
        let address = lines.next().unwrap().unwrap();
        let host = address
            .strip_prefix("http://")
            .expect("the first line is the address");
        TcpStream::connect(host).unwrap();
        assert!(lines.next().unwrap().unwrap().contains("three windows"));

        let (status, out, err) = run(&["--listen", host]);
        assert_eq!(
            (status, out.as_str(), err.lines().count()),
            (Some(1), "", 1),
            "{err}"
        );
        assert!(err.contains(host), "{err}");

        let id = server.0.id().to_string();
        let kill = format!("kill {signal} {id}");
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(server.0.wait().unwrap().code(), Some(0), "{signal}");
        let mut err = String::new();
        server
            .0
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        assert_eq!(err, "");
    }
}
