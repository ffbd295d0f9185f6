//! Subscriptions of e-mail addresses: they wait for a confirmation that only a mail would ask for.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::topics::{self, named, require};
use super::{invalid, page, required};
use crate::cloud::{ACCOUNT, Cloud};
use crate::error::AwsError;
use crate::random;

/// Stands for the ARN of a subscription that is not confirmed yet.
const PENDING: &str = "PendingConfirmation";

fn arn(cloud: &Cloud, topic: &str, id: &str) -> String {
    format!("{}:{id}", topics::arn(cloud, topic))
}

/// How many subscriptions of a topic are confirmed, and how many are not.
pub fn counted(db: &Connection, topic: &str) -> Result<(i64, i64), AwsError> {
    let mut count = db.prepare_cached(
        "SELECT coalesce(sum(confirmed), 0), coalesce(sum(1 - confirmed), 0) FROM subscriptions WHERE topic = ?1",
    )?;
    Ok(count.query_row([topic], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Adds an address that is to be told; one that is there already stays as it is.
pub async fn subscribe(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let topic = named(cloud, input, "TopicArn")?;
    required(input, "Protocol")?;
    let endpoint = required(input, "Endpoint")?.to_owned();
    if !endpoint
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
    {
        return Err(invalid("Email address"));
    }
    let id = random::uuid()?;
    let name = topic.clone();
    let subscribed = cloud.store.write(move |tx| {
        require(tx, &topic)?;
        tx.execute(
            "INSERT OR IGNORE INTO subscriptions (topic, endpoint, id, confirmed) VALUES (?1, ?2, ?3, 0)",
            params![topic, endpoint, id],
        )?;
        let found = "SELECT id, confirmed FROM subscriptions WHERE topic = ?1 AND endpoint = ?2";
        let row = tx.query_row(found, [&topic, &endpoint], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })?;
        Ok(row)
    });
    let (id, confirmed) = subscribed.await?;
    let is_asked_for = input["ReturnSubscriptionArn"].as_str() == Some("true");
    let shown = if confirmed || is_asked_for {
        arn(cloud, &name, &id)
    } else {
        "pending confirmation".to_owned()
    };
    Ok(json!({"SubscriptionArn": shown}))
}

/// No mail is sent that would bring a token: here it is the end of the subscription's ARN.
pub async fn confirm(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let topic = named(cloud, input, "TopicArn")?;
    let token = required(input, "Token")?.to_owned();
    let confirmed = arn(cloud, &topic, &token);
    let changed = cloud.store.write(move |tx| {
        require(tx, &topic)?;
        let confirm = "UPDATE subscriptions SET confirmed = 1 WHERE topic = ?1 AND id = ?2";
        match tx.execute(confirm, [&topic, &token])? {
            0 => Err(invalid("Token")),
            _ => Ok(()),
        }
    });
    changed.await?;
    Ok(json!({"SubscriptionArn": confirmed}))
}

pub fn list(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let topic = named(cloud, input, "TopicArn")?;
    let found: Vec<(String, String, bool)> = cloud.store.read(|db| {
        require(db, &topic)?;
        let mut all = db.prepare_cached(
            "SELECT endpoint, id, confirmed FROM subscriptions WHERE topic = ?1 ORDER BY endpoint",
        )?;
        let rows = all.query_map([&topic], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    })?;
    let listed = found.into_iter().map(|(endpoint, id, confirmed)| {
        let shown = if confirmed {
            arn(cloud, &topic, &id)
        } else {
            PENDING.to_owned()
        };
        json!({
            "SubscriptionArn": shown,
            "Owner": ACCOUNT,
            "Protocol": "email",
            "Endpoint": endpoint,
            "TopicArn": topics::arn(cloud, &topic),
        })
    });
    page(input, "Subscriptions", listed.collect())
}

/// Ends a subscription; one that was never confirmed cannot be ended, and is not there once its topic has gone.
pub async fn unsubscribe(cloud: &Cloud, input: &Value) -> Result<Value, AwsError> {
    let given = required(input, "SubscriptionArn")?;
    let not_one = || {
        invalid(&format!(
            "SubscriptionArn Reason: An ARN must have at least 6 elements, not {given}"
        ))
    };
    let (topic, id) = given.rsplit_once(':').ok_or_else(not_one)?;
    let topic = topic.strip_prefix(&topics::arn(cloud, "")).ok_or_else(not_one)?;
    let (topic, id) = (topic.to_owned(), id.to_owned());
    let ended = cloud.store.write(move |tx| {
        let found: Option<bool> = tx
            .query_row(
                "SELECT confirmed FROM subscriptions WHERE topic = ?1 AND id = ?2",
                [&topic, &id],
                |row| row.get(0),
            )
            .optional()?;
        if found == Some(false) {
            return Err(invalid(
                "SubscriptionArn Reason: This subscription is pending confirmation and cannot be deleted",
            ));
        }
        tx.execute(
            "DELETE FROM subscriptions WHERE topic = ?1 AND id = ?2",
            [&topic, &id],
        )?;
        Ok(json!({}))
    });
    ended.await
}
