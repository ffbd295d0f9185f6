//! Events put by callers, and patterns tried on them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rules::check_pattern;
use super::{check_bus, enqueue};
use crate::call::Call;
use crate::cloud::{ACCOUNT, Cloud};
use crate::error::AwsError;
use crate::{iam, random};

/// The most entries of one PutEvents.
const MOST_ENTRIES: usize = 10;
/// The most bytes of an entry.
const MOST_BYTES: usize = 262_144;

pub async fn put_events(cloud: &Arc<Cloud>, call: &Call) -> Result<Value, AwsError> {
    let bus = cloud.arn("events", "event-bus/default");
    iam::authorize(cloud, &call.principal, "events:PutEvents", &bus, &[])?;
    let entries = call.input["Entries"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if entries.is_empty() || entries.len() > MOST_ENTRIES {
        return Err(AwsError::validation(format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length from 1 to \
             {MOST_ENTRIES}"
        )));
    }
    let (mut events, mut results) = (Vec::new(), Vec::new());
    for entry in entries {
        match event_of(cloud, entry) {
            Ok(event) => {
                results.push(json!({"EventId": event["id"]}));
                events.push(event);
            }
            Err(error) => results.push(json!({"ErrorCode": error.code, "ErrorMessage": error.message})),
        }
    }
    let failed = results.len() - events.len();
    let kept = cloud
        .store
        .write(move |tx| events.iter().try_for_each(|event| enqueue(tx, event)));
    kept.await?;
    cloud.events.wake();
    Ok(json!({"FailedEntryCount": failed, "Entries": results}))
}

fn event_of(cloud: &Cloud, entry: &Value) -> Result<Value, AwsError> {
    let refuse = |message: String| AwsError::bad_request("InvalidArgument", message);
    if entry.to_string().len() > MOST_BYTES {
        return Err(refuse(
            "Total size of the entries in the request is over the limit.".to_owned(),
        ));
    }
    let text = |member: &str| {
        let text = entry[member].as_str().filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            refuse(format!(
                "Parameter {member} is not valid. Reason: {member} is a required argument."
            ))
        })
    };
    check_bus(cloud, entry)?;
    let (source, detail_type) = (text("Source")?, text("DetailType")?);
    if source.starts_with("aws.") {
        let message = "Not authorized for the source.";
        return Err(AwsError::bad_request("NotAuthorizedForSourceException", message));
    }
    let detail: Value = serde_json::from_str(text("Detail")?)
        .map_err(|_| AwsError::bad_request("MalformedDetail", "Detail is malformed."))?;
    if !detail.is_object() {
        return Err(AwsError::bad_request("MalformedDetail", "Detail is malformed."));
    }
    let time = entry["Time"].as_f64().and_then(|seconds| {
        let seconds = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
        Timestamp::from_duration(seconds).ok()
    });
    let time = time.unwrap_or_else(Timestamp::now);
    Ok(json!({
        "version": "0",
        "id": random::uuid()?,
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": format!("{time:.0}"),
        "region": cloud.region,
        "resources": entry["Resources"].as_array().cloned().unwrap_or_default(),
        "detail": detail,
    }))
}

pub fn test_pattern(call: &Call) -> Result<Value, AwsError> {
    let pattern = check_pattern(call.input["EventPattern"].as_str().unwrap_or_default())?;
    let event: Value = serde_json::from_str(call.input["Event"].as_str().unwrap_or_default())
        .map_err(|_| AwsError::validation("Parameter Event is not valid."))?;
    Ok(json!({"Result": pattern.matches(&event)}))
}
