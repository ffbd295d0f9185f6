//! The services whose requests are a method and a path.

use crate::common::{TestCloud, refusal, refuses};

#[tokio::test]
async fn api_gateway_refuses_what_it_does_not_honour() {
    use aws_sdk_apigateway::primitives::Blob;
    use aws_sdk_apigateway::types::{
        CacheClusterSize, DeploymentCanarySettings, EndpointConfiguration, EndpointType, PutMode,
        SecurityPolicy,
    };
    let cloud = TestCloud::start().await;
    let gateway = cloud.apigateway();
    let create = || gateway.create_rest_api().name("a");
    let deploy = || gateway.create_deployment().rest_api_id("a");
    let stage = || {
        gateway
            .create_stage()
            .rest_api_id("a")
            .stage_name("s")
            .deployment_id("d")
    };
    let import = || gateway.import_rest_api().body(Blob::new("{}"));
    let private = EndpointConfiguration::builder()
        .types(EndpointType::Private)
        .build();
    refuses! { "BadRequestException";
        "CreateRestApi", "cloneFrom" => create().clone_from("b");
        "CreateRestApi", "policy" => create().policy("{}");
        "CreateRestApi", "binaryMediaTypes" => create().binary_media_types("image/png");
        "CreateRestApi", "minimumCompressionSize" => create().minimum_compression_size(0);
        "CreateRestApi", "disableExecuteApiEndpoint" => create().disable_execute_api_endpoint(true);
        "CreateRestApi", "securityPolicy" => create().security_policy(SecurityPolicy::Tls12);
        "CreateRestApi", "endpointConfiguration.types PRIVATE, only REGIONAL and EDGE" =>
            create().endpoint_configuration(private);
        "ImportRestApi", "basepath" => import().parameters("basepath", "prepend");
        "PutRestApi", "basepath" =>
            gateway.put_rest_api().rest_api_id("a").mode(PutMode::Merge).parameters("basepath", "prepend").body(Blob::new("{}"));
        "CreateDeployment", "canarySettings" =>
            deploy().canary_settings(DeploymentCanarySettings::builder().percent_traffic(10.0).build());
        "CreateDeployment", "tracingEnabled" => deploy().tracing_enabled(true);
        "CreateStage", "cacheClusterEnabled" => stage().cache_cluster_enabled(true);
        "CreateStage", "cacheClusterSize" => stage().cache_cluster_size(CacheClusterSize::Size0Point5Gb);
        "CreateStage", "documentationVersion" => stage().documentation_version("v");
        "GetDeployment", "embed" =>
            gateway.get_deployment().rest_api_id("a").deployment_id("d").embed("apisummary");
    }

    let made = create()
        .version("7")
        .description("what for")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (made.version(), made.description()),
        (Some("7"), Some("what for"))
    );
    let id = made.id().unwrap();
    let (code, message) = refusal(
        gateway
            .put_rest_api()
            .rest_api_id(id)
            .body(Blob::new("{}"))
            .send()
            .await,
    );
    assert_eq!(code, "BadRequestException");
    assert!(message.contains("wants to be told the mode"), "{message}");
}

/// An API with one method, changed by a merge of `change` into its document.
fn api_with(change: &serde_json::Value) -> serde_json::Value {
    fn merge(into: &mut serde_json::Value, from: &serde_json::Value) {
        match from.as_object() {
            Some(fields) => fields
                .iter()
                .for_each(|(name, value)| merge(&mut into[name], value)),
            None => *into = from.clone(),
        }
    }
    let mut document = serde_json::json!({
        "openapi": "3.0.1",
        "info": {"title": "a", "version": "1"},
        "servers": [{"url": "https://example.com"}],
        "x-ours": {"any": "thing"},
        "paths": {"/p": {"parameters": [], "post": {
            "operationId": "p",
            "responses": {"200": {"description": "started"}},
            "x-amazon-apigateway-integration": {
                "type": "aws",
                "httpMethod": "POST",
                "uri": "arn:aws:apigateway:us-east-1:states:action/StartExecution",
                "credentials": "arn:aws:iam::000000000000:role/r",
                "requestParameters": {},
                "responses": {"default": {"statusCode": "200"}}
            }
        }}}
    });
    merge(&mut document, change);
    document
}

#[tokio::test]
async fn an_api_document_is_refused_for_what_is_not_honoured() {
    use aws_sdk_apigateway::primitives::Blob;
    use serde_json::json;
    let cloud = TestCloud::start().await;
    let gateway = cloud.apigateway();
    let import = |change: serde_json::Value| {
        let body = Blob::new(api_with(&change).to_string());
        gateway.import_rest_api().fail_on_warnings(true).body(body).send()
    };
    import(json!({})).await.unwrap();

    let method = |change: serde_json::Value| json!({"paths": {"/p": {"post": change}}});
    let integration = |change: serde_json::Value| method(json!({"x-amazon-apigateway-integration": change}));
    let validator = |rules: serde_json::Value, more: serde_json::Value| {
        let mut change = method(more);
        change["x-amazon-apigateway-request-validators"] = json!({"v": rules});
        change["x-amazon-apigateway-request-validator"] = json!("v");
        change
    };
    let body = |schema: serde_json::Value| {
        let content = json!({"application/json": {"schema": schema}});
        validator(
            json!({"validateRequestBody": true}),
            json!({"requestBody": {"content": content}}),
        )
    };
    for (change, named) in [
        (json!({"security": [{"key": []}]}), "security"),
        (
            json!({"x-amazon-apigateway-policy": {"Version": "2012-10-17"}}),
            "x-amazon-apigateway-policy",
        ),
        (
            json!({"x-amazon-apigateway-binary-media-types": ["image/png"]}),
            "binary-media-types",
        ),
        (
            json!({"paths": {"/p": {"x-amazon-apigateway-any-method": {"a": 1}}}}),
            "any-method",
        ),
        (json!({"paths": {"/p": {"trace": {"a": 1}}}}), "trace"),
        (method(json!({"security": [{"key": []}]})), "security"),
        (
            method(json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}})),
            "x-amazon-apigateway-auth",
        ),
        (
            integration(json!({"requestParameters": {"a": "b"}})),
            "requestParameters",
        ),
        (
            integration(json!({"cacheKeyParameters": ["a"]})),
            "cacheKeyParameters",
        ),
        (
            integration(json!({"responses": {"default": {"contentHandling": "CONVERT_TO_TEXT"}}})),
            "contentHandling",
        ),
        (
            integration(json!({"responses": {"default": {"responseTemplates": {"text/plain": "a"}}}})),
            "text/plain",
        ),
        (
            validator(
                json!({"validateRequestParameters": true}),
                json!({"parameters": [{"name": "q", "in": "query", "required": true}]}),
            ),
            "parameters",
        ),
        (
            body(json!({"type": "object", "additionalProperties": {"type": "string"}})),
            "additionalProperties",
        ),
        (body(json!({"type": ["object", "null"]})), "type"),
        (body(json!({"pattern": "a"})), "pattern"),
    ] {
        let (code, message) = refusal(import(change).await);
        assert_eq!(code, "BadRequestException", "{message}");
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[tokio::test]
async fn lambda_refuses_what_it_does_not_honour() {
    use aws_sdk_lambda::types::{
        DeadLetterConfig, FunctionCode, ImageConfig, LogFormat, LoggingConfig, PackageType, SnapStart,
        SnapStartApplyOn, TracingConfig, TracingMode, VpcConfig,
    };
    let cloud = TestCloud::start().await;
    let lambda = cloud.lambda();
    let create = || lambda.create_function().function_name("f").role("arn:r");
    let update = || lambda.update_function_configuration().function_name("f");
    refuses! { "InvalidParameterValueException";
        "CreateFunction", "VpcConfig" =>
            create().vpc_config(VpcConfig::builder().subnet_ids("s").build());
        "CreateFunction", "Layers" => create().layers("arn:layer");
        "CreateFunction", "DeadLetterConfig" =>
            create().dead_letter_config(DeadLetterConfig::builder().target_arn("arn:q").build());
        "CreateFunction", "KMSKeyArn" => create().kms_key_arn("arn:k");
        "CreateFunction", "CodeSigningConfigArn" => create().code_signing_config_arn("arn:c");
        "CreateFunction", "Publish true, only false" => create().publish(true);
        "CreateFunction", "PackageType" => create().package_type(PackageType::Image);
        "CreateFunction", "ImageConfig" => create().image_config(ImageConfig::builder().command("c").build());
        "CreateFunction", "Code.S3Bucket" =>
            create().code(FunctionCode::builder().s3_bucket("b").s3_key("k").build());
        "CreateFunction", "SnapStart.ApplyOn" =>
            create().snap_start(SnapStart::builder().apply_on(SnapStartApplyOn::PublishedVersions).build());
        "CreateFunction", "TracingConfig.Mode Active, only PassThrough" =>
            create().tracing_config(TracingConfig::builder().mode(TracingMode::Active).build());
        "UpdateFunctionConfiguration", "LoggingConfig.LogFormat JSON, only Text" =>
            update().logging_config(LoggingConfig::builder().log_format(LogFormat::Json).build());
        "UpdateFunctionConfiguration", "Layers" => update().layers("arn:layer");
        "UpdateFunctionCode", "ImageUri" => lambda.update_function_code().function_name("f").image_uri("i");
        "GetFunction", "Qualifier 1, only $LATEST" => lambda.get_function().function_name("f").qualifier("1");
        "DeleteFunction", "Qualifier" => lambda.delete_function().function_name("f").qualifier("1");
        "ListFunctions", "MasterRegion" => lambda.list_functions().master_region("ALL");
        "Invoke", "x-amz-client-context" => lambda.invoke().function_name("f").client_context("e30=");
        "Invoke", "Qualifier" => lambda.invoke().function_name("f").qualifier("live");
    }
    let (code, _) = refusal(
        lambda
            .get_function()
            .function_name("f")
            .qualifier("$LATEST")
            .send()
            .await,
    );
    assert_eq!(code, "ResourceNotFoundException");
}
