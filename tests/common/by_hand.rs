//! What somebody changes by hand.

use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{Op, PatchOperation, PutMode};
use serde_json::{Value, json};

/// An operation that replaces what is at `path`.
pub fn replaced(path: &str, value: &str) -> PatchOperation {
    let operation = PatchOperation::builder().op(Op::Replace);
    operation.path(path).value(value).build()
}

/// Changes the account's one REST API in all that is looked after, and has its stage serve an older deployment.
pub async fn change_the_api(config: &SdkConfig) -> Result<(), Box<dyn Error>> {
    let apis = aws_sdk_apigateway::Client::new(config);
    let there = apis.get_rest_apis().send().await?;
    let id = there.items().first().and_then(|api| api.id()).ok_or("no API")?;
    let older = apis.create_deployment().rest_api_id(id).description("older");
    let older = older.send().await?.id.ok_or("no deployment")?;

    let export = apis.get_export().rest_api_id(id).stage_name("prod");
    let export = export.export_type("oas30").accepts("application/json");
    let body = export.send().await?.body.ok_or("no document")?;
    let mut document: Value = serde_json::from_slice(body.as_ref())?;
    document["x-amazon-apigateway-request-validators"]["body"]["validateRequestBody"] = json!(false);
    document["components"]["schemas"]["Picture"]["properties"]["key"]["maxLength"] = json!(10);
    let post = &mut document["paths"]["/resize"]["post"];
    post["responses"]["201"] = json!({"description": "Made."});
    post["x-amazon-apigateway-integration"]["requestTemplates"]["application/json"] = json!("{}");
    let put = apis.put_rest_api().rest_api_id(id).mode(PutMode::Overwrite);
    put.body(Blob::new(document.to_string())).send().await?;

    let update = apis.update_rest_api().rest_api_id(id);
    let update = update.patch_operations(replaced("/description", "mine"));
    let edge = replaced("/endpointConfiguration/types/REGIONAL", "EDGE");
    update.patch_operations(edge).send().await?;
    let point = apis.update_stage().rest_api_id(id).stage_name("prod");
    let point = point.patch_operations(replaced("/deploymentId", &older));
    point.send().await?;
    Ok(())
}
