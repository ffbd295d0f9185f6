//! Who we are, where, and on which stack: what every command but `local` begins with.

use std::path::Path;

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use resizer_local::{ACCOUNT, Endpoint, FIRST_REGION};

use crate::aws::{CallFailure, Clients, Clock, Connection, During, TimeSignal};
use crate::commands::local;
use crate::config::{LOCAL_DATA_DIR, Place, Settings, region_of};
use crate::error::CommandError;
use crate::execution::{FunctionLog, LogGroup};
use crate::names::Names;
use crate::ui::Ui;

/// A command's connection to the place where its stack stands.
#[derive(Debug, Clone)]
pub struct Session {
    pub clients: Clients,
    pub names: Names,
    /// AWS's, beside this machine's.
    pub clock: Clock,
    /// The ARN that STS tells of the caller; empty where there is no one to call.
    pub caller: String,
    /// [`Settings::flags`], for the commands we propose.
    pub flags: String,
}

/// Whether a local cloud may be started for this command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenAbsent {
    /// Start one, and make its data folder if need be.
    Start,
    /// Start one only where there is a data folder.
    Resume,
}

impl Session {
    /// Finds the endpoint, the region and the account.
    ///
    /// # Errors
    /// No local cloud, no region, no credentials, no answer.
    pub async fn open(settings: &Settings, when_absent: WhenAbsent) -> Result<Self, CommandError> {
        let mut clients = connect(settings, when_absent).await?;
        let Some(region) = clients.region.clone() else {
            let error = CommandError::usage("no AWS region is set");
            return Err(if Path::new(LOCAL_DATA_DIR).is_dir() {
                error.hint(
                    "this folder has a local cloud: --local is for it; for AWS say --region eu-central-1",
                )
            } else {
                error.hint("say --region eu-central-1, or set AWS_REGION or the profile's region")
            });
        };
        let mut identity = caller(&clients).await;
        let is_local = matches!(settings.place, Place::Local { .. });
        if is_local && identity.as_ref().is_err_and(CallFailure::is_unanswered) {
            // The local cloud that was found was about to end, it seems: it is found, or started, once more.
            clients = connect(settings, when_absent).await?;
            identity = caller(&clients).await;
        }
        let (identity, clock) = identity?;
        let account = identity.account().unwrap_or_default().to_owned();
        // arn:PARTITION:sts::ACCOUNT:…
        let partition = identity
            .arn()
            .and_then(|arn| arn.split(':').nth(1))
            .unwrap_or("aws")
            .to_owned();
        Ok(Self {
            clients,
            names: names(settings, account, region, partition)?,
            clock,
            caller: identity.arn().unwrap_or_default().to_owned(),
            flags: settings.flags.clone(),
        })
    }

    /// Says that this machine's clock is off, if it is: to whom times are shown.
    pub fn tell_of_the_clock(&self, ui: &Ui) {
        if let Some(notice) = self.clock.notice() {
            ui.insist(notice);
        }
    }

    /// The function's log.
    pub fn function_log(&self) -> FunctionLog<'_> {
        FunctionLog {
            log: self.log_group(self.names.function_log_group()),
            executions: self.names.state_machine_log_group(),
        }
    }

    /// The log of the executions' events.
    pub fn executions_log(&self) -> LogGroup<'_> {
        self.log_group(self.names.state_machine_log_group())
    }

    fn log_group(&self, name: String) -> LogGroup<'_> {
        LogGroup {
            clients: &self.clients,
            clock: self.clock,
            name,
            flags: &self.flags,
        }
    }

    /// With the local cloud that `up` would make where none was ever started: to plan with, there is no one to call.
    ///
    /// # Errors
    /// One bucket for originals and results.
    pub async fn before_the_first_up(settings: &Settings) -> Result<Self, CommandError> {
        Self::without_a_cloud(settings, ACCOUNT, FIRST_REGION).await
    }

    /// With no one to call, to draw with: `ACCOUNT` and `REGION` stand for what only AWS knows.
    ///
    /// # Errors
    /// One bucket for originals and results.
    pub async fn on_paper(settings: &Settings) -> Result<Self, CommandError> {
        Self::without_a_cloud(settings, "ACCOUNT", "REGION").await
    }

    async fn without_a_cloud(settings: &Settings, account: &str, region: &str) -> Result<Self, CommandError> {
        let region = settings.place.region().unwrap_or(region).to_owned();
        let nowhere = Endpoint {
            url: "http://127.0.0.1:0".to_owned(),
            region: region.clone(),
            access_key_id: String::new(),
            secret_access_key: String::new(),
            pid: 0,
        };
        Ok(Self {
            clients: Clients::connect(&Connection::Local(nowhere)).await,
            names: names(settings, account.to_owned(), region, "aws".to_owned())?,
            clock: Clock::default(),
            caller: String::new(),
            flags: settings.flags.clone(),
        })
    }
}

fn names(
    settings: &Settings,
    account: String,
    region: String,
    partition: String,
) -> Result<Names, CommandError> {
    let names = Names {
        stack: settings.stack.clone(),
        account,
        region,
        partition,
        lent: settings.lent.clone(),
    };
    if names.original_bucket() == names.resized_bucket() {
        return Err(CommandError::usage(format!(
            "{} would be both the original and the resized bucket: each result would start an execution, without an end",
            names.original_bucket()
        ))
        .hint("say two different buckets"));
    }
    let topic = settings
        .alarms
        .as_ref()
        .and_then(|alarms| alarms.topic.as_deref());
    if let Some(topic) = topic
        && region_of(topic) != Some(&names.region)
    {
        return Err(CommandError::usage(format!(
            "the topic {topic} is in another region than the stack, {}",
            names.region
        ))
        .hint("CloudWatch's alarms tell topics of their own region alone: say one of it in alarms.topic"));
    }
    Ok(names)
}

async fn connect(settings: &Settings, when_absent: WhenAbsent) -> Result<Clients, CommandError> {
    let connection = match &settings.place {
        Place::Aws {
            region,
            profile,
            endpoint_url,
        } => Connection::Aws {
            region: region.clone(),
            profile: profile.clone(),
            endpoint_url: endpoint_url.clone(),
        },
        Place::Local { data_dir, region } => {
            Connection::Local(local::find_or_start(data_dir, region.as_deref(), when_absent).await?)
        }
    };
    Ok(Clients::connect(&connection).await)
}

async fn caller(clients: &Clients) -> Result<(GetCallerIdentityOutput, Clock), CallFailure> {
    let place = clients.endpoint_url.as_ref().or(clients.region.as_ref());
    let time_signal = TimeSignal::default();
    let ask = clients.sts.get_caller_identity().customize();
    let answer = ask.interceptor(time_signal.clone()).send().await;
    let identity = answer.during(
        "sts:GetCallerIdentity",
        place.map(String::as_str).unwrap_or_default(),
    )?;
    Ok((identity, time_signal.clock()))
}
