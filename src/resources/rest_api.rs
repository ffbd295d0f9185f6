//! An API Gateway REST API, made of one OpenAPI document and deployed to one stage.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_apigateway::Client;
use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{
    EndpointConfiguration, EndpointType, Integration, Method, Op, PatchOperation, PutMode, RequestValidator,
    RestApi as SdkRestApi,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ownership::{self, Mark, Tags, tagged, touches};
use super::patience::{API_BUSY, API_CREATIONS, API_DELETES, API_DEPLOYMENTS, API_PACE};
use crate::aws::{CallFailure, During, UnlessGone};
use crate::engine::{
    Failure, FieldChange, Fields, Found, Mending, NotYet, Owner, Reading, Resource, Step, document,
};
use crate::names::STACK_TAG;

/// A REST API with one method that calls an AWS service.
///
/// Its id is the one thing of a stack that AWS chooses: the API is found again by its tag, whatever it is called.
pub struct RestApi {
    pub client: Client,
    pub mark: Mark,
    pub id: &'static str,
    pub name: String,
    /// The OpenAPI document.
    pub document: Value,
    /// The path of the document that is compared with what stands.
    pub path: &'static str,
    pub stage: &'static str,
    /// What an API's ARN begins with; its id follows.
    pub arns: String,
    /// Whether an API of this name that no one has marked is taken over, where there is none of ours.
    pub adopts: bool,
}

/// The field with the API's id.
pub const API_ID: &str = "id";

/// The document's one method.
const METHOD: &str = "POST";

const NAME: &str = "name";
const DESCRIPTION: &str = "description";
/// Whom the method lets in: anyone, or a caller with a signature, a token or a key.
const ACCESS: &str = "access";
/// What a body has to be, and who looks.
const REQUEST: &str = "request";
/// The statuses of the answers.
const RESPONSES: &str = "responses";
const MODELS: &str = "models";
const INTEGRATION: &str = "integration";
/// Of which AWS lets ten be made in the time of one EDGE.
const ENDPOINT_TYPE: EndpointType = EndpointType::Regional;
const ENDPOINT: &str = "endpoint type";
/// What the stage serves: the hash of the document it was deployed from, kept in the deployment's description.
const DEPLOYED: &str = "deployed definition";
/// The deployment that the stage serves.
const DEPLOYMENT: &str = "deployment";
/// What a deployment's description begins with that is ours.
const HASH: &str = "sha256 ";
/// Further APIs of our tag, which only a run that was cut off can have left.
const DUPLICATES: &str = "duplicates";

/// What one PutRestApi and a deployment set.
const DEFINED: [&str; 8] = [
    NAME,
    DESCRIPTION,
    ACCESS,
    REQUEST,
    RESPONSES,
    MODELS,
    INTEGRATION,
    DEPLOYED,
];

impl RestApi {
    /// APIs of our tag, the oldest first; where there are none, the one without a mark that has our name, if it calls what
    /// ours calls or is to be taken over. Names are not unique: any other is someone else's.
    async fn find(&self) -> Result<Vec<SdkRestApi>, Failure> {
        let (ours, others): (Vec<_>, Vec<_>) = self
            .all()
            .await?
            .into_iter()
            .partition(|api| self.owner(api) == Owner::Ours);
        if !ours.is_empty() {
            return Ok(ours);
        }
        let is_unmarked = |api: &SdkRestApi| {
            api.name() == Some(&self.name) && matches!(self.owner(api), Owner::Unmarked(_))
        };
        let mut unmarked = Vec::new();
        for api in others.into_iter().filter(is_unmarked) {
            if self.adopts || self.acts_as_ours(&api).await? {
                unmarked.push(api);
            }
        }
        if unmarked.len() > 1 {
            let (count, name) = (unmarked.len(), &self.name);
            return Err(Failure::new(format!(
                "{count} REST APIs are called {name}, and none of them is the stack's"
            ))
            .hint(format!(
                "tag the one to be taken over {STACK_TAG}={}",
                self.mark.stack
            )));
        }
        Ok(unmarked)
    }

    /// Whether its method acts under the stack's own role: then it was made for this stack, and has lost its tag.
    async fn acts_as_ours(&self, api: &SdkRestApi) -> Result<bool, CallFailure> {
        let method = match self.served(api.id().unwrap_or_default()).await {
            Ok(served) => served.ours,
            Err(failure) if failure.is_not_found() => None,
            Err(failure) => return Err(failure),
        };
        let integration = method.as_ref().and_then(Method::method_integration);
        let role = integration.and_then(Integration::credentials);
        Ok(role.is_some() && role == self.wanted_integration()["credentials"].as_str())
    }

    /// The account's APIs in the region, the oldest first.
    async fn all(&self) -> Result<Vec<SdkRestApi>, CallFailure> {
        let mut apis = Vec::new();
        let mut position = None;
        loop {
            let answer = self
                .client
                .get_rest_apis()
                .limit(500)
                .set_position(position)
                .send()
                .await
                .during("apigateway:GetRestApis", &self.name)?;
            apis.extend(answer.items.unwrap_or_default());
            position = answer.position;
            if position.is_none() {
                break;
            }
        }
        apis.sort_by_key(|api| {
            let created = api
                .created_date()
                .map_or(0, aws_sdk_apigateway::primitives::DateTime::secs);
            (created, api.id().map(str::to_owned))
        });
        Ok(apis)
    }

    fn owner(&self, api: &SdkRestApi) -> Owner {
        tags(api).owner(&self.mark.stack)
    }

    async fn tag(&self, id: &str) -> Result<(), CallFailure> {
        self.client
            .tag_resource()
            .resource_arn(format!("{}{id}", self.arns))
            .set_tags(Some(self.mark.map()))
            .send()
            .await
            .during("apigateway:TagResource", &self.name)?;
        Ok(())
    }

    async fn served(&self, id: &str) -> Result<Served, CallFailure> {
        let resources = self
            .client
            .get_resources()
            .rest_api_id(id)
            .embed("methods")
            .limit(500)
            .send()
            .await
            .during("apigateway:GetResources", &self.name)?;
        let mut served = Served::default();
        for resource in resources.items() {
            let path = resource.path().unwrap_or_default();
            for (method, set_up) in resource.resource_methods().into_iter().flatten() {
                if path == self.path && method == METHOD {
                    served.resource = resource.id().map(str::to_owned);
                    served.ours = Some(set_up.clone());
                } else {
                    served.others.push(format!("{method} {path}"));
                }
            }
        }
        served.others.sort_unstable();
        Ok(served)
    }

    /// Who looks at what comes to the API's methods.
    async fn validators(&self, id: &str) -> Result<Vec<RequestValidator>, CallFailure> {
        let validators = self.client.get_request_validators().rest_api_id(id).limit(500);
        let answer = validators.send().await;
        let answer = answer.during("apigateway:GetRequestValidators", &self.name)?;
        Ok(answer.items.unwrap_or_default())
    }

    /// The document's models as they stand, as far as the document says.
    ///
    /// Assumption (AWS docs: "Data models for REST APIs"; not tried there): a model's schema is given back with the keywords
    /// that a body is validated by; AWS may add some, and leave out what only explains.
    async fn models(&self, id: &str) -> Result<Value, CallFailure> {
        let models = self.client.get_models().rest_api_id(id).limit(500).send();
        let models = models.await.during("apigateway:GetModels", &self.name)?;
        let found = |name: &str| {
            let mut models = models.items().iter();
            let model = models.find(|model| model.name() == Some(name))?;
            Some(document(model.schema().unwrap_or_default()))
        };
        let wanted = self.wanted_models().as_object().into_iter().flatten();
        let stand = wanted.filter_map(|(name, schema)| Some((name.clone(), said_of(schema, &found(name)?))));
        Ok(stand.collect::<serde_json::Map<_, _>>().into())
    }

    /// What the stage serves.
    async fn deployed(&self, id: &str) -> Result<Option<Deployed>, CallFailure> {
        let stage = self
            .client
            .get_stage()
            .rest_api_id(id)
            .stage_name(self.stage)
            .send()
            .await;
        let stage = match stage.during("apigateway:GetStage", &self.name) {
            Ok(stage) => stage,
            Err(failure) if failure.is_not_found() => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let deployment = self
            .client
            .get_deployment()
            .rest_api_id(id)
            .deployment_id(stage.deployment_id().unwrap_or_default())
            .send()
            .await
            .during("apigateway:GetDeployment", &self.name)?;
        Ok(Some(Deployed {
            deployment: stage.deployment_id.unwrap_or_default(),
            description: deployment.description,
        }))
    }

    /// The hash of the document, as a deployment's description.
    fn definition_hash(&self) -> String {
        let hash = Sha256::digest(self.document.to_string());
        format!("{HASH}{}", hex::encode(hash))
    }

    fn body(&self) -> Blob {
        Blob::new(self.document.to_string())
    }

    /// Puts the document in the place of what is there, its title in that of the name, and has the stage serve it in the
    /// place of the deployment `before`. Beside what others have put there, only our method makes place for it.
    ///
    /// Assumption (AWS docs: "Update an existing API with an external API definition"; not tried there): what is merged wins
    /// where it conflicts, the title and the description too, and what it says nothing of stays.
    async fn define(&self, id: &str, before: Option<&str>, served: &Served) -> Result<(), CallFailure> {
        let mode = if served.others.is_empty() {
            PutMode::Overwrite
        } else {
            self.delete_method(id, served.resource.as_deref()).await?;
            PutMode::Merge
        };
        self.client
            .put_rest_api()
            .rest_api_id(id)
            .mode(mode)
            .body(self.body())
            .send()
            .await
            .during("apigateway:PutRestApi", &self.name)?;
        let deployment = self.deploy(id).await?;
        match before {
            Some(before) => self.remove_deployments(id, &[&deployment, before]).await,
            None => Ok(()),
        }
    }

    /// A change of the API does nothing until it is deployed to the stage. The deployment's id.
    async fn deploy(&self, id: &str) -> Result<String, CallFailure> {
        let deployment = self
            .client
            .create_deployment()
            .rest_api_id(id)
            .stage_name(self.stage)
            .description(self.definition_hash())
            .send()
            .await
            .during("apigateway:CreateDeployment", &self.name)?;
        Ok(deployment.id.unwrap_or_default())
    }

    /// Each change leaves a deployment behind: of ours those that are not among `kept` go.
    async fn remove_deployments(&self, id: &str, kept: &[&str]) -> Result<(), CallFailure> {
        let deployments = self.client.get_deployments().rest_api_id(id).limit(500).send();
        let deployments = deployments
            .await
            .during("apigateway:GetDeployments", &self.name)?;
        let ours = deployments.items().iter().filter(|deployment| {
            let description = deployment.description().unwrap_or_default();
            description.starts_with(HASH)
        });
        for old in ours.filter_map(|deployment| deployment.id()) {
            if kept.contains(&old) {
                continue;
            }
            let delete = self.client.delete_deployment().rest_api_id(id);
            let answer = delete.deployment_id(old).send().await;
            match answer.during("apigateway:DeleteDeployment", &self.name) {
                // A stage of others' serves it, or another `up` has just put it there.
                Err(failure) if failure.detail().contains("Active stages") => {}
                answer => {
                    answer.unless_gone()?;
                }
            }
        }
        Ok(())
    }

    /// What is merged with a method that is there would leave of that what the document does not say. The stage serves what was
    /// deployed meanwhile.
    async fn delete_method(&self, id: &str, resource: Option<&str>) -> Result<(), CallFailure> {
        let Some(resource) = resource else {
            return Ok(());
        };
        let delete = self.client.delete_method().rest_api_id(id);
        let answer = delete.resource_id(resource).http_method(METHOD).send().await;
        answer
            .during("apigateway:DeleteMethod", &self.name)
            .unless_gone()?;
        Ok(())
    }

    async fn put_endpoint_type(&self, id: &str, found: &str) -> Result<(), CallFailure> {
        let replace = PatchOperation::builder()
            .op(Op::Replace)
            .path(format!("/endpointConfiguration/types/{found}"))
            .value(ENDPOINT_TYPE.as_str());
        self.client
            .update_rest_api()
            .rest_api_id(id)
            .patch_operations(replace.build())
            .send()
            .await
            .during("apigateway:UpdateRestApi", &self.name)?;
        Ok(())
    }

    async fn delete(&self, id: &str) -> Result<(), CallFailure> {
        let answer = self.client.delete_rest_api().rest_api_id(id).send().await;
        answer
            .during("apigateway:DeleteRestApi", &self.name)
            .unless_gone()?;
        Ok(())
    }

    /// Our method, in the document.
    fn method(&self) -> &Value {
        &self.document["paths"][self.path]["post"]
    }

    fn wanted_integration(&self) -> Value {
        wanted_integration(&self.method()["x-amazon-apigateway-integration"])
    }

    fn wanted_models(&self) -> &Value {
        &self.document["components"]["schemas"]
    }

    fn wanted_request(&self) -> Value {
        let bodies = self.method()["requestBody"]["content"].as_object();
        let models: serde_json::Map<String, Value> = bodies
            .into_iter()
            .flatten()
            .filter_map(|(content_type, body)| {
                let model = body["schema"]["$ref"].as_str()?.rsplit('/').next()?;
                Some((content_type.clone(), json!(model)))
            })
            .collect();
        let validator = self.document["x-amazon-apigateway-request-validator"].as_str();
        let validator = validator.map(|name| {
            let validator = &self.document["x-amazon-apigateway-request-validators"][name];
            json!({
                "body": validator["validateRequestBody"],
                "parameters": validator["validateRequestParameters"],
            })
        });
        json!({"models": models, "validator": validator})
    }

    fn wanted_responses(&self) -> Vec<&String> {
        let responses = self.method()["responses"].as_object();
        responses.into_iter().flat_map(serde_json::Map::keys).collect()
    }
}

/// What an API serves.
#[derive(Debug, Default)]
struct Served {
    /// The resource that our method is of, and the method, if it is there.
    resource: Option<String>,
    ours: Option<Method>,
    /// What others have put there: `GET /theirs`.
    others: Vec<String>,
}

impl Served {
    fn methods_of_others(&self) -> Vec<String> {
        let others = self.others.iter();
        others.map(|method| format!("method {method}")).collect()
    }
}

/// A stage's deployment, and what its description says of the document it was made from.
struct Deployed {
    deployment: String,
    description: Option<String>,
}

/// Of the schema `found`, what `wanted` says something of; what explains to readers is not missed.
fn said_of(wanted: &Value, found: &Value) -> Value {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .filter_map(|(name, wanted)| match found.get(name) {
                Some(found) => Some((name.clone(), said_of(wanted, found))),
                None => (name == "description").then(|| (name.clone(), wanted.clone())),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let items = wanted.iter().zip(found);
            items.map(|(wanted, found)| said_of(wanted, found)).collect()
        }
        _ => found.clone(),
    }
}

fn found_request(method: &Method, validators: &[RequestValidator]) -> Value {
    let mut validators = validators.iter();
    let id = method.request_validator_id().filter(|id| !id.is_empty());
    let validator = id.and_then(|id| validators.find(|validator| validator.id() == Some(id)));
    let validator = validator.map(|validator| {
        json!({
            "body": validator.validate_request_body(),
            "parameters": validator.validate_request_parameters(),
        })
    });
    json!({"models": method.request_models().cloned().unwrap_or_default(), "validator": validator})
}

fn found_responses(method: &Method) -> Vec<&String> {
    let responses = method.method_responses().into_iter();
    let mut statuses: Vec<&String> = responses.flat_map(HashMap::keys).collect();
    statuses.sort_unstable();
    statuses
}

fn tags(api: &SdkRestApi) -> Tags {
    api.tags().into_iter().flatten().collect()
}

/// Of a method that the document puts no `security` on.
fn wanted_access() -> Value {
    json!({"authorization": "NONE", "apiKey": false})
}

fn found_access(method: &Method) -> Value {
    json!({
        "authorization": method.authorization_type(),
        "apiKey": method.api_key_required().unwrap_or(false),
    })
}

/// The integration of an OpenAPI document, in the words of [`found_integration`].
fn wanted_integration(integration: &Value) -> Value {
    let upper = |field: &str| integration[field].as_str().map(str::to_uppercase);
    let responses: serde_json::Map<String, Value> = integration["responses"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(pattern, response)| {
            let status = response["statusCode"].as_str()?;
            // An answer that no pattern fits is the default.
            let pattern = (pattern != "default").then_some(pattern);
            let value = json!({"pattern": pattern, "templates": response["responseTemplates"]});
            Some((status.to_owned(), value))
        })
        .collect();
    json!({
        "type": upper("type"),
        "method": upper("httpMethod"),
        "uri": integration["uri"],
        "credentials": integration["credentials"],
        "passthrough": upper("passthroughBehavior"),
        "templates": integration["requestTemplates"],
        "responses": responses,
    })
}

fn found_integration(integration: &Integration) -> Value {
    let templates =
        |templates: Option<&HashMap<String, String>>| templates.filter(|all| !all.is_empty()).cloned();
    let responses: serde_json::Map<String, Value> = integration
        .integration_responses()
        .into_iter()
        .flatten()
        .map(|(status, response)| {
            let pattern = response.selection_pattern().filter(|pattern| !pattern.is_empty());
            let value = json!({"pattern": pattern, "templates": templates(response.response_templates())});
            (status.clone(), value)
        })
        .collect();
    json!({
        "type": integration.r#type().map(|kind| kind.as_str()),
        "method": integration.http_method(),
        "uri": integration.uri(),
        "credentials": integration.credentials(),
        // An import may say it in small letters, and AWS gives it back in capitals.
        "passthrough": integration.passthrough_behavior().map(str::to_uppercase),
        "templates": templates(integration.request_templates()),
        "responses": responses,
    })
}

#[async_trait]
impl Resource for RestApi {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self) -> &'static str {
        "REST API"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn wanted(&self) -> Fields {
        tagged(&self.mark.stack)
            .with(NAME, self.name.as_str())
            .with_some(DESCRIPTION, self.document["info"]["description"].as_str())
            .with(ENDPOINT, ENDPOINT_TYPE.as_str())
            .with(ACCESS, wanted_access())
            .with(REQUEST, self.wanted_request())
            .with(RESPONSES, json!(self.wanted_responses()))
            .with(MODELS, self.wanted_models().clone())
            .with(INTEGRATION, self.wanted_integration())
            .with(DEPLOYED, self.definition_hash())
            .with(DUPLICATES, json!([]))
    }

    fn not_yet(&self) -> &'static [&'static NotYet] {
        &[
            &API_BUSY,
            &API_DELETES,
            &API_CREATIONS,
            &API_DEPLOYMENTS,
            &API_PACE,
        ]
    }

    fn making_takes(&self) -> &'static [&'static str] {
        &["apigateway:POST"]
    }

    fn mending_takes(&self) -> &'static [Mending] {
        &[
            (&DEFINED, "apigateway:PUT"),
            (&DEFINED, "apigateway:POST"),
            (&[ENDPOINT], "apigateway:PATCH"),
            (&[ownership::FIELD], "apigateway:PUT"),
            (&[DUPLICATES], "apigateway:DELETE"),
        ]
    }

    async fn read(&self) -> Result<Reading, Failure> {
        let apis = self.find().await?;
        let Some((api, duplicates)) = apis.split_first() else {
            return Ok(Reading::Absent);
        };
        let id = api.id().unwrap_or_default();
        let found = futures_util::try_join!(
            self.served(id),
            self.validators(id),
            self.models(id),
            self.deployed(id)
        );
        let (served, validators, models, deployed) = match found {
            Ok(found) => found,
            Err(failure) if failure.is_not_found() => return Ok(Reading::Absent),
            Err(failure) => return Err(failure.into()),
        };
        let duplicates: Vec<&str> = duplicates.iter().filter_map(SdkRestApi::id).collect();
        let endpoints = api.endpoint_configuration().into_iter();
        let endpoint = endpoints.flat_map(EndpointConfiguration::types).next();
        let method = served.ours.as_ref();
        Ok(Reading::Found(Found {
            owner: match self.owner(api) {
                // Ours is made of one document, which would put an end to them.
                Owner::Unmarked(_) if !served.others.is_empty() => Owner::Foreign(format!(
                    "it serves more than {METHOD} {}: {}",
                    self.path,
                    served.others.join(", ")
                )),
                owner => owner,
            },
            fields: tags(api)
                .found(Fields::default())
                .with(API_ID, id)
                .with_some(NAME, api.name())
                .with_some(DESCRIPTION, api.description())
                .with_some(ENDPOINT, endpoint.map(EndpointType::as_str))
                .with_some(ACCESS, method.map(found_access))
                .with_some(REQUEST, method.map(|method| found_request(method, &validators)))
                .with_some(RESPONSES, method.map(|method| json!(found_responses(method))))
                .with(MODELS, models)
                .with_some(
                    INTEGRATION,
                    method.and_then(Method::method_integration).map(found_integration),
                )
                .with_some(
                    DEPLOYMENT,
                    deployed.as_ref().map(|deployed| deployed.deployment.as_str()),
                )
                .with_some(DEPLOYED, deployed.and_then(|deployed| deployed.description))
                .with(DUPLICATES, json!(duplicates)),
            settling: None,
            others: [served.methods_of_others(), tags(api).others()].concat(),
        }))
    }

    async fn is_there(&self) -> Result<bool, Failure> {
        Ok(!self.find().await?.is_empty())
    }

    async fn create(&self, step: &Step<'_>) -> Result<(), Failure> {
        // An import takes no tags, and a run that ends before they are put would leave an API that no one finds again.
        let created = self
            .client
            .create_rest_api()
            .name(&self.name)
            .set_tags(Some(self.mark.map()))
            .endpoint_configuration(EndpointConfiguration::builder().types(ENDPOINT_TYPE).build())
            .send()
            .await
            .during("apigateway:CreateRestApi", &self.name)?;
        step.made();
        Ok(self
            .define(created.id().unwrap_or_default(), None, &Served::default())
            .await?)
    }

    async fn change(&self, found: &Fields, changes: &[FieldChange], step: &Step<'_>) -> Result<(), Failure> {
        if touches(changes, &[DUPLICATES]) {
            let duplicates = found.get(DUPLICATES).and_then(Value::as_array);
            for id in duplicates.into_iter().flatten().filter_map(Value::as_str) {
                step.note(&format!("removing the duplicate {id}"));
                self.delete(id).await?;
            }
        }
        let id = found.text(API_ID).unwrap_or_default();
        if touches(changes, &[ownership::FIELD]) {
            self.tag(id).await?;
        }
        if touches(changes, &[ENDPOINT]) {
            self.put_endpoint_type(id, found.text(ENDPOINT).unwrap_or_default())
                .await?;
        }
        if touches(changes, &DEFINED) {
            let served = self.served(id).await?;
            self.define(id, found.text(DEPLOYMENT), &served).await?;
        }
        Ok(())
    }

    async fn remove(&self, found: &Fields, _step: &Step<'_>) -> Result<(), Failure> {
        // One call in 30 s is what AWS allows: the last one fails until then, and the step comes back.
        let duplicates = found.get(DUPLICATES).and_then(Value::as_array);
        for id in duplicates.into_iter().flatten().filter_map(Value::as_str) {
            self.delete(id).await?;
        }
        Ok(self.delete(found.text(API_ID).unwrap_or_default()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_model_that_is_read_back_what_validates_is_compared() {
        let wanted = json!({
            "type": "object",
            "anyOf": [{"required": ["key"]}],
            "properties": {"key": {"type": "string", "description": "Of an object.", "maxLength": 1024}},
        });
        let mut found = json!({
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": "object",
            "anyOf": [{"required": ["key"], "exclusive": false}],
            "properties": {"key": {"maxLength": 1024, "type": "string"}},
        });
        assert_eq!(said_of(&wanted, &found), wanted);
        found["properties"]["key"]["maxLength"] = json!(10);
        assert_ne!(said_of(&wanted, &found), wanted);
        found["properties"]["key"] = json!({"type": "string"});
        assert_ne!(said_of(&wanted, &found), wanted);
    }
}
