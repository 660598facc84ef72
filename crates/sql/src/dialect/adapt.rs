//! Changes to a parsed query that need to know something: the tables' columns, or what a failed cast gives.

use super::ast::Query;
use datafusion::sql::sqlparser::ast::{
    CastKind, Expr, Ident, Join, JoinConstraint, JoinOperator, Select, SelectItem, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut,
};
use std::collections::HashSet;
use std::ops::ControlFlow;

impl Query {
    /// Spells the columns as the tables do: a name that no table has, but for its case, becomes that one.
    pub fn adapt_names(&mut self, columns: &[&str]) {
        let mut own = OwnNames::default();
        let _ = Visit::visit(self.ast.as_ref(), &mut own);
        let mut adapter = Adapter { columns: columns.iter().copied().collect(), own: own.0 };
        let _ = VisitMut::visit(self.ast.as_mut(), &mut adapter);
    }

    /// Makes casts give NULL where they cannot give a value.
    pub fn lenient_casts(&mut self) {
        let _ = VisitMut::visit(self.ast.as_mut(), &mut Lenient);
    }
}

struct Lenient;

impl VisitorMut for Lenient {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast { kind, .. } = expr {
            *kind = CastKind::TryCast;
        }
        ControlFlow::Continue(())
    }
}

/// Names that the query itself gives, in lower case: they are never respelled.
#[derive(Default)]
struct OwnNames(HashSet<String>);

impl Visitor for OwnNames {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.0.insert(alias.value.to_lowercase());
            }
        }
        for view in &select.lateral_views {
            self.0.extend(view.lateral_col_alias.iter().map(|column| column.value.to_lowercase()));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let alias = match factor {
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::UNNEST { alias, .. } => alias,
            _ => return ControlFlow::Continue(()),
        };
        if let Some(alias) = alias {
            self.0.insert(alias.name.value.to_lowercase());
            self.0.extend(alias.columns.iter().map(|column| column.name.value.to_lowercase()));
        }
        ControlFlow::Continue(())
    }
}

/// The name of an item that has one.
fn shown_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some(ident.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|last| last.value.clone()),
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    }
}

struct Adapter<'a> {
    columns: HashSet<&'a str>,
    own: HashSet<String>,
}

impl Adapter<'_> {
    fn adapt(&self, ident: &mut Ident) {
        let wanted = ident.value.to_lowercase();
        let as_written = if ident.quote_style.is_some() { &ident.value } else { &wanted };
        if self.columns.contains(as_written.as_str()) || self.own.contains(&wanted) {
            return;
        }
        let mut similar = self.columns.iter().filter(|column| column.to_lowercase() == wanted);
        if let (Some(only), None) = (similar.next(), similar.next()) {
            ident.value = (*only).to_owned();
            ident.quote_style = Some('`');
        }
    }

    fn adapt_constraint(&self, join: &mut Join) {
        let constraint = match &mut join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::Semi(constraint)
            | JoinOperator::LeftSemi(constraint)
            | JoinOperator::RightSemi(constraint)
            | JoinOperator::Anti(constraint)
            | JoinOperator::LeftAnti(constraint)
            | JoinOperator::RightAnti(constraint) => constraint,
            _ => return,
        };
        if let JoinConstraint::Using(names) = constraint {
            for name in names {
                if let [part] = name.0.as_mut_slice()
                    && let datafusion::sql::sqlparser::ast::ObjectNamePart::Identifier(ident) = part
                {
                    self.adapt(ident);
                }
            }
        }
    }
}

impl VisitorMut for Adapter<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for table in &mut select.from {
            table.joins.iter_mut().for_each(|join| self.adapt_constraint(join));
        }
        ControlFlow::Continue(())
    }

    /// A field of a struct column is called by its own name; DataFusion would call it `t.s[f]`.
    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let names: Vec<String> = select.projection.iter().filter_map(shown_name).collect();
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) = item
                && let [first, .., last] = parts.as_slice()
                && self.columns.iter().any(|column| column.eq_ignore_ascii_case(&first.value))
                && names.iter().filter(|name| name.eq_ignore_ascii_case(&last.value)).count() == 1
            {
                let alias = last.clone();
                *item = SelectItem::ExprWithAlias { expr: Expr::CompoundIdentifier(parts.clone()), alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.adapt(ident),
            // The first part may be a table; where it is a column it is found in the same way.
            Expr::CompoundIdentifier(parts) => parts.iter_mut().skip(1).for_each(|part| self.adapt(part)),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
