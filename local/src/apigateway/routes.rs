//! The operations there are, and what each honours.

use crate::inputs::{ANY, Members, Route};

const PATCH: Members = &[
    "patchOperations.op",
    "patchOperations.path",
    "patchOperations.value",
];
const PAGE: Members = &["position", "limit"];

pub const ROUTES: &[Route] = &[
    route("ImportRestApi", "POST /restapis?mode=import", IMPORT, ANY),
    route("CreateRestApi", "POST /restapis", &[], REST_API),
    route("GetRestApis", "GET /restapis", PAGE, &[]),
    route("GetRestApi", "GET /restapis/{api}", &[], &[]),
    route("PutRestApi", "PUT /restapis/{api}", PUT, ANY),
    route("UpdateRestApi", "PATCH /restapis/{api}", &[], PATCH),
    route("DeleteRestApi", "DELETE /restapis/{api}", &[], &[]),
    route("GetResources", "GET /restapis/{api}/resources", RESOURCES, &[]),
    route(
        "DeleteMethod",
        "DELETE /restapis/{api}/resources/{resource}/methods/{method}",
        &[],
        &[],
    ),
    route("GetModels", "GET /restapis/{api}/models", PAGE, &[]),
    route(
        "GetRequestValidators",
        "GET /restapis/{api}/requestvalidators",
        PAGE,
        &[],
    ),
    route(
        "GetExport",
        "GET /restapis/{api}/stages/{stage}/exports/oas30",
        EXPORT,
        &[],
    ),
    route(
        "CreateDeployment",
        "POST /restapis/{api}/deployments",
        &[],
        DEPLOYMENT,
    ),
    route("GetDeployments", "GET /restapis/{api}/deployments", PAGE, &[]),
    route("GetDeployment", "GET /restapis/{api}/deployments/{id}", &[], &[]),
    route(
        "DeleteDeployment",
        "DELETE /restapis/{api}/deployments/{id}",
        &[],
        &[],
    ),
    route("CreateStage", "POST /restapis/{api}/stages", &[], STAGE),
    route("GetStages", "GET /restapis/{api}/stages", &["deploymentId"], &[]),
    route("GetStage", "GET /restapis/{api}/stages/{stage}", &[], &[]),
    route("UpdateStage", "PATCH /restapis/{api}/stages/{stage}", &[], PATCH),
    route("DeleteStage", "DELETE /restapis/{api}/stages/{stage}", &[], &[]),
    route("GetTags", "GET /tags/{arn}", &[], &[]),
    route("TagResource", "PUT /tags/{arn}", &[], &["tags"]),
    route("UntagResource", "DELETE /tags/{arn}", &["tagKeys"], &[]),
];

const fn route(operation: &'static str, request: &'static str, query: Members, body: Members) -> Route {
    Route {
        operation,
        request,
        query,
        body,
    }
}

/// With failonwarnings or without: there are no warnings, only errors.
const IMPORT: Members = &[
    "mode",
    "failonwarnings",
    "endpointConfigurationTypes=REGIONAL",
    "endpointConfigurationTypes=EDGE",
];
const PUT: Members = &["mode=overwrite", "mode=merge", "failonwarnings"];
const REST_API: Members = &[
    "name",
    "description",
    "version",
    "apiKeySource=HEADER",
    "endpointConfiguration.types=REGIONAL",
    "endpointConfiguration.types=EDGE",
    "endpointConfiguration.ipAddressType=ipv4",
    "tags",
    "disableExecuteApiEndpoint=false",
];
const RESOURCES: Members = &["position", "limit", "embed=methods"];
const EXPORT: Members = &["extensions=apigateway"];
const DEPLOYMENT: Members = &[
    "stageName",
    "stageDescription",
    "description",
    "cacheClusterEnabled=false",
    "variables",
    "tracingEnabled=false",
];
const STAGE: Members = &[
    "stageName",
    "deploymentId",
    "description",
    "cacheClusterEnabled=false",
    "variables",
    "tracingEnabled=false",
    "tags",
];
