//! Whether a workload can be sent at all.
//!
//! The last look before anything is sent, whoever put the workload together. A task document's
//! own rules, with paths and advice, are in `spec`.

use super::{Arrival, Texts, Workload};

impl Workload {
    /// Looks for contradictions.
    ///
    /// # Errors
    /// Why it cannot be sent, to follow "the workload cannot be run: ".
    pub fn check(&self) -> Result<(), String> {
        let plain = |problem: &str| Err(problem.to_owned());
        if self.scenarios.is_empty() {
            return plain("it has no scenario");
        } else if self.concurrency.is_empty() {
            return plain("it has no concurrency");
        } else if self.concurrency.contains(&0) {
            return plain("a concurrency of 0 sends nothing; use at least 1");
        } else if self.max_requests_per_level == 0 {
            return plain("it allows no request in a level; use at least 1");
        } else if self.max_time_per_level.is_zero() {
            return plain("it allows no time for a level");
        } else if self.request_timeout.is_zero() {
            return plain("it allows no time for an answer");
        }
        self.check_arrival()?;
        self.check_content()
    }

    fn check_arrival(&self) -> Result<(), String> {
        let is_rate = |rate: &f64| rate.is_finite() && *rate > 0.0;
        let are_rates = |rates: &[f64]| !rates.is_empty() && rates.iter().all(is_rate);
        let is_sound = match &self.arrival {
            Arrival::Closed => true,
            Arrival::Constant { rates } | Arrival::Poisson { rates } => are_rates(rates),
            Arrival::Gamma { rates, burstiness } => are_rates(rates) && is_rate(burstiness),
            Arrival::Stages { stages } => stages.iter().any(|stage| is_rate(&stage.rate)),
            Arrival::Trace { starts } if starts.is_empty() => {
                return Err("its trace has no start; has it been read?".into());
            }
            Arrival::Trace { starts } => starts.is_sorted_by_key(|start| start.at),
        };
        if !is_sound {
            return Err(format!("{} starts nothing, or not in order", self.arrival));
        }
        Ok(())
    }

    fn check_content(&self) -> Result<(), String> {
        let unsuited = self.scenarios.iter().find(|scenario| !scenario.suits(self.api));
        if let Some(scenario) = unsuited {
            return Err(format!("{scenario} cannot be asked of {}", self.api));
        }
        let content = &self.content;
        let is_empty = match &content.texts {
            Texts::Made => self.scenarios.contains(&super::Scenario::DataSet),
            Texts::Read(set) => set.entries.iter().all(|entry| entry.turns.is_empty()),
        };
        if is_empty {
            return Err("its data set has no entry; has it been read?".into());
        }
        if content.batch == 0 {
            return Err("a batch of 0 documents asks nothing; use at least 1".into());
        }
        if let Some(sharing) = content.sharing
            && (sharing.groups == 0 || !(0.0..=1.0).contains(&sharing.hit_ratio))
        {
            return Err("prompts share at least 1 beginning, with a share of 0 to 1".into());
        }
        match content.conversation {
            Some(conversation) if conversation.turns == 0 => {
                Err("a conversation of 0 turns asks nothing; use at least 1".into())
            }
            Some(conversation) if conversation.turns > 1 && !self.api.answers_with_text() => {
                Err(format!("{} holds no conversations", self.api))
            }
            _ => Ok(()),
        }
    }
}
