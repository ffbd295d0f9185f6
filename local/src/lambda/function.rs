//! A function as it is stored: the API's FunctionConfiguration document and the tags.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde_json::{Map, Value, json};

use crate::cloud::Cloud;
use crate::error::AwsError;

/// One state of a function. Every change makes another, so that warm processes of an old one are not used again.
#[derive(Debug, Clone)]
pub struct Function {
    pub name: String,
    /// What GetFunctionConfiguration answers.
    pub configuration: Value,
    pub tags: Value,
}

impl Function {
    pub fn text(&self, member: &str) -> &str {
        self.configuration[member].as_str().unwrap_or_default()
    }

    pub fn arn(&self) -> &str {
        self.text("FunctionArn")
    }

    pub fn timeout_seconds(&self) -> u64 {
        self.configuration["Timeout"].as_u64().unwrap_or(3)
    }

    pub fn memory_mb(&self) -> u64 {
        self.configuration["MemorySize"].as_u64().unwrap_or(128)
    }

    pub fn log_group(&self) -> &str {
        self.configuration["LoggingConfig"]["LogGroup"]
            .as_str()
            .unwrap_or_default()
    }

    pub fn variables(&self) -> Option<&Map<String, Value>> {
        self.configuration["Environment"]["Variables"].as_object()
    }
}

/// The function that `name` says: a name, a partial or a whole ARN, with the qualifier `$LATEST` or none.
pub fn find(cloud: &Cloud, name: &str) -> Result<Arc<Function>, AwsError> {
    let bare = bare_name(cloud, name)?;
    if let Some(function) = cloud.lambda.known(&bare) {
        return Ok(function);
    }
    let found = cloud.store.read(|db| load(db, &bare))?;
    let function = Arc::new(found.ok_or_else(|| not_found(cloud, &bare))?);
    cloud.lambda.remember(&function);
    Ok(function)
}

pub fn not_found(cloud: &Cloud, name: &str) -> AwsError {
    let arn = cloud.arn("lambda", &format!("function:{name}"));
    AwsError::not_found("ResourceNotFoundException", format!("Function not found: {arn}"))
}

fn bare_name(cloud: &Cloud, name: &str) -> Result<String, AwsError> {
    let name = name.split_once(":function:").map_or(name, |(_, name)| name);
    match name.split_once(':') {
        None => Ok(name.to_owned()),
        Some((name, "$LATEST")) => Ok(name.to_owned()),
        Some(_) => Err(not_found(cloud, name)),
    }
}

pub fn load(db: &Connection, name: &str) -> Result<Option<Function>, AwsError> {
    let row = db
        .prepare_cached("SELECT name, configuration, tags FROM functions WHERE name = ?1")?
        .query_row([name], read_row)
        .optional()?;
    Ok(row)
}

pub fn list(db: &Connection, after: &str, most: usize) -> Result<Vec<Function>, AwsError> {
    let mut query = db.prepare_cached(
        "SELECT name, configuration, tags FROM functions WHERE name > ?1 ORDER BY name LIMIT ?2",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let functions = query
        .query_map(rusqlite::params![after, most], read_row)?
        .collect::<Result<_, _>>()?;
    Ok(functions)
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Function> {
    let document = |text: String| serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
    Ok(Function {
        name: row.get(0)?,
        configuration: document(row.get(1)?),
        tags: document(row.get(2)?),
    })
}

pub fn save(tx: &Transaction<'_>, function: &Function) -> Result<(), AwsError> {
    tx.prepare_cached("INSERT OR REPLACE INTO functions (name, configuration, tags) VALUES (?1, ?2, ?3)")?
        .execute([
            &function.name,
            &function.configuration.to_string(),
            &function.tags.to_string(),
        ])?;
    Ok(())
}
