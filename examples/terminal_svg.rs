//! Draws what a command printed to a terminal as a picture: `… --color always | cargo run --example terminal_svg`.

use std::io::{Read, Write, stdin, stdout};

use anstyle_svg::Term;

fn main() -> std::io::Result<()> {
    let mut printed = String::new();
    stdin().read_to_string(&mut printed)?;
    stdout().write_all(Term::new().render_svg(&printed).as_bytes())
}
