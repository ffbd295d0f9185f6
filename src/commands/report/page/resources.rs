//! The stack as a picture, and every resource with what differs.

use super::super::Report;
use super::{class, pill, section};
use crate::commands::status::resources::Resource;
use crate::ui::markup::escaped;
use crate::ui::picture::{Health, svg};
use crate::ui::plan::differences;

pub fn html(report: &Report<'_>) -> String {
    let rows: String = report.overview.standing.resources.iter().map(row).collect();
    section(
        "What stands",
        &format!(
            "<div class=\"picture\" tabindex=\"0\" role=\"region\" aria-label=\"The stack\">\n{}\n</div>\n\
             <table role=\"table\" class=\"resources\">\n<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\">Kind</th>\
             <th role=\"columnheader\">Name</th><th role=\"columnheader\">Health</th></tr></thead>\n\
             <tbody role=\"rowgroup\">\n{rows}</tbody>\n</table>",
            svg::part(&report.stack)
        ),
    )
}

fn row(resource: &Resource) -> String {
    let notes: Vec<String> = match resource.changes() {
        [] => reason(&resource.how()).into_iter().map(str::to_owned).collect(),
        changes => changes
            .iter()
            .flat_map(|change| differences(change, usize::MAX))
            .collect(),
    };
    let notes: String = notes
        .iter()
        .map(|note| format!("<li>{}</li>", escaped(note)))
        .collect();
    let notes = if notes.is_empty() {
        notes
    } else {
        format!("<ul>{notes}</ul>")
    };
    format!(
        "<tr role=\"row\"><td role=\"cell\" class=\"kind\">{}</td><td role=\"cell\" class=\"name\">{}{notes}</td>\
         <td role=\"cell\" class=\"how\">{}</td></tr>\n",
        escaped(resource.kind),
        escaped(&resource.name),
        pill(resource.health().map_or("warn", class), &word(resource))
    )
}

/// How it stands, in a word or two; what there is more to say stands below its name.
fn word(resource: &Resource) -> String {
    match resource.health() {
        Some(Health::Right) => "right".to_owned(),
        Some(Health::Differs) if !resource.changes().is_empty() => "differs".to_owned(),
        _ => {
            let how = resource.how();
            how.split(':').next().unwrap_or_default().to_owned()
        }
    }
}

/// What follows the colon.
fn reason(how: &str) -> Option<&str> {
    how.split_once(": ").map(|(_, reason)| reason)
}
