//! The image work here as `benches/peers/run.sh` asks for it: for each line `FORMAT WIDTHS SOURCE DEST` on standard input, the
//! CPU milliseconds that it took, and the result of the first width in DEST.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, Write};

use resizer_handler::resize::{Limits, OutputFormat, Rendition, resize};

fn main() -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let [format, widths, source, dest] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("not FORMAT WIDTHS SOURCE DEST: {line}").into());
        };
        let format = match format {
            "png" => OutputFormat::Png,
            "webp" => OutputFormat::Webp,
            "avif" => OutputFormat::Avif,
            _ => OutputFormat::Jpeg,
        };
        let source = fs::read(source)?;
        let rendition = |width: &str| -> Result<Rendition, Box<dyn Error>> {
            Ok(Rendition {
                width: width.parse()?,
                format,
                ..Rendition::default()
            })
        };
        let renditions = widths.split(',').map(rendition).collect::<Result<Vec<_>, _>>()?;
        let before = cpu_millis()?;
        let resized = resize(&source, &renditions, &Limits::default())?;
        let took = cpu_millis()? - before;
        fs::write(dest, &resized.pictures[0].bytes)?;
        println!("{took:.2}");
        io::stdout().flush()?;
    }
    Ok(())
}

/// The CPU time of this thread so far, in milliseconds (`/proc/thread-self/schedstat`, in nanoseconds).
fn cpu_millis() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: f64 = status.split(' ').next().ok_or("schedstat is empty")?.parse()?;
    Ok(nanos / 1e6)
}
