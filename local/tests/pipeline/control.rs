//! The control planes: what they refuse, change, list and take away.

use aws_sdk_lambda::primitives::Blob;
use serde_json::json;

use crate::stack::{FUNCTION, MACHINE, Stack};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_supported_is_refused() {
    let stack = Stack::start().await;
    let cloud = &stack.cloud;
    let map = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true}}});
    let create = cloud
        .states()
        .create_state_machine()
        .name("m")
        .role_arn(crate::stack::role_arn("machine"));
    let refused = create
        .definition(map.to_string())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(refused.is_invalid_definition(), "{refused:?}");
    let put = cloud
        .events()
        .put_rule()
        .name("r")
        .event_pattern(r#"{"source": [{"cidr": "10.0.0.0/8"}]}"#);
    assert!(
        put.send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_invalid_event_pattern_exception()
    );
    let delete = cloud
        .events()
        .delete_rule()
        .name("uploads")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        delete.into_service_error().meta().message(),
        Some("Rule can't be deleted since it has targets.")
    );
    let role = cloud
        .lambda()
        .create_function()
        .function_name("f")
        .role(crate::stack::role_arn("api"));
    let code = aws_sdk_lambda::types::FunctionCode::builder()
        .zip_file(Blob::new(crate::stack::code()))
        .build();
    let refused = role
        .code(code)
        .handler("b")
        .runtime(aws_sdk_lambda::types::Runtime::Providedal2023)
        .send()
        .await;
    let refused = refused.unwrap_err().into_service_error();
    assert_eq!(
        refused.meta().message(),
        Some("The role defined for the function cannot be assumed by Lambda.")
    );
    let (status, answer) = stack.post("/elsewhere", "{}").await;
    assert_eq!(
        (status, answer),
        (403, json!({"message": "Missing Authentication Token"}))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_changed_listed_and_taken_away() {
    let stack = Stack::start().await;
    let (functions, states, events, apis) = (
        stack.cloud.lambda(),
        stack.cloud.states(),
        stack.cloud.events(),
        stack.cloud.apigateway(),
    );

    let changed = functions
        .update_function_configuration()
        .function_name("resize")
        .memory_size(512)
        .send()
        .await
        .unwrap();
    assert_eq!((changed.memory_size, changed.timeout), (Some(512), Some(2)));
    functions
        .tag_resource()
        .resource(FUNCTION)
        .tags("a", "b")
        .send()
        .await
        .unwrap();
    assert_eq!(
        functions
            .list_tags()
            .resource(FUNCTION)
            .send()
            .await
            .unwrap()
            .tags()
            .unwrap()["a"],
        "b"
    );
    functions
        .update_function_code()
        .function_name("resize")
        .zip_file(Blob::new(crate::stack::code()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        functions.list_functions().send().await.unwrap().functions().len(),
        1
    );

    let mut definition = crate::stack::definition();
    definition["Comment"] = json!("changed");
    let update = states
        .update_state_machine()
        .state_machine_arn(MACHINE)
        .definition(definition.to_string());
    update.send().await.unwrap();
    let described = states
        .describe_state_machine()
        .state_machine_arn(MACHINE)
        .send()
        .await
        .unwrap();
    assert_eq!(described.definition, definition.to_string());
    assert_eq!(
        states
            .list_state_machines()
            .send()
            .await
            .unwrap()
            .state_machines
            .len(),
        1
    );

    assert_eq!(
        events
            .list_targets_by_rule()
            .rule("uploads")
            .send()
            .await
            .unwrap()
            .targets()
            .len(),
        1
    );
    let named = events
        .list_rule_names_by_target()
        .target_arn(MACHINE)
        .send()
        .await
        .unwrap();
    assert_eq!(named.rule_names(), ["uploads"]);
    events
        .remove_targets()
        .rule("uploads")
        .ids("machine")
        .send()
        .await
        .unwrap();
    events.delete_rule().name("uploads").send().await.unwrap();
    assert!(events.describe_rule().name("uploads").send().await.is_err());

    let listed = apis.get_rest_apis().send().await.unwrap();
    assert_eq!(listed.items()[0].name(), Some("resize"));
    let resources = apis
        .get_resources()
        .rest_api_id(&stack.api)
        .embed("methods")
        .send()
        .await
        .unwrap();
    assert_eq!(resources.items().len(), 2);
    assert!(
        apis.get_stage()
            .rest_api_id(&stack.api)
            .stage_name("prod")
            .send()
            .await
            .unwrap()
            .deployment_id()
            .is_some()
    );
    apis.delete_rest_api()
        .rest_api_id(&stack.api)
        .send()
        .await
        .unwrap();
    assert!(
        apis.get_rest_api()
            .rest_api_id(&stack.api)
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );

    states
        .delete_state_machine()
        .state_machine_arn(MACHINE)
        .send()
        .await
        .unwrap();
    let gone = states
        .describe_state_machine()
        .state_machine_arn(MACHINE)
        .send()
        .await
        .unwrap_err();
    assert!(gone.into_service_error().is_state_machine_does_not_exist());
    functions
        .delete_function()
        .function_name("resize")
        .send()
        .await
        .unwrap();
    let gone = functions
        .get_function()
        .function_name("resize")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(gone.is_resource_not_found_exception());
}
