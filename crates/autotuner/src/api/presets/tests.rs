//! Presets as a client sees them.

use autotuner_store::Role;
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use super::seeds;
use crate::api::testing::{Answer, NOW_MS, TestService};

async fn seeded() -> TestService {
    let test = TestService::start().await;
    let kept = test.service.database.seed_presets(seeds(), NOW_MS).await;
    kept.expect("kept");
    test
}

fn small(name: &str) -> Value {
    json!({ "name": name, "runtime": "vllm", "category": "latency", "parameters": { "max-num-seqs": [8, 16] } })
}

fn names(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    let presets = list.as_array().expect("a list").iter();
    presets
        .map(|preset| preset["name"].as_str().expect("a name").to_owned())
        .collect()
}

async fn put(test: &TestService, id: &Value, body: Value) -> Answer {
    let path = format!("/api/presets/{id}");
    test.call(Role::Operator, Method::PUT, &path, Some(body)).await
}

async fn delete(test: &TestService, id: &Value) -> Answer {
    let path = format!("/api/presets/{id}");
    test.call(Role::Operator, Method::DELETE, &path, None).await
}

#[tokio::test]
async fn a_preset_is_kept_changed_and_removed() {
    let test = TestService::start().await;
    let made = test.post("/api/presets", small("Small")).await.is(201).json();
    let id = &made["id"];
    assert_eq!(made["combinations"], 2);
    assert_eq!(made["is_system"], false);
    assert_eq!(made["created_at"], "2023-11-14T22:13:20.000Z");
    let got = test.get(&format!("/api/presets/{id}")).await.is(200).json();
    assert_eq!(got, made);

    // What is left out stays; null empties.
    let change = json!({ "name": "Smaller", "category": null });
    let changed = put(&test, id, change).await.is(200).json();
    assert_eq!(changed["name"], "Smaller");
    assert_eq!(changed["category"], Value::Null);
    assert_eq!(changed["parameters"], made["parameters"]);
    assert_eq!(changed["runtime"], "vllm");

    delete(&test, id).await.is(204);
    let gone = test.get(&format!("/api/presets/{id}")).await.is(404).json();
    assert_eq!(gone["detail"], format!("Preset with id {id} not found"));
    delete(&test, id).await.is(404);
    put(&test, id, json!({})).await.is(404);
}

#[tokio::test]
async fn names_are_unique() {
    let test = TestService::start().await;
    test.post("/api/presets", small("Small")).await.is(201);
    let answer = test.post("/api/presets", small("Small")).await.is(409).json();
    assert_eq!(answer["detail"], "Preset with name 'Small' already exists");
    let other = test.post("/api/presets", small("Other")).await.is(201).json();
    put(&test, &other["id"], json!({ "name": "Small" })).await.is(409);
}

#[tokio::test]
async fn every_problem_is_told_and_old_clients_read_theirs() {
    let test = TestService::start().await;
    let check = async |body: Value, validation_errors: Value, paths: &[&str]| {
        let answer = test.post("/api/presets", body.clone()).await.is(422).json();
        let told = answer.get("validation_errors").cloned().unwrap_or(json!([]));
        assert_eq!(told, validation_errors, "{body}");
        let problems = answer["problems"].as_array().expect("problems").iter();
        let told: Vec<&str> = problems.filter_map(|problem| problem["path"].as_str()).collect();
        assert_eq!(told, paths, "{answer}");
    };
    check(
        json!({ "name": "x", "parameters": {} }),
        json!(["Parameters cannot be empty"]),
        &["parameters"],
    )
    .await;
    check(
        json!({ "name": "x", "parameters": { "tp-size": 4, "page-size": [] } }),
        json!([
            "Parameter 'tp-size' must be a list",
            "Parameter 'page-size' cannot be empty"
        ]),
        &["parameters.tp-size"],
    )
    .await;
    check(
        json!({ "name": "x", "parameters": { "page-size": [] } }),
        json!(["Parameter 'page-size' cannot be empty"]),
        &["parameters.page-size"],
    )
    .await;
    check(
        json!({ "name": " ", "runtime": "tgi" }),
        json!([]),
        &["parameters", "runtime"],
    )
    .await;
    check(
        json!({ "name": "x", "runtime": "vllm", "parameters": { "max-num-seqs": ["many", true] } }),
        json!([]),
        &["parameters.max-num-seqs[0]", "parameters.max-num-seqs[1]"],
    )
    .await;
    check(json!([]), json!([]), &[""]).await;
}

#[tokio::test]
async fn what_came_with_the_product_is_not_changed() {
    let test = seeded().await;
    let all = test.get("/api/presets").await.is(200);
    assert_eq!(
        names(&all),
        ["SGLang Performance Tuning", "vLLM Performance Tuning"]
    );
    let id = &all.json()[0]["id"];
    for answer in [
        put(&test, id, json!({ "name": "Mine" })).await,
        delete(&test, id).await,
    ] {
        let answer = answer.is(409).json();
        assert_eq!(
            answer["detail"],
            "Preset 'SGLang Performance Tuning' came with the product and cannot be changed"
        );
        assert!(answer["hint"].as_str().is_some_and(|hint| hint.contains("copy")));
    }
    // Once more changes nothing.
    let kept = test.service.database.seed_presets(seeds(), NOW_MS).await;
    kept.expect("kept");
    assert_eq!(names(&test.get("/api/presets").await).len(), 2);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let test = seeded().await;
    test.post("/api/presets", small("B")).await.is(201);
    let anything = json!({ "name": "A", "parameters": { "dtype": ["auto"] } });
    test.post("/api/presets", anything).await.is(201);
    let check = async |query: &str, expected: &[&str], total: &str| {
        let answer = test.get(&format!("/api/presets{query}")).await.is(200);
        assert_eq!(names(&answer), expected, "{query}");
        assert_eq!(answer.headers["x-total-count"], total, "{query}");
    };
    let (sglang, vllm) = ("SGLang Performance Tuning", "vLLM Performance Tuning");
    check("", &["A", "B", sglang, vllm], "4").await;
    check("?category=latency", &["B"], "1").await;
    check("?category=none", &[], "0").await;
    check("?runtime=vllm", &["A", "B", vllm], "3").await;
    check("?runtime=SGLang&category=performance", &[sglang], "1").await;
    check("?skip=1&limit=2", &["B", sglang], "4").await;
    check("?skip=18446744073709551615", &[], "4").await;
    for query in ["?limit=0", "?limit=1001", "?skip=-1", "?runtime=tgi"] {
        test.get(&format!("/api/presets{query}")).await.is(422);
    }
}

#[tokio::test]
async fn a_file_comes_back_as_it_went() {
    let test = TestService::start().await;
    let made = test
        .post("/api/presets", small("Über small"))
        .await
        .is(201)
        .json();
    let path = format!("/api/presets/{}/export", made["id"]);
    let file = test.get(&path).await.is(200);
    assert_eq!(
        file.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"preset--ber-small.json\""
    );
    test.post("/api/presets/import", file.json()).await.is(409);
    delete(&test, &made["id"]).await.is(204);
    let again = test.post("/api/presets/import", file.json()).await.is(201).json();
    for key in [
        "name",
        "description",
        "category",
        "runtime",
        "parameters",
        "metadata",
    ] {
        assert_eq!(again[key], made[key], "{key}");
    }
}

fn form(name: &str, file_name: &str, content: &str) -> Request<Body> {
    let body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n\
         --edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
         Content-Type: application/json\r\n\r\n{content}\r\n--edge--\r\n"
    );
    Request::post("/api/presets/import")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(Body::from(body))
        .expect("a sound request")
}

#[tokio::test]
async fn a_form_with_a_file_is_imported_or_refused_in_the_known_words() {
    let test = TestService::start().await;
    let check = async |request: Request<Body>, status: u16, detail: &str| {
        let answer = test.send(Some(Role::Operator), request).await.is(status).json();
        assert_eq!(answer["detail"].as_str().unwrap_or_default(), detail, "{answer}");
    };
    let sound = json!({ "version": "1.0", "preset": small("Small") }).to_string();
    check(form("file", "preset.json", &sound), 201, "").await;
    check(
        form("file", "preset.json", &sound),
        409,
        "Preset with name 'Small' already exists",
    )
    .await;
    check(
        form("file", "preset.txt", &sound),
        400,
        "File must be a JSON file",
    )
    .await;
    check(form("file", "preset.json", "{"), 400, "Invalid JSON file").await;
    check(
        form("data", "preset.json", &sound),
        422,
        "the form has no field 'file'",
    )
    .await;
    check(
        form("file", "preset.json", "{}"),
        422,
        "Invalid preset format. Must have 'version' and 'preset' fields",
    )
    .await;
    check(
        form(
            "file",
            "preset.json",
            r#"{"version":"1.0","preset":{"name":"x"}}"#,
        ),
        422,
        "Invalid preset format. Must have 'name' and 'parameters' fields",
    )
    .await;
    check(
        form(
            "file",
            "preset.json",
            r#"{"version":"1.0","preset":{"name":"x","parameters":{}}}"#,
        ),
        422,
        "The preset has a problem",
    )
    .await;
    let broken = Request::post("/api/presets/import")
        .header(header::CONTENT_TYPE, "multipart/form-data")
        .body(Body::from("x"))
        .expect("a sound request");
    assert_eq!(test.send(Some(Role::Operator), broken).await.status.as_u16(), 400);
}

#[tokio::test]
async fn presets_are_merged_in_the_order_of_the_request() {
    let test = TestService::start().await;
    let first = test.post("/api/presets", small("First")).await.is(201).json();
    let mut other = small("Second");
    other["parameters"] = json!({ "max-num-seqs": [16, 32], "block-size": [16] });
    let second = test.post("/api/presets", other).await.is(201).json();
    let ids = [&first["id"], &second["id"]];
    let merge = async |ids: [&Value; 2], strategy: &str| {
        let body = json!({ "preset_ids": ids, "merge_strategy": strategy });
        test.post("/api/presets/merge", body).await.is(200).json()
    };
    let union = merge(ids, "union").await;
    assert_eq!(
        union["parameters"],
        json!({ "max-num-seqs": [8, 16, 32], "block-size": [16] })
    );
    assert_eq!(union["conflicts"], Value::Null);
    assert_eq!(union["runtime"], "vllm");
    assert_eq!(
        merge(ids, "intersection").await["parameters"],
        json!({ "max-num-seqs": [16] })
    );
    let forth = merge(ids, "last_wins").await;
    assert_eq!(forth["applied_presets"], json!(["First", "Second"]));
    assert_eq!(forth["parameters"]["max-num-seqs"], json!([16, 32]));
    assert_eq!(forth["conflicts"][0]["overridden_by"], "Second");
    let back = merge([ids[1], ids[0]], "last_wins").await;
    assert_eq!(back["parameters"]["max-num-seqs"], json!([8, 16]));

    let check = async |body: Value, status: u16, detail: &str| {
        let answer = test.post("/api/presets/merge", body).await.is(status).json();
        assert_eq!(answer["detail"], detail);
    };
    check(
        json!({ "preset_ids": [98, ids[0], 99] }),
        404,
        "Presets not found: [98, 99]",
    )
    .await;
    check(
        json!({ "preset_ids": [] }),
        422,
        "preset_ids has 0 entries; it has 1 to 100",
    )
    .await;
    test.post(
        "/api/presets/merge",
        json!({ "preset_ids": [1], "merge_strategy": "best" }),
    )
    .await
    .is(422);
}

#[tokio::test]
async fn who_may_only_look_changes_nothing() {
    let test = TestService::start().await;
    let body = Some(small("Small"));
    test.call(Role::Viewer, Method::POST, "/api/presets", body.clone())
        .await
        .is(403);
    test.call(Role::Viewer, Method::POST, "/api/presets/import", body.clone())
        .await
        .is(403);
    test.call(Role::Viewer, Method::PUT, "/api/presets/1", body)
        .await
        .is(403);
    test.call(Role::Viewer, Method::DELETE, "/api/presets/1", None)
        .await
        .is(403);
    assert_eq!(names(&test.get("/api/presets").await).len(), 0);
}
