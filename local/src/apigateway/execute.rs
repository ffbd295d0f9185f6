//! Requests to deployed APIs: the method, its mapping template, the integration, the response's template.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use s3s::Body;
use serde_json::{Value, json};

use super::Deployed;
use super::openapi::{Passthrough, Route};
use super::{schema, vtl};
use crate::cloud::{ACCOUNT, Cloud};
use crate::error::AwsError;
use crate::{iam, monitoring, random, states};

/// The most bytes a request may have.
const MOST_BODY: usize = 10 * 1024 * 1024;

/// Answers a request to a deployed API: `/restapis/{id}/{stage}/_user_request_/…`.
pub async fn invoke(cloud: &Arc<Cloud>, head: &Parts, body: Bytes) -> Response<Body> {
    let began = Instant::now();
    let request_id = random::uuid().unwrap_or_default();
    let path = head.uri.path().trim_start_matches('/').to_owned();
    let mut parts = path.splitn(5, '/');
    let (Some("restapis"), Some(api), Some(stage), Some("_user_request_")) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return gateway_response(403, "Forbidden", &request_id);
    };
    let path = format!("/{}", parts.next().unwrap_or_default());
    let Ok(deployed) = cloud.apigateway.deployed(cloud, api, stage) else {
        return gateway_response(403, "Forbidden", &request_id);
    };
    let request = Request {
        cloud,
        deployed: &deployed,
        api,
        head,
        path,
        body,
        request_id,
    };
    let response = request.answer().await;
    count(cloud, &deployed, response.status(), began);
    response
}

fn count(cloud: &Cloud, deployed: &Deployed, status: StatusCode, began: Instant) {
    let dimensions = [
        ("ApiName", deployed.api.title.as_str()),
        ("Stage", deployed.stage.as_str()),
    ];
    // Once for the API and once for its stage, as API Gateway does.
    let record = |metric, value, unit| {
        for dimensions in [&dimensions[..1], &dimensions] {
            monitoring::record(cloud, "AWS/ApiGateway", metric, dimensions, value, unit);
        }
    };
    record("Count", 1.0, "Count");
    record("4XXError", f64::from(u8::from(status.is_client_error())), "Count");
    record("5XXError", f64::from(u8::from(status.is_server_error())), "Count");
    record("Latency", began.elapsed().as_secs_f64() * 1000.0, "Milliseconds");
}

/// A response of API Gateway's own.
fn gateway_response(status: u16, message: &str, request_id: &str) -> Response<Body> {
    respond(status, json!({"message": message}).to_string(), request_id)
}

fn respond(status: u16, body: String, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

struct Request<'a> {
    cloud: &'a Arc<Cloud>,
    deployed: &'a Deployed,
    api: &'a str,
    head: &'a Parts,
    path: String,
    body: Bytes,
    request_id: String,
}

impl Request<'_> {
    async fn answer(&self) -> Response<Body> {
        let refuse = |status, message: &str| gateway_response(status, message, &self.request_id);
        if self.body.len() > MOST_BODY {
            return refuse(413, "Request Too Long");
        }
        let Some((route, path_parameters)) = self.deployed.api.find(&self.head.method, &self.path) else {
            return refuse(403, "Missing Authentication Token");
        };
        let Ok(body) = std::str::from_utf8(&self.body) else {
            return refuse(400, "Invalid request body");
        };
        // Assumption (AWS docs say nothing of it): to a template no body is an empty object.
        let document: Option<Value> = match body {
            "" => Some(json!({})),
            _ => serde_json::from_str(body).ok(),
        };
        if let Some(schema) = &route.body_schema
            && (body.is_empty()
                || !document
                    .as_ref()
                    .is_some_and(|document| schema::accepts(schema, document)))
        {
            return refuse(400, "Invalid request body");
        }
        let params = self.params(Value::Object(path_parameters));
        let context = self.context(route);
        let scope = vtl::Scope {
            body,
            document: document.as_ref(),
            params: &params,
            context: &context,
            stage_variables: &self.deployed.variables,
        };
        let request = match self.request_template(route) {
            Ok(Some(template)) => template.render(&scope),
            Ok(None) => Ok(body.to_owned()),
            Err(()) => return refuse(415, "Unsupported Media Type"),
        };
        let request = match request {
            Ok(request) => request,
            // Assumption (AWS docs say nothing of it): a template that looks into a body which is no JSON refuses it.
            Err(reason) if document.is_none() => return refuse(400, &reason),
            Err(reason) => {
                tracing::warn!(reason, api = self.api, "a mapping template failed");
                return refuse(500, "Internal server error");
            }
        };
        match self.start_execution(route, &request).await {
            Ok((status, answer)) => self.integration_response(route, status, &answer, &scope),
            Err(error) => {
                tracing::warn!(%error, api = self.api, "the integration's role cannot be assumed");
                refuse(500, "Internal server error")
            }
        }
    }

    /// The template for the request's content type; `None` passes the body through.
    fn request_template<'r>(&self, route: &'r Route) -> Result<Option<&'r vtl::Template>, ()> {
        let given = self
            .head
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let content_type = given
            .unwrap_or("application/json")
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        let integration = &route.integration;
        match (
            integration.request_templates.get(&content_type),
            integration.passthrough,
        ) {
            (Some(template), _) => Ok(Some(template)),
            (None, Passthrough::WhenNoMatch) => Ok(None),
            (None, Passthrough::WhenNoTemplates) if integration.request_templates.is_empty() => Ok(None),
            (None, _) => Err(()),
        }
    }

    fn params(&self, path: Value) -> Value {
        let query = self.head.uri.query().unwrap_or_default();
        let query: serde_json::Map<String, Value> = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect();
        let headers = self.head.headers.iter();
        let headers: serde_json::Map<String, Value> = headers
            .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))))
            .collect();
        json!({"path": path, "querystring": query, "header": headers})
    }

    fn context(&self, route: &Route) -> Value {
        json!({
            "requestId": self.request_id,
            "extendedRequestId": self.request_id,
            "apiId": self.api,
            "accountId": ACCOUNT,
            "stage": self.deployed.stage,
            "httpMethod": self.head.method.as_str(),
            "resourcePath": route.path,
            "path": format!("/{}{}", self.deployed.stage, self.path),
            "protocol": "HTTP/1.1",
            "requestTime": jiff::Timestamp::now().strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "requestTimeEpoch": jiff::Timestamp::now().as_millisecond(),
            "identity": {"sourceIp": "127.0.0.1"},
        })
    }

    /// Calls StartExecution as the integration's role: the status and body that Step Functions answers.
    async fn start_execution(&self, route: &Route, request: &str) -> Result<(u16, Value), AwsError> {
        let role = &route.integration.credentials;
        let source = self.cloud.arn(
            "execute-api",
            &format!("{}/*/{}{}", self.api, route.method, route.path),
        );
        let session = iam::assume_for_service(
            self.cloud,
            role,
            "apigateway.amazonaws.com",
            &source,
            "BackplaneAssumeRoleSession",
        )?;
        let answered = async {
            let request: Value = serde_json::from_str(request)
                .map_err(|_| AwsError::bad_request("SerializationException", "The request is not JSON"))?;
            let text = |member: &str| request[member].as_str();
            let arn = text("stateMachineArn").unwrap_or_default();
            iam::authorize(self.cloud, &session.principal, "states:StartExecution", arn, &[])
                .map_err(|error| AwsError::bad_request("AccessDeniedException", error.message))?;
            if !request["input"].is_null() && !request["input"].is_string() {
                return Err(AwsError::bad_request(
                    "SerializationException",
                    "The field input has to be a string",
                ));
            }
            states::start_as(self.cloud, arn, text("name"), text("input").unwrap_or("{}")).await
        };
        Ok(match answered.await {
            Ok(execution) => {
                let started = jiff::Timestamp::from_millisecond(execution.started).unwrap_or_default();
                (
                    200,
                    json!({"executionArn": execution.arn(self.cloud), "startDate": started.as_duration().as_secs_f64()}),
                )
            }
            Err(error) => {
                let kind = format!("com.amazonaws.swf.service.v2.model#{}", error.code);
                (error.status, json!({"__type": kind, "message": error.message}))
            }
        })
    }

    /// The response whose pattern fits the integration's status, else the default.
    fn integration_response(
        &self,
        route: &Route,
        status: u16,
        answer: &Value,
        request: &vtl::Scope<'_>,
    ) -> Response<Body> {
        let text = status.to_string();
        let fits = |pattern: &Option<regex_lite::Regex>| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_match(&text))
        };
        let Some(response) = route
            .integration
            .responses
            .iter()
            .find(|response| fits(&response.pattern))
        else {
            return gateway_response(500, "Internal server error", &self.request_id);
        };
        let body = answer.to_string();
        let rendered = match &response.template {
            None => Ok(body),
            Some(template) => template.render(&vtl::Scope {
                body: &body,
                document: Some(answer),
                ..*request
            }),
        };
        match rendered {
            Ok(body) => respond(response.status, body, &self.request_id),
            Err(reason) => {
                tracing::warn!(reason, api = self.api, "a response template failed");
                gateway_response(500, "Internal server error", &self.request_id)
            }
        }
    }
}
