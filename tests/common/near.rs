//! A local cloud in the test's own process, so that a test says how it behaves while it runs.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use resizer_local::{Cloud, Fault, Mishap, Realism, Settings};
use tokio::sync::oneshot;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Place;

/// Makes a stack of the function that [`Place::write_function`] writes.
pub const UP: [&str; 4] = ["up", "--local", "--handler-zip", "function.zip"];
pub const DOWN: [&str; 3] = ["down", "--local", "--yes"];

/// How long a test waits for a call that is under way.
const PATIENCE: Duration = Duration::from_secs(120);

/// A place whose local cloud runs here.
pub struct NearCloud {
    // Ends before the place does, which would end the process that holds its cloud.
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    cloud: Arc<Cloud>,
    pub place: Place,
}

impl NearCloud {
    pub fn start() -> Self {
        let place = Place::new();
        let settings = Settings {
            data_dir: place.path().join(".resizer/local"),
            port: None,
            // us-east-1 forgives making a bucket twice; everywhere else does not.
            region: Some("eu-central-1".to_owned()),
            realism: Some(Realism::default()),
        };
        std::fs::create_dir_all(&settings.data_dir).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let running = Cloud::start(settings).unwrap();
        let cloud = running.cloud();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let until = async {
                let _ = stopped.await;
            };
            runtime.block_on(running.run_until(until)).unwrap();
        });
        let near = Self {
            server: Some((stop, thread)),
            cloud,
            place,
        };
        near.place.write_function();
        near
    }

    /// Behaves like `realism` from now on.
    pub fn behave(&self, realism: Realism) {
        self.cloud.conditions().set(realism);
    }

    /// Has the next function end with an error: S3 refuses as often as it tries.
    pub fn fail_a_function(&self) {
        self.behave(Realism {
            faults: vec![Fault {
                operation: "s3:GetObject".to_owned(),
                call: 1,
                times: 3,
                after: false,
                does: refusal(503, "SlowDown", "Please reduce your request rate."),
            }],
            ..Realism::default()
        });
    }

    /// How many calls of each operation there were since it was said how to behave.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.cloud.conditions().calls()
    }

    /// Waits for the `number`-th call of `operation`, which has begun then.
    pub fn wait_for(&self, operation: &str, number: u64) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while self.calls().get(operation).copied().unwrap_or_default() < number {
            assert!(
                std::time::Instant::now() < deadline,
                "no {number}. {operation}: {:?}",
                self.calls()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl NearCloud {
    /// Ends the cloud: nobody listens there any more.
    pub fn end(&mut self) {
        if let Some((stop, thread)) = self.server.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for NearCloud {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether the operation changes nothing.
pub fn is_read(operation: &str) -> bool {
    let name = operation.split_once(':').map_or(operation, |(_, name)| name);
    ["Get", "List", "Describe", "Head"]
        .iter()
        .any(|verb| name.starts_with(verb))
}

pub fn refusal(status: u16, code: &str, message: &str) -> Mishap {
    Mishap::Refuse {
        status,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

impl Place {
    /// A function that is a program for this machine and does nothing: making a stack takes it, and takes no time over it.
    pub fn write_function(&self) {
        self.write_program("function.zip", &empty_program());
    }

    /// Another one.
    pub fn write_other_function(&self) {
        self.write_program("other.zip", &[empty_program(), vec![0]].concat());
    }

    /// A function's zip with `program` as its `bootstrap`.
    pub fn write_program(&self, name: &str, program: &[u8]) {
        let mut zip = ZipWriter::new(std::fs::File::create(self.path().join(name)).unwrap());
        let options = SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file("bootstrap", options).unwrap();
        zip.write_all(program).unwrap();
        zip.finish().unwrap();
    }
}

/// The 64 bytes of an ELF file's header, with nothing behind it.
pub fn empty_program() -> Vec<u8> {
    let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend(2_u16.to_le_bytes());
    header.extend(machine.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    // Entry point, program headers and section headers: none.
    header.extend([0; 24]);
    header.extend(0_u32.to_le_bytes());
    for size in [64_u16, 56, 0, 64, 0, 0] {
        header.extend(size.to_le_bytes());
    }
    header
}
