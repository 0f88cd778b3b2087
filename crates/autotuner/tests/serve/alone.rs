//! A server is alone with its data directory.

use crate::support::Home;

#[test]
fn a_second_server_refuses_and_the_first_goes_on() {
    let home = Home::new();
    let first = home.serve();
    let owner = format!("process {}", first.id);
    let second = home.start(home.command()).running.wait().expect(2);
    assert!(second.stderr.contains(&owner), "{}", second.stderr);
    assert!(second.stdout.is_empty());
    home.end(first);
    let third = home.serve();
    home.end(third);
}

#[test]
fn where_it_answers_is_in_a_file_while_it_does() {
    let home = Home::new();
    let server = home.serve();
    let path = home.sandbox.data_dir().join("server.json");
    let text = std::fs::read_to_string(&path).expect("written");
    let told: serde_json::Value = serde_json::from_str(&text).expect("whole");
    assert_eq!(told["pid"], server.id);
    let url = told["url"].as_str().expect("a text");
    assert!(
        server.running.stderr().contains(url),
        "{}",
        server.running.stderr()
    );
    assert!(server.running.stdout().is_empty());
    home.end(server);
    assert!(!path.exists());
}
