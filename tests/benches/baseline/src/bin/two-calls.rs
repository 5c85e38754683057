//! A loop of the two calls. Each line of the input contains the items' keys of one round, and an empty line ends a
//! batch. The program then runs the batch and prints one line with the nanoseconds of each round.

use std::io::{BufRead as _, Write as _};
use std::time::Instant;

use baseline::{Error, Keys, set_marketing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = baseline::client()?;
    let mut batch = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if !line.is_empty() {
            batch.push(line);
            continue;
        }
        let mut times = Vec::with_capacity(batch.len());
        for line in batch.drain(..) {
            let begun = Instant::now();
            set_marketing(&client, &Keys::read(&line)?).await?;
            times.push(begun.elapsed().as_nanos().to_string());
        }
        writeln!(std::io::stdout(), "{}", times.join(" "))?;
    }
    Ok(())
}
