//! What is asked, for every kind of scenario.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::workload::{Conversation, DataSet, Entry, TraceStart, Turn};

use super::recorded::UNASKED_ANSWER;

use super::*;

fn matter(content: Content) -> Matter {
    Matter {
        seed: 42,
        scale: PromptScale::IDENTITY,
        api: Api::Chat,
        content,
        jobs_per_level: 100,
    }
}

fn list_of(scenario: &str, matter: Matter, purpose: Purpose, level: usize) -> Questions {
    let plan = LevelPlan {
        scenario: scenario.parse().unwrap(),
        load: Load::InFlight(1),
    };
    Questions::new(matter, purpose, level, plan)
}

fn made(scenario: &str) -> Questions {
    list_of(scenario, matter(Content::default()), Purpose::Window, 0)
}

fn turns_of(asked: &Asked) -> &[String] {
    match &asked.question {
        Question::Talk { turns, .. } => turns,
        other => panic!("{other:?}"),
    }
}

fn first(asked: &Asked) -> &str {
    &turns_of(asked)[0]
}

fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

fn set(entries: Vec<Entry>) -> Content {
    Content {
        texts: Texts::Read(Arc::new(DataSet {
            name: "set".into(),
            entries,
        })),
        ..Content::default()
    }
}

fn entry(turns: &[(&str, Option<&str>, Option<u32>)]) -> Entry {
    Entry {
        system: None,
        turns: turns
            .iter()
            .map(|(question, answer, output)| Turn {
                question: (*question).into(),
                answer: answer.map(str::to_owned),
                output: *output,
            })
            .collect(),
    }
}

#[test]
fn equal_seeds_ask_equal_questions() {
    for index in 0..50 {
        assert_eq!(
            made("U(10,60)/(1,50)").ask(index, 0),
            made("U(10,60)/(1,50)").ask(index, 0)
        );
    }
    let other = Matter {
        seed: 43,
        ..matter(Content::default())
    };
    let other = list_of("U(10,60)/(1,50)", other, Purpose::Window, 0);
    assert_ne!(made("U(10,60)/(1,50)").ask(0, 0), other.ask(0, 0));
    // Written down so that a change of the list cannot pass unseen: results measured
    // before it could not be compared with results after it.
    let asked = made("D(8,1)").ask(0, 0);
    assert_eq!(first(&asked), "learn woman good word need machine time control");
}

#[test]
fn prompts_have_exactly_the_words_asked_for() {
    for job in 0..200 {
        let asked = made("U(10,60)/(1,50)").ask(job, 0);
        assert_eq!(word_count(first(&asked)), asked.lengths.input as usize);
        assert_eq!(asked.answer, Answer::Exactly(asked.lengths.output));
    }
}

#[test]
fn a_salt_changes_the_opening_and_nothing_else() {
    let salted = |salt| {
        let content = Content {
            salt,
            ..Content::default()
        };
        let questions = list_of("D(30,9)", matter(content), Purpose::Window, 0);
        let asked = questions.ask(3, 0);
        let words: Vec<String> = first(&asked).split(' ').map(str::to_owned).collect();
        (words[..NUMBER_WORDS].to_vec(), words[NUMBER_WORDS..].to_vec())
    };
    let (none, one, two) = (salted(None), salted(Some(0)), salted(Some(1)));
    assert_eq!(one, salted(Some(0)));
    assert!(none.0 != one.0 && one.0 != two.0 && none.0 != two.0);
    assert!(none.1 == one.1 && one.1 == two.1);
}

#[test]
fn a_prefix_is_shared_by_all_and_suffixes_by_none() {
    let questions = made("P(40,12)/7");
    let texts: Vec<String> = (0..50)
        .map(|job| first(&questions.ask(job, 0)).to_owned())
        .collect();
    let split = |text: &str| {
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words.len(), 52);
        (words[..40].join(" "), words[40..].join(" "))
    };
    let prefixes: HashSet<String> = texts.iter().map(|text| split(text).0).collect();
    let suffixes: HashSet<String> = texts.iter().map(|text| split(text).1).collect();
    assert_eq!((prefixes.len(), suffixes.len()), (1, 50));
    let lengths = questions.ask(0, 0).lengths;
    assert_eq!((lengths.input, lengths.output), (52, 7));
    let other_level = list_of("P(40,12)/7", matter(Content::default()), Purpose::Window, 1);
    assert!(
        !prefixes.contains(&split(first(&other_level.ask(0, 0))).0),
        "each level has its own"
    );
}

#[test]
fn as_many_share_a_beginning_as_was_asked() {
    let content = Content {
        sharing: Some(Sharing {
            groups: 4,
            prefix_tokens: 20,
            hit_ratio: 0.75,
        }),
        ..Content::default()
    };
    let prefixes = |purpose, count: u32| {
        let questions = list_of("D(30,5)", matter(content.clone()), purpose, 0);
        let mut found = std::collections::HashMap::<String, u32>::new();
        for job in 0..count {
            let asked = questions.ask(job, 0);
            let words: Vec<&str> = first(&asked).split(' ').collect();
            assert_eq!(words.len(), 30, "as long as the scenario says");
            *found.entry(words[..20].join(" ")).or_default() += 1;
        }
        found
    };
    let window = prefixes(Purpose::Window, 1_000);
    let shared: Vec<(&String, &u32)> = window.iter().filter(|(_, count)| **count > 1).collect();
    assert_eq!(shared.len(), 4);
    let hits: u32 = shared.iter().map(|(_, count)| **count).sum();
    assert!((690..810).contains(&hits), "{hits} of 1000");
    let warm_up = prefixes(Purpose::WarmUp, 8);
    assert_eq!(warm_up.len(), 4, "the warm-up makes each known");
    assert!(shared.iter().all(|(prefix, _)| warm_up.contains_key(*prefix)));
}

#[test]
fn a_conversation_carries_its_made_up_history() {
    let content = Content {
        conversation: Some(Conversation {
            turns: 3,
            think: Duration::ZERO,
        }),
        ..Content::default()
    };
    let questions = list_of("U(8,20)/(3,9)", matter(content), Purpose::Window, 0);
    let mut texts = HashSet::new();
    for job in 0..20 {
        assert_eq!(questions.turns(job), 3);
        let asked: Vec<Asked> = (0..3).map(|turn| questions.ask(job, turn)).collect();
        for (turn, asked) in asked.iter().enumerate() {
            let said = turns_of(asked);
            assert_eq!(said.len(), 2 * turn + 1);
            let words: usize = said.iter().map(|text| word_count(text)).sum();
            assert_eq!(words, asked.lengths.input as usize);
            assert!(
                texts.insert(said.last().unwrap().clone()),
                "no question comes twice"
            );
        }
        for pair in asked.windows(2) {
            let (before, after) = (turns_of(&pair[0]), turns_of(&pair[1]));
            assert_eq!(&after[..before.len()], before, "the history stays");
            let answer = &after[before.len()];
            assert_eq!(word_count(answer), pair[0].lengths.output as usize);
        }
    }
}

#[test]
fn a_traces_lengths_replace_those_of_the_scenario() {
    let starts = [(5, 6), (17, 8)].map(|(input, output)| TraceStart {
        at: Duration::ZERO,
        lengths: Lengths { input, output },
    });
    let plan = LevelPlan {
        scenario: "D(100,100)".parse().unwrap(),
        load: Load::Scheduled {
            arrival: Arrival::Trace {
                starts: starts.into(),
            },
            most: 4,
        },
    };
    let questions = Questions::new(matter(Content::default()), Purpose::Window, 0, plan);
    for (job, start) in starts.iter().enumerate() {
        let asked = questions.ask(job as u32, 0);
        assert_eq!(asked.lengths, start.lengths);
        assert_eq!(word_count(first(&asked)), start.lengths.input as usize);
    }
}

#[test]
fn documents_and_queries() {
    let matter = |api| Matter {
        api,
        ..matter(Content {
            batch: 3,
            ..Content::default()
        })
    };
    let embed = list_of("E(12)", matter(Api::Embeddings), Purpose::Window, 0);
    let mut seen = HashSet::new();
    for job in 0..20 {
        let asked = embed.ask(job, 0);
        assert_eq!(asked.lengths, Lengths { input: 36, output: 0 });
        let Question::Documents(documents) = asked.question else {
            panic!("{asked:?}")
        };
        assert_eq!(documents.len(), 3);
        for document in documents {
            assert_eq!(word_count(&document), 12);
            assert!(seen.insert(document));
        }
    }
    let rank = list_of("R(12,7)", matter(Api::Rerank), Purpose::Window, 0);
    for job in 0..20 {
        let asked = rank.ask(job, 0);
        assert_eq!(asked.lengths, Lengths { input: 43, output: 0 });
        let Question::Rank { query, documents } = asked.question else {
            panic!("{asked:?}")
        };
        assert_eq!((word_count(&query), documents.len()), (7, 3));
        assert!(seen.insert(query));
    }
}

#[test]
fn images_are_as_many_as_asked_and_all_different() {
    let questions = made("I(16,8,2)/9");
    let mut seen = HashSet::new();
    for job in 0..10 {
        let asked = questions.ask(job, 0);
        assert_eq!(asked.lengths.output, 9);
        let Question::Images { text, images } = asked.question else {
            panic!("{asked:?}")
        };
        assert_eq!(word_count(&text), asked.lengths.input as usize);
        assert_eq!(images.len(), 2);
        assert!(images.into_iter().all(|image| seen.insert(image)));
    }
}

#[test]
fn entries_are_asked_as_they_are_and_made_new_when_they_come_again() {
    let entries: Vec<Entry> = (0..150)
        .map(|index| entry(&[(&format!("question {index}"), None, Some(index + 1))]))
        .collect();
    let of_level = |level| {
        let questions = list_of("dataset", matter(set(entries.clone())), Purpose::Window, level);
        (0..100).map(|job| questions.ask(job, 0)).collect::<Vec<_>>()
    };
    let (mut plain, mut renewed) = (HashSet::new(), HashSet::new());
    for asked in of_level(0).into_iter().chain(of_level(1)) {
        let text = first(&asked).to_owned();
        let number: u32 = text.rsplit(' ').next().unwrap().parse().unwrap();
        assert_eq!(asked.answer, Answer::Exactly(number + 1));
        if text.starts_with("question ") {
            assert!(plain.insert(text));
        } else {
            let (opening, rest) = text.split_once('\n').unwrap();
            assert_eq!(word_count(opening), NUMBER_WORDS);
            assert!(plain.contains(rest), "{rest} was asked before");
            assert!(renewed.insert(text));
        }
    }
    assert_eq!(
        (plain.len(), renewed.len()),
        (150, 50),
        "all of them before any comes again"
    );
    let warm_up = list_of("dataset", matter(set(entries.clone())), Purpose::WarmUp, 0);
    assert!(!first(&warm_up.ask(0, 0)).starts_with("question "));
}

#[test]
fn an_entrys_answers_are_its_history_and_its_lengths() {
    let content = Content {
        conversation: Some(Conversation {
            turns: 5,
            think: Duration::ZERO,
        }),
        ..set(vec![entry(&[
            ("a", Some("twelve chars"), None),
            ("b", None, Some(2)),
            ("c", None, None),
        ])])
    };
    let questions = list_of("dataset", matter(content), Purpose::Window, 0);
    assert_eq!(questions.turns(0), 3, "as many as there are");
    assert_eq!(
        questions.ask(0, 0).answer,
        Answer::Exactly(3),
        "a token has four characters"
    );
    assert_eq!(questions.ask(0, 1).answer, Answer::Exactly(2));
    let last = questions.ask(0, 2);
    assert_eq!(last.answer, Answer::AtMost(UNASKED_ANSWER));
    let said = turns_of(&last);
    assert_eq!(
        (said[0].as_str(), said[1].as_str(), said[2].as_str()),
        ("a", "twelve chars", "b")
    );
    assert_eq!(
        word_count(&said[3]),
        2,
        "an answer that was not recorded is made up"
    );
    assert_eq!(said[4], "c");
}

#[test]
fn scenarios_take_their_words_from_a_data_set() {
    let content = set(vec![
        entry(&[("alpha beta gamma", None, None)]),
        entry(&[("", None, None)]),
    ]);
    let questions = list_of("D(50,5)", matter(content), Purpose::Window, 0);
    let asked = questions.ask(0, 0);
    assert_eq!(asked.answer, Answer::Exactly(5));
    let words: Vec<&str> = first(&asked).split(' ').collect();
    let taken = &words[NUMBER_WORDS..];
    assert!(
        taken.iter().all(|word| ["alpha", "beta", "gamma"].contains(word)),
        "{taken:?}"
    );
    // 45 tokens of words with 5⅔ characters on average, blanks counted.
    assert!((30..35).contains(&taken.len()), "{}", taken.len());
    assert_ne!(first(&asked), first(&questions.ask(1, 0)));
    let barren = set(vec![entry(&[("", None, None)])]);
    let barren = list_of("D(50,5)", matter(barren), Purpose::Window, 0);
    assert_eq!(word_count(first(&barren.ask(0, 0))), NUMBER_WORDS, "and it ends");
}

#[test]
fn a_data_set_can_be_embedded() {
    let entries = (0..10)
        .map(|index| entry(&[(&format!("text {index}"), None, None)]))
        .collect();
    let matter = Matter {
        api: Api::Embeddings,
        ..matter(Content {
            batch: 2,
            ..set(entries)
        })
    };
    let questions = list_of("dataset", matter, Purpose::Window, 0);
    let texts: HashSet<String> = (0..5)
        .flat_map(|job| match questions.ask(job, 0).question {
            Question::Documents(documents) => documents,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts.len(), 10);
    assert!(texts.iter().all(|text| text.starts_with("text ")));
}
