//! Templates, as people write them for API Gateway.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Scope, Template};

fn render_body(template: &str, body: &str) -> Result<String, String> {
    let document = serde_json::from_str(body).unwrap_or(Value::Null);
    Template::parse(template).unwrap().render(&Scope {
        body,
        document: Some(&document),
        params: &json!({"path": {"id": "7"}, "querystring": {"q": "a b"}, "header": {"X-H": "h"}}),
        context: &json!({"requestId": "req-1", "identity": {"sourceIp": "127.0.0.1"}}),
        stage_variables: &json!({"arn": "arn:x"}),
    })
}

fn render(template: &str, document: &Value) -> String {
    render_body(template, &document.to_string()).unwrap()
}

#[test]
fn keys_of_every_kind_reach_start_execution() {
    let template = r#"{"stateMachineArn": "arn:x", "input": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'", "'")"}"#;
    for key in [
        "a b.jpg",
        "it's",
        "say \"hi\"",
        "back\\slash",
        "a/b+c%20",
        "日本/é\u{1F600}",
        "\\'",
        "new\nline",
    ] {
        let body = json!({"bucket": "b", "key": key});
        let request: Value = serde_json::from_str(&render(template, &body)).unwrap();
        let input: Value = serde_json::from_str(request["input"].as_str().unwrap()).unwrap();
        assert_eq!(input, body, "{key}");
    }
}

#[test]
fn escape_java_script_does_what_java_does() {
    let text = json!({"t": "'\"\\/\n\u{1}é\u{1F600}"});
    assert_eq!(
        render("$util.escapeJavaScript($input.path('$.t'))", &text),
        r#"\'\"\\\/\n\u0001\u00E9\uD83D\uDE00"#
    );
}

#[test]
fn references_in_all_their_forms() {
    let body = json!({"a": "x", "o": {"b": [1, 2]}, "list": ["p", "q"]});
    for (template, wanted) in [
        ("$input.path('$.a')-${input.path('$.a')}.jpg", "x-x.jpg"),
        ("$input.json('$.o')", r#"{"b":[1,2]}"#),
        ("$input.path('$.o')", "{b=[1,2]}"),
        (
            "$input.path('$.gone') $!input.path('$.gone')|",
            "$input.path('$.gone') |",
        ),
        (
            "$input.params('id') $input.params('q') $input.params().header.get('X-H')",
            "7 a b h",
        ),
        (
            "$context.requestId $context.identity.sourceIp $stageVariables.arn",
            "req-1 127.0.0.1 arn:x",
        ),
        ("$input.path('$').o.b[1] $input.path('$.list').size()", "2 2"),
        ("costs $5 #1 \\$input.body", "costs $5 #1 $input.body"),
        (
            "$util.urlEncode($input.params('q')) $util.urlDecode('a+b%2F') $util.base64Decode($util.base64Encode('é'))",
            "a+b a b/ é",
        ),
    ] {
        assert_eq!(render(template, &body), wanted, "{template}");
    }
    assert_eq!(render_body("$input.body", "not json").unwrap(), "not json");
}

#[test]
fn directives_decide_and_repeat() {
    let body = json!({"n": 3, "items": [{"k": "a"}, {"k": "b"}]});
    let template = "## a comment\n#set($root = $input.path('$'))\n#if($root.n > 3)many#elseif($root.n == 3 && !$root.gone)three#else few#end\n\
                    #foreach($item in $root.items)\"$item.k\"#if($foreach.hasNext), #end#end";
    assert_eq!(render(template, &body), "three\"a\", \"b\"");
    assert_eq!(
        render("#set($s = \"n is $input.path('$.n')\")${s}$s.length()", &body),
        "n is 36"
    );
}

#[test]
fn string_methods_work_as_in_java() {
    let body = json!({"t": "a.b.c"});
    for (call, wanted) in [
        ("replaceAll('[.]', '-')", "a-b-c"),
        ("replaceAll('(\\w)[.]', '$1')", "abc"),
        ("replace('.', '/')", "a/b/c"),
        ("substring(2)", "b.c"),
        ("substring(0, 3)", "a.b"),
        ("indexOf('b')", "2"),
        ("split('[.]').get(1)", "b"),
    ] {
        assert_eq!(
            render(&format!("#set($t = $input.path('$.t'))$t.{call}"), &body),
            wanted,
            "{call}"
        );
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for template in [
        "$unknown",
        "#macro(x)#end",
        "#parse('x')",
        "$util.eval('1')",
        "#if(true)",
        "#end",
        "#set($a = )",
        "${input.body",
        "#set($a = 'x)",
        "#set($input = 'x')",
        "$input",
        "$input.jsn('$')",
        "$input.json()",
        "$input.json('$.list.length()')",
        "$input.path('no path')",
        "$input.body.size()",
        "$util.trim('x')",
        "$util.escapeJavaScript()",
        "$context.authorizer.principalId",
        "$context.identity.userArn",
        "$context.requestId.more",
        "$context.stage.substring()",
        "$foreach.name",
        "$input.path('$').getClass()",
        "$input.body.replaceAll('(', '')",
    ] {
        assert!(Template::parse(template).is_err(), "{template}");
    }
}
