//! Pages of lists.

/// One page of a list, and the token of the next.
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// The page of `items` that `token` names, the first without one, of at most `most`. A token says how many items came
/// before; `None` for one that no page gave.
pub fn page<T>(items: Vec<T>, token: Option<&str>, most: usize) -> Option<Page<T>> {
    let from: usize = token.map_or(Some(0), |token| token.parse().ok())?;
    let end = from.saturating_add(most);
    let next = (end < items.len()).then(|| end.to_string());
    let items = items.into_iter().take(end).skip(from).collect();
    Some(Page { items, next })
}

/// Cuts rows, of which one more was read than fits on a page, to the page: the last of it, if more follow.
pub fn cut<T>(rows: &mut Vec<T>, most: usize) -> Option<&T> {
    let more = rows.len() > most;
    rows.truncate(most);
    rows.last().filter(|_| more)
}
