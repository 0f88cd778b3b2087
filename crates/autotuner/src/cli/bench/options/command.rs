//! The command line that asks the same questions again.

use autotuner_core::workload::{Arrival, Workload};
use clap::ValueEnum;

use super::{Find, FirstWaveWord, Options, Selftest};
use crate::report::bench::without_secrets;
use crate::report::words::quoted;

impl Options {
    /// The command line that asks this workload again, as a shell must be given it: with every
    /// usual value, so that it asks the same of any version, except where a file says the rest or
    /// a search chooses.
    pub(in crate::cli::bench) fn command(&self, workload: &Workload) -> String {
        let mut words = vec!["autotuner".to_owned(), "bench".into()];
        let mut add = |flag: &str, value: &str| {
            words.push(flag.into());
            words.push(quoted(value));
        };
        let is_whole = self.workload.is_none() && self.find.find.is_none();
        if let Some(url) = &self.url {
            add("--url", &without_secrets(url));
        }
        if let Some(model) = &self.model {
            add("--model", model);
        }
        if let Some(path) = &self.workload {
            add("--workload", &path.display().to_string());
        }
        if let Some(place) = &self.dataset {
            add("--dataset", &without_secrets(place));
        }
        let scenarios = match is_whole {
            true => &workload.scenarios,
            false => &self.scenarios,
        };
        for scenario in scenarios {
            add("--scenario", &scenario.to_string());
        }
        let concurrency = match is_whole {
            true => &workload.concurrency,
            false => &self.concurrency,
        };
        for concurrency in concurrency {
            add("--concurrency", &concurrency.to_string());
        }
        let is_usual = is_whole && workload.arrival == Arrival::Closed;
        if let Some(arrival) = self.arrival.as_ref().filter(|_| !is_usual) {
            add("--arrival", &arrival.text);
        }
        if let Some(wave) = self.first_wave.and_then(|wave| wave.to_possible_value())
            && !matches!(self.first_wave, Some(FirstWaveWord::Spread))
        {
            add("--first-wave", wave.get_name());
        }
        let or_usual = |given: Option<String>, usual: String| given.or(is_whole.then_some(usual));
        let values = [
            (
                "--max-requests",
                self.max_requests.map(|it| it.to_string()),
                workload.max_requests_per_level.to_string(),
            ),
            (
                "--max-time",
                self.max_time.map(|it| it.to_string()),
                workload.max_time_per_level.as_secs_f64().to_string(),
            ),
            (
                "--api",
                self.api
                    .and_then(|api| Some(api.to_possible_value()?.get_name().to_owned())),
                workload.api.to_string(),
            ),
            (
                "--warmup",
                self.warmup.map(|it| it.to_string()),
                workload.warmup_requests.to_string(),
            ),
        ];
        for (flag, given, usual) in values {
            if let Some(value) = or_usual(given, usual) {
                add(flag, &value);
            }
        }
        add("--seed", &workload.seed.to_string());
        if let Some(salt) = self.salt {
            add("--salt", &salt.to_string());
        }
        for (key, value) in &self.parameters {
            add("--param", &format!("{key}={value}"));
        }
        if let Some(path) = &self.api_key_file {
            add("--api-key-file", &path.display().to_string());
        }
        self.find.add_to(&mut add);
        if self.selftest.selftest {
            let Selftest {
                selftest: _,
                selftest_ttft_ms,
                selftest_itl_ms,
            } = &self.selftest;
            add("--selftest-ttft-ms", &selftest_ttft_ms.to_string());
            add("--selftest-itl-ms", &selftest_itl_ms.to_string());
            words.push("--selftest".into());
        }
        words.join(" ")
    }
}

impl Find {
    fn add_to(&self, add: &mut impl FnMut(&str, &str)) {
        let Self {
            find,
            slos,
            from,
            to,
            resolution,
        } = self;
        let Some(sought) = find.and_then(|sought| sought.to_possible_value()) else {
            return;
        };
        add("--find", sought.get_name());
        for slo in slos {
            add("--slo", slo);
        }
        for (flag, load) in [("--from", from), ("--to", to)] {
            if let Some(load) = load {
                add(flag, &load.to_string());
            }
        }
        add("--resolution", &resolution.to_string());
    }
}
