//! From the definition's text to a valid [`StateMachine`], or to all that is wrong with it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::choice::Rule;
use super::definition::{Filter, Kind, Shape, State, StateMachine, Task, Text, Transition, Until};
use super::expression::Template;
use super::fields::{Fields, Problem};
use super::retry::{self, Catcher, Retrier};
use super::task::Resource;

/// The longest TimeoutSeconds and Seconds AWS takes.
const MAX_SECONDS: u64 = 99_999_999;

/// The longest name of a state.
const MAX_STATE_NAME: usize = 80;

impl StateMachine {
    /// Parses and validates a definition. Every problem is named with its location.
    pub fn parse(definition: &str) -> Result<Self, Vec<Problem>> {
        let document: Value = serde_json::from_str(definition).map_err(|error| {
            vec![Problem {
                code: "INVALID_JSON_DESCRIPTION",
                message: error.to_string(),
                location: "/".to_owned(),
            }]
        })?;
        let Some(object) = document.as_object() else {
            return Err(vec![Problem::schema("Expected value of type Object", "/")]);
        };
        let mut problems = Vec::new();
        let mut fields = Fields::new(object, "", &mut problems);
        fields.text("Comment");
        refuse_jsonata(&mut fields);
        if fields.text("Version").is_some_and(|version| version != "1.0") {
            fields.refuse("Version", "Version must be 1.0");
        }
        let start_at = fields.required_text("StartAt").to_owned();
        let timeout_seconds = fields.integer("TimeoutSeconds", 1, MAX_SECONDS);
        let listed = fields.object("States");
        fields.finish();

        let mut states = HashMap::new();
        match listed {
            Some(listed) if !listed.is_empty() => {
                for (name, state) in listed {
                    states.extend(parse_state(name, state, &mut problems).map(|state| (name.clone(), state)));
                }
            }
            _ => problems.push(Problem::schema("'States' must be a non-empty object", "/States")),
        }
        let machine = Self {
            start_at,
            timeout_seconds,
            states,
        };
        if problems.is_empty() {
            machine.check_transitions(&mut problems);
        }
        if problems.is_empty() {
            Ok(machine)
        } else {
            Err(problems)
        }
    }

    fn check_transitions(&self, problems: &mut Vec<Problem>) {
        let dangling = |message: String, location: String| Problem {
            code: "MISSING_TRANSITION_TARGET",
            message,
            location,
        };
        if !self.states.contains_key(&self.start_at) {
            problems.push(dangling(
                format!("Missing 'StartAt' target: {}", self.start_at),
                "/StartAt".to_owned(),
            ));
        }
        let mut reached = HashSet::from([self.start_at.as_str()]);
        let mut open = vec![self.start_at.as_str()];
        while let Some(name) = open.pop() {
            let Some(state) = self.states.get(name) else {
                continue;
            };
            for (field, target) in state.kind.targets() {
                if !self.states.contains_key(target) {
                    let location = format!("/States/{name}/{field}");
                    problems.push(dangling(format!("Missing 'Next' target: {target}"), location));
                } else if reached.insert(target) {
                    open.push(target);
                }
            }
        }
        let mut unreached: Vec<_> = self
            .states
            .keys()
            .filter(|name| !reached.contains(name.as_str()))
            .collect();
        unreached.sort();
        for name in unreached {
            problems.push(dangling(
                format!("State \"{name}\" is not reachable."),
                format!("/States/{name}"),
            ));
        }
    }
}

/// JSONata is a language of its own, which is not interpreted here.
fn refuse_jsonata(fields: &mut Fields<'_, '_>) {
    if fields
        .text("QueryLanguage")
        .is_some_and(|language| language != "JSONPath")
    {
        fields.refuse("QueryLanguage", "Only the query language JSONPath is supported");
    }
}

fn parse_state(name: &str, value: &Value, problems: &mut Vec<Problem>) -> Option<State> {
    let location = format!("/States/{name}");
    if name.is_empty() || name.chars().count() > MAX_STATE_NAME {
        problems.push(Problem::schema(
            format!("A state's name has 1 to {MAX_STATE_NAME} characters"),
            location.clone(),
        ));
    }
    let Some(object) = value.as_object() else {
        problems.push(Problem::schema("Expected value of type Object", location));
        return None;
    };
    let mut fields = Fields::new(object, location, problems);
    fields.text("Comment");
    refuse_jsonata(&mut fields);
    let kind = match fields.required_text("Type") {
        "Task" => parse_task(&mut fields),
        "Pass" => parse_pass(&mut fields),
        "Choice" => parse_choice(&mut fields),
        "Wait" => parse_wait(&mut fields),
        "Succeed" => Some(Kind::Succeed),
        "Fail" => parse_fail(&mut fields),
        other => {
            // What else the state holds belongs to a type that is not known here.
            let message = format!("State type '{other}' is not supported");
            fields.refuse("Type", message);
            return None;
        }
    };
    // A Fail state has no input or output to filter.
    let filtered = !matches!(kind, Some(Kind::Fail { .. }));
    let state = kind.map(|kind| State {
        input_path: if filtered {
            parse_filter(&mut fields, "InputPath")
        } else {
            Filter::All
        },
        output_path: if filtered {
            parse_filter(&mut fields, "OutputPath")
        } else {
            Filter::All
        },
        kind,
    });
    if state.is_some() {
        fields.finish();
    }
    state
}

fn parse_filter(fields: &mut Fields<'_, '_>, name: &str) -> Filter {
    if !fields.has(name) {
        return Filter::All;
    }
    if fields.is_null(name) {
        fields.take(name);
        return Filter::Nothing;
    }
    fields.path(name).map_or(Filter::All, Filter::Select)
}

fn parse_transition(fields: &mut Fields<'_, '_>) -> Transition {
    let end = fields.boolean("End").unwrap_or(false);
    match (fields.text("Next"), end) {
        (Some(next), false) => Transition::Next(next.to_owned()),
        (None, true) => Transition::End,
        _ => {
            let location = fields.location().to_owned();
            fields.problems().push(Problem::schema(
                "Exactly one of 'Next' and 'End' is required",
                location,
            ));
            Transition::End
        }
    }
}

fn parse_shape(fields: &mut Fields<'_, '_>, selects_result: bool) -> Shape {
    let mut template = |name: &str| {
        let location = format!("{}/{name}", fields.location());
        fields
            .take(name)
            .map(|value| Template::parse(value, &location, fields.problems()))
    };
    let parameters = template("Parameters");
    let result_selector = if selects_result {
        template("ResultSelector")
    } else {
        None
    };
    Shape {
        parameters,
        result_selector,
        result_path: retry::result_path(fields),
    }
}

fn parse_pass(fields: &mut Fields<'_, '_>) -> Option<Kind> {
    Some(Kind::Pass {
        result: fields.take("Result").cloned(),
        shape: parse_shape(fields, false),
        next: parse_transition(fields),
    })
}

fn parse_task(fields: &mut Fields<'_, '_>) -> Option<Kind> {
    let named = fields.required_text("Resource").to_owned();
    let resource = Resource::parse(&named);
    if resource.is_none() {
        fields.refuse("Resource", format!("The resource '{named}' is not supported: use arn:aws:states:::lambda:invoke or a function's ARN"));
    }
    let shape = parse_shape(fields, true);
    if let (Some(Resource::OptimizedInvoke), Some(parameters)) = (&resource, &shape.parameters) {
        check_invoke_parameters(parameters, fields);
    } else if resource == Some(Resource::OptimizedInvoke) {
        fields.refuse(
            "Parameters",
            "The field 'FunctionName' is required but was missing",
        );
    }
    let task = Task {
        timeout_seconds: fields.integer("TimeoutSeconds", 1, MAX_SECONDS),
        shape,
        retry: parse_list(fields, "Retry", Retrier::parse),
        catch: parse_list(fields, "Catch", Catcher::parse),
        next: parse_transition(fields),
        resource: resource?,
    };
    let location = fields.location().to_owned();
    let retried: Vec<_> = task.retry.iter().map(Retrier::errors).collect();
    retry::check_order(&retried, &format!("{location}/Retry"), fields.problems());
    let caught: Vec<_> = task.catch.iter().map(Catcher::errors).collect();
    retry::check_order(&caught, &format!("{location}/Catch"), fields.problems());
    Some(Kind::Task(Box::new(task)))
}

fn check_invoke_parameters(parameters: &Template, fields: &mut Fields<'_, '_>) {
    let Template::Object(given) = parameters else {
        fields.refuse("Parameters", "Expected value of type Object");
        return;
    };
    if !given.iter().any(|(name, _)| name == "FunctionName") {
        fields.refuse(
            "Parameters",
            "The field 'FunctionName' is required but was missing",
        );
    }
    for (name, template) in given {
        let known = match name.as_str() {
            "FunctionName" | "Payload" | "Qualifier" => true,
            "InvocationType" => matches!(template, Template::Literal(kind) if kind == "RequestResponse"),
            _ => false,
        };
        if !known {
            fields.refuse(
                &format!("Parameters/{name}"),
                format!("The field '{name}' is not supported by lambda:invoke here"),
            );
        }
    }
}

fn parse_list<T>(
    fields: &mut Fields<'_, '_>,
    name: &str,
    parse: impl Fn(&Value, &str, &mut Vec<Problem>) -> Option<T>,
) -> Vec<T> {
    let items = fields.array(name).map(Vec::as_slice).unwrap_or_default();
    let location = format!("{}/{name}", fields.location());
    let items = items.iter().enumerate();
    items
        .filter_map(|(at, item)| parse(item, &format!("{location}[{at}]"), fields.problems()))
        .collect()
}

fn parse_choice(fields: &mut Fields<'_, '_>) -> Option<Kind> {
    let choices = fields.array("Choices").map(Vec::as_slice).unwrap_or_default();
    if choices.is_empty() {
        fields.refuse("Choices", "'Choices' must be a non-empty array");
    }
    let mut rules = Vec::with_capacity(choices.len());
    for (at, choice) in choices.iter().enumerate() {
        let location = format!("{}/Choices[{at}]", fields.location());
        let Some(object) = choice.as_object() else {
            fields
                .problems()
                .push(Problem::schema("Expected a Choice Rule object", location));
            continue;
        };
        let mut rule = Fields::new(object, location, fields.problems());
        let next = rule.required_text("Next").to_owned();
        rules.extend(Rule::parse(rule).map(|rule| (rule, next)));
    }
    Some(Kind::Choice {
        rules,
        default: fields.text("Default").map(str::to_owned),
    })
}

fn parse_wait(fields: &mut Fields<'_, '_>) -> Option<Kind> {
    let given = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
    let given: Vec<_> = given.into_iter().filter(|name| fields.has(name)).collect();
    let until = match given.as_slice() {
        ["Seconds"] => fields.integer("Seconds", 0, MAX_SECONDS).map(Until::Seconds),
        ["SecondsPath"] => fields.path("SecondsPath").map(Until::SecondsPath),
        ["TimestampPath"] => fields.path("TimestampPath").map(Until::TimestampPath),
        ["Timestamp"] => {
            let time = fields.text("Timestamp").and_then(|text| text.parse().ok());
            if time.is_none() {
                fields.refuse("Timestamp", "Timestamp must be in RFC 3339 form");
            }
            time.map(Until::Timestamp)
        }
        _ => {
            fields.refuse(
                "Seconds",
                "Exactly one of Seconds, SecondsPath, Timestamp and TimestampPath is required",
            );
            None
        }
    };
    let next = parse_transition(fields);
    until.map(|until| Kind::Wait { until, next })
}

fn parse_fail(fields: &mut Fields<'_, '_>) -> Option<Kind> {
    let mut text = |name: &str| {
        let path = format!("{name}Path");
        if fields.has(&path) {
            if fields.has(name) {
                fields.refuse(&path, format!("'{name}' and '{path}' exclude each other"));
            }
            return fields.expression(&path).map(Text::Computed);
        }
        fields.text(name).map(|text| Text::Literal(text.to_owned()))
    };
    Some(Kind::Fail {
        error: text("Error"),
        cause: text("Cause"),
    })
}
