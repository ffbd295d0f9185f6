use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::config::Settings;
use crate::engine::{Graph, NodeId};
use crate::error::CommandError;
use crate::names::Names;
use crate::session::Session;
use crate::stack::{self, ARROWS};
use crate::ui::Ui;
use crate::ui::picture::{Arrow, Node, Picture, dot, mermaid, svg};

/// Prints the stack as a picture: what an upload and a POST set going, and who uses which role and log group.
///
/// It calls nobody and needs no credentials, whether the stack stands or not. What only AWS knows stands as ACCOUNT and REGION
/// in the names.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct GraphArgs {
    /// The language of the picture; --json prints resources and edges instead
    #[arg(long, value_name = "NAME", default_value = "svg", conflicts_with = "json")]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  resizer graph > stack.svg
  resizer graph --format mermaid              for a README on GitHub
  resizer graph --format dot | dot -Tpdf > stack.pdf";

/// What a picture is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A drawing, for light and dark
    Svg,
    /// A flowchart, as GitHub draws it
    Mermaid,
    /// For Graphviz
    Dot,
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    stack: &'a str,
    resources: Vec<ResourceDocument<'a>>,
    edges: Vec<Edge<'a>>,
}

#[derive(Serialize)]
struct ResourceDocument<'a> {
    id: &'a str,
    kind: &'static str,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
enum Edge<'a> {
    /// An event or a call; what it begins with may be the world outside.
    Flow {
        from: &'a str,
        what: &'static str,
        to: &'a str,
    },
    /// It is made after what it uses.
    Uses { from: &'a str, to: &'a str },
    /// It is removed before what it acts on.
    ActsOn { from: &'a str, to: &'a str },
}

pub async fn run(settings: &Settings, args: &GraphArgs, ui: &Ui) -> Result<(), CommandError> {
    let session = Session::on_paper(settings).await?;
    let graph = stack::graph(&session, settings, None)?;
    if ui.json {
        return ui.json(&document(&graph, &session.names));
    }
    let picture = picture(&graph, &session.names);
    ui.result(match args.format {
        Format::Svg => svg::file(&picture),
        Format::Mermaid => mermaid::text(&picture),
        Format::Dot => dot::text(&picture),
    })
}

/// The picture of the stack's graph.
pub fn picture(graph: &Graph, names: &Names) -> Picture {
    let outside = |id: &str| graph.find(id).is_none();
    let mut nodes: Vec<Node> = ARROWS
        .iter()
        .filter(|(from, ..)| outside(from))
        .map(|(id, ..)| Node {
            id: (*id).to_owned(),
            title: (*id).to_owned(),
            subtitle: String::new(),
            name: None,
            health: None,
        })
        .collect();
    nodes.extend(wanted(graph).map(|node| {
        let resource = graph.resource(node);
        Node {
            id: resource.id().to_owned(),
            title: service(resource.kind()).to_owned(),
            subtitle: role(resource.id(), resource.kind()),
            name: Some(resource.name().to_owned()),
            health: None,
        }
    }));
    let index = |id: &str| nodes.iter().position(|node| node.id == id);
    let arrows = ARROWS.iter().filter_map(|(from, label, to)| {
        Some(Arrow {
            from: index(from)?,
            to: index(to)?,
            label,
        })
    });
    let uses = wanted(graph).flat_map(|node| graph.uses(node).iter().map(move |used| (node, *used)));
    let uses = uses.filter_map(|(node, used)| {
        let [node, used] = [node, used].map(|node| index(graph.resource(node).id()));
        node.zip(used)
    });
    Picture {
        title: names.stack.clone(),
        arrows: arrows.collect(),
        uses: uses.collect(),
        nodes,
    }
}

/// The resources that are to stand.
fn wanted(graph: &Graph) -> impl Iterator<Item = NodeId> {
    graph.nodes().filter(|node| !graph.is_former(*node))
}

/// What AWS calls the service that has such things.
fn service(kind: &'static str) -> &'static str {
    match kind {
        "alarm" | "dashboard" => "CloudWatch",
        "bucket" => "S3",
        "function" => "Lambda",
        "log group" => "CloudWatch Logs",
        "REST API" => "API Gateway",
        "role" => "IAM",
        "rule" => "EventBridge",
        "state machine" => "Step Functions",
        "topic" => "SNS",
        other => other,
    }
}

/// What the resource is in the stack: `original bucket`. What belongs to another is told by where it stands.
fn role(id: &str, kind: &str) -> String {
    let words = id.replace('_', " ");
    if kind == "bucket" { words } else { kind.to_owned() }
}

fn document<'a>(graph: &'a Graph, names: &'a Names) -> Document<'a> {
    let resource = |node| {
        let resource = graph.resource(node);
        ResourceDocument {
            id: resource.id(),
            kind: resource.kind(),
            name: resource.name(),
        }
    };
    let id = |node| graph.resource(node).id();
    let flows = ARROWS
        .iter()
        .map(|(from, what, to)| Edge::Flow { from, what, to });
    let uses = wanted(graph).flat_map(|node| {
        let used = graph.uses(node).iter();
        used.map(move |used| Edge::Uses {
            from: id(node),
            to: id(*used),
        })
    });
    let acts_on = wanted(graph).flat_map(|node| {
        let others = graph.acted_on(node).iter();
        others.map(move |other| Edge::ActsOn {
            from: id(node),
            to: id(*other),
        })
    });
    Document {
        stack: &names.stack,
        resources: wanted(graph).map(resource).collect(),
        edges: flows.chain(uses).chain(acts_on).collect(),
    }
}
