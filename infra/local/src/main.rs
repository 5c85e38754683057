//! `cargo run`: the whole of Tidemark on one machine.

use std::process::ExitCode;

use api::problem::chain;
use bootstrap::Environment;
use clap::Parser as _;
use tidemark::options::Options;
use tidemark::stack::{Stack, StackError};
use tracing::Level;

/// The number of threads that answer requests and carry out jobs.
const WORKER_THREADS: usize = 2;

/// The maximum number of threads that use the embedded engine and files. The engine writes one transaction at a time, so
/// more threads save no time. The allocator keeps the freed memory of each thread apart, so they would cost memory.
const BLOCKING_THREADS: usize = 2;

fn main() -> ExitCode {
    bootstrap::init_logging(Level::WARN);
    let options = Options::parse().with_environment(&Environment::of_process());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(&options)).map_err(|error| chain(&error)),
        Err(error) => Err(chain(&error)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "tidemark could not run");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), StackError> {
    let stack = Stack::start(options, bootstrap::system_clock()).await?;
    greet(&stack, options);
    interrupted().await;
    stack.stop().await;
    Ok(())
}

/// Prints the address and the first commands to try, ready to copy. An operator's token that was provided is not
/// repeated, because output may be stored in logs.
#[expect(clippy::print_stdout, reason = "the user needs these lines to begin")]
fn greet(stack: &Stack, options: &Options) {
    let (url, token) = (format!("http://{}", stack.address), stack.demo_token.expose());
    let is_given = options.operator_token.is_some() || options.operator_token_file.is_some();
    let operator = if is_given { "'<the token that you provided>'" } else { stack.operator_token.expose() };
    let code = stack.sign_in_code.expose();
    println!(
        "Tidemark listens at {url}\n\n\
         Open the console, signed in to the demo account (the link works once):\n\n  \
         {url}/console/sign-in/{code}\n\n\
         Or call the API:\n\n  \
         export TIDEMARK={url}\n  \
         export TOKEN={token}      # an admin of the demo account, a sandbox\n  \
         export OPERATOR_TOKEN={operator}      # creates accounts\n\n\
         Try:\n\n  \
         curl -sX POST {url}/v1/contacts -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
         -d '{{\"email\": \"ada@example.org\", \"marketing\": true}}'\n  \
         curl -s {url}/v1/usage -H 'Authorization: Bearer {token}'\n  \
         curl -s {url}/v1/contacts -H 'Authorization: Bearer {token}'\n\n\
         Ctrl-C stops it."
    );
}

/// Waits for Ctrl-C, or for SIGTERM, which service managers send.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
