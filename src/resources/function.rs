//! The Lambda function.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    self, Environment, FunctionCode, FunctionConfiguration, LastUpdateStatus, LoggingConfig, Runtime, State,
};
use serde_json::{Value, json};

use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{LAMBDA_BUSY, LAMBDA_KEY, LAMBDA_PERMISSIONS, LAMBDA_ROLE};
use crate::aws::{During, UnlessGone, lacks, upload_timeouts};
use crate::config::Architecture;
use crate::engine::{Failure, FieldChange, Fields, Found, Mending, NotYet, Reading, Resource, Step};
use crate::package::FunctionPackage;

/// A function whose code is a zip with an executable `bootstrap`.
pub struct Function {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    pub arn: String,
    /// Absent where the code is of no interest: it is not compared then, and the function cannot be made.
    pub package: Option<FunctionPackage>,
    /// Absent where any will do.
    pub architecture: Option<Architecture>,
    pub role_arn: String,
    pub log_group: String,
    /// MiB.
    pub memory: u32,
    /// Seconds.
    pub timeout: u32,
    pub environment: BTreeMap<String, String>,
}

const RUNTIME: Runtime = Runtime::Providedal2023;
/// What `provided.al2023` starts; the field is required but not looked at.
const HANDLER: &str = "bootstrap";

const CODE: &str = "code (sha-256)";
/// Whether the code is another than that which was put here: the tag says which that was, on whatever machine.
const CODE_CHANGED: &str = "code changed by others";
const CODE_TAG: &str = "resizer:code-sha256";
pub const ARCHITECTURE: &str = "architecture";
const STATE: &str = "state";
const ENVIRONMENT: &str = "environment";
/// The variable with what the function makes of a picture.
pub const RENDITIONS: &str = "RENDITIONS";
/// What one UpdateFunctionConfiguration sets.
const CONFIGURATION: [&str; 8] = [
    "runtime",
    "handler",
    "role",
    "memory",
    "timeout",
    ENVIRONMENT,
    "log group",
    "last update",
];

impl Function {
    fn code(&self) -> Result<Blob, Failure> {
        self.package
            .as_ref()
            .map(|package| Blob::new(package.bytes.as_slice()))
            .ok_or_else(|| Failure::new(format!("there is no code to make the function {} of", self.name)))
    }

    fn environment(&self) -> Environment {
        let variables = self.environment.clone().into_iter().collect();
        Environment::builder().set_variables(Some(variables)).build()
    }

    fn logging(&self) -> LoggingConfig {
        LoggingConfig::builder().log_group(&self.log_group).build()
    }

    fn architectures(&self) -> Option<Vec<types::Architecture>> {
        let architecture = self.architecture?;
        Some(vec![types::Architecture::from(architecture.name())])
    }

    fn memory(&self) -> i32 {
        i32::try_from(self.memory).unwrap_or(i32::MAX)
    }

    fn timeout(&self) -> i32 {
        i32::try_from(self.timeout).unwrap_or(i32::MAX)
    }

    async fn update_code(&self) -> Result<(), Failure> {
        let code = self.code()?;
        let timeouts = upload_timeouts(in_json(&code));
        self.client
            .update_function_code()
            .function_name(&self.name)
            .zip_file(code)
            .set_architectures(self.architectures())
            .customize()
            .config_override(aws_sdk_lambda::Config::builder().timeout_config(timeouts))
            .send()
            .await
            .during("lambda:UpdateFunctionCode", &self.name)?;
        Ok(())
    }

    async fn update_configuration(&self) -> Result<(), Failure> {
        self.client
            .update_function_configuration()
            .function_name(&self.name)
            .runtime(RUNTIME)
            .handler(HANDLER)
            .role(&self.role_arn)
            .memory_size(self.memory())
            .timeout(self.timeout())
            .environment(self.environment())
            .logging_config(self.logging())
            .send()
            .await
            .during("lambda:UpdateFunctionConfiguration", &self.name)?;
        Ok(())
    }

    /// Whose the function is, and of which code.
    fn tags(&self) -> HashMap<String, String> {
        let mut tags = self.mark.map();
        let code = self.package.as_ref();
        tags.extend(code.map(|package| (CODE_TAG.to_owned(), package.sha256.clone())));
        tags
    }

    /// Whether the new code would refuse what the function that was found is told to do: to write AVIF, which is built in only
    /// where it is asked for. All else new code knows of, and old code may not.
    fn code_comes_last(&self, found: &Fields) -> bool {
        let says_avif = |renditions: Option<&str>| {
            let all: Vec<Value> = serde_json::from_str(renditions.unwrap_or_default()).unwrap_or_default();
            all.iter().any(|rendition| rendition["format"] == "avif")
        };
        let told = found
            .get(ENVIRONMENT)
            .and_then(|variables| variables[RENDITIONS].as_str());
        says_avif(told) && !says_avif(self.environment.get(RENDITIONS).map(String::as_str))
    }

    async fn tag(&self) -> Result<(), Failure> {
        self.client
            .tag_resource()
            .resource(&self.arn)
            .set_tags(Some(self.tags()))
            .send()
            .await
            .during("lambda:TagResource", &self.name)?;
        Ok(())
    }

    async fn delete(&self) -> Result<(), Failure> {
        let answer = self
            .client
            .delete_function()
            .function_name(&self.name)
            .send()
            .await;
        answer.during("lambda:DeleteFunction", &self.name).unless_gone()?;
        Ok(())
    }
}

/// How many bytes the code takes in a request, in Base64.
fn in_json(code: &Blob) -> u64 {
    let bytes = u64::try_from(code.as_ref().len()).unwrap_or(u64::MAX);
    bytes.div_ceil(3).saturating_mul(4)
}

fn found(answer: &GetFunctionOutput, stack: &str) -> Reading {
    let Some(configuration) = answer.configuration() else {
        return Reading::Absent;
    };
    let tags: Tags = answer.tags().into_iter().flatten().collect();
    let is_changed = tags.get(CODE_TAG) != configuration.code_sha256();
    Reading::Found(Found {
        owner: tags.owner(stack),
        fields: tags.found(found_fields(configuration).with(CODE_CHANGED, is_changed)),
        settling: settling(configuration).map(str::to_owned),
        others: tags.others(),
    })
}

fn found_fields(function: &FunctionConfiguration) -> Fields {
    let environment = function
        .environment()
        .and_then(|environment| environment.variables())
        .map(|variables| variables.iter().collect::<BTreeMap<_, _>>());
    let log_group = function.logging_config().and_then(|logging| logging.log_group());
    let state = match function.state() {
        Some(State::Failed) => format!("Failed: {}", function.state_reason().unwrap_or("no reason given")),
        _ => State::Active.as_str().to_owned(),
    };
    let last_update = match function.last_update_status() {
        Some(LastUpdateStatus::Failed) => format!(
            "Failed: {}",
            function.last_update_status_reason().unwrap_or("no reason given")
        ),
        _ => LastUpdateStatus::Successful.as_str().to_owned(),
    };
    Fields::default()
        .with(STATE, state)
        .with("last update", last_update)
        .with_some(CODE, function.code_sha256())
        .with_some(
            ARCHITECTURE,
            function.architectures().first().map(types::Architecture::as_str),
        )
        .with_some("runtime", function.runtime().map(Runtime::as_str))
        .with_some("handler", function.handler())
        .with_some("role", function.role())
        .with_some("memory", function.memory_size())
        .with_some("timeout", function.timeout())
        .with_some(ENVIRONMENT, environment.map(|variables| json!(variables)))
        .with_some("log group", log_group)
}

/// What the function waits for, after it was made and after each update.
fn settling(function: &FunctionConfiguration) -> Option<&'static str> {
    if function.state() == Some(&State::Pending) {
        Some("Lambda to make the function ready")
    } else if function.last_update_status() == Some(&LastUpdateStatus::InProgress) {
        Some("Lambda to finish the update")
    } else {
        None
    }
}

#[async_trait]
impl Resource for Function {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        "function"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack)
            .with(STATE, State::Active.as_str())
            .with("last update", LastUpdateStatus::Successful.as_str())
            .with_some(CODE, self.package.as_ref().map(|package| package.sha256.as_str()))
            .with(CODE_CHANGED, false)
            .with_some(ARCHITECTURE, self.architecture.map(Architecture::name))
            .with("runtime", RUNTIME.as_str())
            .with("handler", HANDLER)
            .with("role", self.role_arn.as_str())
            .with("memory", self.memory)
            .with("timeout", self.timeout)
            .with(ENVIRONMENT, json!(self.environment))
            .with("log group", self.log_group.as_str())
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[&LAMBDA_ROLE, &LAMBDA_PERMISSIONS, &LAMBDA_KEY, &LAMBDA_BUSY]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["lambda:CreateFunction", "lambda:TagResource"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&[STATE], "lambda:DeleteFunction"),
            (&[STATE], "lambda:CreateFunction"),
            (&[CODE, ARCHITECTURE], "lambda:UpdateFunctionCode"),
            (&CONFIGURATION, "lambda:UpdateFunctionConfiguration"),
            (&[CODE, CODE_CHANGED, ownership::FIELD], "lambda:TagResource"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let answer = self.client.get_function().function_name(&self.name).send().await;
        let answer = answer.during("lambda:GetFunction", &self.name);
        let Some(answer) = answer.unless_gone()? else {
            return Ok(Reading::Absent);
        };
        match answer.tags_error() {
            None => Ok(found(&answer, &self.mark.stack)),
            // It says whose the function is, and of which code.
            Some(error) => Err(Failure::new(format!(
                "lambda:ListTags on {} was refused: {}: {}",
                self.name,
                error.error_code(),
                error.message()
            ))
            .hint(lacks("lambda:ListTags", &self.name))),
        }
    }

    async fn create(&self, _step: &Step<'_>) -> Result<(), Failure> {
        let code = self.code()?;
        let timeouts = upload_timeouts(in_json(&code));
        self.client
            .create_function()
            .function_name(&self.name)
            .runtime(RUNTIME)
            .handler(HANDLER)
            .role(&self.role_arn)
            .code(FunctionCode::builder().zip_file(code).build())
            .set_architectures(self.architectures())
            .memory_size(self.memory())
            .timeout(self.timeout())
            .environment(self.environment())
            .logging_config(self.logging())
            .set_tags(Some(self.tags()))
            .customize()
            .config_override(aws_sdk_lambda::Config::builder().timeout_config(timeouts))
            .send()
            .await
            .during("lambda:CreateFunction", &self.name)?;
        Ok(())
    }

    /// A function that could not be made ready never will be.
    fn is_remade(&self, changes: &[FieldChange]) -> bool {
        touches(changes, &[STATE])
    }

    /// Makes one update at a time, since Lambda takes no second one before the first is done.
    async fn change(&self, found: &Fields, changes: &[FieldChange], _: &Step<'_>) -> Result<(), Failure> {
        if self.is_remade(changes) {
            return self.delete().await;
        }
        if touches(changes, &[ownership::FIELD]) {
            self.tag().await?;
        }
        if self.code_comes_last(found) {
            self.update_configuration().await
        } else if touches(changes, &[CODE, ARCHITECTURE]) {
            self.update_code().await
        } else if touches(changes, &[CODE_CHANGED]) {
            // The code is the one that is wanted by now.
            self.tag().await
        } else if touches(changes, &CONFIGURATION) {
            self.update_configuration().await
        } else {
            Ok(())
        }
    }

    async fn remove(&self, _: &Fields, _: &Step<'_>) -> Result<(), Failure> {
        self.delete().await
    }
}
