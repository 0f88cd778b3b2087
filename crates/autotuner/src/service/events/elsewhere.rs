//! Events to and from other processes on the same database.
//!
//! They travel as the lines that listeners get. What is too long for the way goes without its data:
//! events are hints, and who wants more asks.

use autotuner_core::ids::{ExperimentNumber, TaskId};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Hub, Kind};

/// Events that may wait to be told elsewhere: seconds of a busy service.
const MOST_WAITING: usize = 4096;

impl Hub {
    /// From now on, what is told here and concerns others, line by line. Asked for once.
    pub(crate) fn for_elsewhere(&self) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        // A second asker hears nothing, which ends it.
        drop(self.shared.elsewhere.set(sender));
        receiver
    }

    /// Tells everybody here what was told elsewhere. Gives what it was; nothing for what this
    /// version cannot read.
    pub(crate) fn hear_from_elsewhere(&self, line: &str) -> Option<Kind> {
        let event: Value = serde_json::from_str(line).ok()?;
        let word = event["type"].as_str()?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
        let task = event["task_id"].as_i64().map(TaskId);
        let number = event["experiment_id"].as_u64();
        let experiment = number
            .and_then(|number| u32::try_from(number).ok())
            .map(ExperimentNumber);
        self.push(kind, task, experiment, line.to_owned());
        Some(kind)
    }

    /// Tells everybody here that events may have been missed for good.
    pub(crate) fn lose(&self) {
        let mut state = self.shared.state();
        let number = state.ring.lose();
        self.shared.latest.send_replace(number);
    }
}

/// The line of an event, cut to so many bytes: its data is the first to go, then its message.
/// Nothing where even that is too long.
pub(crate) fn within(line: String, most: usize) -> Option<String> {
    if line.len() <= most {
        return Some(line);
    }
    let mut event: Value = serde_json::from_str(&line).ok()?;
    let event = event.as_object_mut()?;
    event.insert("data".into(), json!({ "left_out_bytes": line.len() }));
    let shorter = Value::Object(event.clone()).to_string();
    if shorter.len() <= most {
        return Some(shorter);
    }
    event.remove("message");
    Some(Value::Object(event.clone()).to_string()).filter(|shortest| shortest.len() <= most)
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Filter, Notice, Patience};
    use super::*;

    const PATIENCE: Patience = Patience {
        most_unheard: 100,
        kept: 10,
    };

    #[tokio::test]
    async fn what_is_told_here_is_told_there_as_it_was_and_no_further() {
        let (here, there) = (Hub::default(), Hub::default());
        let (mut out, mut back) = (here.for_elsewhere(), there.for_elsewhere());
        let mut heard = there.subscribe(Filter::Task(TaskId(7)), PATIENCE, None);
        let mut event = Event::of_task(Kind::ExperimentStarted, TaskId(7));
        event.experiment = Some(ExperimentNumber(3));
        event.data = json!({ "attempt": 1 });
        here.publish(event);
        here.publish(Event::of_task(Kind::ContainerChanged, TaskId(7)));
        here.publish(Event::of_task(Kind::TaskCompleted, TaskId(7)));
        let line = out.recv().await.expect("told");
        assert_eq!(there.hear_from_elsewhere(&line), Some(Kind::ExperimentStarted));
        let Notice::Event(event) = heard.next().await else {
            panic!("an event");
        };
        assert_eq!(
            (&event.json, event.experiment),
            (&line, Some(ExperimentNumber(3)))
        );
        // A container is its own machine's matter.
        let line = out.recv().await.expect("told");
        assert_eq!(there.hear_from_elsewhere(&line), Some(Kind::TaskCompleted));
        assert!(
            back.try_recv().is_err(),
            "what comes from elsewhere does not go back"
        );
        assert_eq!(
            there.hear_from_elsewhere("{\"type\": \"of_a_later_version\"}"),
            None
        );
        assert_eq!(there.hear_from_elsewhere("nonsense"), None);
    }

    #[tokio::test]
    async fn who_may_have_missed_something_is_told_so() {
        let hub = Hub::default();
        let mut heard = hub.subscribe(Filter::Everything, PATIENCE, None);
        hub.publish(Event::of_task(Kind::TaskCreated, TaskId(1)));
        hub.lose();
        hub.publish(Event::of_task(Kind::TaskUpdated, TaskId(1)));
        assert_eq!(heard.next().await, Notice::Resync);
        let Notice::Event(event) = heard.next().await else {
            panic!("an event");
        };
        assert_eq!(event.kind, Kind::TaskUpdated);
    }

    #[test]
    fn what_is_too_long_goes_without_its_data() {
        let line = json!({ "type": "warning", "message": "m", "data": "x".repeat(500) }).to_string();
        assert_eq!(within(line.clone(), 600), Some(line.clone()));
        let short = within(line.clone(), 100).expect("short");
        assert!(
            short.contains("left_out_bytes") && short.contains("\"m\""),
            "{short}"
        );
        assert_eq!(within(line, 10), None);
    }
}
