//! A picture's way through the pipeline among many: how far it has come, and what is told of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anstyle::Style;
use serde::Serialize;
use tokio::time::Instant;

use super::Object;
use super::many::Order;
use super::pictures::{LeftOut, Picture};
use crate::error::{CommandError, FailureDocument};
use crate::execution::{Answer, Document, Status, Timeline};
use crate::session::Session;
use crate::ui::format::{bytes, duration, printable, shell_word};
use crate::ui::lines::Line;
use crate::ui::styles::{BAD, GOOD};
use crate::ui::table::{aligned, cut_after, width_of_stdout, widths_of};
use crate::ui::wrap::{paragraph, wrapped};

/// Where a result is can be told by so many columns, at least.
const PLACE_MIN: usize = 20;
/// What stands before a row.
const MARK: usize = 2;
/// What stands before lines below a row.
const INDENT: usize = 4;

/// How far a picture has come.
pub struct Way {
    pub deadline: Instant,
    /// None when it has ended.
    pub line: Option<Line>,
    pub object: Option<Object>,
    /// The execution's ARN.
    pub execution: Option<String>,
    /// It was not begun now.
    pub is_earlier: bool,
    pub timeline: Option<Timeline>,
    /// The files that the results were fetched to.
    pub fetched: Vec<PathBuf>,
    pub failure: Option<CommandError>,
}

/// A line of JSON.
#[derive(Debug, Serialize)]
pub struct PictureDocument<'a> {
    file: String,
    /// None where it was left out.
    key: Option<&'a str>,
    /// What the execution did, once there was one.
    #[serde(flatten)]
    execution: Option<Document<'a>>,
    /// Whether that ran before, with the same bytes and settings, and nothing was uploaded.
    earlier: bool,
    /// The files that the results were fetched to.
    downloaded: Vec<String>,
    /// Why it is not done.
    failure: Option<FailureDocument<'a>>,
}

impl Way {
    fn mark(&self) -> (&'static str, Style) {
        if self.failure.is_some() {
            ("✗", BAD)
        } else {
            ("✓", GOOD)
        }
    }

    /// Key, time, dimensions, sizes, and where the result is.
    fn row(&self, picture: &Picture) -> [String; 5] {
        let answer = self.timeline.as_ref().and_then(Answer::of);
        let took = self.timeline.as_ref().and_then(Timeline::took);
        let size = self.object.as_ref().map(|object| object.size);
        let shape = answer.as_ref().map(Answer::shape);
        let sizes = answer
            .as_ref()
            .zip(size)
            .map(|(answer, size)| format!("{} → {}", bytes(size), bytes(answer.bytes)));
        let place = match self.fetched.as_slice() {
            // The bucket is named below.
            [] => answer.map(|answer| printable(&answer.dest_key) + &answer.and_others()),
            [only] => Some(shown(only)),
            [first, others @ ..] => Some(format!("{} +{}", shown(first), others.len())),
        };
        [
            printable(&picture.key),
            format!("{:>8}", took.map(duration).unwrap_or_default()),
            shape.unwrap_or_default(),
            sizes.unwrap_or_default(),
            place.unwrap_or_default(),
        ]
    }

    /// One line for a log: how it ended, and why.
    pub fn told(&self, picture: &Picture) -> String {
        let (mark, style) = self.mark();
        let [key, took, ..] = self.row(picture);
        let reason = self.failure.as_ref().map(|failure| {
            let reason = paragraph(&failure.message, usize::MAX, 0);
            format!("  {reason}")
        });
        let earlier = if self.is_earlier { "  before" } else { "" };
        format!(
            "{style}{mark}{style:#} {key}  {}{earlier}{}",
            took.trim(),
            reason.unwrap_or_default()
        )
    }

    /// Whether its execution went well; its result may not have been fetched.
    fn is_resized(&self) -> bool {
        let end = self.timeline.as_ref().and_then(|timeline| timeline.end.as_ref());
        end.is_some_and(|end| end.status == Status::Succeeded)
    }

    pub fn document<'a>(&'a self, picture: &'a Picture) -> PictureDocument<'a> {
        let timeline = self.execution.as_ref().zip(self.timeline.as_ref());
        PictureDocument {
            file: picture.file.display().to_string(),
            key: Some(&picture.key),
            execution: timeline.map(|(arn, timeline)| Document::new(arn, timeline)),
            earlier: self.is_earlier,
            downloaded: self
                .fetched
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            failure: self.failure.as_ref().map(CommandError::document),
        }
    }
}

/// The rows behind their marks, in `width` columns with these. Where not all of one has room side by side, it has lines below
/// its key and time.
fn laid_out(rows: &[[String; 5]], width: usize) -> Vec<String> {
    let beside_mark = width.saturating_sub(MARK);
    if let Some(lines) = side_by_side(rows, beside_mark) {
        return lines;
    }
    let heads: Vec<_> = rows
        .iter()
        .map(|[key, took, ..]| [key.clone(), took.clone()])
        .collect();
    let below: Vec<_> = rows.iter().map(|[_, _, below @ ..]| below.clone()).collect();
    let room = width.saturating_sub(INDENT);
    let below = side_by_side(&below, room).unwrap_or_else(|| {
        let apart = below.iter().map(|[shape, sizes, place]| {
            let numbers = wrapped(&format!("{shape}  {sizes}"), room, 0);
            format!("{numbers}\n{}", cut_after(place, room, 0))
        });
        apart.collect()
    });
    let indented = |lines: &String| {
        let lines = lines.lines().filter(|line| !line.trim().is_empty());
        lines
            .map(|line| format!("\n{:INDENT$}{line}", ""))
            .collect::<String>()
    };
    let heads = aligned(&heads, beside_mark).into_iter();
    heads
        .zip(&below)
        .map(|(head, below)| head + &indented(below))
        .collect()
}

/// Rows of one line each, numbers whole, and of where a result is, the last of a row, the end; none where that has no room.
fn side_by_side<const N: usize>(rows: &[[String; N]], width: usize) -> Option<Vec<String>> {
    let widths = widths_of(rows);
    let (place, others) = widths.split_last()?;
    let others = others.iter().filter(|width| **width > 0).map(|width| width + 2);
    let room = width.saturating_sub(others.sum());
    if room < PLACE_MIN.min(*place) {
        return None;
    }
    let cut = |row: &[String; N]| {
        let mut row = row.clone();
        row[N - 1] = cut_after(&row[N - 1], room, 0);
        row
    };
    Some(aligned(&rows.iter().map(cut).collect::<Vec<_>>(), width))
}

/// For programs, of what was left out.
pub fn document_of_left_out(left_out: &LeftOut) -> PictureDocument<'_> {
    PictureDocument {
        file: left_out.path.display().to_string(),
        key: None,
        execution: None,
        earlier: false,
        downloaded: Vec::new(),
        failure: Some(left_out.why.document()),
    }
}

/// How many came how far.
struct Counts {
    resized: usize,
    /// Resized before this run.
    earlier: usize,
    /// Resized, and not where they are wanted.
    not_fetched: usize,
    /// Not resized.
    failed: usize,
    left_out: usize,
}

impl Counts {
    fn of(ended: &[(Picture, Way)], order: &Order) -> Self {
        let count =
            |is_counted: &dyn Fn(&Way) -> bool| ended.iter().filter(|(_, way)| is_counted(way)).count();
        Self {
            resized: count(&Way::is_resized),
            earlier: count(&|way| way.is_earlier),
            not_fetched: count(&|way| way.failure.is_some() && way.is_resized()),
            failed: count(&|way| way.failure.is_some() && !way.is_resized()),
            left_out: order.left_out.len(),
        }
    }

    /// What is not well, in words; nothing where all is.
    fn troubles(&self, of: usize) -> Vec<String> {
        let were = |count: usize| if count == 1 { " was" } else { "s were" };
        let all = [
            (self.failed, format!("{} of {of} pictures failed", self.failed)),
            (
                self.not_fetched,
                format!(
                    "{} result{} not fetched",
                    self.not_fetched,
                    were(self.not_fetched)
                ),
            ),
            (
                self.left_out,
                format!("{} path{} left out", self.left_out, were(self.left_out)),
            ),
        ];
        let some = all.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(_, words)| words).collect()
    }
}

/// All that have ended, each with its reason if it failed, and how many of them well.
pub fn table(ended: &[(Picture, Way)], session: &Session, order: &Order, took: Duration) -> String {
    let width = width_of_stdout();
    let rows: Vec<_> = ended.iter().map(|(picture, way)| way.row(picture)).collect();
    let lines = laid_out(&rows, width);
    let mut text = String::new();
    let reason = |text: &mut String, failure: &CommandError| {
        text.push_str(&paragraph(&failure.message, width, INDENT));
        text.push('\n');
    };
    for ((_, way), line) in ended.iter().zip(lines) {
        let (mark, style) = way.mark();
        text.push_str(&format!("{style}{mark}{style:#} {line}\n"));
        if let Some(failure) = &way.failure {
            reason(&mut text, failure);
        }
    }
    for LeftOut { path, why } in &order.left_out {
        text.push_str(&format!("{BAD}✗{BAD:#} {}\n", shown(path)));
        reason(&mut text, why);
    }
    let counts = Counts::of(ended, order);
    let fetched = match &order.destination {
        Some(destination) if counts.not_fetched == 0 => format!(" and fetched to {destination}"),
        Some(destination) => {
            let fetched = counts.resized - counts.not_fetched;
            format!(", {fetched} of them fetched to {destination}")
        }
        None => String::new(),
    };
    let others = [
        (counts.earlier, "of them before (--again runs them again)"),
        (counts.failed, "failed"),
        (counts.left_out, "left out"),
    ];
    let others: String = others
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!(", {count} {what}"))
        .collect();
    let summary = format!(
        "{} resized to s3://{}{fetched}{others}, in {}",
        counts.resized,
        session.names.resized_bucket(),
        duration(took)
    );
    text + &wrapped(&summary, width, 2)
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// Why not all is well, if so.
pub fn trouble(ended: &[(Picture, Way)], session: &Session, order: &Order) -> Option<CommandError> {
    let troubles = Counts::of(ended, order).troubles(ended.len());
    if troubles.is_empty() {
        return None;
    }
    let flags = &session.flags;
    let first = |is_meant: &dyn Fn(&Way) -> bool| {
        let mut meant = ended.iter().filter(|(_, way)| is_meant(way));
        meant.find_map(|(picture, way)| Some((picture, way.failure.as_ref()?)))
    };
    let mut hints = Vec::new();
    if first(&|way| way.timeline.is_some() && !way.is_resized()).is_some() {
        hints.push(format!(
            "`resizer status{flags} --failed` lists the executions that failed"
        ));
    }
    // What one of them calls for, the others mostly do as well.
    if let Some((_, failure)) = first(&|way| way.timeline.is_none()) {
        hints.extend(failure.hints.iter().cloned());
    }
    if let Some((picture, failure)) = first(&Way::is_resized) {
        hints.extend(failure.hints.iter().cloned());
        hints.push(format!(
            "`resizer invoke{flags} --key {} --download DIR` fetches a result without another upload",
            shell_word(&picture.key)
        ));
    }
    if let Some(left_out) = order.left_out.first() {
        hints.extend(left_out.why.hints.iter().cloned());
    }
    let error = CommandError::failed(troubles.join(", "));
    Some(hints.into_iter().fold(error, CommandError::hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: &[[&str; 5]], width: usize) -> String {
        let rows: Vec<_> = rows.iter().map(|row| row.map(str::to_owned)).collect();
        laid_out(&rows, width).join("\n")
    }

    #[test]
    fn in_few_columns_a_row_has_more_lines_and_lacks_nothing() {
        let rows = [
            [
                "album/summer/cat.jpg",
                "  312 ms",
                "3000 × 2000 → 500 × 333",
                "1.4 MB → 31 kB",
                "output/album/summer/cat_resized.jpg",
            ],
            [
                "album/dog.png",
                "   1.9 s",
                "640 × 480 → 500 × 375",
                "176 kB → 40 kB",
                "output/album/dog_resized.png",
            ],
            ["album/a.txt", "   13 ms", "", "", ""],
        ];
        insta::assert_snapshot!(shown(&rows, 120), @"
        album/summer/cat.jpg    312 ms  3000 × 2000 → 500 × 333  1.4 MB → 31 kB  output/album/summer/cat_resized.jpg
        album/dog.png            1.9 s  640 × 480 → 500 × 375    176 kB → 40 kB  output/album/dog_resized.png
        album/a.txt              13 ms
        ");
        insta::assert_snapshot!(shown(&rows, 100), @"
        album/summer/cat.jpg    312 ms  3000 × 2000 → 500 × 333  1.4 MB → 31 kB  …m/summer/cat_resized.jpg
        album/dog.png            1.9 s  640 × 480 → 500 × 375    176 kB → 40 kB  …ut/album/dog_resized.png
        album/a.txt              13 ms
        ");
        insta::assert_snapshot!(shown(&rows, 80), @"
        album/summer/cat.jpg    312 ms
            3000 × 2000 → 500 × 333  1.4 MB → 31 kB  output/album/summer/cat_resized.jpg
        album/dog.png            1.9 s
            640 × 480 → 500 × 375    176 kB → 40 kB  output/album/dog_resized.png
        album/a.txt              13 ms
        ");
        insta::assert_snapshot!(shown(&rows, 60), @"
        album/summer/cat.jpg    312 ms
            3000 × 2000 → 500 × 333  1.4 MB → 31 kB
            output/album/summer/cat_resized.jpg
        album/dog.png            1.9 s
            640 × 480 → 500 × 375  176 kB → 40 kB
            output/album/dog_resized.png
        album/a.txt              13 ms
        ");
        insta::assert_snapshot!(shown(&rows, 40), @"
        album/summer/cat.jpg    312 ms
            3000 × 2000 → 500 × 333  1.4 MB → 31
            kB
            output/album/summer/cat_resized.jpg
        album/dog.png            1.9 s
            640 × 480 → 500 × 375  176 kB → 40
            kB
            output/album/dog_resized.png
        album/a.txt              13 ms
        ");
    }
}
