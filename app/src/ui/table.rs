//! Sorting of entity lists. The table itself is `<table class="list-table">`.

use super::icon::Icon;
use leptos::prelude::*;

/// By which column a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort<C> {
    pub column: C,
    pub is_descending: bool,
}

impl<C: Copy + PartialEq> Sort<C> {
    pub fn by(column: C) -> Self {
        Self { column, is_descending: false }
    }

    /// What a click on the column's head makes of it.
    pub fn toggled(self, column: C) -> Self {
        Self { column, is_descending: self.column == column && !self.is_descending }
    }

    /// Sorts by a key; equal keys keep their order.
    pub fn apply<T, K: Ord>(self, rows: &mut [T], key: impl FnMut(&T) -> K) {
        rows.sort_by_cached_key(key);
        if self.is_descending {
            rows.reverse();
        }
    }
}

/// A column head that sorts.
#[component]
pub fn SortHead<C: Copy + PartialEq + Send + Sync + 'static>(
    column: C,
    sort: RwSignal<Sort<C>>,
    #[prop(optional)] class: &'static str,
    #[prop(into)] label: String,
) -> impl IntoView {
    let direction = move || {
        let sort = sort.get();
        (sort.column == column).then_some(if sort.is_descending { "descending" } else { "ascending" })
    };
    view! {
        <th class=class aria-sort=direction>
            <button type="button" class="th-i" on:click=move |_| sort.update(|sort| *sort = sort.toggled(column))>
                {label}
                {move || direction().map(|direction| view! {
                    <Icon name=if direction == "ascending" { "arrow-up" } else { "arrow-down" } small=true/>
                })}
            </button>
        </th>
    }
}

#[cfg(test)]
mod tests {
    use super::Sort;

    #[test]
    fn sorting() {
        let sort = Sort::by(0).toggled(0);
        assert!(sort.is_descending && !sort.toggled(1).is_descending);
        let mut rows = [2, 3, 1];
        sort.apply(&mut rows, |row| *row);
        assert_eq!(rows, [3, 2, 1]);
    }
}
