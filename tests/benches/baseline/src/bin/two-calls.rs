//! The two calls in a loop. Each line of the input names the items of one round; an empty line ends a batch, which
//! then runs and is answered with the nanoseconds that each round took, in one line.

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
