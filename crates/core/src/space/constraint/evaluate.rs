//! From expression and candidate to true, false or unknown (Kleene's three values).

use super::{Expression, Operator};
use crate::space::{Candidate, Value};

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Number(f64),
    Text(String),
    Bool(bool),
}

/// Whether the expression is true; `None` where that depends on what the engine decides.
pub(super) fn truth(expression: &Expression, candidate: &Candidate) -> Option<bool> {
    match value(expression, candidate)? {
        Operand::Bool(truth) => Some(truth),
        Operand::Number(_) | Operand::Text(_) => None,
    }
}

fn value(expression: &Expression, candidate: &Candidate) -> Option<Operand> {
    match expression {
        Expression::Number(number) => Some(Operand::Number(*number)),
        Expression::Text(text) => Some(Operand::Text(text.clone())),
        Expression::Bool(truth) => Some(Operand::Bool(*truth)),
        Expression::Parameter(name) => candidate.get(name.as_str()).and_then(operand),
        Expression::Not(inner) => truth(inner, candidate).map(|truth| Operand::Bool(!truth)),
        Expression::Negative(inner) => match value(inner, candidate)? {
            Operand::Number(number) => Some(Operand::Number(-number)),
            Operand::Text(_) | Operand::Bool(_) => None,
        },
        Expression::Binary(Operator::And, left, right) => {
            both(truth(left, candidate), truth(right, candidate)).map(Operand::Bool)
        }
        Expression::Binary(Operator::Or, left, right) => {
            let neither = both(
                truth(left, candidate).map(|truth| !truth),
                truth(right, candidate).map(|truth| !truth),
            );
            neither.map(|neither| Operand::Bool(!neither))
        }
        Expression::Binary(operator, left, right) => {
            apply(*operator, value(left, candidate)?, value(right, candidate)?)
        }
        Expression::OneOf(needle, list) => {
            let needle = value(needle, candidate)?;
            let mut is_known = true;
            for entry in list {
                match value(entry, candidate) {
                    Some(entry) if same(&needle, &entry) => return Some(Operand::Bool(true)),
                    Some(_) => (),
                    None => is_known = false,
                }
            }
            is_known.then_some(Operand::Bool(false))
        }
    }
}

fn operand(value: &Value) -> Option<Operand> {
    match value {
        Value::Unset => None,
        Value::Bool(truth) => Some(Operand::Bool(*truth)),
        Value::Int(_) | Value::Float(_) => value.as_number().map(Operand::Number),
        Value::Text(text) => Some(Operand::Text(text.clone())),
    }
}

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Equal, where a text that spells a number is that number.
fn same(left: &Operand, right: &Operand) -> bool {
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

fn number(operand: &Operand) -> Option<f64> {
    match operand {
        Operand::Number(number) => Some(*number),
        Operand::Text(text) => text.parse().ok(),
        Operand::Bool(_) => None,
    }
}

fn apply(operator: Operator, left: Operand, right: Operand) -> Option<Operand> {
    match operator {
        Operator::Equal => return Some(Operand::Bool(same(&left, &right))),
        Operator::NotEqual => return Some(Operand::Bool(!same(&left, &right))),
        _ => {}
    }
    let (left, right) = (number(&left)?, number(&right)?);
    let number = |result: f64| result.is_finite().then_some(Operand::Number(result));
    match operator {
        Operator::Less => Some(Operand::Bool(left < right)),
        Operator::LessOrEqual => Some(Operand::Bool(left <= right)),
        Operator::Greater => Some(Operand::Bool(left > right)),
        Operator::GreaterOrEqual => Some(Operand::Bool(left >= right)),
        Operator::Add => number(left + right),
        Operator::Subtract => number(left - right),
        Operator::Multiply => number(left * right),
        Operator::Divide => number(left / right),
        Operator::Remainder => number(left % right),
        Operator::Or | Operator::And | Operator::Equal | Operator::NotEqual => None,
    }
}
