//! The record of a stream of writes or transfers: a file with one line an outcome, and the progress
//! that is printed ten times a second.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::{Result, ensure};

pub struct Outcomes {
    file: Mutex<BufWriter<File>>,
    acknowledged: AtomicU64,
    unknown: AtomicU64,
    stopping: AtomicBool,
}

impl Outcomes {
    pub fn create(path: &str) -> Result<Arc<Outcomes>> {
        Ok(Arc::new(Outcomes {
            file: Mutex::new(BufWriter::new(File::create(path)?)),
            acknowledged: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        }))
    }

    /// `word` is "acknowledged", "unknown" or "refused".
    pub fn record(&self, word: &str, key: &str, value: &str) -> Result {
        writeln!(self.file.lock().unwrap(), "{word} {key} {value}")?;
        match word {
            "acknowledged" => self.acknowledged.fetch_add(1, Ordering::Relaxed),
            "unknown" => self.unknown.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        Ok(())
    }

    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn print(&self) {
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        let unknown = self.unknown.load(Ordering::Relaxed);
        println!("acknowledged {acknowledged}, unknown {unknown}");
    }

    /// Prints progress until standard input ends or somebody else has stopped the stream.
    pub async fn until_input_ends(&self) {
        let mut input = tokio::io::stdin();
        let mut ignored = [0; 256];
        while !self.stopping() {
            self.print();
            let read = tokio::time::timeout(Duration::from_millis(100), input.read(&mut ignored));
            if matches!(read.await, Ok(Ok(0) | Err(_))) {
                self.stop();
            }
        }
    }

    pub fn finish(&self) -> Result {
        self.file.lock().unwrap().flush()?;
        self.print();
        Ok(())
    }
}

/// The lines of a record, in their order, as word, key and value.
pub fn read(path: &str) -> Result<Vec<(String, String, String)>> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        ensure!(words.len() == 3, "{path}: {line:?} is no outcome");
        lines.push((words[0].into(), words[1].into(), words[2].into()));
    }
    Ok(lines)
}

/// How many lines have each word.
pub fn count(lines: &[(String, String, String)]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for (word, _, _) in lines {
        *counts.entry(word.as_str()).or_insert(0) += 1;
    }
    counts
}
