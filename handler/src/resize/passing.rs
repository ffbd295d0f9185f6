//! Memory for a picture that is there as a whole only until it has been made smaller.

use memmap2::MmapMut;

use super::Refusal;
use super::scale::not_scaled;

/// Of x86-64, and of arm64 with pages of 4 KiB, in bytes.
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;

/// So many zero bytes, in huge pages where the kernel has them: it then gives tens of megabytes 2 MiB at a time, in place of
/// 4 KiB, which took a tenth of the time of a large WebP with alpha.
///
/// Assumption: Lambda's kernel has them on request, as Amazon Linux 2023 does; without, the bytes come in small pages.
pub fn passing(bytes: usize) -> Result<MmapMut, Refusal> {
    let memory = MmapMut::map_anon(bytes).map_err(not_scaled)?;
    #[cfg(target_os = "linux")]
    if bytes >= HUGE_PAGE {
        // A kernel that has none refuses, and nothing is lost.
        memory.advise(memmap2::Advice::HugePage).ok();
    }
    Ok(memory)
}
