//! The space: parameters and constraints together.

use std::collections::{HashMap, HashSet};

use rand::{Rng, RngExt};

use super::conditions::Conditions;
use super::{Candidate, Constraint, Domain, Parameter, ParameterName, Value};
use crate::problem::{Problem, closest};

/// What may vary, all at once.
///
/// Points are numbered in mixed radix, the first parameter slowest; any of them can be
/// made from its number, so that no list of them is ever needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    parameters: Vec<Parameter>,
    constraints: Vec<Constraint>,
    conditions: Conditions,
    restrictions: Vec<Restriction>,
}

/// Parameters of which only some combinations are possible.
#[derive(Debug, Clone, PartialEq)]
struct Restriction {
    /// Their indices; the first is where their number has its digit.
    parameters: Vec<usize>,
    /// The possible combinations, each with a value for every one of them.
    rows: Vec<Vec<Value>>,
    /// The keys of the rows: there may be thousands, and every point is looked up.
    keys: HashSet<String>,
}

/// How many points there are: impossible combinations left out, constraints not counted, nor
/// that parameters may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// This many; `u128::MAX` when there are more than that.
    Finite(u128),
    /// A continuous parameter makes it endless.
    Infinite,
}

impl Space {
    /// A space of these parameters.
    ///
    /// # Errors
    /// Every problem of the space as a whole, with paths below `parameters` and
    /// `constraints`: a name given twice, an empty domain, a range that ends before it
    /// begins, a constraint that names an unknown parameter.
    pub fn new(parameters: Vec<Parameter>, constraints: Vec<Constraint>) -> Result<Self, Vec<Problem>> {
        let mut problems = duplicate_names(&parameters);
        for parameter in &parameters {
            let path = format!("parameters.{}", parameter.name);
            problems.extend(domain_problem(&parameter.domain).map(|message| Problem::new(path, message)));
        }
        for (index, constraint) in constraints.iter().enumerate() {
            problems.extend(unknown_names(index, constraint, &parameters));
        }
        if problems.is_empty() {
            Ok(Self {
                parameters,
                constraints,
                conditions: Conditions::default(),
                restrictions: Vec::new(),
            })
        } else {
            Err(problems)
        }
    }

    /// The same space where each of these parameters is set only where its condition is certainly
    /// true, and left to the engine elsewhere.
    ///
    /// # Errors
    /// A condition that names an unknown parameter, or a parameter whose condition depends on
    /// itself, with paths below `parameters`.
    pub fn conditional(self, conditions: Vec<(ParameterName, Constraint)>) -> Result<Self, Vec<Problem>> {
        let conditions = Conditions::of(&self.parameters, conditions)?;
        Ok(Self { conditions, ..self })
    }

    /// Whether it depends on other parameters that the one at this place is set.
    pub fn is_conditional(&self, index: usize) -> bool {
        self.conditions.has(index)
    }

    /// The same values, where those that are not set by their conditions are left to the engine.
    pub fn settled(&self, candidate: &Candidate) -> Candidate {
        let value = |parameter: &Parameter| candidate.get(parameter.name.as_str());
        let values = self.parameters.iter().map(value);
        let values = values.map(|value| value.cloned().unwrap_or(Value::Unset));
        self.candidate(values.collect())
    }

    /// The same space where these parameters take only the combinations of `rows`, each row
    /// a value for every one of them. Unlike a constraint, it is counted in the size. Earlier
    /// restrictions of some of these parameters alone are replaced.
    ///
    /// # Panics
    /// A name is not one of the space's, or lies in an earlier restriction with others; a row
    /// has another length; there is no row.
    #[must_use]
    pub fn restricted(mut self, names: &[ParameterName], rows: Vec<Vec<Value>>) -> Self {
        let index = |name: &ParameterName| {
            let is_it = |parameter: &Parameter| parameter.name.canonical() == name.canonical();
            self.parameters
                .iter()
                .position(is_it)
                .expect("a parameter of the space")
        };
        let parameters: Vec<usize> = names.iter().map(index).collect();
        self.restrictions.retain(|earlier| {
            let is_replaced = earlier.parameters.iter().all(|index| parameters.contains(index));
            !is_replaced
        });
        let is_free = |index: &usize| self.restriction_of(*index).is_none();
        assert!(parameters.iter().all(is_free), "restricted once at most");
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row.len() == names.len()),
            "rows of all the parameters"
        );
        let keys = rows.iter().map(row_key).collect();
        self.restrictions.push(Restriction {
            parameters,
            rows,
            keys,
        });
        self
    }

    /// The space of those parameters that `is_meant` and of all that are restricted together
    /// with one of them, with the constraints that name no others.
    pub(crate) fn part(&self, is_meant: impl Fn(&Parameter) -> bool) -> Self {
        let is_inside = |index: usize| {
            let mut together = self
                .restriction_of(index)
                .map_or(&[][..], |restriction| &restriction.parameters[..])
                .iter();
            is_meant(&self.parameters[index]) || together.any(|other| is_meant(&self.parameters[*other]))
        };
        let kept: Vec<usize> = (0..self.parameters.len())
            .filter(|index| is_inside(*index))
            .collect();
        let place = |index: &usize| kept.iter().position(|other| other == index);
        let restriction = |restriction: &Restriction| {
            let parameters = restriction.parameters.iter().map(place).collect::<Option<_>>()?;
            Some(Restriction {
                parameters,
                ..restriction.clone()
            })
        };
        let names: Vec<String> = kept
            .iter()
            .map(|index| self.parameters[*index].name.canonical())
            .collect();
        let is_within = |constraint: &&Constraint| {
            let mut named = constraint.parameters().into_iter();
            named.all(|name| names.contains(&name.canonical()))
        };
        Self {
            parameters: kept.iter().map(|index| self.parameters[*index].clone()).collect(),
            constraints: self.constraints.iter().filter(is_within).cloned().collect(),
            conditions: self.conditions.part(&self.parameters, &kept),
            restrictions: self.restrictions.iter().filter_map(restriction).collect(),
        }
    }

    /// What varies, in the user's order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// What every candidate must meet.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Whether the candidate is possible and meets every constraint.
    pub fn allows(&self, candidate: &Candidate) -> bool {
        let is_possible = |restriction: &Restriction| {
            let values = |index: &usize| candidate.get(self.parameters[*index].name.as_str());
            let mut given = restriction.parameters.iter().map(values);
            let all: Option<Vec<&Value>> = given.clone().collect();
            match all {
                Some(all) => restriction.keys.contains(&row_key(all)),
                None => given.all(|value| value.is_none()),
            }
        };
        self.restrictions.iter().all(is_possible)
            && self.conditions.hold(&self.parameters, candidate)
            && self
                .constraints
                .iter()
                .all(|constraint| constraint.holds(candidate))
    }

    /// How many points there are. A space without parameters has one: the engine's defaults.
    pub fn size(&self) -> Size {
        (0..self.parameters.len())
            .try_fold(1_u128, |product, index| {
                self.digit(index).map(|size| product.saturating_mul(size))
            })
            .map_or(Size::Infinite, Size::Finite)
    }

    /// Point number `rank`, the first parameter varying slowest; `None` past the end or
    /// where a parameter is continuous. Not every one of them is allowed.
    pub fn nth(&self, rank: u128) -> Option<Candidate> {
        let mut rest = rank;
        let mut values = vec![Value::Unset; self.parameters.len()];
        for index in (0..self.parameters.len()).rev() {
            let size = self.digit(index)?;
            let digit = rest % size;
            rest /= size;
            match self.restriction_of(index) {
                None => values[index] = self.value(index, digit)?,
                Some(restriction) if restriction.parameters[0] == index => {
                    restriction.put(usize::try_from(digit).ok()?, &mut values);
                }
                Some(_) => {}
            }
        }
        (rest == 0).then(|| Candidate::new(self.names().zip(values)))
    }

    /// The value of a parameter's digit: those of its domain, and "left to the engine" for one
    /// that may not be set.
    fn value(&self, index: usize, digit: u128) -> Option<Value> {
        let domain = &self.parameters[index].domain;
        match domain.size() {
            Some(size) if digit == size && self.may_be_unset(index) => Some(Value::Unset),
            _ => domain.nth(digit),
        }
    }

    /// Whether there is a value beside those of the domain.
    fn may_be_unset(&self, index: usize) -> bool {
        self.conditions.has(index) && !self.parameters[index].domain.can_be_unset()
    }

    /// The point whose parameters lie at these fractions (0 to 1) of their domains, or,
    /// where that combination is impossible, one that differs in as few values as can be.
    pub fn at(&self, fractions: impl IntoIterator<Item = f64>) -> Candidate {
        let mut values = self.values_at(fractions);
        for restriction in &self.restrictions {
            restriction.put(restriction.nearest(&values), &mut values);
        }
        self.candidate(values)
    }

    /// A point drawn uniformly, each parameter on its own scale; constraints not heeded.
    pub fn sample(&self, rng: &mut dyn Rng) -> Candidate {
        let fractions = std::iter::repeat_with(|| rng.random::<f64>()).take(self.parameters.len());
        let mut values = self.values_at(fractions);
        for restriction in &self.restrictions {
            restriction.put(rng.random_range(0..restriction.rows.len()), &mut values);
        }
        self.candidate(values)
    }

    fn values_at(&self, fractions: impl IntoIterator<Item = f64>) -> Vec<Value> {
        self.parameters
            .iter()
            .zip(fractions)
            .map(|(parameter, fraction)| parameter.domain.at(fraction))
            .collect()
    }

    fn candidate(&self, mut values: Vec<Value>) -> Candidate {
        self.conditions.settle(&self.parameters, &mut values);
        Candidate::new(self.names().zip(values))
    }

    fn names(&self) -> impl Iterator<Item = ParameterName> {
        self.parameters.iter().map(|parameter| parameter.name.clone())
    }

    fn restriction_of(&self, index: usize) -> Option<&Restriction> {
        self.restrictions
            .iter()
            .find(|restriction| restriction.parameters.contains(&index))
    }

    /// How many values the digit of this parameter has in a point's number; those of a
    /// restriction share the digit of its first.
    fn digit(&self, index: usize) -> Option<u128> {
        match self.restriction_of(index) {
            None => {
                let size = self.parameters[index].domain.size()?;
                Some(size.saturating_add(u128::from(self.may_be_unset(index))))
            }
            Some(restriction) if restriction.parameters[0] == index => Some(restriction.rows.len() as u128),
            Some(_) => Some(1),
        }
    }
}

impl Restriction {
    /// Puts the values of a row into their places.
    fn put(&self, row: usize, values: &mut [Value]) {
        for (index, value) in self.parameters.iter().zip(&self.rows[row]) {
            values[*index] = value.clone();
        }
    }

    /// The row that differs from these values in the fewest places; of equals the first.
    fn nearest(&self, values: &[Value]) -> usize {
        let differing = |row: &Vec<Value>| {
            let places = self.parameters.iter().zip(row);
            places.filter(|(index, value)| values[**index] != **value).count()
        };
        (0..self.rows.len())
            .min_by_key(|row| differing(&self.rows[*row]))
            .unwrap_or(0)
    }
}

/// What tells rows apart: their values, each with its type.
fn row_key<'a>(row: impl IntoIterator<Item = &'a Value>) -> String {
    let values: Vec<String> = row.into_iter().map(|value| value.to_json().to_string()).collect();
    values.join("\u{1f}")
}

fn duplicate_names(parameters: &[Parameter]) -> Vec<Problem> {
    let mut seen: HashMap<String, &Parameter> = HashMap::new();
    let mut problems = Vec::new();
    for parameter in parameters {
        if let Some(first) = seen.insert(parameter.name.canonical(), parameter) {
            problems.push(Problem::new(
                format!("parameters.{}", parameter.name),
                format!("names the same flag as parameters.{}", first.name),
            ));
        }
    }
    problems
}

fn domain_problem(domain: &Domain) -> Option<String> {
    match domain {
        Domain::Choice(values) if values.is_empty() => Some("has no values to choose from".into()),
        Domain::Choice(_) => None,
        Domain::Integer { low, high, step, log } => {
            if low > high {
                Some(format!("the range ends before it begins: {low} to {high}"))
            } else if *step == 0 {
                Some("a step of 0 leads nowhere".into())
            } else if *log && *low < 1 {
                Some(format!("a logarithmic range begins above 0, not at {low}"))
            } else {
                None
            }
        }
        Domain::Continuous { low, high, log } => {
            if !(low.is_finite() && high.is_finite()) {
                Some("a range has finite ends".into())
            } else if low > high {
                Some(format!("the range ends before it begins: {low} to {high}"))
            } else if *log && *low <= 0.0 {
                Some(format!("a logarithmic range begins above 0, not at {low}"))
            } else {
                None
            }
        }
    }
}

fn unknown_names(index: usize, constraint: &Constraint, parameters: &[Parameter]) -> Vec<Problem> {
    constraint
        .parameters()
        .into_iter()
        .filter(|name| {
            parameters
                .iter()
                .all(|parameter| parameter.name.canonical() != name.canonical())
        })
        .map(|name| unknown_name(&format!("constraints[{index}]"), name, parameters))
        .collect()
}

/// A condition names what is no parameter.
pub(super) fn unknown_name(path: &str, name: &ParameterName, parameters: &[Parameter]) -> Problem {
    let message = format!("names {{{name}}}, which is not one of the parameters");
    let known = parameters.iter().map(|parameter| parameter.name.as_str());
    let problem = Problem::new(path, message);
    match closest(name.as_str(), known) {
        Some(known) => problem.with_hint(format!("did you mean {{{known}}}?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{ParameterName, Value};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    fn parameter(name: &str, domain: Domain) -> Parameter {
        Parameter {
            name: ParameterName::new(name),
            domain,
        }
    }

    fn choice(values: &[i64]) -> Domain {
        Domain::Choice(values.iter().copied().map(Value::Int).collect())
    }

    fn integer(low: i64, high: i64, step: u64, log: bool) -> Domain {
        Domain::Integer { low, high, step, log }
    }

    fn problems(parameters: Vec<Parameter>, constraints: &[&str]) -> Vec<String> {
        let constraints = constraints
            .iter()
            .map(|source| Constraint::parse(source).expect(source))
            .collect();
        Space::new(parameters, constraints)
            .expect_err("a problem")
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_problem_of_a_space_is_told_at_once() {
        let found = problems(
            vec![
                parameter("max-num-seqs", choice(&[])),
                parameter("max_num_seqs", integer(9, 3, 1, false)),
                parameter("tokens", integer(0, 8, 1, true)),
                parameter(
                    "share",
                    Domain::Continuous {
                        low: 0.0,
                        high: f64::INFINITY,
                        log: false,
                    },
                ),
                parameter("step", integer(0, 8, 0, false)),
            ],
            &["{max-num-seq} > 3"],
        );
        assert_eq!(
            found,
            [
                "parameters.max_num_seqs: names the same flag as parameters.max-num-seqs",
                "parameters.max-num-seqs: has no values to choose from",
                "parameters.max_num_seqs: the range ends before it begins: 9 to 3",
                "parameters.tokens: a logarithmic range begins above 0, not at 0",
                "parameters.share: a range has finite ends",
                "parameters.step: a step of 0 leads nowhere",
                "constraints[0]: names {max-num-seq}, which is not one of the parameters; did you mean {max-num-seqs}?",
            ]
        );
    }

    #[test]
    fn points_are_numbered_with_the_first_parameter_slowest() {
        let space = Space::new(
            vec![
                parameter("a", choice(&[10, 20])),
                parameter("b", integer(1, 7, 3, false)),
            ],
            vec![],
        )
        .expect("sound");
        assert_eq!(space.size(), Size::Finite(6));
        let all: Vec<String> = (0..6)
            .map(|rank| space.nth(rank).expect("in range").to_string())
            .collect();
        assert_eq!(
            all,
            [
                "a=10 b=1", "a=10 b=4", "a=10 b=7", "a=20 b=1", "a=20 b=4", "a=20 b=7"
            ]
        );
        assert_eq!(space.nth(6), None);
    }

    #[test]
    fn huge_sizes_are_computed_and_not_listed() {
        let wide = Space::new(
            (0..9)
                .map(|i| parameter(&format!("p{i}"), integer(i64::MIN, i64::MAX, 1, false)))
                .collect(),
            vec![],
        )
        .expect("sound");
        assert_eq!(wide.size(), Size::Finite(u128::MAX));
        assert!(wide.nth(u128::MAX).is_some());
        let empty = Space::new(vec![], vec![]).expect("sound");
        assert_eq!(empty.size(), Size::Finite(1));
        assert!(empty.nth(0).expect("one point").is_engine_default());
    }

    fn conditions(listed: &[(&str, &str)]) -> Vec<(ParameterName, Constraint)> {
        let read = |(name, source): &(&str, &str)| {
            let condition = Constraint::parse(source).expect(source);
            (ParameterName::new(name), condition)
        };
        listed.iter().map(read).collect()
    }

    #[test]
    fn what_is_not_set_is_one_configuration() {
        let parameters = vec![
            parameter("c", choice(&[7, 8])),
            parameter("a", choice(&[1, 2])),
            parameter("b", integer(1, 3, 1, false)),
        ];
        let space = Space::new(parameters, vec![]).expect("sound");
        let space = space
            .conditional(conditions(&[("c", "{b} == 3"), ("b", "{a} == 2")]))
            .expect("sound");
        let allowed = |size| {
            let all = (0..size).map(|rank| space.nth(rank).expect("in range"));
            let allowed = all.filter(|candidate| space.allows(candidate));
            let mut texts: Vec<String> = allowed.map(|candidate| candidate.to_string()).collect();
            texts.sort();
            texts
        };
        assert_eq!(space.size(), Size::Finite(3 * 2 * 4));
        let all = [
            "c=7 a=2 b=3",
            "c=8 a=2 b=3",
            "c=null a=1 b=null",
            "c=null a=2 b=1",
            "c=null a=2 b=2",
        ];
        assert_eq!(allowed(24), all);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..100 {
            let drawn = space.sample(&mut rng);
            assert!(
                space.allows(&drawn) && all.contains(&drawn.to_string().as_str()),
                "{drawn}"
            );
        }
        assert_eq!(space.at([0.0, 0.0, 0.9]).to_string(), "c=null a=1 b=null");
        assert_eq!(space.at([0.0, 0.9, 0.9]).to_string(), "c=7 a=2 b=3");
        // The engine's defaults set nothing.
        assert!(space.allows(&Candidate::engine_default()));
    }

    #[test]
    fn conditions_that_lead_nowhere_are_told() {
        let parameters = || ["a", "b", "c"].map(|name| parameter(name, choice(&[1, 2])));
        let check = |listed: &[(&str, &str)], told: &[&str]| {
            let space = Space::new(parameters().to_vec(), vec![]).expect("sound");
            let problems = space.conditional(conditions(listed)).expect_err("a problem");
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, told);
        };
        check(
            &[("a", "{elsewhere} > 1")],
            &["parameters.a: names {elsewhere}, which is not one of the parameters"],
        );
        let itself = "is set when something is true that depends on itself; name only parameters that \
                      are set without it";
        check(&[("a", "{a} > 1")], &[&format!("parameters.a: {itself}")]);
        check(
            &[("a", "{b} > 1"), ("b", "{a} > 1"), ("c", "{a} > 1")],
            &["a", "b", "c"]
                .map(|name| format!("parameters.{name}: {itself}"))
                .each_ref()
                .map(String::as_str),
        );
    }

    #[test]
    fn impossible_combinations_are_no_points() {
        let names = ["a", "c"].map(ParameterName::new);
        let rows = [(1, 8), (2, 7), (2, 8)].map(|(a, c)| vec![Value::Int(a), Value::Int(c)]);
        let space = Space::new(
            vec![
                parameter("a", choice(&[1, 2])),
                parameter("b", choice(&[5, 6])),
                parameter("c", choice(&[7, 8])),
            ],
            vec![],
        )
        .expect("sound")
        .restricted(&names, rows.to_vec());
        assert_eq!(space.size(), Size::Finite(6));
        let all: Vec<String> = (0..6)
            .map(|rank| space.nth(rank).expect("in range").to_string())
            .collect();
        assert_eq!(
            all,
            [
                "a=1 b=5 c=8",
                "a=1 b=6 c=8",
                "a=2 b=5 c=7",
                "a=2 b=6 c=7",
                "a=2 b=5 c=8",
                "a=2 b=6 c=8"
            ]
            .map(str::to_owned)
        );
        assert_eq!(space.nth(6), None);
        assert_eq!(space.at([0.9, 0.1, 0.1]).to_string(), "a=2 b=5 c=7");
        assert_eq!(space.at([0.1, 0.1, 0.1]).to_string(), "a=1 b=5 c=8");
        assert!(!space.allows(&Candidate::new([
            (ParameterName::new("a"), Value::Int(1)),
            (ParameterName::new("b"), Value::Int(5)),
            (ParameterName::new("c"), Value::Int(7)),
        ])));
        assert!(space.allows(&Candidate::engine_default()));
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let drawn: HashSet<String> = (0..500).map(|_| space.sample(&mut rng).to_string()).collect();
        assert_eq!(drawn, all.into_iter().collect());
    }

    #[test]
    fn a_restricted_space_allows_its_rows_and_nothing_near_them() {
        let names = ["a", "b"].map(ParameterName::new);
        let text = |text: &str| Value::Text(text.into());
        let values = [
            Value::Unset,
            Value::Bool(true),
            Value::Int(1),
            Value::Float(1.0),
            Value::Float(1.5),
            text("1"),
            text("true"),
            text("null"),
            text("1\u{1f}1"),
        ];
        // Each value beside itself and the one before it.
        let is_row = |a: usize, b: usize| a == b || a == b + 1;
        let all = || (0..values.len()).flat_map(|a| (0..values.len()).map(move |b| (a, b)));
        let rows = all().filter(|(a, b)| is_row(*a, *b));
        let rows = rows.map(|(a, b)| vec![values[a].clone(), values[b].clone()]);
        let domain = || Domain::Choice(values.to_vec());
        let space = Space::new(vec![parameter("a", domain()), parameter("b", domain())], vec![])
            .expect("sound")
            .restricted(&names, rows.collect());
        let part = space.part(|_| true);
        for (a, b) in all() {
            let given = [values[a].clone(), values[b].clone()];
            let candidate = Candidate::new(names.iter().cloned().zip(given));
            assert_eq!(space.allows(&candidate), is_row(a, b), "{candidate}");
            assert_eq!(part.allows(&candidate), is_row(a, b), "{candidate}");
        }
        let half = Candidate::new([(ParameterName::new("a"), Value::Int(1))]);
        assert!(!space.allows(&half), "one without the other is no row");
    }

    #[test]
    fn a_draw_reaches_every_value_and_leaves_no_range() {
        let domains = [
            choice(&[1, 2, 3]),
            integer(1, 512, 1, true),
            integer(-4, 4, 2, false),
            integer(5, 5, 1, false),
            integer(0, 10, 4, false),
        ];
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for domain in domains {
            let space = Space::new(vec![parameter("p", domain.clone())], vec![]).expect("sound");
            let every: HashSet<String> = (0..domain.size().expect("finite"))
                .map(|index| domain.nth(index).expect("in range").to_string())
                .collect();
            let mut drawn = HashSet::new();
            for _ in 0..20_000 {
                drawn.insert(space.sample(&mut rng).get("p").expect("set").to_string());
            }
            assert!(drawn.is_subset(&every), "{domain:?}: {drawn:?}");
            if every.len() < 20 {
                assert_eq!(drawn, every, "{domain:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_continuous_draw_stays_inside(low in -1e6..1e6_f64, width in 0.0..1e6_f64, fraction in 0.0..=1.0_f64) {
            let domain = Domain::Continuous { low, high: low + width, log: false };
            let drawn = domain.at(fraction).as_number().expect("a number");
            proptest::prop_assert!((low..=low + width).contains(&drawn));
        }

        #[test]
        fn an_integer_draw_is_on_the_lattice(low in -1000_i64..1000, steps in 0_u64..50, step in 1_u64..20, fraction in 0.0..=1.0_f64, log: bool) {
            let low = if log { low.abs() + 1 } else { low };
            let high = low + i64::try_from(steps * step).expect("small") + i64::try_from(step / 2).expect("small");
            let domain = Domain::Integer { low, high, step, log };
            let Value::Int(drawn) = domain.at(fraction) else { panic!("not a whole number") };
            proptest::prop_assert!(drawn >= low && drawn <= high);
            proptest::prop_assert_eq!((drawn - low) % i64::try_from(step).expect("small"), 0);
        }
    }
}
