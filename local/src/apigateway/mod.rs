//! API Gateway: REST APIs that start executions.
//!
//! **Layout.** `control` and `stages` are the control plane; an API is its OpenAPI document, read by `openapi`, `vtl` and
//! `schema`, which do no I/O. `execute` answers requests to deployed APIs.

mod control;
mod execute;
mod openapi;
mod schema;
mod stages;
mod vtl;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
pub use execute::invoke;
use openapi::Api;

/// What API Gateway keeps in memory.
#[derive(Default)]
pub struct ApiGateway {
    /// What the stages serve, by API and stage; read again after a change.
    deployed: Mutex<HashMap<(String, String), Arc<Deployed>>>,
}

/// What a stage serves.
struct Deployed {
    api: Api,
    stage: String,
    variables: Value,
}

impl ApiGateway {
    /// Called after every committed change.
    fn forget(&self) {
        self.deployed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The lock is held while a stage is read, so that a `forget` comes after what was read before it.
    fn deployed(&self, cloud: &Cloud, api: &str, stage: &str) -> Result<Arc<Deployed>, AwsError> {
        let mut deployed = self.deployed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (api.to_owned(), stage.to_owned());
        if let Some(deployed) = deployed.get(&key) {
            return Ok(Arc::clone(deployed));
        }
        let served = stages::served(cloud, api, stage)?;
        let parsed = Api::parse(&served.document).map_err(AwsError::internal)?;
        let read = Arc::new(Deployed {
            api: parsed,
            stage: served.name,
            variables: served.variables,
        });
        deployed.insert(key, Arc::clone(&read));
        Ok(read)
    }
}

/// Answers one request.
pub async fn call(cloud: &Arc<Cloud>, call: Call) -> Result<Reply, AwsError> {
    control::authorize(cloud, &call)?;
    let path = call.path.trim_matches('/').split('/');
    let parts: Vec<String> = path
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (&call.method, parts.as_slice()) {
        (&Method::POST, ["restapis"]) => control::create(cloud, &call).await,
        (&Method::GET, ["restapis"]) => control::list(cloud, &call),
        (&Method::GET, ["restapis", api]) => control::get(cloud, api),
        (&Method::PUT, ["restapis", api]) => control::put(cloud, &call, api).await,
        (&Method::PATCH, ["restapis", api]) => control::update(cloud, &call, api).await,
        (&Method::DELETE, ["restapis", api]) => control::delete(cloud, api).await,
        (&Method::GET, ["restapis", api, "resources"]) => control::resources(cloud, &call, api),
        (&Method::GET, ["restapis", api, "stages", stage, "exports", "oas30"]) => {
            control::export(cloud, api, stage)
        }
        (&Method::POST, ["restapis", api, "deployments"]) => {
            stages::create_deployment(cloud, &call, api).await
        }
        (&Method::GET, ["restapis", api, "deployments"]) => stages::deployments(cloud, api),
        (&Method::GET, ["restapis", api, "deployments", id]) => stages::deployment(cloud, api, id),
        (&Method::DELETE, ["restapis", api, "deployments", id]) => {
            stages::delete_deployment(cloud, api, id).await
        }
        (&Method::POST, ["restapis", api, "stages"]) => stages::create(cloud, &call, api).await,
        (&Method::GET, ["restapis", api, "stages"]) => stages::list(cloud, api),
        (&Method::GET, ["restapis", api, "stages", stage]) => stages::get(cloud, api, stage),
        (&Method::PATCH, ["restapis", api, "stages", stage]) => {
            stages::update(cloud, &call, api, stage).await
        }
        (&Method::DELETE, ["restapis", api, "stages", stage]) => stages::delete(cloud, api, stage).await,
        (&Method::GET, ["tags", arn]) => control::tags(cloud, arn),
        (&Method::PUT, ["tags", arn]) => control::tag(cloud, &call, arn).await,
        (&Method::DELETE, ["tags", arn]) => control::untag(cloud, &call, arn).await,
        _ => Err(call.not_implemented()),
    }
}
