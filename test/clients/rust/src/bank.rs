//! A bank: transfers between accounts of several branches, each a region, until standard input ends;
//! snapshots that hold the same total all the while; and an audit. Every transfer leaves a line in
//! the ledger of the branch it takes from, in the same transaction.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::Rng;
use tikv_client::{Error, Key, Timestamp, Transaction, TransactionClient};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::outcomes::{self, Outcomes};
use crate::transactions::{MODES, Mode, begin, is_refusal, lock, snapshot};
use crate::{PATIENCE, Result, ensure, patiently};

const BRANCHES: usize = 4;
const ACCOUNTS_OF_BRANCH: usize = 4;
const INITIAL_BALANCE: i64 = 1000;
const TOTAL: i64 = (BRANCHES * ACCOUNTS_OF_BRANCH) as i64 * INITIAL_BALANCE;
const CLERKS: usize = 12;
const READERS: usize = 2;
/// A transaction as old as this is ended, be somebody at it or not.
const ABANDONED_MS: i64 = 6000;

fn account(branch: usize, number: usize) -> String {
    format!("bank/{branch}/account/{number}")
}

fn accounts() -> Vec<String> {
    let branches = 0..BRANCHES;
    branches
        .flat_map(|b| (0..ACCOUNTS_OF_BRANCH).map(move |n| account(b, n)))
        .collect()
}

/// A snapshot that breaks the bank's rules ends the program with an error.
pub async fn bank(client: TransactionClient, path: &str) -> Result {
    let mut opening = begin(&client, MODES[0]).await?;
    for account in accounts() {
        opening.put(account, INITIAL_BALANCE.to_string()).await?;
    }
    opening.commit().await?;
    let outcomes = Outcomes::create(path)?;
    let (good, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for number in 0..CLERKS {
        let mode = MODES[number % MODES.len()];
        let clerk = Clerk {
            client: client.clone(),
            outcomes: outcomes.clone(),
            number,
            mode,
        };
        tasks.spawn(clerk.work());
    }
    tasks.spawn(tidy_up(client.clone(), outcomes.clone()));
    for number in 0..READERS {
        let reader = Reader {
            client: client.clone(),
            outcomes: outcomes.clone(),
            good: good.clone(),
            failed: failed.clone(),
        };
        tasks.spawn(reader.read(number));
    }
    let input = outcomes.until_input_ends();
    let work = async {
        let mut result = Ok(());
        while let Some(ended) = tasks.join_next().await {
            let ended = ended.map_err(Into::into).and_then(|ended| ended);
            if ended.is_err() {
                outcomes.stop();
                result = ended;
            }
        }
        result
    };
    let (_, worked) = tokio::join!(input, work);
    worked?;
    let (good, failed) = (good.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
    println!("{good} snapshots held the total, {failed} reads failed");
    ensure!(good > 0, "no snapshot was read");
    outcomes.finish()
}

/// Ends transactions that were begun long ago. This client's readers cannot end one whose secondary
/// keys are locked and whose primary never was (tikv/client-rust#543), as a kill leaves behind; what
/// its collector of garbage does can.
async fn tidy_up(client: TransactionClient, outcomes: Arc<Outcomes>) -> Result {
    while !outcomes.stopping() {
        sleep(Duration::from_millis(500)).await;
        if let Ok(mut at) = client.current_timestamp().await {
            at.physical -= ABANDONED_MS;
            let _ = timeout(PATIENCE, client.cleanup_locks(.., &at, Default::default())).await;
        }
    }
    Ok(())
}

/// Makes one transfer after the other in one mode.
struct Clerk {
    client: TransactionClient,
    outcomes: Arc<Outcomes>,
    number: usize,
    mode: Mode,
}

impl Clerk {
    async fn work(self) -> Result {
        for count in 0.. {
            if self.outcomes.stopping() {
                break;
            }
            if !self.transfer(count).await? {
                // An election takes a while; without a pause its failures would be a busy loop.
                sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }

    /// True if it was acknowledged. An error is one of the bank itself.
    async fn transfer(&self, count: usize) -> Result<bool> {
        let (from, to) = self.accounts();
        let amount = rand::thread_rng().gen_range(1..=10);
        let branch = &from[.."bank/0".len()];
        let ledger = format!("{branch}/ledger/{}/{count:06}", self.number);
        let line = format!("{from},{to},{amount}");
        let Ok(mut txn) = begin(&self.client, self.mode).await else {
            return Ok(false);
        };
        let moving = self.fill(&mut txn, [&from, &to], amount, (&ledger, &line));
        if !matches!(timeout(PATIENCE, moving).await, Ok(Ok(()))) {
            let _ = timeout(PATIENCE, txn.rollback()).await;
            return Ok(false);
        }
        let word = match timeout(PATIENCE, txn.commit()).await {
            Ok(Ok(_)) => "acknowledged",
            Ok(Err(error)) if is_refusal(&error) => "refused",
            _ => "unknown",
        };
        self.outcomes.record(word, &ledger, &line)?;
        if word == "refused" {
            let _ = timeout(PATIENCE, txn.rollback()).await;
        }
        if word == "acknowledged" && count % 10 == 0 {
            self.confirm(ledger).await?;
        }
        Ok(word == "acknowledged")
    }

    /// Two accounts; those of one branch where the mode is for one region. Asynchronous commit is
    /// one here, as `cleanup_locks` asks each region for the secondary keys' locks, and takes one
    /// region's locks for a commit though another has answered that there is none.
    fn accounts(&self) -> (String, String) {
        let mut random = rand::thread_rng();
        let mut draw = || {
            (
                random.gen_range(0..BRANCHES),
                random.gen_range(0..ACCOUNTS_OF_BRANCH),
            )
        };
        let (from, mut to) = (draw(), draw());
        if self.mode.one_phase || self.mode.async_commit {
            to.0 = from.0;
        }
        if from == to {
            to.1 = (to.1 + 1) % ACCOUNTS_OF_BRANCH;
        }
        (account(from.0, from.1), account(to.0, to.1))
    }

    async fn fill(
        &self,
        txn: &mut Transaction,
        accounts: [&String; 2],
        amount: i64,
        (ledger, line): (&str, &str),
    ) -> Result {
        let mut balances = [0; 2];
        for (account, balance) in accounts.iter().zip(&mut balances) {
            let held = if self.mode.pessimistic {
                lock(txn, account.as_bytes()).await?
            } else {
                txn.get((*account).clone()).await?
            };
            *balance = String::from_utf8(held.ok_or("an account is gone")?)?.parse()?;
        }
        txn.put(accounts[0].clone(), (balances[0] - amount).to_string())
            .await?;
        txn.put(accounts[1].clone(), (balances[1] + amount).to_string())
            .await?;
        txn.put(ledger.to_owned(), line.to_owned()).await?;
        Ok(())
    }

    /// What was acknowledged is in every snapshot taken from now on.
    async fn confirm(&self, ledger: String) -> Result {
        let Ok(at) = self.client.current_timestamp().await else {
            return Ok(());
        };
        let read = snapshot(&self.client, at).get(ledger.clone()).await;
        ensure!(
            !matches!(read, Ok(None)),
            "{ledger} was acknowledged, and a snapshot lacks it"
        );
        Ok(())
    }
}

/// Takes snapshots: each holds the same total, and what it held once it holds for ever.
struct Reader {
    client: TransactionClient,
    outcomes: Arc<Outcomes>,
    good: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

type Balances = BTreeMap<String, i64>;

impl Reader {
    async fn read(self, number: usize) -> Result {
        let mut past: Option<(Timestamp, Balances)> = None;
        for round in number.. {
            if self.outcomes.stopping() {
                break;
            }
            if let Some((at, held)) = &past
                && round % 5 == 0
                && let Ok(again) = self.balances(at.clone(), round % 3).await
            {
                ensure!(
                    again == *held,
                    "a snapshot held {held:?}, and then {again:?}"
                );
            }
            let Ok(at) = self.client.current_timestamp().await else {
                self.failed.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            match self.balances(at.clone(), round % 3).await {
                Ok(balances) => {
                    let total: i64 = balances.values().sum();
                    ensure!(total == TOTAL, "a snapshot holds {total}: {balances:?}");
                    self.good.fetch_add(1, Ordering::Relaxed);
                    if round % 20 == 0 {
                        past = Some((at, balances));
                    }
                }
                Err(_) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// By batch get, scan up, or scan down.
    async fn balances(&self, at: Timestamp, way: usize) -> Result<Balances> {
        let mut snapshot = snapshot(&self.client, at);
        let read = async {
            let mut pairs = Vec::new();
            if way == 0 {
                pairs.extend(snapshot.batch_get(accounts()).await?);
            } else {
                for branch in 0..BRANCHES {
                    let start = format!("bank/{branch}/account/");
                    let range = start..format!("bank/{branch}/account0");
                    if way == 1 {
                        pairs.extend(snapshot.scan(range, 100).await?);
                    } else {
                        pairs.extend(snapshot.scan_reverse(range, 100).await?);
                    }
                }
            }
            Ok::<_, Error>(pairs)
        };
        let mut balances = Balances::new();
        for pair in timeout(PATIENCE, read).await?? {
            balances.insert(text(pair.0)?, String::from_utf8(pair.1)?.parse()?);
        }
        Ok(balances)
    }
}

fn text(key: Key) -> Result<String> {
    Ok(String::from_utf8(key.into())?)
}

/// The balances, and every line of the ledger, once all locks are cleared away.
async fn holdings(client: &TransactionClient) -> Result<(Balances, HashMap<String, String>)> {
    let at = client.current_timestamp().await?;
    client.cleanup_locks(.., &at, Default::default()).await?;
    let mut snapshot = snapshot(client, at);
    let accounts = accounts();
    let (mut held, mut ledger) = (Balances::new(), HashMap::new());
    for branch in 0..BRANCHES {
        let mut start = format!("bank/{branch}/");
        loop {
            let range = start.clone()..format!("bank/{branch}0");
            let pairs: Vec<_> = snapshot.scan(range, 1000).await?.collect();
            let last = pairs.len() < 1000;
            for pair in pairs {
                let (key, value) = (text(pair.0)?, String::from_utf8(pair.1)?);
                start = format!("{key}\0");
                if accounts.contains(&key) {
                    held.insert(key, value.parse()?);
                } else {
                    ledger.insert(key, value);
                }
            }
            if last {
                break;
            }
        }
    }
    Ok((held, ledger))
}

/// Every acknowledged transfer is in the ledger, no refused one is, nothing is that nobody made, and
/// the balances are the ledger's sum.
pub async fn audit(client: &TransactionClient, path: &str) -> Result {
    let lines = outcomes::read(path)?;
    let (held, ledger) = patiently(async || holdings(client).await).await?;
    let mut wanted: Balances = accounts()
        .into_iter()
        .map(|a| (a, INITIAL_BALANCE))
        .collect();
    let mut wrong = Vec::new();
    let made: HashMap<&String, &String> = lines.iter().map(|(_, key, line)| (key, line)).collect();
    for (key, line) in &ledger {
        let [from, to, amount] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("{line} is no transfer").into());
        };
        let amount: i64 = amount.parse()?;
        *wanted.entry(from.to_owned()).or_default() -= amount;
        *wanted.entry(to.to_owned()).or_default() += amount;
        if made.get(key) != Some(&line) {
            wrong.push(format!("{key} holds {line}, and nobody made that"));
        }
    }
    for (word, key, _) in &lines {
        let done = ledger.contains_key(key);
        if (word == "acknowledged" && !done) || (word == "refused" && done) {
            wrong.push(format!("{key} was {word}, in the ledger: {done}"));
        }
    }
    if held != wanted {
        wrong.push(format!(
            "the balances are {held:?}, the ledger's sums {wanted:?}"
        ));
    }
    let counts = outcomes::count(&lines);
    let of = |word| counts.get(word).copied().unwrap_or(0);
    let (acknowledged, unknown, refused) = (of("acknowledged"), of("unknown"), of("refused"));
    let transfers = ledger.len();
    println!(
        "{transfers} transfers in the ledger; {acknowledged} acknowledged, {unknown} unknown, \
         {refused} refused; {} errors",
        wrong.len()
    );
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(acknowledged > 0, "no transfer was acknowledged");
    Ok(())
}
