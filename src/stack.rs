//! The pipeline on one page: which resources, and which of them uses which.
//!
//! ```text
//! log groups ── roles ──┬─ REST API · · · ┐
//!                       ├─ state machine ─┤
//!                       └─ function ──────┴─ rule
//! buckets ─────────────────────────────────┘
//! dashboard    topic ── alarms
//! ```
//! What is made takes its place from left to right. IAM needs seconds until a new role can be assumed, and they are waited
//! for once: by the function and by the state machine at the same time, while buckets and REST API are made. The rule comes
//! last, so that no upload starts what cannot be done yet. What is removed goes from those who act to what they act on: rule
//! and REST API, state machine, function, buckets. Names are computed, so an edge is order alone: the dashboard and the alarms
//! that watch it all need none ([`watch`]).

mod watch;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::{KeySettings, LogFormat, Settings};
use crate::engine::{Failure, Graph, NodeId};
use crate::names::{API_PATH, Names, Role, STAGE};
use crate::package::FunctionPackage;
use crate::resources::documents::{self, DocumentError, render};
use crate::resources::{
    Bucket, Function, InlinePolicy, LogGroup, Mark, Notification, RENDITIONS, RestApi, Rule, ServiceRole,
    StateMachine, Target,
};
use crate::session::Session;
pub use watch::TOPIC;

/// Names the event's values for [`INPUT_TEMPLATE`].
const INPUT_PATHS: [(&str, &str); 3] = [
    ("bucket", "$.detail.bucket.name"),
    ("key", "$.detail.object.key"),
    ("size", "$.detail.object.size"),
];

/// The execution's input. EventBridge puts quotes around a value that is a string.
const INPUT_TEMPLATE: &str = r#"{"bucket": <bucket>, "key": <key>, "size": <size>}"#;

/// The ids of the resources that commands look for.
pub const REST_API: &str = "rest_api";
pub const FUNCTION: &str = "function";
pub const ORIGINAL_BUCKET: &str = "original_bucket";
pub const RESIZED_BUCKET: &str = "resized_bucket";
pub const RULE: &str = "rule";
pub const STATE_MACHINE: &str = "state_machine";

const FUNCTION_LOGS: &str = "function_log_group";
const STATE_MACHINE_LOGS: &str = "state_machine_log_group";

/// The way of an upload and of a POST through the stack: from where, what happens, to where. What is no resource's id is
/// the world outside.
pub const ARROWS: [(&str, &str, &str); 8] = [
    ("upload", "", ORIGINAL_BUCKET),
    (ORIGINAL_BUCKET, "Object Created", RULE),
    (RULE, "starts", STATE_MACHINE),
    ("POST", "", REST_API),
    (REST_API, "starts", STATE_MACHINE),
    (STATE_MACHINE, "invokes", FUNCTION),
    (FUNCTION, "reads", ORIGINAL_BUCKET),
    (FUNCTION, "writes", RESIZED_BUCKET),
];

/// The graph of the whole stack. Without a `package`, the function's code is left out of every comparison.
///
/// # Errors
/// A document of `asl/`, `policies/` or `api/` that does not fit its values.
pub fn graph(
    session: &Session,
    settings: &Settings,
    package: Option<FunctionPackage>,
) -> Result<Graph, Failure> {
    let stack = Stack {
        session,
        settings,
        names: &session.names,
    };
    let mut graph = Graph::default();
    let add_role = |graph: &mut Graph, role, acts_on: &[NodeId]| -> Result<NodeId, Failure> {
        let node = graph.add(stack.role(role)?, &[]);
        graph.acts_on(node, acts_on);
        Ok(node)
    };

    // The log groups go last, or a `down` that is cut off among many pictures would have taken the logs of what is left.
    let function_logs = graph.add(stack.function_log_group(), &[]);
    let state_machine_logs = graph.add(stack.state_machine_log_group(), &[]);
    let logs = [function_logs, state_machine_logs];
    let original = graph.add(stack.original_bucket(), &[]);
    let resized = graph.add(stack.resized_bucket(), &[]);
    for bucket in [original, resized] {
        graph.acts_on(bucket, &logs);
    }

    // A role that may write to a log group goes before it, or late lines would make the group again.
    let function_role = add_role(&mut graph, Role::Function, &[function_logs])?;
    let state_machine_role = add_role(&mut graph, Role::StateMachine, &[state_machine_logs])?;
    let rule_role = add_role(&mut graph, Role::Rule, &[])?;
    let api_role = add_role(&mut graph, Role::Api, &[])?;

    let function = graph.add(stack.function(package), &[function_role, function_logs]);
    graph.acts_on(function, &[original, resized]);
    let state_machine = graph.add(stack.state_machine()?, &[state_machine_role, state_machine_logs]);
    graph.acts_on(state_machine, &[function]);
    graph.add(
        stack.rule(),
        &[original, resized, rule_role, function, state_machine],
    );
    let rest_api = graph.add(stack.rest_api()?, &[api_role]);
    graph.acts_on(rest_api, &[state_machine]);
    watch::add(&mut graph, &stack)?;
    Ok(graph)
}

/// The graph of all that `down` removes: also the stack's own buckets from before others were lent to it. What has their
/// names and is not the stack's is none of its business.
///
/// # Errors
/// As [`graph`].
pub fn graph_to_remove(session: &Session, settings: &Settings) -> Result<Graph, Failure> {
    let mut graph = graph(session, settings, None)?;
    for bucket in former_buckets(session, settings) {
        add_former_bucket(&mut graph, bucket);
    }
    Ok(graph)
}

/// The stack's own buckets in whose places others are lent now.
pub fn former_buckets(session: &Session, settings: &Settings) -> Vec<Bucket> {
    let names = &session.names;
    let stack = Stack {
        session,
        settings,
        names,
    };
    let owned = [
        (
            "former_original_bucket",
            &names.lent.original,
            names.own_original_bucket(),
        ),
        (
            "former_resized_bucket",
            &names.lent.resized,
            names.own_resized_bucket(),
        ),
    ];
    let is_in_use = |own: &String| *own == names.original_bucket() || *own == names.resized_bucket();
    let former = owned
        .into_iter()
        .filter(|(_, lent, own)| lent.is_some() && !is_in_use(own));
    former
        .map(|(id, _, own)| stack.bucket(id, own, Notification::Untouched))
        .collect()
}

/// The function may still write into it, and the logs tell of it.
fn add_former_bucket(graph: &mut Graph, bucket: Bucket) {
    let logs: Vec<NodeId> = [FUNCTION_LOGS, STATE_MACHINE_LOGS]
        .iter()
        .filter_map(|id| graph.find(id))
        .collect();
    let function = graph.find(FUNCTION);
    let former = graph.add_former(bucket, &[]);
    graph.acts_on(former, &logs);
    if let Some(function) = function {
        graph.acts_on(function, &[former]);
    }
}

/// What each resource is made of.
struct Stack<'a> {
    session: &'a Session,
    settings: &'a Settings,
    names: &'a Names,
}

impl Stack<'_> {
    fn mark(&self) -> Mark {
        Mark {
            stack: self.names.stack.clone(),
            run: self.settings.run.clone(),
        }
    }

    fn original_bucket(&self) -> Bucket {
        Bucket {
            is_lent: self.names.lent.original.is_some(),
            ..self.bucket(
                ORIGINAL_BUCKET,
                self.names.original_bucket(),
                Notification::EventBridge,
            )
        }
    }

    fn resized_bucket(&self) -> Bucket {
        Bucket {
            is_lent: self.names.lent.resized.is_some(),
            ..self.bucket(
                RESIZED_BUCKET,
                self.names.resized_bucket(),
                Notification::Untouched,
            )
        }
    }

    /// One of the stack's own.
    fn bucket(&self, id: &'static str, name: String, notification: Notification) -> Bucket {
        Bucket {
            client: self.session.clients.s3.clone(),
            mark: self.mark(),
            id,
            name,
            region: self.names.region.clone(),
            account: self.names.account.clone(),
            notification,
            is_lent: false,
        }
    }

    fn function_log_group(&self) -> LogGroup {
        self.log_group(FUNCTION_LOGS, self.names.function_log_group())
    }

    fn state_machine_log_group(&self) -> LogGroup {
        self.log_group(STATE_MACHINE_LOGS, self.names.state_machine_log_group())
    }

    fn log_group(&self, id: &'static str, name: String) -> LogGroup {
        LogGroup {
            client: self.session.clients.logs.clone(),
            mark: self.mark(),
            id,
            arn: self.names.log_group_arn(&name),
            name,
            retention_days: self.settings.logs.retention_days,
        }
    }

    fn role(&self, role: Role) -> Result<ServiceRole, Failure> {
        let documents = role_documents(self.names, role)?;
        Ok(ServiceRole {
            client: self.session.clients.iam.clone(),
            mark: self.mark(),
            id: documents.id,
            name: self.names.role(role),
            description: documents.description,
            trust: documents.trust,
            policy: documents.policy,
            managed_policy: documents
                .managed_policy
                .map(|name| format!("arn:{}:iam::aws:policy/service-role/{name}", self.names.partition)),
        })
    }

    fn function(&self, package: Option<FunctionPackage>) -> Function {
        Function {
            client: self.session.clients.lambda.clone(),
            mark: self.mark(),
            id: FUNCTION,
            name: self.names.function(),
            arn: self.names.function_arn(),
            package,
            architecture: self.settings.architecture(),
            role_arn: self.names.role_arn(Role::Function),
            log_group: self.names.function_log_group(),
            memory: self.settings.function.memory,
            timeout: self.settings.function.timeout,
            environment: self.environment(),
        }
    }

    /// What the handler reads; and what the C library does, which allocates its memory (mallopt(3)): of buffers it keeps so
    /// many bytes for the next event, which then touches no new pages. Both are set, as either alone keeps the other from
    /// adjusting itself. The handler counts them as its own (`OWN_MEMORY`).
    fn environment(&self) -> BTreeMap<String, String> {
        const KEPT: &str = "33554432";
        let mut environment = BTreeMap::from([
            ("MALLOC_MMAP_THRESHOLD_".to_owned(), KEPT.to_owned()),
            ("MALLOC_TRIM_THRESHOLD_".to_owned(), KEPT.to_owned()),
            ("RESIZED_BUCKET".to_owned(), self.names.resized_bucket()),
            ("ORIGINAL_BUCKET".to_owned(), self.names.original_bucket()),
            (RENDITIONS.to_owned(), self.settings.renditions.clone()),
        ]);
        let Settings {
            results,
            limits,
            logs,
            ..
        } = self.settings;
        let optional = [
            ("CACHE_CONTROL", results.cache_control.clone()),
            (
                "SOURCE_BYTES_MAX",
                limits.source_bytes.map(|bytes| bytes.to_string()),
            ),
            ("PIXELS_MAX", limits.pixels.map(|pixels| pixels.to_string())),
            ("SIDE_MAX", limits.side.map(|pixels| pixels.to_string())),
            ("FRAMES_MAX", limits.frames.map(|frames| frames.to_string())),
            (
                "RESULT_BYTES_MAX",
                limits.result_bytes.map(|bytes| bytes.to_string()),
            ),
            (
                "LOG_FORMAT",
                (logs.format == LogFormat::Text).then(|| "text".to_owned()),
            ),
        ];
        let set = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        environment.extend(set);
        environment
    }

    fn state_machine(&self) -> Result<StateMachine, Failure> {
        Ok(StateMachine {
            client: self.session.clients.states.clone(),
            mark: self.mark(),
            id: STATE_MACHINE,
            name: self.names.state_machine(),
            arn: self.names.state_machine_arn(),
            definition: definition(self.names)?,
            role_arn: self.names.role_arn(Role::StateMachine),
            log_group_arn: self.names.log_group_arn(&self.names.state_machine_log_group()),
        })
    }

    fn rule(&self) -> Rule {
        Rule {
            client: self.session.clients.events.clone(),
            mark: self.mark(),
            id: RULE,
            name: self.names.rule(),
            arn: self.names.rule_arn(),
            description: "Starts the state machine for every object created in the original bucket",
            pattern: pattern(
                &self.names.bucket_arn(&self.names.original_bucket()),
                &self.settings.keys,
            ),
            target: Target {
                id: "state-machine",
                arn: self.names.state_machine_arn(),
                role_arn: self.names.role_arn(Role::Rule),
                input_paths: &INPUT_PATHS,
                input_template: INPUT_TEMPLATE,
            },
        }
    }

    fn rest_api(&self) -> Result<RestApi, Failure> {
        Ok(RestApi {
            client: self.session.clients.api_gateway.clone(),
            mark: self.mark(),
            id: REST_API,
            name: self.names.rest_api(),
            document: open_api(self.names)?,
            path: API_PATH,
            stage: STAGE,
            arns: self.names.rest_apis_arn(),
            adopts: self.settings.adopts,
        })
    }
}

/// Matches every object that is created in a bucket, or those with such keys.
fn pattern(bucket_arn: &str, keys: &KeySettings) -> Value {
    let mut pattern = json!({
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "resources": [bucket_arn],
    });
    if let Some(matcher) = key_matcher(keys) {
        pattern["detail"] = json!({"object": {"key": [matcher]}});
    }
    pattern
}

/// Several matchers of one field are alternatives: what has to begin and to end in a certain way is one wildcard.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
fn key_matcher(keys: &KeySettings) -> Option<Value> {
    let escaped = |text: &str| text.replace('\\', r"\\").replace('*', r"\*");
    match (keys.prefix.as_str(), keys.suffix.as_str()) {
        ("", "") => None,
        (prefix, "") => Some(json!({"prefix": prefix})),
        ("", suffix) => Some(json!({"suffix": suffix})),
        (prefix, suffix) => Some(json!({"wildcard": format!("{}*{}", escaped(prefix), escaped(suffix))})),
    }
}

/// What makes one service's role.
struct RoleDocuments {
    id: &'static str,
    description: &'static str,
    trust: Value,
    policy: InlinePolicy,
    managed_policy: Option<&'static str>,
}

fn role_documents(names: &Names, role: Role) -> Result<RoleDocuments, DocumentError> {
    let account = ("account", names.account.as_str());
    let state_machine_arn = names.state_machine_arn();
    let state_machine = ("state_machine_arn", state_machine_arn.as_str());
    let policy = |name, document| InlinePolicy { name, document };
    Ok(match role {
        Role::Function => RoleDocuments {
            id: "function_role",
            description: "Lets the resize function read originals, write resized pictures and log",
            trust: render(documents::FUNCTION_TRUST, &[account])?,
            policy: policy(
                "pictures",
                render(
                    documents::FUNCTION_POLICY,
                    &[
                        ("original_bucket_arn", &names.bucket_arn(&names.original_bucket())),
                        ("resized_bucket_arn", &names.bucket_arn(&names.resized_bucket())),
                    ],
                )?,
            ),
            managed_policy: Some("AWSLambdaBasicExecutionRole"),
        },
        Role::StateMachine => RoleDocuments {
            id: "state_machine_role",
            description: "Lets the state machine run the resize function and log",
            // The form that AWS documents: the role is put to the test while the state machine is still being made.
            // https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
            trust: render(
                documents::STATE_MACHINE_TRUST,
                &[
                    account,
                    ("partition", &names.partition),
                    ("region", &names.region),
                ],
            )?,
            policy: policy(
                "resize",
                render(
                    documents::STATE_MACHINE_POLICY,
                    &[("function_arn", &names.function_arn())],
                )?,
            ),
            managed_policy: None,
        },
        Role::Rule => RoleDocuments {
            id: "rule_role",
            description: "Lets the rule start the state machine",
            trust: render(documents::RULE_TRUST, &[account, ("rule_arn", &names.rule_arn())])?,
            policy: policy("start", render(documents::RULE_POLICY, &[state_machine])?),
            managed_policy: None,
        },
        Role::Api => RoleDocuments {
            id: "api_role",
            description: "Lets the REST API start the state machine",
            trust: render(documents::API_TRUST, &[account])?,
            policy: policy("start", render(documents::API_POLICY, &[state_machine])?),
            managed_policy: Some("AmazonAPIGatewayPushToCloudWatchLogs"),
        },
    })
}

/// What whoever runs the commands on the stack has to be allowed.
///
/// # Errors
/// A document that does not fit its values.
pub fn operator_policy(names: &Names) -> Result<Value, Failure> {
    let bucket_arn = |name: String| names.bucket_arn(&name);
    let log_group_arn = |name: String| names.log_group_arn(&name);
    Ok(render(
        documents::OPERATOR_POLICY,
        &[
            ("partition", &names.partition),
            ("region", &names.region),
            (
                "own_original_bucket_arn",
                &bucket_arn(names.own_original_bucket()),
            ),
            ("own_resized_bucket_arn", &bucket_arn(names.own_resized_bucket())),
            ("original_bucket_arn", &bucket_arn(names.original_bucket())),
            ("resized_bucket_arn", &bucket_arn(names.resized_bucket())),
            ("function_role_arn", &names.role_arn(Role::Function)),
            ("state_machine_role_arn", &names.role_arn(Role::StateMachine)),
            ("rule_role_arn", &names.role_arn(Role::Rule)),
            ("api_role_arn", &names.role_arn(Role::Api)),
            ("function_arn", &names.function_arn()),
            (
                "function_log_group_arn",
                &log_group_arn(names.function_log_group()),
            ),
            (
                "state_machine_log_group_arn",
                &log_group_arn(names.state_machine_log_group()),
            ),
            ("state_machine_arn", &names.state_machine_arn()),
            ("executions_arn", &names.execution_arn("*")),
            ("rule_arn", &names.rule_arn()),
            ("dashboard_arn", &names.dashboard_arn()),
            ("alarms_arn", &names.alarms_arn()),
            ("topic_arn", &names.topic_arn()),
        ],
    )?)
}

fn definition(names: &Names) -> Result<Value, DocumentError> {
    render(
        documents::STATE_MACHINE,
        &[
            ("partition", &names.partition),
            ("function_arn", &names.function_arn()),
        ],
    )
}

/// The state machine's ARN also goes into a template that writes JSON: it has no character that would need escaping.
fn open_api(names: &Names) -> Result<Value, DocumentError> {
    render(
        documents::REST_API,
        &[
            ("name", &names.rest_api()),
            ("partition", &names.partition),
            ("region", &names.region),
            ("role_arn", &names.role_arn(Role::Api)),
            ("state_machine_arn", &names.state_machine_arn()),
        ],
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;
    use crate::names::{LentBuckets, STACK_NAME_MAX};

    fn names() -> Names {
        Names {
            stack: "demo".to_owned(),
            account: "123456789012".to_owned(),
            region: "cn-north-1".to_owned(),
            partition: "aws-cn".to_owned(),
            lent: LentBuckets::default(),
        }
    }

    #[tokio::test]
    async fn each_arrow_is_between_two_that_know_of_each_other() {
        let cli = Cli::try_parse_from(["resizer", "graph"]).unwrap();
        let settings = Settings::load(&cli.global).unwrap();
        let session = Session::on_paper(&settings).await.unwrap();
        let graph = graph(&session, &settings, None).unwrap();
        let knows =
            |one, other: &NodeId| graph.uses(one).contains(other) || graph.acted_on(one).contains(other);
        for (from, _, to) in ARROWS {
            let to = graph.find(to).unwrap();
            let Some(from) = graph.find(from) else {
                continue;
            };
            assert!(knows(from, &to) || knows(to, &from), "{ARROWS:?}");
        }
    }

    #[test]
    fn keys_are_matched_by_how_they_begin_and_end() {
        let keys = |prefix: &str, suffix: &str| KeySettings {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
        };
        for (keys, matcher) in [
            (keys("", ""), None),
            (keys("in/", ""), Some(json!({"prefix": "in/"}))),
            (keys("", ".jpg"), Some(json!({"suffix": ".jpg"}))),
            (keys("in/", ".jpg"), Some(json!({"wildcard": "in/*.jpg"}))),
            (keys(r"a*b\", ".jpg"), Some(json!({"wildcard": r"a\*b\\*.jpg"}))),
        ] {
            assert_eq!(key_matcher(&keys), matcher, "{keys:?}");
        }
        assert!(keys("in/", ".jpg").admit("in/.jpg"));
        assert!(!keys("in.jpg", ".jpg").admit("in.jpg"), "they may not overlap");
    }

    #[test]
    fn the_operators_policy_is_within_iams_quota() {
        // Of a managed policy, without white space.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        const MOST: usize = 6_144;
        let names = Names {
            stack: "s".repeat(STACK_NAME_MAX),
            account: "123456789012".to_owned(),
            region: "ap-southeast-2".to_owned(),
            partition: "aws-us-gov".to_owned(),
            lent: LentBuckets {
                original: Some("o".repeat(63)),
                resized: Some("r".repeat(63)),
            },
        };
        let policy = operator_policy(&names).unwrap().to_string();
        assert!(policy.len() <= MOST, "{}", policy.len());
    }

    #[test]
    fn every_document_renders_whole() {
        let names = names();
        let mut rendered = vec![
            definition(&names).unwrap(),
            open_api(&names).unwrap(),
            operator_policy(&names).unwrap(),
            watch::dashboard(&names).unwrap(),
            watch::topic_policy(&names).unwrap(),
        ];
        for role in [Role::Function, Role::StateMachine, Role::Rule, Role::Api] {
            let documents = role_documents(&names, role).unwrap();
            rendered.extend([documents.trust, documents.policy.document]);
        }
        for document in rendered {
            let text = document.to_string();
            assert!(document.is_object() && !text.contains("${"), "{text}");
            assert!(!text.contains("arn:aws:"), "a partition is not filled in: {text}");
        }
    }
}
