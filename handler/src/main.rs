//! `bootstrap`, the program that Lambda starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    resizer_handler::serve(resizer_handler::resize::resize)
}
