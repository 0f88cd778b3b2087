//! What a search is told as, for each way in which it can end.

use super::*;

const P99: SloMetric = SloMetric::Ttft(Statistic::At(Percentile::P99));

fn seen(load: f64, ttft: f64) -> Look {
    Look {
        load,
        bounds: vec![BoundSeen {
            metric: P99,
            threshold: 0.5,
            actual: Some(ttft),
            is_low_n: load < 4.0,
        }],
        started: 200,
        lost: 0,
        behind: None,
        client_limits: Vec::new(),
        is_short: false,
        throughput: 1234.0,
        latency: Some(2.0),
    }
}

fn search(looks: &[(f64, f64)], end: SearchEnd) -> LoadSearch {
    LoadSearch {
        sought: Sought::Concurrency,
        bounds: vec![Slo {
            metric: P99,
            threshold: 0.5,
            weight: 1.0,
            hard_fail: false,
            fail_ratio: 0.5,
        }],
        from: 1.0,
        to: 64.0,
        resolution: 0.05,
        looks: looks
            .iter()
            .map(|(load, ttft)| SearchLook {
                load: *load,
                seen: Some(seen(*load, *ttft)),
                failure: String::new(),
            })
            .collect(),
        end,
    }
}

fn found(highest_met: Option<f64>, lowest_missed: Option<f64>, end: End) -> SearchEnd {
    SearchEnd::Found(Found {
        highest_met,
        lowest_missed,
        is_over_saturated: false,
        end,
    })
}

#[test]
fn an_answer_is_a_sentence_with_its_reason() {
    let check = |search: &LoadSearch, expected: &str| assert_eq!(search.answer(), expected);
    check(
        &search(
            &[(48.0, 0.4), (56.0, 0.62)],
            found(Some(48.0), Some(56.0), End::Resolution),
        ),
        "highest load that meets p99 TTFT ≤ 500 ms: 48 requests in flight (56 misses: p99 TTFT 620 ms > 500 ms)",
    );
    check(
        &search(&[(1.0, 0.62)], found(None, Some(1.0), End::LeastMisses)),
        "none met p99 TTFT ≤ 500 ms: the closest is 1 request in flight (p99 TTFT 620 ms > 500 ms); lower --from to \
         look further down",
    );
    check(
        &search(&[(64.0, 0.1)], found(Some(64.0), None, End::MostMeets)),
        "all met up to the limit of 64 requests in flight: p99 TTFT ≤ 500 ms; raise --to to look further",
    );
    check(
        &search(&[(4.0, 0.1), (8.0, 0.2)], SearchEnd::Cancelled),
        "cancelled after 2 looks; the highest load that met p99 TTFT ≤ 500 ms until then: 8 requests in flight",
    );
    let mut limited = search(&[(4.0, 0.1), (8.0, 0.9)], SearchEnd::ClientLimited);
    if let Some(seen) = &mut limited.looks[1].seen {
        seen.client_limits = vec!["it was busy".into()];
    }
    check(
        &limited,
        "the search ended at 8 requests in flight, where the load generator and not the server was the limit (p99 \
         TTFT 900 ms > 500 ms; it was busy); the highest load that met p99 TTFT ≤ 500 ms until then: 4 requests in \
         flight",
    );
    check(
        &search(&[], SearchEnd::Broken("the server is gone".into())),
        "the search broke off: the server is gone; no load had met p99 TTFT ≤ 500 ms until then",
    );
}

#[test]
fn over_saturation_is_told_as_such() {
    let mut search = search(
        &[(7.0, 0.1), (8.0, 0.2)],
        found(Some(7.0), Some(8.0), End::Resolution),
    );
    search.sought = Sought::Rate;
    let mut behind = |behind| {
        if let Some(seen) = &mut search.looks[1].seen {
            seen.behind = Some(behind);
        }
        search.looks[1].line(Sought::Rate)
    };
    assert_eq!(
        behind(Behind::HeldBack { held_back: 9 }),
        "8 requests/s: over-saturated: 9 requests had to wait until fewer were in flight"
    );
    assert_eq!(
        behind(Behind::Backlog { growth: 0.25 }),
        "8 requests/s: over-saturated: the server falls behind: each second of load made answers 250 ms later"
    );
    assert_eq!(
        behind(Behind::NoMoreThroughput {
            than: 7.0,
            throughput: 0.01,
            latency: 1.0,
        }),
        "8 requests/s: over-saturated: the server does no more than with 7: +1.0 % throughput, +100.0 % latency"
    );
    assert!(
        search.answer().contains("(8/s over-saturates: the server"),
        "{}",
        search.answer()
    );
}

#[test]
fn the_document_has_every_look() {
    let mut search = search(
        &[(2.0, 0.1), (4.0, f64::INFINITY)],
        found(Some(2.0), Some(4.0), End::Resolution),
    );
    search.looks.push(SearchLook {
        load: 8.0,
        seen: None,
        failure: "no request succeeded".into(),
    });
    let told = search.json();
    assert_eq!(told["find"], "concurrency");
    assert_eq!(told["end"], "found");
    assert_eq!(
        (&told["highest_met"], &told["lowest_missed"]),
        (&json!(2.0), &json!(4.0))
    );
    assert_eq!(
        told["bounds"],
        json!([{"metric": "ttft.p99", "threshold_seconds": 0.5}])
    );
    assert_eq!(told["looks"][0]["outcome"], "meets");
    assert_eq!(told["looks"][0]["bounds"][0]["actual_seconds"], 0.1);
    assert_eq!(told["looks"][0]["bounds"][0]["is_low_n"], true);
    assert_eq!(told["looks"][1]["bounds"][0]["actual_seconds"], Value::Null);
    assert_eq!(told["looks"][1]["why"], "p99 TTFT ∞ > 500 ms");
    assert_eq!(told["looks"][2]["outcome"], "over_saturated");
    assert_eq!(told["looks"][2]["requests"], Value::Null);
    assert_eq!(search.heads()[0], "p99 TTFT ≤ 500 ms");
    for look in &search.looks {
        assert_eq!(search.cells(look).len(), search.heads().len());
    }
    assert!(search.has_low_n());
}
