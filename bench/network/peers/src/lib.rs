//! The load that every simulator of `npm run bench -- network` runs: five nodes, each with a
//! number of requests in flight to the others in turn, each answering what it is asked. A message
//! is one byte that says what it is, the number of the request, and the payload.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

pub const NODES: usize = 5;
pub const MIN_LATENCY_MS: u64 = 1;
pub const MAX_LATENCY_MS: u64 = 10;

const REQUEST: u8 = 0;
const ANSWER: u8 = 1;
const HEADER: usize = 9;

/// What the program is told: `--window 16 --payload 64 --warm-up 100000 --messages 1000000 --seed 1`.
#[derive(Clone, Copy)]
pub struct Load {
    /// Requests that a node has in flight.
    pub window: usize,
    /// Bytes of a payload.
    pub payload: usize,
    /// Messages that are delivered before the measured ones.
    pub warm_up: u64,
    pub messages: u64,
    pub seed: u64,
}

impl Load {
    pub fn from_arguments() -> Load {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let number = |name: &str| -> u64 {
            let pair = arguments.chunks(2).find(|pair| pair[0] == name);
            let value = pair.and_then(|pair| pair.get(1)?.parse().ok());
            value.unwrap_or_else(|| panic!("{name} takes a number"))
        };
        Load {
            window: number("--window") as usize,
            payload: number("--payload") as usize,
            warm_up: number("--warm-up"),
            messages: number("--messages"),
            seed: number("--seed"),
        }
    }

    pub fn longest_message(&self) -> usize {
        HEADER + self.payload
    }
}

/// Counts deliveries on all nodes, and the processor time they took. The nodes share one thread:
/// what is atomic in here is so for madsim, which wants tasks that could move.
#[derive(Clone)]
pub struct Meter {
    load: Load,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    delivered: AtomicU64,
    begun_us: AtomicU64,
    ended_us: AtomicU64,
    over: AtomicBool,
}

impl Meter {
    pub fn new(load: Load) -> Meter {
        Meter { load, counts: Arc::default() }
    }

    pub fn deliver(&self) {
        let Counts { delivered, begun_us, ended_us, over } = &*self.counts;
        let count = delivered.load(Relaxed) + 1;
        delivered.store(count, Relaxed);
        if count == self.load.warm_up {
            begun_us.store(processor_us(), Relaxed);
        } else if count == self.load.warm_up + self.load.messages {
            ended_us.store(processor_us(), Relaxed);
            over.store(true, Relaxed);
        }
    }

    pub fn is_over(&self) -> bool {
        self.counts.over.load(Relaxed)
    }

    /// Prints the one line that the benchmark reads.
    pub fn report(&self) {
        let cpu_us = self.counts.ended_us.load(Relaxed) - self.counts.begun_us.load(Relaxed);
        println!("{{\"messages\":{},\"cpuUs\":{cpu_us}}}", self.load.messages);
    }
}

/// One of the five: which message follows from which.
pub struct Node {
    own: usize,
    /// Whom the last request went to.
    last: usize,
    requests: u64,
    payload: Vec<u8>,
}

impl Node {
    pub fn new(own: usize, load: &Load) -> Node {
        Node { own, last: own, requests: 0, payload: vec![own as u8; load.payload] }
    }

    /// Writes the next request into `message` and returns the node that it is for.
    pub fn request(&mut self, message: &mut Vec<u8>) -> usize {
        self.last = (self.last + 1) % NODES;
        if self.last == self.own {
            self.last = (self.last + 1) % NODES;
        }
        self.requests += 1;
        write(message, REQUEST, self.requests, &self.payload);
        self.last
    }

    /// What a node sends on receiving `received` from `from`: an answer, or its next request.
    pub fn receive(&mut self, from: usize, received: &[u8], message: &mut Vec<u8>) -> usize {
        if received[0] == ANSWER {
            return self.request(message);
        }
        let number = u64::from_be_bytes(received[1..HEADER].try_into().unwrap());
        write(message, ANSWER, number, &received[HEADER..]);
        from
    }
}

fn write(message: &mut Vec<u8>, kind: u8, number: u64, payload: &[u8]) {
    message.clear();
    message.push(kind);
    message.extend_from_slice(&number.to_be_bytes());
    message.extend_from_slice(payload);
}

/// User and system time of this process.
fn processor_us() -> u64 {
    let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
    let failed = unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    assert_eq!(failed, 0, "a process knows its own usage");
    let us = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    us(usage.ru_utime) + us(usage.ru_stime)
}
