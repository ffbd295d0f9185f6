//! REST APIs imported, read and deleted.

use std::sync::Arc;

use http::{StatusCode, header};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::openapi::Api;
use crate::call::{Call, Reply};
use crate::cloud::{Cloud, PARTITION};
use crate::error::AwsError;
use crate::{iam, paging, random, tags};

/// A REST API's row.
pub struct RestApi {
    pub api: Value,
    pub document: Value,
}

pub fn bad_request(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("BadRequestException", message)
}

pub fn not_found(what: &str) -> AwsError {
    AwsError::not_found(
        "NotFoundException",
        format!("Invalid {what} identifier specified"),
    )
}

/// Ids as API Gateway makes them: ten of a–z and 0–9.
pub fn new_id() -> Result<String, AwsError> {
    Ok(random::uuid()?.replace('-', "")[..10].to_owned())
}

pub fn now() -> Value {
    json!(Timestamp::now().as_second())
}

/// API Gateway's permissions are its HTTP methods on the paths of its own API.
pub fn authorize(cloud: &Cloud, call: &Call) -> Result<(), AwsError> {
    let resource = path_arn(cloud, &call.path);
    iam::authorize(
        cloud,
        &call.principal,
        &format!("apigateway:{}", call.method),
        &resource,
        &[],
    )
}

/// The ARN of a path of that API.
fn path_arn(cloud: &Cloud, path: &str) -> String {
    format!("arn:{PARTITION}:apigateway:{}::{path}", cloud.region)
}

pub fn load(db: &Connection, id: &str) -> Result<RestApi, AwsError> {
    let row = db
        .prepare_cached("SELECT api, document FROM rest_apis WHERE id = ?1")?
        .query_row([id], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .optional()?;
    let (api, document) = row.ok_or_else(|| not_found("API"))?;
    let read = |text: &str| serde_json::from_str(text).map_err(|error| AwsError::internal(error.to_string()));
    Ok(RestApi {
        api: read(&api)?,
        document: read(&document)?,
    })
}

/// Changes an API in one transaction: one that is deleted meanwhile does not come back.
async fn change<F>(cloud: &Arc<Cloud>, id: &str, change: F) -> Result<Value, AwsError>
where
    F: FnOnce(&mut RestApi) -> Result<(), AwsError> + Send + 'static,
{
    let id = id.to_owned();
    let changed = cloud.store.write(move |tx| {
        let mut found = load(tx, &id)?;
        change(&mut found)?;
        tx.execute(
            "UPDATE rest_apis SET api = ?1, document = ?2 WHERE id = ?3",
            params![found.api.to_string(), found.document.to_string(), id],
        )?;
        Ok(found.api)
    });
    changed.await
}

fn parse(document: &Value) -> Result<Api, AwsError> {
    Api::parse(document).map_err(|reason| bad_request(format!("Unable to import the API: {reason}")))
}

fn document_of(call: &Call) -> Result<Value, AwsError> {
    serde_json::from_slice(&call.body).map_err(|error| bad_request(format!("Invalid OpenAPI input: {error}")))
}

pub async fn create(cloud: &Arc<Cloud>, call: &Call) -> Result<Reply, AwsError> {
    let input = &call.input;
    let name = input["name"].as_str().unwrap_or_default();
    let document = json!({"openapi": "3.0.1", "info": {"title": name, "version": "1"}, "paths": {}});
    let mut api = new_api(&document, input["endpointConfiguration"]["types"].clone())?;
    for member in ["description", "version"] {
        api[member] = input[member].clone();
    }
    api["tags"] = json!(input["tags"].as_object().cloned().unwrap_or_default());
    // Assumption (AWS docs: "Controlling access to API Gateway resources with tags"): what puts tags on a resource needs it
    // for the tags that come with a new one too.
    let id = api["id"].as_str().unwrap_or_default();
    let tagged = path_arn(cloud, &format!("/restapis/{id}"));
    let tags = utf8_percent_encode(&tagged, NON_ALPHANUMERIC);
    let resource = path_arn(cloud, &format!("/tags/{tags}"));
    iam::authorize_tags(cloud, &call.principal, "apigateway:PUT", &resource, &api["tags"])?;
    created(cloud, RestApi { api, document }).await
}

/// ImportRestApi.
pub async fn import(cloud: &Arc<Cloud>, call: &Call) -> Result<Reply, AwsError> {
    let document = document_of(call)?;
    check_roles(cloud, call, &parse(&document)?)?;
    let types = call.query("endpointConfigurationTypes");
    let api = new_api(&document, json!(types.map(|one| [one])))?;
    created(cloud, RestApi { api, document }).await
}

/// Whoever gives a role to an API has to be allowed to.
fn check_roles(cloud: &Cloud, call: &Call, api: &Api) -> Result<(), AwsError> {
    let service = ("iam:PassedToService", "apigateway.amazonaws.com");
    for role in api.roles() {
        iam::authorize(cloud, &call.principal, "iam:PassRole", role, &[service])?;
    }
    Ok(())
}

fn new_api(document: &Value, endpoint_types: Value) -> Result<Value, AwsError> {
    let types = if endpoint_types.is_array() {
        endpoint_types
    } else {
        json!(["EDGE"])
    };
    let id = new_id()?;
    Ok(json!({
        "id": id,
        "name": parse(document)?.title,
        "description": document["info"]["description"],
        "createdDate": now(),
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": types, "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": false,
        "rootResourceId": resource_id(&id, "/"),
        "tags": {},
    }))
}

async fn created(cloud: &Arc<Cloud>, RestApi { api, document }: RestApi) -> Result<Reply, AwsError> {
    let stored = cloud.store.write(move |tx| {
        tx.execute(
            "INSERT INTO rest_apis (id, api, document) VALUES (?1, ?2, ?3)",
            params![api["id"].as_str(), api.to_string(), document.to_string()],
        )?;
        Ok(api)
    });
    Ok(Reply::with_status(StatusCode::CREATED, stored.await?))
}

/// PutRestApi.
pub async fn put(cloud: &Arc<Cloud>, call: &Call, id: &str) -> Result<Reply, AwsError> {
    cloud.store.read(|db| load(db, id))?;
    if call.query("mode").is_none() {
        return Err(bad_request(
            "PutRestApi: the local cloud wants to be told the mode, which is merge where AWS is told none",
        ));
    }
    let merges = call.query("mode") == Some("merge");
    let document = document_of(call)?;
    let parsed = parse(&document)?;
    check_roles(cloud, call, &parsed)?;
    let title = parsed.title;
    let changed = change(cloud, id, move |found| {
        found.api["name"] = json!(title);
        found.api["description"] = document["info"]["description"].clone();
        if merges {
            merge(&mut found.document, document);
            parse(&found.document)?;
        } else {
            found.document = document;
        }
        Ok(())
    });
    Ok(Reply::ok(changed.await?))
}

/// Of methods, models and the like those that are new, and those in whose place they come; all else stays.
fn merge(standing: &mut Value, new: Value) {
    let Value::Object(new) = new else { return };
    for (name, part) in new {
        let depth = match name.as_str() {
            "paths" | "components" => 2,
            "x-amazon-apigateway-request-validators" => 1,
            _ => 0,
        };
        put_each(&mut standing[name], part, depth);
    }
}

/// Puts each of what is `depth` levels within `new`.
fn put_each(standing: &mut Value, new: Value, depth: u32) {
    match new {
        Value::Object(new) if depth > 0 && standing.is_object() => {
            for (name, part) in new {
                put_each(&mut standing[name], part, depth - 1);
            }
        }
        new => *standing = new,
    }
}

pub async fn delete_method(
    cloud: &Arc<Cloud>,
    id: &str,
    resource: &str,
    method: &str,
) -> Result<Reply, AwsError> {
    let (of, resource, method) = (id.to_owned(), resource.to_owned(), method.to_ascii_lowercase());
    let changed = change(cloud, id, move |found| {
        let paths = found.document["paths"].as_object_mut().into_iter().flatten();
        let path = paths
            .into_iter()
            .find(|(path, _)| resource_id(&of, path) == resource);
        let methods = path.and_then(|(_, methods)| methods.as_object_mut());
        let removed = methods.and_then(|methods| methods.remove(&method));
        removed.map(|_| ()).ok_or_else(|| not_found("Method"))
    });
    changed.await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub async fn update(cloud: &Arc<Cloud>, call: &Call, id: &str) -> Result<Reply, AwsError> {
    let input = call.input.clone();
    let changed = change(cloud, id, move |found| {
        let operations = input["patchOperations"].as_array().cloned().unwrap_or_default();
        let (types, others): (Vec<_>, Vec<_>) = operations
            .into_iter()
            .partition(|operation| endpoint_type(operation).is_some());
        for operation in &types {
            change_endpoint_type(&mut found.api, operation)?;
        }
        patch(
            &mut found.api,
            &json!({"patchOperations": others}),
            &["name", "description"],
        )
    });
    Ok(Reply::ok(changed.await?))
}

/// The endpoint type that a patch operation names.
fn endpoint_type(operation: &Value) -> Option<&str> {
    operation["path"]
        .as_str()?
        .strip_prefix("/endpointConfiguration/types/")
}

/// The path names the type that is there, and the value that which comes in its place.
fn change_endpoint_type(api: &mut Value, operation: &Value) -> Result<(), AwsError> {
    let types = &mut api["endpointConfiguration"]["types"];
    let is_there = types[0].as_str() == endpoint_type(operation);
    match (operation["op"].as_str(), operation["value"].as_str()) {
        (Some("replace"), Some(value @ ("EDGE" | "REGIONAL"))) if is_there => *types = json!([value]),
        _ => return Err(bad_request("Invalid patch of the endpoint configuration's types")),
    }
    Ok(())
}

/// Applies `patchOperations` that replace one of `members`, or an entry of a map among them (`/variables/x`).
pub fn patch(document: &mut Value, input: &Value, members: &[&str]) -> Result<(), AwsError> {
    for operation in input["patchOperations"].as_array().into_iter().flatten() {
        let path = operation["path"].as_str().unwrap_or_default();
        let member = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let is_known = members.contains(&member);
        let is_map = document[member].is_object() || document[member].is_null();
        let entry = path
            .trim_start_matches('/')
            .split_once('/')
            .map(|(_, entry)| entry.replace("~1", "/").replace("~0", "~"));
        let value = operation["value"].clone();
        match (operation["op"].as_str(), entry) {
            (Some("replace" | "add"), None) if is_known => document[member] = value,
            (Some("replace" | "add"), Some(entry)) if is_known && is_map => document[member][entry] = value,
            (Some("remove"), Some(entry)) if is_known => {
                if let Some(map) = document[member].as_object_mut() {
                    map.shift_remove(&entry);
                }
            }
            _ => {
                return Err(bad_request(format!(
                    "Invalid patch path '{path}' specified for op '{}'",
                    operation["op"].as_str().unwrap_or_default()
                )));
            }
        }
    }
    Ok(())
}

pub fn get(cloud: &Cloud, id: &str) -> Result<Reply, AwsError> {
    Ok(Reply::ok(cloud.store.read(|db| load(db, id))?.api))
}

/// `limit`: 25 unless told, 500 at most.
fn page_size(call: &Call) -> usize {
    let limit = call.query("limit").and_then(|limit| limit.parse().ok());
    limit.unwrap_or(25).clamp(1, 500)
}

/// One page of `items`.
pub fn page(call: &Call, items: Vec<Value>) -> Result<Reply, AwsError> {
    let position = call.query("position");
    let page = paging::page(items, position, page_size(call))
        .ok_or_else(|| bad_request("The position is not one that this list gave"))?;
    Ok(Reply::ok(json!({"item": page.items, "position": page.next})))
}

/// GetRestApis, by pages: `position` is the last id of the page before.
pub fn list(cloud: &Cloud, call: &Call) -> Result<Reply, AwsError> {
    let most = page_size(call);
    let after = call.query("position").unwrap_or_default();
    let mut found = cloud.store.read(|db| {
        let mut query = db.prepare_cached("SELECT api FROM rest_apis WHERE id > ?1 ORDER BY id LIMIT ?2")?;
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let rows = query.query_map(params![after, limit], |row| row.get::<_, String>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?)
    })?;
    let more = paging::cut(&mut found, most).is_some();
    let items: Vec<Value> = found
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let mut output = json!({"item": items});
    if let Some(last) = items.last().filter(|_| more) {
        output["position"] = last["id"].clone();
    }
    Ok(Reply::ok(output))
}

pub async fn delete(cloud: &Arc<Cloud>, id: &str) -> Result<Reply, AwsError> {
    let id = id.to_owned();
    let deleted = cloud.store.write(move |tx| {
        load(tx, &id)?;
        tx.execute("DELETE FROM stages WHERE api = ?1", [&id])?;
        tx.execute("DELETE FROM deployments WHERE api = ?1", [&id])?;
        tx.execute("DELETE FROM rest_apis WHERE id = ?1", [&id])?;
        Ok(())
    });
    deleted.await?;
    cloud.apigateway.forget();
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// GetResources: the tree of the document's paths.
pub fn resources(cloud: &Cloud, call: &Call, id: &str) -> Result<Reply, AwsError> {
    let document = cloud.store.read(|db| load(db, id))?.document;
    let embeds = call
        .query
        .iter()
        .any(|(name, value)| name == "embed" && value == "methods");
    let mut paths = vec!["/".to_owned()];
    for route in parse(&document)?.routes() {
        let mut path = String::new();
        for segment in route
            .path
            .trim_matches('/')
            .split('/')
            .filter(|segment| !segment.is_empty())
        {
            path = format!("{path}/{segment}");
            if !paths.contains(&path) {
                paths.push(path.clone());
            }
        }
    }
    let resources = paths.iter().map(|path| resource(id, path, &document, embeds));
    page(call, resources.collect())
}

fn resource(id: &str, path: &str, document: &Value, embeds: bool) -> Value {
    let mut resource = json!({"id": resource_id(id, path), "path": path});
    if let Some((parent, part)) = path.rsplit_once('/').filter(|_| path != "/") {
        resource["parentId"] = json!(resource_id(id, if parent.is_empty() { "/" } else { parent }));
        resource["pathPart"] = json!(part);
    }
    for (name, operation) in document["paths"][path].as_object().into_iter().flatten() {
        let method = name.to_uppercase();
        resource["resourceMethods"][&method] = if embeds {
            method_document(id, &method, operation, document)
        } else {
            json!({})
        };
    }
    resource
}

fn method_document(api: &str, method: &str, operation: &Value, document: &Value) -> Value {
    let mut integration = operation["x-amazon-apigateway-integration"].clone();
    // However a document writes them, they come back in capitals.
    for field in ["type", "passthroughBehavior"] {
        if let Some(word) = integration[field].as_str() {
            integration[field] = json!(word.to_uppercase());
        }
    }
    if let Some(fields) = integration.as_object_mut() {
        let responses = fields.shift_remove("responses");
        fields.insert(
            "integrationResponses".to_owned(),
            by_status(responses.unwrap_or_default()),
        );
    }
    let validator = "x-amazon-apigateway-request-validator";
    let validator = operation[validator].as_str().or(document[validator].as_str());
    let bodies = operation["requestBody"]["content"]
        .as_object()
        .into_iter()
        .flatten();
    let models: Map<String, Value> = bodies
        .filter_map(|(content_type, body)| {
            let model = body["schema"]["$ref"].as_str()?.rsplit('/').next()?;
            Some((content_type.clone(), json!(model)))
        })
        .collect();
    let statuses = operation["responses"].as_object().into_iter().flatten();
    let responses: Map<String, Value> = statuses
        .map(|(status, _)| (status.clone(), json!({"statusCode": status})))
        .collect();
    json!({
        "httpMethod": method,
        "authorizationType": "NONE",
        "apiKeyRequired": false,
        "operationName": operation["operationId"],
        "requestValidatorId": validator.map(|name| resource_id(api, name)),
        "requestModels": models,
        "methodResponses": responses,
        "methodIntegration": integration,
    })
}

/// GetModels: the schemas of the document's components.
pub fn models(cloud: &Cloud, call: &Call, id: &str) -> Result<Reply, AwsError> {
    let document = cloud.store.read(|db| load(db, id))?.document;
    let schemas = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten();
    let models = schemas.map(|(name, schema)| {
        json!({
            "id": resource_id(id, name),
            "name": name,
            "schema": schema.to_string(),
            "contentType": "application/json",
        })
    });
    page(call, models.collect())
}

/// GetRequestValidators.
pub fn request_validators(cloud: &Cloud, call: &Call, id: &str) -> Result<Reply, AwsError> {
    let document = cloud.store.read(|db| load(db, id))?.document;
    let validators = document["x-amazon-apigateway-request-validators"].as_object();
    let validators = validators.into_iter().flatten().map(|(name, validator)| {
        json!({
            "id": resource_id(id, name),
            "name": name,
            "validateRequestBody": validator["validateRequestBody"] == true,
            "validateRequestParameters": validator["validateRequestParameters"] == true,
        })
    });
    page(call, validators.collect())
}

/// Integration responses by their status, as the REST calls give them.
fn by_status(responses: Value) -> Value {
    let mut output = json!({});
    for (pattern, mut response) in responses.as_object().cloned().into_iter().flatten() {
        let status = response["statusCode"]
            .as_str()
            .map_or_else(|| response["statusCode"].to_string(), str::to_owned);
        response["statusCode"] = json!(status);
        if pattern != "default" {
            response["selectionPattern"] = json!(pattern);
        }
        output[status] = response;
    }
    output
}

/// The same for the same path, or name, so that it does not change when an API is put again.
fn resource_id(api: &str, path: &str) -> String {
    hex::encode(Sha256::digest(format!("{api} {path}")))[..10].to_owned()
}

/// GetExport as OpenAPI 3: the document as it was given.
pub fn export(cloud: &Cloud, call: &Call, id: &str, stage: &str) -> Result<Reply, AwsError> {
    let accept = call.headers.get(header::ACCEPT);
    if accept.is_some_and(|accept| accept.as_bytes().ends_with(b"yaml")) {
        return Err(bad_request(
            "GetExport: the local cloud does not support YAML, only application/json",
        ));
    }
    let document = super::stages::deployed_document(cloud, id, stage)?;
    Ok(Reply::bytes(StatusCode::OK, document.to_string()))
}

/// The id of the API whose ARN the tagging operations name.
fn tagged(arn: &str) -> Result<&str, AwsError> {
    let named = arn.split_once("::/restapis/").map(|(_, id)| id);
    named.ok_or_else(|| bad_request("Invalid ARN specified in the request"))
}

pub fn tags(cloud: &Cloud, arn: &str) -> Result<Reply, AwsError> {
    let id = tagged(arn)?;
    let api = cloud.store.read(|db| load(db, id))?.api;
    Ok(Reply::ok(json!({"tags": api["tags"]})))
}

pub async fn tag(cloud: &Arc<Cloud>, call: &Call, arn: &str) -> Result<Reply, AwsError> {
    let given = call.input["tags"].clone();
    change(cloud, tagged(arn)?, move |found| {
        tags::add(&mut found.api["tags"], &given);
        Ok(())
    })
    .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub async fn untag(cloud: &Arc<Cloud>, call: &Call, arn: &str) -> Result<Reply, AwsError> {
    let keys: Vec<String> = call.query_all("tagKeys").map(str::to_owned).collect();
    change(cloud, tagged(arn)?, move |found| {
        tags::remove(&mut found.api["tags"], keys.iter().map(String::as_str));
        Ok(())
    })
    .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
