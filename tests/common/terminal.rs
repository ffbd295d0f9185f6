//! A terminal for the binary to ask at.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{ExitStatus, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::Place;

/// Runs the binary at a terminal where `answer` is typed: how it ended, and what stood there at the end.
pub fn typed(place: &Place, args: &[&str], answer: &str) -> (ExitStatus, String) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(name).unwrap();
    let mut controller = File::from(controller);
    controller.write_all(answer.as_bytes()).unwrap();

    let mut command = place.command(args);
    command.stdin(terminal.try_clone().unwrap());
    command.stdout(Stdio::null()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    // With it go the last handles of the terminal but the child's: reading ends when the child does.
    drop(command);
    let reader = thread::spawn(move || {
        let mut said = Vec::new();
        // A terminal that nobody holds any more is an error on Linux.
        let _ = controller.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    });
    (child.wait().unwrap(), reader.join().unwrap())
}
