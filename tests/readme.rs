//! The README's tour, run as written.
//!
//! Its shell blocks run in one shell against a local stack. Each JSON block must be part of the actual response.

use std::io::Write as _;
use std::process::{Command, Stdio};

use clap::Parser as _;
use serde_json::Value;
use tidemark::options::Options;
use tidemark::stack::Stack;

/// The pages with commands to run, each with the heading of the section that contains them.
const PAGES: [(&str, &str); 2] = [
    (include_str!("../README.md"), "\n## Demo\n"),
    (include_str!("../infra/README.md"), "\n## A tour of five minutes\n"),
];

/// A shell block of the tour, and the part of its response that the README shows.
struct Step {
    commands: String,
    shown: Option<Value>,
}

/// The tour's blocks in order. A JSON block belongs to the shell block before it.
fn tour(page: &str, heading: &str) -> Vec<Step> {
    let (_, tour) = page.split_once(heading).expect("a tour");
    let (tour, _) = tour.split_once("\n## ").expect("a section after the tour");
    let mut steps: Vec<Step> = Vec::new();
    for block in tour.split("```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').expect("a block's first line");
        match kind {
            "sh" => steps.push(Step { commands: text.to_owned(), shown: None }),
            "json" => {
                let step = steps.last_mut().expect("a shell block before the response");
                step.shown = Some(serde_json::from_str(text).expect("JSON in the README"));
            }
            other => panic!("a block of kind {other:?}"),
        }
    }
    steps
}

/// Runs the blocks in one shell and returns the output of each.
fn run(steps: &[Step], stack: &Stack) -> Vec<String> {
    const END: &str = "-- the end of a block --";
    let script: String = steps.iter().map(|step| format!("{}\necho '{END}'\n", step.commands)).collect();
    let mut shell = Command::new("bash")
        .args(["-eu", "-s"])
        .env("TIDEMARK", format!("http://{}", stack.address))
        .env("OPERATOR_TOKEN", stack.operator_token.expose())
        .env("TOKEN", stack.demo_token.expose())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash");
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut printed: Vec<String> = text.split(END).map(str::to_owned).collect();
    assert_eq!(printed.pop().as_deref().map(str::trim), Some(""), "nothing after the last block");
    printed
}

/// Returns true if `shown` is part of `answer`. An object may have fewer members; all other values must be equal.
fn is_part(shown: &Value, answer: &Value) -> bool {
    match (shown, answer) {
        (Value::Object(shown), Value::Object(answer)) => {
            shown.iter().all(|(name, shown)| answer.get(name).is_some_and(|answer| is_part(shown, answer)))
        }
        (Value::Array(shown), Value::Array(answer)) => {
            shown.len() == answer.len()
                && shown.iter().zip(answer).all(|(shown, answer)| is_part(shown, answer))
        }
        _ => shown == answer,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readme_tour_works_as_written() {
    let options = Options::parse_from(["tidemark", "--in-memory", "--listen", "127.0.0.1:0"]);
    let stack = Stack::start(&options, bootstrap::system_clock()).await.expect("a stack");
    let steps: Vec<Step> = PAGES.into_iter().flat_map(|(page, heading)| tour(page, heading)).collect();
    let printed = tokio::task::block_in_place(|| run(&steps, &stack));
    assert_eq!(printed.len(), steps.len());
    let mut shown = 0;
    for (step, printed) in steps.iter().zip(printed) {
        if let Some(expected) = &step.shown {
            let answers = serde_json::Deserializer::from_str(&printed).into_iter::<Value>();
            let last = answers.last().expect("an answer").expect("JSON");
            assert!(is_part(expected, &last), "{}\nshows {expected}\nbut {last}", step.commands);
            shown += 1;
        }
    }
    assert!(shown >= 9, "the tour shows too few responses");
    stack.stop().await;
}
