//! A function as it is stored: the API's FunctionConfiguration document and the tags.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde_json::{Map, Value, json};

use crate::cloud::{ACCOUNT, Cloud, PARTITION};
use crate::error::AwsError;
use crate::iam;
use crate::principal::Principal;

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

/// The function that `name` says - a name, a partial or a whole ARN, with the qualifier `$LATEST` or none - if `principal` may
/// do `action` with it.
pub fn authorized(
    cloud: &Cloud,
    principal: &Principal,
    name: &str,
    action: &str,
) -> Result<Arc<Function>, AwsError> {
    let bare = name_here(cloud, principal, name, action)?;
    let arn = cloud.arn("lambda", &format!("function:{bare}"));
    iam::authorize(cloud, principal, action, &arn, &[])?;
    find(cloud, bare)
}

/// The function of this name, with the qualifier `$LATEST` or none.
pub fn find(cloud: &Cloud, name: &str) -> Result<Arc<Function>, AwsError> {
    let bare = match name.split_once(':') {
        None => name,
        Some((name, "$LATEST")) => name,
        Some(_) => return Err(not_found(cloud, name)),
    };
    cloud.lambda.known_or(bare, || {
        let found = cloud.store.read(|db| load(db, bare))?;
        found.ok_or_else(|| not_found(cloud, bare))
    })
}

pub fn not_found(cloud: &Cloud, name: &str) -> AwsError {
    let arn = cloud.arn("lambda", &format!("function:{name}"));
    AwsError::not_found("ResourceNotFoundException", format!("Function not found: {arn}"))
}

/// The name of a function here, with its qualifier, which `name` says alone or in an ARN. A function elsewhere is none of
/// ours: another region is not reachable, another account has not allowed us.
///
/// Assumption: another partition is answered as another region is.
fn name_here<'a>(
    cloud: &Cloud,
    principal: &Principal,
    name: &'a str,
    action: &str,
) -> Result<&'a str, AwsError> {
    let Some((place, bare)) = name.split_once(":function:") else {
        return Ok(name);
    };
    let account = match place.split(':').collect::<Vec<_>>().as_slice() {
        [account] => *account,
        ["arn", PARTITION, "lambda", region, account] if *region == cloud.region => *account,
        ["arn", _, "lambda", region, _] => {
            let message = format!(
                "Functions from '{region}' are not reachable in this region ('{}')",
                cloud.region
            );
            return Err(AwsError::not_found("ResourceNotFoundException", message));
        }
        _ => {
            let message = format!(
                "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must be a \
                 function's name or ARN"
            );
            return Err(AwsError::validation(message));
        }
    };
    if account != ACCOUNT {
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {name} because no resource-based policy allows \
             the {action} action",
            principal.arn()
        );
        return Err(AwsError::new(403, "AccessDenied", message));
    }
    Ok(bare)
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
