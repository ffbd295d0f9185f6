//! resizer-local
mod glob;
mod jsonpath;
mod states;

pub fn uuid() -> String {
    let mut b = [0u8; 16];
    let _ = getrandom::fill(&mut b);
    hex::encode(b)
}
