//! The page: HTML that fetches nothing and runs nothing.
//!
//! # Layout
//! - [`resources`], [`counts`], [`executions`], [`pictures`]: a section each

mod counts;
mod executions;
mod pictures;
mod resources;

use anstream::adapter::strip_str;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Report;
use crate::commands::status::resources::{Standing, summary};
use crate::resources::DASHBOARD;
use crate::ui::format::date_and_time;
use crate::ui::markup::escaped;
use crate::ui::picture::{Health, svg};

/// How the page looks.
const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn html(report: &Report<'_>) -> String {
    let colours = svg::COLOURS;
    let of_the_stack = svg::STYLE;
    let stack = escaped(&report.session.names.stack);
    let sections = [
        header(report),
        resources::html(report),
        counts::html(&report.overview.counts, &report.overview.executions),
        report.pairs.as_deref().map(pictures::html).unwrap_or_default(),
        executions::html(report),
        footer(report),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>resizer: {stack}</title>\n\
         <style>\n{colours}{of_the_stack}{STYLE}</style>\n</head>\n<body>\n{}\n</body>\n</html>",
        sections.join("\n")
    )
}

fn header(report: &Report<'_>) -> String {
    let names = &report.session.names;
    let [stack, region, account] = [&names.stack, &names.region, &names.account].map(|name| escaped(name));
    let resources = &report.overview.standing.resources;
    let is_healthy = report.overview.standing.is_healthy();
    let class = if is_healthy { "good" } else { "bad" };
    let summary = in_code(&summary(resources, &report.session.flags));
    let dashboard = dashboard(&report.overview.standing);
    format!(
        "<header>\n<h1>{stack}</h1>\n<p class=\"facts\"><span>Region {region}</span> <span>Account {account}</span> \
         <span>{} {}</span>{dashboard}</p>\n<p class=\"verdict {class}\">Resources: {summary}</p>{}\n</header>\n<main>",
        time(report.at, &date_and_time(report.at)),
        zone(report.at),
        alarms(report)
    )
}

/// The dashboard, where it stands: on AWS with the way there.
fn dashboard(standing: &Standing) -> String {
    let mut resources = standing.resources.iter();
    if !resources.any(|resource| resource.kind == DASHBOARD && !resource.is_missing()) {
        return String::new();
    }
    let name = escaped(&standing.outputs.dashboard);
    match &standing.outputs.dashboard_url {
        Some(url) => format!(" <span>Dashboard <a href=\"{}\">{name}</a></span>", escaped(url)),
        None => format!(" <span>Dashboard {name}</span>"),
    }
}

fn alarms(report: &Report<'_>) -> String {
    let Some(text) = &report.alarms else {
        return String::new();
    };
    let class = class(report.overview.standing.alarms.health());
    let text = strip_str(text).to_string();
    let lines: Vec<String> = text.lines().map(|line| escaped(line.trim())).collect();
    format!("\n<p class=\"verdict {class}\">{}</p>", lines.join("<br>"))
}

fn footer(report: &Report<'_>) -> String {
    let command = report.command("report");
    format!(
        "</main>\n<footer>Made by resizer {}: {}</footer>",
        env!("CARGO_PKG_VERSION"),
        in_code(&format!("`{command}` makes it anew"))
    )
}

/// A section with its heading.
fn section(heading: &str, content: &str) -> String {
    let heading = escaped(heading);
    format!("<section>\n<h2>{heading}</h2>\n{content}\n</section>")
}

/// A word on how something stands, in its colour.
fn pill(class: &str, word: &str) -> String {
    format!("<span class=\"pill {class}\">{}</span>", escaped(word))
}

/// A moment, for people and for programs.
fn time(at: Timestamp, shown: &str) -> String {
    format!("<time datetime=\"{at}\">{}</time>", escaped(shown))
}

/// `UTC+01:00`, where this machine is.
fn zone(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("UTC%:z").to_string()
}

/// The text, with what stands between backquotes as code.
fn in_code(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    });
    parts.collect()
}

/// The colour of how something stands.
fn class(health: Health) -> &'static str {
    match health {
        Health::Right => "good",
        Health::Differs => "warn",
        Health::Wrong => "bad",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_code_and_are_text() {
        assert_eq!(
            in_code("`up --stack <b>` mends"),
            "<code>up --stack &lt;b&gt;</code> mends"
        );
    }
}
