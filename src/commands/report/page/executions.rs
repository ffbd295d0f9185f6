//! The newest executions.

use super::super::Report;
use super::{in_code, pill, section, time};
use crate::commands::status::executions::Execution;
use crate::ui::format::{day_and_time, duration};
use crate::ui::markup::escaped;

pub fn html(report: &Report<'_>) -> String {
    let executions = &report.overview.executions;
    let missing = report.overview.missing.iter();
    let missing = missing.map(|why| format!("<p class=\"none\">{}</p>\n", in_code(why)));
    let missing: String = missing.collect();
    if executions.is_empty() && !missing.is_empty() {
        return section("Newest executions", &missing);
    }
    if executions.is_empty() {
        let command = report.command("invoke");
        return section(
            "Newest executions",
            &format!(
                "<p class=\"none\">{}</p>",
                in_code(&format!("None yet; `{command} --file PATH` runs the pipeline."))
            ),
        );
    }
    let rows: String = executions.iter().map(row).collect();
    section(
        "Newest executions",
        &format!(
            "{missing}<table role=\"table\" class=\"executions\">\n<thead role=\"rowgroup\"><tr role=\"row\">\
             <th role=\"columnheader\">Started</th><th role=\"columnheader\">Took</th><th role=\"columnheader\">Picture</th>\
             <th role=\"columnheader\">Result</th></tr></thead>\n<tbody role=\"rowgroup\">\n{rows}</tbody>\n</table>"
        ),
    )
}

fn row(execution: &Execution) -> String {
    let class = match execution.status.as_str() {
        "SUCCEEDED" => "good",
        "RUNNING" | "PENDING_REDRIVE" => "warn",
        _ => "bad",
    };
    let result = execution.result_key.as_ref();
    let result = result.map_or_else(String::new, |key| {
        format!("<span class=\"result\">→ {}</span>", escaped(key))
    });
    let reason = execution.reason();
    let reason = reason.map_or_else(String::new, |reason| {
        format!("<span class=\"reason\">{}</span>", escaped(&reason))
    });
    format!(
        "<tr role=\"row\"><td role=\"cell\" class=\"when\">{}</td><td role=\"cell\" class=\"took\">{}</td>\
         <td role=\"cell\" class=\"name\" title=\"{}\"><span>{}</span>{result}{reason}</td><td role=\"cell\" class=\"how\">{}</td></tr>\n",
        time(execution.started, &day_and_time(execution.started)),
        execution.took().map(duration).unwrap_or_default(),
        escaped(&execution.name),
        escaped(execution.key.as_deref().unwrap_or("–")),
        pill(class, &execution.verdict())
    )
}
