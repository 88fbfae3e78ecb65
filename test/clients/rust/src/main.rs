//! The official Rust client, the crate `tikv-client`, against a running cluster, with the
//! subcommands that the Go program beside it has:
//!
//! * `operations`, `write`, `verify`: raw keys
//! * `transactions`, `bank`, `audit`: transactions

mod bank;
mod outcomes;
mod raw;
mod transactions;

use std::collections::HashMap;
use std::error::Error;
use std::time::{Duration, Instant};

use tikv_client::{Config, RawClient, TransactionClient};
use tokio::time::sleep;

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Bounds one call, retries of the client included: an election and a restart fit in it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again until `PATIENCE` is over. The crate gives up two seconds after it has found no leader,
/// and stores that have just been started may need longer to elect one.
pub async fn patiently<T>(ask: impl AsyncFn() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        match ask().await {
            Err(error) if started.elapsed() < PATIENCE => eprintln!("asking again: {error}"),
            outcome => return outcome,
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Ends a check with a sentence unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($said:tt)*) => {
        if !$condition {
            return Err(format!($($said)*).into());
        }
    };
}

/// Runs checks one after the other; each is a line of the output.
#[macro_export]
macro_rules! check_rules {
    ($client:expr, $($title:literal => $check:path,)*) => {{
        let mut broken = 0;
        $(match $check($client).await {
            Ok(()) => println!("ok {}", $title),
            Err(why) => {
                broken += 1;
                println!("not ok {}: {why}", $title);
            }
        })*
        ensure!(broken == 0, "{broken} rules broken");
        Ok(())
    }};
}

#[tokio::main]
async fn main() {
    if let Err(why) = run().await {
        eprintln!("{why}");
        std::process::exit(1);
    }
}

async fn run() -> Result {
    let mut words = std::env::args().skip(1);
    let subcommand = words.next().ok_or("which subcommand?")?;
    let mut flags = HashMap::new();
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        flags.insert(name, value);
    }
    let flag = |name: &str| flags.get(name).cloned().ok_or(format!("{name} is missing"));
    let endpoints: Vec<String> = flag("--pd")?.split(',').map(String::from).collect();
    let config = Config::default().with_timeout(Duration::from_secs(5));
    match subcommand.as_str() {
        "operations" | "write" | "verify" => {
            let client = RawClient::new_with_config(endpoints, config).await?;
            match subcommand.as_str() {
                "operations" => raw::operations(&client).await,
                "write" => raw::write(client, &flag("--file")?, &flag("--prefix")?).await,
                _ => raw::verify(&client, &flag("--file")?).await,
            }
        }
        "transactions" | "bank" | "audit" => {
            let client = TransactionClient::new_with_config(endpoints, config).await?;
            match subcommand.as_str() {
                "transactions" => transactions::transactions(&client).await,
                "bank" => bank::bank(client, &flag("--file")?).await,
                _ => bank::audit(&client, &flag("--file")?).await,
            }
        }
        _ => Err(format!("no such subcommand: {subcommand}").into()),
    }
}

/// Puts what this program writes below one prefix.
pub fn key(name: &str) -> Vec<u8> {
    format!("rust/{name}").into_bytes()
}

pub fn pairs(name: &str, count: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    (0..count)
        .map(|i| {
            let value = format!("value {i} of {name}").into_bytes();
            (key(&format!("{name}/{i:05}")), value)
        })
        .collect()
}
