//! An API as its OpenAPI document describes it: routes with their integrations. No I/O here.
//!
//! Facts: "OpenAPI extensions for API Gateway". What is not supported is refused when the document is imported.

use std::collections::HashMap;

use http::Method;
use regex_lite::Regex;
use serde_json::{Map, Value};

use super::vtl::Template;
use crate::inputs::stray;

/// A parsed document.
pub struct Api {
    pub title: String,
    routes: Vec<Route>,
}

/// A method of a resource.
pub struct Route {
    pub path: String,
    pub method: Method,
    pub integration: Integration,
    /// The body's schema, where a validator checks it.
    pub body_schema: Option<Value>,
}

/// `x-amazon-apigateway-integration` of type `aws`, to Step Functions' StartExecution.
pub struct Integration {
    pub credentials: String,
    pub passthrough: Passthrough,
    /// By content type.
    pub request_templates: HashMap<String, Template>,
    /// In the order in which their patterns are tried; the default last.
    pub responses: Vec<IntegrationResponse>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passthrough {
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

pub struct IntegrationResponse {
    /// `None` is the default.
    pub pattern: Option<Regex>,
    pub status: u16,
    pub template: Option<Template>,
}

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
/// What says something to a reader, and nothing to API Gateway, is honoured too.
const DOCUMENT_MEMBERS: &[&str] = &[
    "openapi",
    "info",
    "servers.url",
    "servers.description",
    "servers.variables",
    "paths",
    "components",
    "tags",
    "externalDocs",
    "x-amazon-apigateway-request-validator",
    "x-amazon-apigateway-request-validators",
];
const PATH_MEMBERS: &[&str] = &["summary", "description", "parameters"];
const METHOD_MEMBERS: &[&str] = &[
    "operationId",
    "summary",
    "description",
    "tags",
    "externalDocs",
    "deprecated",
    "parameters",
    "requestBody",
    "responses",
    "x-amazon-apigateway-integration",
    "x-amazon-apigateway-request-validator",
];
const INTEGRATION_MEMBERS: &[&str] = &[
    "type",
    "uri",
    "httpMethod",
    "credentials",
    "passthroughBehavior",
    "requestTemplates",
    "responses",
];
/// A body that a validator checks.
const BODY_MEMBERS: &[&str] = &[
    "description",
    "required",
    "content.application/json.schema",
    "content.application/json.example",
];
const RESPONSE_MEMBERS: &[&str] = &["statusCode", "responseTemplates.application/json"];

/// Refuses what of `object` is not honoured. Extensions that are not API Gateway's are for others.
fn honour(what: &str, members: &[&str], object: &Value) -> Result<(), String> {
    if !object.is_object() && !object.is_null() {
        return Err(format!("{what} has to be an object"));
    }
    if object["security"]
        .as_array()
        .is_some_and(|schemes| !schemes.is_empty())
    {
        return Err(format!("{what}: the local cloud does not support security"));
    }
    object
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !name.starts_with("x-") || name.starts_with("x-amazon-"))
        .try_for_each(|(name, value)| match stray(members, name, value) {
            Some(stray) => Err(format!("{what}: the local cloud does not support {stray}")),
            None => Ok(()),
        })
}

impl Api {
    /// The roles that its integrations act as.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        let routes = self.routes.iter();
        routes.map(|route| route.integration.credentials.as_str())
    }

    pub fn parse(document: &Value) -> Result<Self, String> {
        let version = document["openapi"]
            .as_str()
            .or(document["swagger"].as_str())
            .unwrap_or_default();
        if !version.starts_with("3.0") {
            return Err(format!(
                "only OpenAPI 3.0 documents are supported, not version '{version}'"
            ));
        }
        let title = document["info"]["title"].as_str().unwrap_or_default().to_owned();
        if title.is_empty() {
            return Err("info.title is required".to_owned());
        }
        honour("the document", DOCUMENT_MEMBERS, document)?;
        let mut routes = Vec::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            honour(path, &[PATH_MEMBERS, &METHODS].concat(), methods)?;
            let methods = methods.as_object().into_iter().flatten();
            for (name, operation) in methods.filter(|(name, _)| METHODS.contains(&name.as_str())) {
                let route = Route::parse(document, path, name, operation);
                routes.push(route.map_err(|reason| format!("{} {path}: {reason}", name.to_uppercase()))?);
            }
        }
        Ok(Self { title, routes })
    }

    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The method at a path, with the values of the path's parameters. Literal segments win over parameters.
    pub fn find(&self, method: &Method, path: &str) -> Option<(&Route, Map<String, Value>)> {
        let mut found: Vec<_> = self
            .routes
            .iter()
            .filter(|route| route.method == *method)
            .filter_map(|route| Some((route, match_path(&route.path, path)?)))
            .collect();
        found.sort_by_key(|(_, parameters)| parameters.len());
        found.into_iter().next()
    }
}

fn match_path(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut parameters = Map::new();
    let (mut pattern, mut path) = (
        pattern.trim_matches('/').split('/'),
        path.trim_matches('/').split('/'),
    );
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return Some(parameters),
            (Some(segment), Some(value)) => {
                match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => {
                        let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
                        parameters.insert(name.to_owned(), Value::from(value.into_owned()));
                    }
                    None if segment == value => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

impl Route {
    fn parse(document: &Value, path: &str, method: &str, operation: &Value) -> Result<Self, String> {
        honour("the method", METHOD_MEMBERS, operation)?;
        let integration = &operation["x-amazon-apigateway-integration"];
        if !integration.is_object() {
            return Err("No integration defined for method".to_owned());
        }
        let method =
            Method::from_bytes(method.to_uppercase().as_bytes()).map_err(|error| error.to_string())?;
        Ok(Self {
            path: path.to_owned(),
            method,
            integration: Integration::parse(integration)?,
            body_schema: body_schema(document, &document["paths"][path], operation)?,
        })
    }
}

/// The schema that the body has to fit, if a request validator says so.
fn body_schema(document: &Value, path: &Value, operation: &Value) -> Result<Option<Value>, String> {
    let member = "x-amazon-apigateway-request-validator";
    let Some(name) = operation[member].as_str().or(document[member].as_str()) else {
        return Ok(None);
    };
    let validator = &document["x-amazon-apigateway-request-validators"][name];
    if !validator.is_object() {
        return Err(format!("the request validator '{name}' is not defined"));
    }
    let mut parameters = [path, operation]
        .into_iter()
        .flat_map(|has| has["parameters"].as_array().into_iter().flatten());
    if validator["validateRequestParameters"] == true
        && parameters.any(|parameter| parameter["required"] == true || parameter["$ref"].is_string())
    {
        return Err("the local cloud does not validate request parameters".to_owned());
    }
    if validator["validateRequestBody"] != true {
        return Ok(None);
    }
    honour("requestBody", BODY_MEMBERS, &operation["requestBody"])?;
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let schema = match schema["$ref"].as_str() {
        Some(reference) => {
            let found = reference
                .strip_prefix('#')
                .and_then(|pointer| document.pointer(pointer));
            found.ok_or_else(|| format!("the schema {reference} is not defined"))?
        }
        None => schema,
    };
    if schema.is_null() {
        return Ok(None);
    }
    super::schema::check(schema)?;
    Ok(Some(schema.clone()))
}

impl Integration {
    fn parse(integration: &Value) -> Result<Self, String> {
        honour("the integration", INTEGRATION_MEMBERS, integration)?;
        let text = |name: &str| integration[name].as_str().unwrap_or_default();
        if !text("type").eq_ignore_ascii_case("aws")
            || !text("uri").ends_with(":states:action/StartExecution")
        {
            return Err(
                "only integrations of type aws with states:action/StartExecution are supported".to_owned(),
            );
        }
        if !text("httpMethod").eq_ignore_ascii_case("POST") {
            return Err("the integration's httpMethod has to be POST".to_owned());
        }
        if text("credentials").is_empty() {
            return Err("the integration needs credentials, the role it acts as".to_owned());
        }
        let passthrough = match text("passthroughBehavior").to_lowercase().as_str() {
            "" | "when_no_match" => Passthrough::WhenNoMatch,
            "when_no_templates" => Passthrough::WhenNoTemplates,
            "never" => Passthrough::Never,
            other => return Err(format!("passthroughBehavior '{other}' is not known")),
        };
        let mut request_templates = HashMap::new();
        for (content_type, template) in integration["requestTemplates"].as_object().into_iter().flatten() {
            let template = parse_template(template)
                .map_err(|reason| format!("the template for {content_type}: {reason}"))?;
            request_templates.insert(content_type.to_lowercase(), template);
        }
        Ok(Self {
            credentials: text("credentials").to_owned(),
            passthrough,
            request_templates,
            responses: parse_responses(integration)?,
        })
    }
}

fn parse_template(template: &Value) -> Result<Template, String> {
    Template::parse(template.as_str().ok_or("it is not a string")?)
}

fn parse_responses(integration: &Value) -> Result<Vec<IntegrationResponse>, String> {
    let mut responses = Vec::new();
    for (pattern, response) in integration["responses"].as_object().into_iter().flatten() {
        honour(&format!("the response '{pattern}'"), RESPONSE_MEMBERS, response)?;
        let status = match &response["statusCode"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        };
        let status = status.filter(|status| (200..600).contains(status));
        let status = status.ok_or_else(|| format!("the response '{pattern}' has no valid statusCode"))?;
        let template = response["responseTemplates"]["application/json"].as_str();
        let template = template
            .filter(|template| !template.is_empty())
            .map(Template::parse)
            .transpose();
        let template =
            template.map_err(|reason| format!("the template of the response '{pattern}': {reason}"))?;
        let regex = if pattern == "default" {
            None
        } else {
            let whole = Regex::new(&format!("^(?:{pattern})$"));
            Some(whole.map_err(|error| format!("'{pattern}' is not a regular expression: {error}"))?)
        };
        responses.push(IntegrationResponse {
            pattern: regex,
            status,
            template,
        });
    }
    responses.sort_by_key(|response| response.pattern.is_none());
    Ok(responses)
}
