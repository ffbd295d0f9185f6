//! The control plane: functions made, changed, read and deleted.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::code;
use super::function::{self, Function};
use crate::call::{Call, Reply};
use crate::cloud::{ACCOUNT, Cloud, PARTITION};
use crate::error::AwsError;
use crate::realism::Change;
use crate::{iam, paging, random, tags};

/// Settings that Create and UpdateFunctionConfiguration may give and that are kept as they are.
const SETTINGS: [&str; 8] = [
    "Description",
    "Handler",
    "Role",
    "Runtime",
    "Timeout",
    "MemorySize",
    "EphemeralStorage",
    "LoggingConfig",
];

pub async fn create(cloud: &Arc<Cloud>, call: &Call) -> Result<Reply, AwsError> {
    let _alone = cloud.lambda.changes.lock().await;
    let input = &call.input;
    let name = input["FunctionName"].as_str().unwrap_or_default().to_owned();
    check_name(&name)?;
    let arn = cloud.arn("lambda", &format!("function:{name}"));
    iam::authorize(cloud, &call.principal, "lambda:CreateFunction", &arn, &[])?;
    iam::authorize_tags(cloud, &call.principal, "lambda:TagResource", &arn, &input["Tags"])?;
    if cloud.store.read(|db| function::load(db, &name))?.is_some() {
        return Err(AwsError::conflict(
            "ResourceConflictException",
            format!("Function already exist: {name}"),
        ));
    }
    let architectures = input.get("Architectures").filter(|given| !given.is_null());
    let architectures = architectures.cloned().unwrap_or_else(|| json!(["x86_64"]));
    let mut configuration = json!({
        "FunctionName": name,
        "FunctionArn": arn,
        "Timeout": 3,
        "MemorySize": 128,
        "Description": "",
        "Version": "$LATEST",
        "PackageType": "Zip",
        "Architectures": architectures,
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}")},
        "State": "Active",
        "LastUpdateStatus": "Successful",
    });
    apply_settings(input, &mut configuration)?;
    check_role(cloud, call, &configuration)?;
    set_code(cloud, &input["Code"], &mut configuration).await?;
    if cloud.conditions.fails_a_function() {
        configuration["State"] = json!("Failed");
        configuration["StateReason"] = json!("The function could not be made ready.");
        configuration["StateReasonCode"] = json!("InternalError");
    }
    let tags = input
        .get("Tags")
        .filter(|tags| tags.is_object())
        .cloned()
        .unwrap_or_else(|| json!({}));
    let made = Function {
        name,
        configuration,
        tags,
    };
    let saved = save(cloud, made).await?;
    cloud.conditions.note(Change::FunctionMade(saved.name.clone()));
    Ok(Reply::with_status(StatusCode::CREATED, told(cloud, &saved)))
}

pub async fn update_configuration(cloud: &Arc<Cloud>, call: &Call, name: &str) -> Result<Reply, AwsError> {
    let _alone = cloud.lambda.changes.lock().await;
    let mut changed = authorized(cloud, call, name, "lambda:UpdateFunctionConfiguration")?
        .as_ref()
        .clone();
    check_revision(call, &changed)?;
    check_idle(cloud, &changed)?;
    apply_settings(&call.input, &mut changed.configuration)?;
    check_role(cloud, call, &changed.configuration)?;
    update(cloud, changed).await
}

pub async fn update_code(cloud: &Arc<Cloud>, call: &Call, name: &str) -> Result<Reply, AwsError> {
    let _alone = cloud.lambda.changes.lock().await;
    let mut changed = authorized(cloud, call, name, "lambda:UpdateFunctionCode")?
        .as_ref()
        .clone();
    check_revision(call, &changed)?;
    check_idle(cloud, &changed)?;
    if let Some(architectures) = call.input.get("Architectures").filter(|given| given.is_array()) {
        changed.configuration["Architectures"] = architectures.clone();
    }
    set_code(cloud, &call.input, &mut changed.configuration).await?;
    if call.input["DryRun"] == true {
        return Ok(Reply::ok(changed.configuration));
    }
    update(cloud, changed).await
}

pub fn get(cloud: &Cloud, call: &Call, name: &str) -> Result<Reply, AwsError> {
    let function = authorized(cloud, call, name, "lambda:GetFunction")?;
    let mut answer = json!({
        "Configuration": as_it_stands(cloud, &function),
        "Code": {"RepositoryType": "S3"},
    });
    // Tags are told to those alone who may list them.
    match iam::authorize(cloud, &call.principal, "lambda:ListTags", function.arn(), &[]) {
        Ok(()) => answer["Tags"] = function.tags.clone(),
        Err(denied) => {
            answer["TagsError"] = json!({"ErrorCode": "AccessDeniedException", "Message": denied.message});
        }
    }
    Ok(Reply::ok(answer))
}

pub fn get_configuration(cloud: &Cloud, call: &Call, name: &str) -> Result<Reply, AwsError> {
    let function = authorized(cloud, call, name, "lambda:GetFunctionConfiguration")?;
    Ok(Reply::ok(as_it_stands(cloud, &function)))
}

/// Its configuration; without a CodeSha256 where somebody removed the code's folder, so that a deployment sees that its
/// code is not there.
fn as_it_stands(cloud: &Cloud, function: &Function) -> Value {
    let mut configuration = told(cloud, function);
    let sha256 = configuration["CodeSha256"].as_str().unwrap_or_default();
    if !code::folder(&cloud.data_dir, sha256).exists() {
        configuration["CodeSha256"] = json!("");
    }
    configuration
}

/// Its configuration, with what it is busy with.
fn told(cloud: &Cloud, function: &Function) -> Value {
    let mut configuration = function.configuration.clone();
    match busy_with(cloud, function) {
        Some(Busy::Creating) => {
            configuration["State"] = json!("Pending");
            configuration["StateReason"] = json!("The function is being created.");
            configuration["StateReasonCode"] = json!("Creating");
        }
        Some(Busy::Updating) => configuration["LastUpdateStatus"] = json!("InProgress"),
        None => {}
    }
    configuration
}

/// What takes its time at a function, if that was asked for.
enum Busy {
    Creating,
    Updating,
}

fn busy_with(cloud: &Cloud, function: &Function) -> Option<Busy> {
    let name = || function.name.clone();
    if !cloud.conditions.is_over(|| Change::FunctionMade(name())) {
        Some(Busy::Creating)
    } else if !cloud.conditions.is_over(|| Change::FunctionUpdated(name())) {
        Some(Busy::Updating)
    } else {
        None
    }
}

/// A function that is made or updated takes no other change.
fn check_idle(cloud: &Cloud, function: &Function) -> Result<(), AwsError> {
    let what = match busy_with(cloud, function) {
        Some(Busy::Creating) => "The function is currently in the following state: Pending".to_owned(),
        Some(Busy::Updating) => format!("An update is in progress for resource: {}", function.arn()),
        None => return Ok(()),
    };
    let message = format!("The operation cannot be performed at this time. {what}");
    Err(AwsError::conflict("ResourceConflictException", message))
}

pub fn list(cloud: &Cloud, call: &Call) -> Result<Reply, AwsError> {
    iam::authorize(cloud, &call.principal, "lambda:ListFunctions", "*", &[])?;
    let most = call
        .query("MaxItems")
        .and_then(|most| most.parse().ok())
        .unwrap_or(50_usize)
        .clamp(1, 50);
    let mut found = cloud
        .store
        .read(|db| function::list(db, call.query("Marker").unwrap_or_default(), most + 1))?;
    let marker = paging::cut(&mut found, most).map(|last| last.name.clone());
    let functions: Vec<_> = found.into_iter().map(|function| function.configuration).collect();
    Ok(Reply::ok(json!({"Functions": functions, "NextMarker": marker})))
}

pub async fn delete(cloud: &Arc<Cloud>, call: &Call, name: &str) -> Result<Reply, AwsError> {
    let _alone = cloud.lambda.changes.lock().await;
    let function = authorized(cloud, call, name, "lambda:DeleteFunction")?;
    let sha256 = function.text("CodeSha256").to_owned();
    let deleted = function.name.clone();
    let code_is_free = cloud
        .store
        .write(move |tx| {
            tx.execute("DELETE FROM functions WHERE name = ?1", [&deleted])?;
            let shared: i64 = tx.query_row(
                "SELECT count(*) FROM functions WHERE json_extract(configuration, '$.CodeSha256') = ?1",
                [&sha256],
                |row| row.get(0),
            )?;
            Ok((shared == 0).then_some(sha256))
        })
        .await?;
    cloud.lambda.forget(&function.name);
    if let Some(sha256) = code_is_free {
        let folder = code::folder(&cloud.data_dir, &sha256);
        if folder.exists() {
            tokio::fs::remove_dir_all(folder).await?;
        }
    }
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub fn tags(cloud: &Cloud, call: &Call, arn: &str) -> Result<Reply, AwsError> {
    let function = authorized(cloud, call, arn, "lambda:ListTags")?;
    Ok(Reply::ok(json!({"Tags": function.tags})))
}

pub async fn tag(cloud: &Arc<Cloud>, call: &Call, arn: &str) -> Result<Reply, AwsError> {
    let _alone = cloud.lambda.changes.lock().await;
    let mut changed = authorized(cloud, call, arn, "lambda:TagResource")?
        .as_ref()
        .clone();
    tags::add(&mut changed.tags, &call.input["Tags"]);
    store(cloud, changed).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub async fn untag(cloud: &Arc<Cloud>, call: &Call, arn: &str) -> Result<Reply, AwsError> {
    let _alone = cloud.lambda.changes.lock().await;
    let mut changed = authorized(cloud, call, arn, "lambda:UntagResource")?
        .as_ref()
        .clone();
    tags::remove(&mut changed.tags, call.query_all("tagKeys"));
    store(cloud, changed).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The function, if there is one and the caller may do `action` to it.
fn authorized(cloud: &Cloud, call: &Call, name: &str, action: &str) -> Result<Arc<Function>, AwsError> {
    function::authorized(cloud, &call.principal, name, action)
}

async fn update(cloud: &Arc<Cloud>, changed: Function) -> Result<Reply, AwsError> {
    let saved = save(cloud, changed).await?;
    cloud.conditions.note(Change::FunctionUpdated(saved.name.clone()));
    Ok(Reply::ok(told(cloud, &saved)))
}

/// Saves a changed function with a new revision: processes of the old one serve no more.
async fn save(cloud: &Arc<Cloud>, mut function: Function) -> Result<Function, AwsError> {
    function.configuration["LastModified"] = json!(format!("{:.3}", Timestamp::now()).replace('Z', "+0000"));
    function.configuration["RevisionId"] = json!(random::uuid()?);
    store(cloud, function.clone()).await?;
    Ok(function)
}

async fn store(cloud: &Arc<Cloud>, function: Function) -> Result<(), AwsError> {
    let name = function.name.clone();
    cloud.store.write(move |tx| function::save(tx, &function)).await?;
    cloud.lambda.forget(&name);
    Ok(())
}

async fn set_code(cloud: &Arc<Cloud>, source: &Value, configuration: &mut Value) -> Result<(), AwsError> {
    let (data_dir, source) = (cloud.data_dir.clone(), source.clone());
    let unpacked = tokio::task::spawn_blocking(move || code::take(&data_dir, &source)).await;
    let code = unpacked.map_err(|error| AwsError::internal(error.to_string()))??;
    configuration["CodeSha256"] = json!(code.sha256);
    configuration["CodeSize"] = json!(code.bytes);
    Ok(())
}

fn apply_settings(input: &Value, configuration: &mut Value) -> Result<(), AwsError> {
    for name in SETTINGS {
        match (&input[name], configuration.get_mut(name)) {
            (Value::Null, _) => {}
            (Value::Object(given), Some(Value::Object(kept))) => kept.extend(given.clone()),
            (given, _) => configuration[name] = given.clone(),
        }
    }
    if input["Environment"].is_object() {
        configuration["Environment"] = input["Environment"].clone();
    }
    check_settings(configuration)
}

fn check_settings(configuration: &Value) -> Result<(), AwsError> {
    let runtime = configuration["Runtime"].as_str().unwrap_or_default();
    if !["provided.al2023", "provided.al2"].contains(&runtime) {
        return Err(invalid(format!(
            "The local cloud runs provided.al2023 only, not '{runtime}'"
        )));
    }
    for (name, least, most) in [("Timeout", 1, 900), ("MemorySize", 128, 10_240)] {
        let value = configuration[name].as_u64().unwrap_or_default();
        if !(least..=most).contains(&value) {
            let member = if name == "Timeout" {
                "timeout"
            } else {
                "memorySize"
            };
            return Err(AwsError::validation(format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have \
                 value between {least} and {most}"
            )));
        }
    }
    for (name, value) in configuration["Environment"]["Variables"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let is_reserved = name.starts_with("AWS_LAMBDA_") || RESERVED_VARIABLES.contains(&name.as_str());
        if is_reserved || !value.is_string() {
            return Err(invalid(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
                 this request: {name}"
            )));
        }
    }
    Ok(())
}

const RESERVED_VARIABLES: [&str; 9] = [
    "_HANDLER",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

fn check_role(cloud: &Cloud, call: &Call, configuration: &Value) -> Result<(), AwsError> {
    let role = configuration["Role"].as_str().unwrap_or_default();
    if !role.starts_with(&format!("arn:{PARTITION}:iam::{ACCOUNT}:role/")) {
        return Err(AwsError::validation(format!(
            "1 validation error detected: Value '{role}' at 'role' failed to satisfy constraint: Member must be the ARN of a \
             role of this account"
        )));
    }
    let service = "lambda.amazonaws.com";
    iam::authorize(
        cloud,
        &call.principal,
        "iam:PassRole",
        role,
        &[("iam:PassedToService", service)],
    )?;
    let arn = configuration["FunctionArn"].as_str().unwrap_or_default();
    iam::assume_for_service(cloud, role, service, arn, "check")
        .map_err(|_| invalid("The role defined for the function cannot be assumed by Lambda."))?;
    Ok(())
}

/// A change may be meant for one revision alone.
fn check_revision(call: &Call, function: &Function) -> Result<(), AwsError> {
    let wanted = call.input["RevisionId"].as_str().unwrap_or_default();
    if wanted.is_empty() || wanted == function.text("RevisionId") {
        return Ok(());
    }
    let message = "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to \
                   retrieve the latest RevisionId";
    Err(AwsError::new(412, "PreconditionFailedException", message))
}

fn check_name(name: &str) -> Result<(), AwsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= 64 && name.chars().all(allowed) {
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have 1 to 64 \
         letters, digits, hyphens and underscores"
    )))
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidParameterValueException", message)
}
