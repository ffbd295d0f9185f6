//! A gate between the binary and its local cloud: it holds back the requests of one operation, so that a test can act
//! while a command waits for just that answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Place;

/// How long a test waits for a request to come: the first `up` of a fresh clone builds the function before.
const PATIENCE: Duration = Duration::from_secs(600);

/// A proxy in front of a place's local cloud. What goes through it stays as it is.
pub struct Gate {
    arrived: Receiver<()>,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    /// Leads the commands of `place` through a gate that is shut for requests with `words` in their head.
    pub fn before(place: &Place, words: &'static str) -> Self {
        let open = Arc::new((Mutex::new(false), Condvar::new()));
        let (arrival, arrived) = mpsc::channel();
        let shared = open.clone();
        lead_through(place, move |head| hold(head, words, &shared, &arrival), |_| {});
        Self { arrived, open }
    }

    /// Waits until a request stands before the gate.
    pub fn wait_for_arrival(&self) {
        self.arrived.recv_timeout(PATIENCE).expect("no such request came");
    }

    /// Lets everything through from now on.
    pub fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }
}

/// Leads the commands of `place` to its cloud as if that had another time, so many seconds from now.
pub fn with_another_clock(place: &Place, seconds: i64) {
    lead_through(
        place,
        |_| {},
        move |answer| {
            const DATE: &[u8] = b"\r\ndate: ";
            let Some(at) = answer.windows(DATE.len()).position(|window| window == DATE) else {
                return;
            };
            let there = Timestamp::now() + SignedDuration::from_secs(seconds);
            let date = there.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            answer[at + DATE.len()..][..date.len()].copy_from_slice(date.as_bytes());
        },
    );
}

/// Puts a proxy before the cloud of `place`, that does so with what goes forth and back.
fn lead_through(
    place: &Place,
    forth: impl Fn(&mut [u8]) + Clone + Send + 'static,
    back: impl Fn(&mut [u8]) + Clone + Send + 'static,
) {
    let path = place.endpoint_file();
    let mut endpoint = place.endpoint();
    let cloud = endpoint["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://")
        .to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    endpoint["url"] = Value::from(format!("http://{}", listener.local_addr().unwrap()));
    std::fs::write(path, endpoint.to_string()).unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, forth, back) = (client.unwrap(), forth.clone(), back.clone());
            let Ok(server) = TcpStream::connect(&cloud) else {
                continue;
            };
            let (back_from, back_to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || pass(back_from, back_to, back));
            thread::spawn(move || pass(client, server, forth));
        }
    });
}

/// Waits before the gate with what has the words in it.
fn hold(bytes: &[u8], words: &str, open: &(Mutex<bool>, Condvar), arrival: &Sender<()>) {
    if !bytes
        .windows(words.len())
        .any(|window| window == words.as_bytes())
    {
        return;
    }
    // The test may be over.
    let _ = arrival.send(());
    let mut is_open = open.0.lock().unwrap();
    while !*is_open {
        is_open = open.1.wait(is_open).unwrap();
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, look: impl Fn(&mut [u8])) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        look(&mut buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
