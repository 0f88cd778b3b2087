//! Relations between parameters that every candidate must meet.
//!
//! A condition is a small expression: parameter names in braces, numbers, quoted texts,
//! `true` and `false`, `+ - * / %`, the comparisons `== != < <= > >=`, `in [a, b]`,
//! `and`, `or`, `not` and parentheses. A parameter that a candidate leaves to the engine
//! makes what depends on it *unknown*, and an unknown condition holds: it cannot be said
//! to be broken.

mod evaluate;
mod parse;

use super::{Candidate, ParameterName};

/// A condition such as `{max-num-batched-tokens} >= {max-num-seqs}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    source: String,
    expression: Expression,
}

/// Why a condition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct ConstraintError {
    /// What is wrong.
    pub message: String,
    /// Where, counted in characters from 1.
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Number(f64),
    Text(String),
    Bool(bool),
    Parameter(ParameterName),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    OneOf(Box<Expression>, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Constraint {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where it cannot be read, and why.
    pub fn parse(source: &str) -> Result<Self, ConstraintError> {
        Ok(Self {
            source: source.to_owned(),
            expression: parse::expression(source)?,
        })
    }

    /// The condition as the user wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The parameters that it names, in the order of their first mention.
    pub fn parameters(&self) -> Vec<&ParameterName> {
        let mut names = Vec::new();
        self.expression.collect_parameters(&mut names);
        names
    }

    /// Whether the candidate meets the condition, or leaves it open.
    pub fn holds(&self, candidate: &Candidate) -> bool {
        evaluate::truth(&self.expression, candidate) != Some(false)
    }

    /// Whether the candidate certainly meets the condition.
    pub fn is_certain(&self, candidate: &Candidate) -> bool {
        evaluate::truth(&self.expression, candidate) == Some(true)
    }
}

impl Expression {
    fn collect_parameters<'a>(&'a self, names: &mut Vec<&'a ParameterName>) {
        match self {
            Self::Parameter(name) => {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Self::Not(inner) | Self::Negative(inner) => inner.collect_parameters(names),
            Self::Binary(_, left, right) => {
                left.collect_parameters(names);
                right.collect_parameters(names);
            }
            Self::OneOf(needle, list) => {
                needle.collect_parameters(names);
                for entry in list {
                    entry.collect_parameters(names);
                }
            }
            Self::Number(_) | Self::Text(_) | Self::Bool(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Value;

    fn candidate() -> Candidate {
        Candidate::new([
            (ParameterName::new("max-num-seqs"), Value::Int(64)),
            (ParameterName::new("max_num_batched_tokens"), Value::Int(2048)),
            (ParameterName::new("utilization"), Value::Float(0.9)),
            (ParameterName::new("dtype"), Value::from("fp8")),
            (ParameterName::new("eager"), Value::Bool(false)),
            (ParameterName::new("quantization"), Value::Unset),
            (ParameterName::new("env.OMP_WAIT_POLICY"), Value::from("PASSIVE")),
        ])
    }

    #[test]
    fn conditions_hold_or_not() {
        let check = |source: &str, expected: bool| {
            let constraint = Constraint::parse(source).expect(source);
            assert_eq!(constraint.holds(&candidate()), expected, "{source}");
        };
        check("{max-num-batched-tokens} >= {max-num-seqs}", true);
        check("{max_num_batched_tokens} < {max-num-seqs}", false);
        check("{max-num-seqs} * 32 == {max-num-batched-tokens}", true);
        check("{max-num-seqs} + 1 > 64 and {utilization} <= 0.9", true);
        check("{max-num-seqs} % 10 == 4", true);
        check("-{max-num-seqs} < 0", true);
        check("2 + 3 * 4 == 14", true);
        check("(2 + 3) * 4 == 20", true);
        check("10 - 3 - 2 == 5", true);
        check("7 / 2 == 3.5", true);
        check("{dtype} in [\"fp8\", auto]", true);
        check("{dtype} in ['auto']", false);
        check("{max-num-seqs} in [16, 64]", true);
        check("not {eager}", true);
        check("{eager} == false", true);
        check("not ({dtype} == 'fp8' and {max-num-seqs} > 32)", false);
        check("{dtype} == 'fp8' or {max-num-seqs} > 1000", true);
        check("{env.OMP_WAIT_POLICY} == 'PASSIVE'", true);
        check("{dtype} != \"auto\"", true);
    }

    #[test]
    fn what_the_engine_decides_leaves_a_condition_open() {
        let check = |source: &str, expected: bool| {
            let constraint = Constraint::parse(source).expect(source);
            assert_eq!(constraint.holds(&candidate()), expected, "{source}");
        };
        check("{quantization} == 'fp8'", true);
        check("{missing} > 5", true);
        check("not ({missing} > 5)", true);
        // Known to be false whatever the unknown part turns out to be.
        check("{missing} > 5 and {max-num-seqs} > 100", false);
        check("1 / 0 > 5", true);
        check("{max-num-seqs} in [16, {missing}]", true);
        check("not ({max-num-seqs} in [16, {missing}])", true);
        check("not ({max-num-seqs} in [64, {missing}])", false);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let check = |source: &str, message: &str| {
            let error = Constraint::parse(source).expect_err(source);
            assert_eq!(error.to_string(), message, "{source}");
        };
        check("", "the condition is empty at column 1");
        check("{a} >", "a value is missing at column 6");
        check("{a} > 3 4", "unexpected \"4\" at column 9");
        check("{a > 3", "the brace is never closed at column 1");
        check("{} > 3", "the braces name no parameter at column 1");
        check("('x' == {a}", "the parenthesis is never closed at column 1");
        check("{a} in 3", "\"in\" needs a list such as [1, 2] at column 8");
        check("{a} == 'x", "the quote is never closed at column 8");
        check(
            "{a} = 3",
            "\"=\" is not an operator; to compare, write \"==\" at column 5",
        );
        check(
            "{a} + 3",
            "the condition is a number, not true or false at column 1",
        );
        check(
            "{a} < 3 < 4",
            "comparisons cannot be chained; join them with \"and\" at column 9",
        );
        check("1 ? 2", "unexpected character \"?\" at column 3");
        check(
            &"(".repeat(500),
            "the condition is nested too deeply at column 66",
        );
        check(
            &"not ".repeat(400),
            "the condition is nested too deeply at column 261",
        );
    }

    #[test]
    fn the_named_parameters_are_known() {
        let constraint = Constraint::parse("{b} > {a} and {b} in [{c}]").expect("readable");
        let names: Vec<&str> = constraint.parameters().iter().map(|name| name.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(source in ".{0,80}") {
            if let Ok(constraint) = Constraint::parse(&source) {
                constraint.holds(&candidate());
            }
        }

        #[test]
        fn no_likely_text_makes_it_panic(source in r#"[{}a1 +*/%<>=!'"\[\],()\-.notandri]{0,60}"#) {
            if let Ok(constraint) = Constraint::parse(&source) {
                constraint.holds(&candidate());
            }
        }
    }
}
