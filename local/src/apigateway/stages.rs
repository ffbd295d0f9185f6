//! Deployments and the stages that serve them.

use std::sync::Arc;

use http::StatusCode;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::control::{self, bad_request, new_id, not_found, now, page, patch};
use super::openapi::Api;
use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;

fn documents(db: &Connection, query: &str, arguments: &[&str]) -> Result<Vec<Value>, AwsError> {
    let mut query = db.prepare_cached(query)?;
    let texts = query.query_map(rusqlite::params_from_iter(arguments), |row| {
        row.get::<_, String>(0)
    })?;
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    Ok(texts
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect())
}

/// CreateDeployment: a snapshot of the API, and the stage that is to serve it if one is named.
pub async fn create_deployment(cloud: &Arc<Cloud>, call: &Call, api: &str) -> Result<Reply, AwsError> {
    let deployment = json!({"id": new_id()?, "description": call.input["description"], "createdDate": now()});
    let (api, input, kept) = (api.to_owned(), call.input.clone(), deployment.clone());
    let stored = cloud.store.write(move |tx| {
        let id = kept["id"].as_str().unwrap_or_default();
        let document = control::load(tx, &api)?.document;
        let parsed = Api::parse(&document).map_err(bad_request)?;
        if parsed.routes().is_empty() {
            return Err(bad_request("The REST API doesn't contain any methods"));
        }
        tx.execute(
            "INSERT INTO deployments (id, api, deployment, document) VALUES (?1, ?2, ?3, ?4)",
            params![id, api, kept.to_string(), document.to_string()],
        )?;
        let Some(name) = input["stageName"].as_str().filter(|name| !name.is_empty()) else {
            return Ok(());
        };
        let mut stage = load_stage(tx, &api, name)?.unwrap_or_else(|| new_stage(name));
        stage["deploymentId"] = json!(id);
        stage["lastUpdatedDate"] = now();
        for (given, member) in [("stageDescription", "description"), ("variables", "variables")] {
            if !input[given].is_null() {
                stage[member] = input[given].clone();
            }
        }
        save_stage(tx, &api, &stage)
    });
    stored.await?;
    cloud.apigateway.forget();
    Ok(Reply::with_status(StatusCode::CREATED, deployment))
}

pub fn deployments(cloud: &Cloud, call: &Call, api: &str) -> Result<Reply, AwsError> {
    let query = "SELECT deployment FROM deployments WHERE api = ?1 ORDER BY rowid DESC";
    let items = cloud.store.read(|db| {
        control::load(db, api)?;
        documents(db, query, &[api])
    })?;
    page(call, items)
}

pub fn deployment(cloud: &Cloud, api: &str, id: &str) -> Result<Reply, AwsError> {
    Ok(Reply::ok(cloud.store.read(|db| load_deployment(db, api, id))?))
}

fn load_deployment(db: &Connection, api: &str, id: &str) -> Result<Value, AwsError> {
    let query = "SELECT deployment FROM deployments WHERE api = ?1 AND id = ?2";
    let found = documents(db, query, &[api, id])?.into_iter().next();
    found.ok_or_else(|| not_found("Deployment"))
}

pub async fn delete_deployment(cloud: &Arc<Cloud>, api: &str, id: &str) -> Result<Reply, AwsError> {
    let (api, id) = (api.to_owned(), id.to_owned());
    let deleted = cloud.store.write(move |tx| {
        let serving = documents(tx, "SELECT stage FROM stages WHERE api = ?1", &[&api])?;
        if serving.iter().any(|stage| stage["deploymentId"] == id.as_str()) {
            return Err(bad_request(
                "Active stages pointing to this deployment must be moved or deleted",
            ));
        }
        match tx.execute("DELETE FROM deployments WHERE api = ?1 AND id = ?2", [&api, &id])? {
            0 => Err(not_found("Deployment")),
            _ => Ok(()),
        }
    });
    deleted.await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

fn new_stage(name: &str) -> Value {
    json!({
        "stageName": name,
        "createdDate": now(),
        "lastUpdatedDate": now(),
        "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": false,
        "variables": {},
        "tags": {},
    })
}

fn load_stage(db: &Connection, api: &str, name: &str) -> Result<Option<Value>, AwsError> {
    Ok(documents(
        db,
        "SELECT stage FROM stages WHERE api = ?1 AND name = ?2",
        &[api, name],
    )?
    .into_iter()
    .next())
}

fn save_stage(tx: &Transaction<'_>, api: &str, stage: &Value) -> Result<(), AwsError> {
    tx.execute(
        "INSERT OR REPLACE INTO stages (api, name, stage) VALUES (?1, ?2, ?3)",
        params![api, stage["stageName"].as_str(), stage.to_string()],
    )?;
    Ok(())
}

/// Writes the stage that `make` makes of what is there, and gives it back.
async fn store<F>(cloud: &Arc<Cloud>, api: &str, make: F) -> Result<Value, AwsError>
where
    F: FnOnce(&Transaction<'_>, &str) -> Result<Value, AwsError> + Send + 'static,
{
    let api = api.to_owned();
    let stored = cloud.store.write(move |tx| {
        let stage = make(tx, &api)?;
        load_deployment(tx, &api, stage["deploymentId"].as_str().unwrap_or_default())?;
        save_stage(tx, &api, &stage)?;
        Ok(stage)
    });
    let stage = stored.await?;
    cloud.apigateway.forget();
    Ok(stage)
}

pub async fn create(cloud: &Arc<Cloud>, call: &Call, api: &str) -> Result<Reply, AwsError> {
    let input = call.input.clone();
    let created = store(cloud, api, move |tx, api| {
        let name = input["stageName"].as_str().unwrap_or_default();
        if load_stage(tx, api, name)?.is_some() {
            return Err(AwsError::conflict("ConflictException", "Stage already exists"));
        }
        let mut stage = new_stage(name);
        for member in ["deploymentId", "description", "variables", "tags"] {
            if !input[member].is_null() {
                stage[member] = input[member].clone();
            }
        }
        Ok(stage)
    });
    Ok(Reply::with_status(StatusCode::CREATED, created.await?))
}

pub fn get(cloud: &Cloud, api: &str, name: &str) -> Result<Reply, AwsError> {
    cloud
        .store
        .read(|db| load_stage(db, api, name))?
        .map(Reply::ok)
        .ok_or_else(|| not_found("stage"))
}

pub fn list(cloud: &Cloud, call: &Call, api: &str) -> Result<Reply, AwsError> {
    let mut stages = cloud.store.read(|db| {
        control::load(db, api)?;
        documents(
            db,
            "SELECT stage FROM stages WHERE api = ?1 ORDER BY name",
            &[api],
        )
    })?;
    if let Some(deployment) = call.query("deploymentId") {
        stages.retain(|stage| stage["deploymentId"] == deployment);
    }
    Ok(Reply::ok(json!({"item": stages})))
}

pub async fn update(cloud: &Arc<Cloud>, call: &Call, api: &str, name: &str) -> Result<Reply, AwsError> {
    let (name, input) = (name.to_owned(), call.input.clone());
    let updated = store(cloud, api, move |tx, api| {
        let mut stage = load_stage(tx, api, &name)?.ok_or_else(|| not_found("stage"))?;
        patch(&mut stage, &input, &["deploymentId", "description", "variables"])?;
        stage["lastUpdatedDate"] = now();
        Ok(stage)
    });
    Ok(Reply::ok(updated.await?))
}

pub async fn delete(cloud: &Arc<Cloud>, api: &str, name: &str) -> Result<Reply, AwsError> {
    let (api, name) = (api.to_owned(), name.to_owned());
    let deleted = cloud.store.write(move |tx| {
        match tx.execute("DELETE FROM stages WHERE api = ?1 AND name = ?2", [&api, &name])? {
            0 => Err(not_found("stage")),
            _ => Ok(()),
        }
    });
    deleted.await?;
    cloud.apigateway.forget();
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// A stage, as requests to it need it.
pub struct Served {
    pub name: String,
    pub variables: Value,
    pub document: Value,
}

/// What a stage serves.
pub fn served(cloud: &Cloud, api: &str, name: &str) -> Result<Served, AwsError> {
    let stage = cloud
        .store
        .read(|db| load_stage(db, api, name))?
        .ok_or_else(|| not_found("stage"))?;
    let document = cloud.store.read(|db| {
        let query = "SELECT document FROM deployments WHERE api = ?1 AND id = ?2";
        let found = db
            .prepare_cached(query)?
            .query_row(params![api, stage["deploymentId"].as_str()], |row| {
                row.get::<_, String>(0)
            });
        found.optional()?.ok_or_else(|| not_found("Deployment"))
    })?;
    let document = serde_json::from_str(&document).map_err(|error| AwsError::internal(error.to_string()))?;
    Ok(Served {
        name: name.to_owned(),
        variables: stage["variables"].clone(),
        document,
    })
}

pub fn deployed_document(cloud: &Cloud, api: &str, stage: &str) -> Result<Value, AwsError> {
    Ok(served(cloud, api, stage)?.document)
}
