//! API Gateway: REST APIs that start executions.
//!
//! **Layout.** `routes` are the operations, `control` and `stages` the control plane; an API is its OpenAPI document, read by `openapi`, `vtl` and
//! `schema`, which do no I/O. `execute` answers requests to deployed APIs.

mod control;
mod execute;
mod openapi;
mod routes;
mod schema;
mod stages;
mod vtl;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::call::{Call, Reply};
use crate::cloud::Cloud;
use crate::error::AwsError;
pub use execute::invoke;
use openapi::Api;
pub use routes::ROUTES;

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
    let (operation, labels) = call.route(ROUTES)?;
    control::authorize(cloud, &call)?;
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    match (operation, labels.as_slice()) {
        ("CreateRestApi", []) => control::create(cloud, &call).await,
        ("ImportRestApi", []) => control::import(cloud, &call).await,
        ("GetRestApis", []) => control::list(cloud, &call),
        ("GetRestApi", [api]) => control::get(cloud, api),
        ("PutRestApi", [api]) => control::put(cloud, &call, api).await,
        ("UpdateRestApi", [api]) => control::update(cloud, &call, api).await,
        ("DeleteRestApi", [api]) => control::delete(cloud, api).await,
        ("GetResources", [api]) => control::resources(cloud, &call, api),
        ("DeleteMethod", [api, resource, method]) => {
            control::delete_method(cloud, api, resource, method).await
        }
        ("GetModels", [api]) => control::models(cloud, &call, api),
        ("GetRequestValidators", [api]) => control::request_validators(cloud, &call, api),
        ("GetExport", [api, stage]) => control::export(cloud, &call, api, stage),
        ("CreateDeployment", [api]) => stages::create_deployment(cloud, &call, api).await,
        ("GetDeployments", [api]) => stages::deployments(cloud, &call, api),
        ("GetDeployment", [api, id]) => stages::deployment(cloud, api, id),
        ("DeleteDeployment", [api, id]) => stages::delete_deployment(cloud, api, id).await,
        ("CreateStage", [api]) => stages::create(cloud, &call, api).await,
        ("GetStages", [api]) => stages::list(cloud, &call, api),
        ("GetStage", [api, stage]) => stages::get(cloud, api, stage),
        ("UpdateStage", [api, stage]) => stages::update(cloud, &call, api, stage).await,
        ("DeleteStage", [api, stage]) => stages::delete(cloud, api, stage).await,
        ("GetTags", [arn]) => control::tags(cloud, arn),
        ("TagResource", [arn]) => control::tag(cloud, &call, arn).await,
        ("UntagResource", [arn]) => control::untag(cloud, &call, arn).await,
        _ => Err(call.not_implemented()),
    }
}
