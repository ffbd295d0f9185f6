#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const LAMBDA: Target = Target::Lambda(Architecture::X86_64);
const GLIBC_LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// The least of an ELF file that has a loader and needs symbol versions.
struct Program {
    machine: u16,
    loader: Option<&'static str>,
    /// Name and flags.
    versions: Vec<(&'static str, u16)>,
}

impl Program {
    fn x86_64(versions: &[&'static str]) -> Self {
        Self {
            machine: 62,
            loader: Some(GLIBC_LOADER),
            versions: versions.iter().map(|name| (*name, 0)).collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        const HEADER: usize = 64;
        const PROGRAM_HEADER: usize = 56;
        let loader = self
            .loader
            .map(|loader| format!("{loader}\0").into_bytes())
            .unwrap_or_default();
        let (strings, needs) = self.versions_sections();
        let loader_at = HEADER + PROGRAM_HEADER;
        let strings_at = (loader_at + loader.len()).next_multiple_of(8);
        let needs_at = (strings_at + strings.len()).next_multiple_of(8);
        let sections_at = (needs_at + needs.len()).next_multiple_of(8);

        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend(2u16.to_le_bytes()); // ET_EXEC
        file.extend(self.machine.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        for number in [0, HEADER, sections_at] {
            file.extend((number as u64).to_le_bytes());
        }
        file.extend(0u32.to_le_bytes());
        let segments = u16::from(self.loader.is_some());
        for number in [64, 56, segments, 64, 3, 1] {
            file.extend(number.to_le_bytes());
        }
        // PT_INTERP
        file.extend(3u32.to_le_bytes());
        file.extend(4u32.to_le_bytes());
        for number in [loader_at, 0, 0, loader.len(), loader.len(), 1] {
            file.extend((number as u64).to_le_bytes());
        }
        for (at, content) in [
            (loader_at, loader),
            (strings_at, strings.clone()),
            (needs_at, needs.clone()),
        ] {
            file.resize(at, 0);
            file.extend(content);
        }
        file.resize(sections_at + 64, 0); // and the null section
        section(&mut file, 3, strings_at, strings.len(), (0, 0)); // SHT_STRTAB
        section(&mut file, 0x6fff_fffe, needs_at, needs.len(), (1, 1)); // SHT_GNU_VERNEED
        file
    }

    /// The strings, and one `Verneed` with its `Vernaux`es.
    fn versions_sections(&self) -> (Vec<u8>, Vec<u8>) {
        let mut strings = b"\0".to_vec();
        let mut needs = Vec::new();
        needs.extend(1u16.to_le_bytes());
        needs.extend((self.versions.len() as u16).to_le_bytes());
        for number in [0u32, 16, 0] {
            needs.extend(number.to_le_bytes());
        }
        for (name, flags) in &self.versions {
            needs.extend(0u32.to_le_bytes());
            needs.extend(flags.to_le_bytes());
            needs.extend(2u16.to_le_bytes());
            needs.extend((strings.len() as u32).to_le_bytes());
            needs.extend(16u32.to_le_bytes());
            strings.extend(name.as_bytes());
            strings.push(0);
        }
        (strings, needs)
    }
}

fn section(file: &mut Vec<u8>, kind: u32, at: usize, length: usize, link_and_info: (u32, u32)) {
    file.extend(0u32.to_le_bytes());
    file.extend(kind.to_le_bytes());
    for number in [0, 0, at, length] {
        file.extend((number as u64).to_le_bytes());
    }
    file.extend(link_and_info.0.to_le_bytes());
    file.extend(link_and_info.1.to_le_bytes());
    for number in [1u64, 0] {
        file.extend(number.to_le_bytes());
    }
}

#[test]
fn a_program_that_needs_what_lambda_has_is_taken() {
    let program = Program::x86_64(&["GLIBC_2.2.5", "GLIBC_2.34", "GCC_3.0", "GLIBC_PRIVATE"]);
    check(&program.bytes(), LAMBDA).unwrap();
}

#[test]
fn a_static_program_is_taken() {
    let program = Program {
        loader: None,
        ..Program::x86_64(&[])
    };
    check(&program.bytes(), LAMBDA).unwrap();
}

#[test]
fn a_program_that_needs_a_newer_glibc_is_refused() {
    let program = Program::x86_64(&["GLIBC_2.2.5", "GLIBC_2.39", "GLIBC_2.4"]);
    let refusal = check(&program.bytes(), LAMBDA).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "`bootstrap` needs GLIBC 2.39, and Lambda's provided.al2023 has 2.34"
    );
}

#[test]
fn packed_relocations_are_newer_than_lambda() {
    let program = Program::x86_64(&["GLIBC_ABI_DT_RELR"]);
    assert!(matches!(
        check(&program.bytes(), LAMBDA),
        Err(Refusal::NewerGlibc { .. })
    ));
}

#[test]
fn a_version_that_only_weak_references_want_is_no_need() {
    let program = Program {
        versions: vec![("GLIBC_2.39", 2)],
        ..Program::x86_64(&[])
    };
    check(&program.bytes(), LAMBDA).unwrap();
}

#[test]
fn a_program_for_another_processor_is_refused() {
    let program = Program {
        machine: 183,
        ..Program::x86_64(&[])
    };
    let refusal = check(&program.bytes(), LAMBDA).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "`bootstrap` is a program for arm64, and the function's architecture is x86_64"
    );
}

#[test]
fn a_program_of_another_c_library_is_refused() {
    let program = Program {
        loader: Some("/lib/ld-musl-x86_64.so.1"),
        ..Program::x86_64(&[])
    };
    assert!(matches!(
        check(&program.bytes(), LAMBDA),
        Err(Refusal::OtherLoader(loader)) if loader == "/lib/ld-musl-x86_64.so.1"
    ));
}

#[test]
fn a_script_or_half_a_program_is_refused() {
    let whole = Program::x86_64(&["GLIBC_2.2.5"]).bytes();
    for broken in [b"#!/bin/sh\n".as_slice(), b"", &whole[..whole.len() - 100]] {
        assert!(matches!(check(broken, LAMBDA), Err(Refusal::NotElf(_))));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_program_of_this_machine_is_taken_for_this_machine() {
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    check(&program, Target::Host).unwrap();
    needed_glibc(&program).unwrap().unwrap();
}
