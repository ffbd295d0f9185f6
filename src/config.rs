//! `resizer.toml`, flags and defaults, validated once into typed values.

mod alarms;
mod resize;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::{env, fs};

pub use alarms::{AlarmSettings, region_of};
use resize::{Rendition, ResizeSettings, renditions};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::GlobalArgs;
use crate::error::CommandError;
use crate::names::{self, LentBuckets};
use crate::ui::format::shell_word;

/// The configuration file that is read when it is there and no other is named.
const DEFAULT_FILE: &str = "resizer.toml";

/// The largest configuration file, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// Where the local cloud keeps its data, from the folder the command runs in.
pub const LOCAL_DATA_DIR: &str = ".resizer/local";

/// Everything a command needs to know before its first call.
#[derive(Debug, Clone)]
pub struct Settings {
    pub stack: String,
    pub place: Place,
    /// What the function makes of a picture, in the JSON that it reads.
    pub renditions: String,
    /// Whether some of that is AVIF, which not every build of the function writes.
    pub writes_avif: bool,
    /// What of the configuration may not be what is meant, for whoever puts it through.
    pub doubts: Vec<String>,
    pub results: ResultSettings,
    pub limits: LimitSettings,
    pub function: FunctionSettings,
    pub logs: LogSettings,
    pub keys: KeySettings,
    /// Whom alarms tell; without, there are none.
    pub alarms: Option<AlarmSettings>,
    /// Buckets that are there, used in place of the stack's own.
    pub lent: LentBuckets,
    /// Whether what has the stack's names and no one's tag is taken over.
    pub adopts: bool,
    /// What the run is called on what it makes, where it takes that back when it fails.
    pub run: Option<String>,
    /// The flags that say where and which stack, as they were given, each with a space before it: for the commands
    /// that are proposed.
    pub flags: String,
}

/// Where the pipeline runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine, in the local cloud of this data folder.
    Local {
        data_dir: PathBuf,
        region: Option<String>,
    },
    /// On AWS, or on whatever speaks its protocols at `endpoint_url`.
    Aws {
        region: Option<String>,
        profile: Option<String>,
        endpoint_url: Option<String>,
    },
}

impl Place {
    /// Whether it is a local cloud that was never started.
    pub fn is_untouched(&self) -> bool {
        matches!(self, Self::Local { data_dir, .. } if !data_dir.exists())
    }

    /// Whether it is an endpoint here that `--local` does not know of.
    pub fn is_other_cloud_on_this_machine(&self) -> bool {
        let Self::Aws {
            endpoint_url: Some(url),
            ..
        } = self
        else {
            return false;
        };
        ["http://127.0.0.1", "http://localhost", "http://[::1]"]
            .iter()
            .any(|here| url.starts_with(here))
    }

    /// The region that was asked for.
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Local { region, .. } | Self::Aws { region, .. } => region.as_deref(),
        }
    }
}

/// The results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct ResultSettings {
    /// Their `Cache-Control`.
    pub cache_control: Option<String>,
}

/// What a picture may be; the function has limits of its own where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct LimitSettings {
    /// Bytes of the uploaded object.
    pub source_bytes: Option<u64>,
    /// Width times height, of all frames of an animation that stays one.
    pub pixels: Option<u64>,
    /// The longer of width and height.
    pub side: Option<u32>,
    /// Of an animation that stays one.
    pub frames: Option<u64>,
    /// Bytes of each result.
    pub result_bytes: Option<u64>,
}

/// The Lambda function.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct FunctionSettings {
    /// Where it is not said, a function that stands keeps its own, and a new one gets the default.
    pub architecture: Option<Architecture>,
    /// MiB, 128 to 10,240: Lambda gives CPU in proportion, a whole one at 1,769.
    pub memory: u32,
    /// Seconds, 1 to 900.
    pub timeout: u32,
}

/// The processor the function is built for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Architecture {
    #[default]
    #[serde(rename = "x86_64")]
    #[value(name = "x86_64")]
    X86_64,
    Arm64,
}

impl Architecture {
    /// This machine's.
    pub const HOST: Self = if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else {
        Self::X86_64
    };

    /// As Lambda calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

/// Which uploads start an execution, by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct KeySettings {
    /// What a key has to begin with; empty: anything.
    pub prefix: String,
    /// What a key has to end with; empty: anything.
    pub suffix: String,
}

impl KeySettings {
    /// A key that starts one.
    pub fn example(&self) -> String {
        let suffix = if self.suffix.is_empty() {
            ".jpg"
        } else {
            &self.suffix
        };
        format!("{}cat{suffix}", self.prefix)
    }

    /// Whether an upload under `key` starts an execution.
    pub fn admit(&self, key: &str) -> bool {
        key.strip_prefix(&self.prefix)
            .is_some_and(|rest| rest.ends_with(&self.suffix))
    }
}

/// The two log groups.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub struct LogSettings {
    /// Days, one of the numbers that CloudWatch Logs takes.
    pub retention_days: u32,
    /// How the function writes its own lines.
    pub format: LogFormat,
}

/// How the function writes what it logs of an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// An object an event, for programs.
    #[default]
    Json,
    /// A line an object, for people.
    Text,
}

/// What the TOML file at `path` says, which is `what`: "the configuration".
pub fn read_toml<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T, CommandError> {
    let path_shown = path.display();
    let text = read_bounded(path)
        .map_err(|error| CommandError::usage(format!("{what} {path_shown} cannot be read: {error}")))?;
    toml::from_str(&text).map_err(|error| {
        CommandError::usage(format!(
            "{what} {path_shown} is not understood:\n{}",
            without_rusts_words(&error)
        ))
    })
}

/// The text of a configuration file, which is a small one.
fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?
        .take(FILE_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_MAX {
        return Err(io::Error::other(format!(
            "it is larger than {} KiB",
            FILE_MAX / 1024
        )));
    }
    Ok(text)
}

/// What is wrong with a file, in TOML's words.
fn without_rusts_words(error: &toml::de::Error) -> String {
    let words = error.to_string();
    words
        .trim_end()
        .replace("expected u32", "expected a whole number, 0 or more")
        .replace("expected u64", "expected a whole number, 0 or more")
}

/// `resizer.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
struct File {
    stack: Option<String>,
    region: Option<String>,
    profile: Option<String>,
    resize: ResizeSettings,
    rendition: Vec<Rendition>,
    results: ResultSettings,
    limits: LimitSettings,
    function: FunctionSettings,
    logs: LogSettings,
    keys: KeySettings,
    buckets: LentBuckets,
    alarms: Option<AlarmSettings>,
}

impl Default for FunctionSettings {
    fn default() -> Self {
        Self {
            architecture: None,
            memory: 1769,
            timeout: 60,
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            retention_days: 14,
            format: LogFormat::default(),
        }
    }
}

impl Settings {
    /// What the function is to run on, if that is said: on this machine it is a fact, not a choice.
    pub fn architecture(&self) -> Option<Architecture> {
        match self.place {
            Place::Local { .. } => Some(Architecture::HOST),
            Place::Aws { .. } => self.function.architecture,
        }
    }

    /// Reads the configuration file and puts the flags over it.
    ///
    /// # Errors
    /// A file that cannot be read or is not understood, and values that AWS would refuse.
    pub fn load(args: &GlobalArgs) -> Result<Self, CommandError> {
        let (file, path) = match &args.config {
            Some(path) => (read_toml("the configuration", path)?, path.clone()),
            None => (
                File::read_if_there(Path::new(DEFAULT_FILE))?,
                PathBuf::from(DEFAULT_FILE),
            ),
        };
        let refused = |reason| {
            CommandError::usage(format!(
                "the configuration in {} is refused: {reason}",
                path.display()
            ))
        };
        let wanted = renditions(&file.resize, &file.rendition).map_err(refused)?;
        file.validate().map_err(refused)?;

        let stack = args
            .stack
            .clone()
            .or(file.stack)
            .unwrap_or_else(|| "resizer".to_owned());
        names::check_stack_name(&stack).map_err(CommandError::usage)?;
        let region = args.region.clone().or(file.region);
        if let Some(region) = region.as_ref().filter(|region| !names::is_region(region)) {
            return Err(CommandError::usage(format!("\"{region}\" is no region's name"))
                .hint("a region is called like eu-central-1"));
        }
        let place = if args.local {
            // `resizer local env` sets the variable; to say --local beside it is no contradiction.
            if let Some(url) = endpoint_url_flag(args) {
                return Err(CommandError::usage(format!(
                    "--local and the endpoint {url} name two different places"
                ))
                .hint("leave one of them out"));
            }
            Place::Local {
                data_dir: PathBuf::from(LOCAL_DATA_DIR),
                region,
            }
        } else {
            Place::Aws {
                region,
                profile: args.profile.clone().or(file.profile),
                endpoint_url: args.endpoint_url.clone().filter(|url| !url.is_empty()),
            }
        };
        let lent = LentBuckets {
            original: args.original_bucket.clone().or(file.buckets.original),
            resized: args.resized_bucket.clone().or(file.buckets.resized),
        };
        let mut given = lent.original.iter().chain(&lent.resized);
        if let Some(name) = given.find(|name| !names::is_bucket(name)) {
            return Err(CommandError::usage(format!("\"{name}\" is no bucket's name")));
        }
        Ok(Self {
            stack,
            place,
            renditions: wanted.json,
            writes_avif: wanted.writes_avif,
            doubts: wanted.doubts,
            results: file.results,
            limits: file.limits,
            function: file.function,
            logs: file.logs,
            keys: file.keys,
            alarms: file.alarms,
            lent,
            adopts: false,
            run: None,
            flags: flags(args),
        })
    }
}

/// The endpoint, where it was typed: in the environment it still is when the next command is typed.
fn endpoint_url_flag(args: &GlobalArgs) -> Option<&String> {
    args.endpoint_url
        .as_ref()
        .filter(|url| !url.is_empty() && env::var("AWS_ENDPOINT_URL").as_ref() != Ok(url))
}

fn flags(args: &GlobalArgs) -> String {
    let config = args.config.as_ref().map(|path| path.display().to_string());
    let valued = [
        ("--stack", args.stack.as_ref()),
        ("--region", args.region.as_ref()),
        ("--profile", args.profile.as_ref()),
        ("--endpoint-url", endpoint_url_flag(args)),
        ("--config", config.as_ref()),
        ("--original-bucket", args.original_bucket.as_ref()),
        ("--resized-bucket", args.resized_bucket.as_ref()),
    ];
    let valued = valued
        .into_iter()
        .filter_map(|(flag, value)| Some(format!(" {flag} {}", shell_word(value?))));
    let local = args.local.then(|| " --local".to_owned());
    local.into_iter().chain(valued).collect()
}

impl File {
    fn read_if_there(path: &Path) -> Result<Self, CommandError> {
        // A link that leads nowhere is there, and a mistake.
        if path.symlink_metadata().is_ok() {
            read_toml("the configuration", path)
        } else {
            Ok(Self::default())
        }
    }

    /// Checks every number against what the services take.
    fn validate(&self) -> Result<(), String> {
        /// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
        const RETENTION_DAYS: [u32; 22] = [
            1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
            3288, 3653,
        ];
        if self.results.cache_control.as_ref().is_some_and(|value| {
            !(1..=256).contains(&value.len()) || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        }) {
            return Err("results.cache_control is a header's value: 1 to 256 ASCII characters".to_owned());
        }
        let LimitSettings {
            source_bytes,
            result_bytes,
            side,
            frames,
            ..
        } = self.limits;
        for (name, bytes) in [("source_bytes", source_bytes), ("result_bytes", result_bytes)] {
            if bytes.is_some_and(|bytes| !(1..=1 << 30).contains(&bytes)) {
                return Err(format!("limits.{name} is a number of bytes from 1 to 1073741824"));
            }
        }
        if side.is_some_and(|side| !(1..=1_000_000).contains(&side)) {
            return Err("limits.side is a number of pixels from 1 to 1000000".to_owned());
        }
        if frames.is_some_and(|frames| !(1..=1_000_000).contains(&frames)) {
            return Err("limits.frames is a number from 1 to 1000000".to_owned());
        }
        if self
            .limits
            .pixels
            .is_some_and(|pixels| !(1..=10_000_000_000).contains(&pixels))
        {
            return Err("limits.pixels is a number from 1 to 10000000000".to_owned());
        }
        if !(128..=10_240).contains(&self.function.memory) {
            return Err("function.memory is a number of MiB from 128 to 10240".to_owned());
        }
        if !(1..=900).contains(&self.function.timeout) {
            return Err("function.timeout is a number of seconds from 1 to 900".to_owned());
        }
        if !RETENTION_DAYS.contains(&self.logs.retention_days) {
            return Err(format!(
                "logs.retention_days is one of {}",
                RETENTION_DAYS.map(|days| days.to_string()).join(", ")
            ));
        }
        self.validate_names()?;
        self.alarms.as_ref().map_or(Ok(()), AlarmSettings::validate)
    }

    /// Checks every name against what the services take: those of flags are checked with the settings.
    fn validate_names(&self) -> Result<(), String> {
        if let Some(stack) = &self.stack {
            names::check_stack_name(stack).map_err(|error| format!("stack: {error}"))?;
        }
        if let Some(region) = self.region.as_ref().filter(|region| !names::is_region(region)) {
            return Err(format!("region: \"{region}\" is no region's name"));
        }
        let LentBuckets { original, resized } = &self.buckets;
        for (name, bucket) in [("original", original), ("resized", resized)] {
            if let Some(bucket) = bucket.as_ref().filter(|bucket| !names::is_bucket(bucket)) {
                return Err(format!("buckets.{name}: \"{bucket}\" is no bucket's name"));
            }
        }
        Ok(())
    }
}
