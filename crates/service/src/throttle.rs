//! Slows down guessing: after a few failures the next attempt has to wait, longer each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures that cost nothing: typing errors.
const FREE: u32 = 5;
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// A failure is forgotten after this long without another one.
const MEMORY: Duration = Duration::from_secs(900);
/// Bounds the memory that strangers can take.
const KEYS_MAX: usize = 10_000;

/// Failed attempts by key: an account, or an address.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Failures>>);

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
    wait_max: Duration,
}

impl Failures {
    fn open_at(&self) -> Instant {
        let doublings = self.count.saturating_sub(FREE);
        if doublings == 0 {
            return self.last;
        }
        let wait = WAIT_FIRST.saturating_mul(1 << (doublings - 1).min(16));
        self.last + wait.min(self.wait_max)
    }
}

impl Throttle {
    /// How long `key` has to wait, if it has to.
    pub(crate) fn wait(&self, key: &str, now: Instant) -> Option<Duration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = known.get(key)?.open_at().saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// Notes a failure of `key`, which never has to wait longer than `wait_max`.
    pub(crate) fn failed(&self, key: &str, wait_max: Duration, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS_MAX && !known.contains_key(key) {
            known.retain(|_, failures| now.saturating_duration_since(failures.last) < MEMORY);
            if known.len() >= KEYS_MAX {
                let oldest = known.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
                oldest.map(|key| known.remove(&key));
            }
        }
        let failures = known.entry(key.to_owned()).or_insert(Failures { count: 0, last: now, wait_max });
        if now.saturating_duration_since(failures.last) >= MEMORY {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now, wait_max };
    }

    pub(crate) fn succeeded(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn waits_double_up_to_the_limit() {
        let throttle = Throttle::default();
        let now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..14 {
            throttle.failed("root", MINUTE, now);
            waits.push(throttle.wait("root", now).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(throttle.wait("root", now + MINUTE), None);
        assert_eq!(throttle.wait("other", now), None);
    }

    #[test]
    fn success_and_time_forgive() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for _ in 0..9 {
            throttle.failed("a", MINUTE, now);
            throttle.failed("b", MINUTE, now);
        }
        throttle.succeeded("a");
        assert_eq!(throttle.wait("a", now), None);
        throttle.failed("b", MINUTE, now + MEMORY);
        assert_eq!(throttle.wait("b", now + MEMORY), None);
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for n in 0..KEYS_MAX + 100 {
            throttle.failed(&n.to_string(), MINUTE, now);
        }
        assert_eq!(throttle.0.lock().unwrap().len(), KEYS_MAX);
    }
}
