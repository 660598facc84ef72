//! Moments as lists and details show them: absolute, in UTC, the same on the server and in the browser.

use model::Timestamp;

/// `2026-11-21 12:15`, UTC.
pub fn short(at: Timestamp) -> String {
    // `2026-11-21T12:15:07.123Z`
    let text = at.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// `2026-11-21 12:15:07 UTC`.
pub fn long(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} UTC", text.get(..19).unwrap_or(&text).replace('T', " "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments() {
        let at = model::Timestamp::from_millisecond(1_763_727_307_123).expect("in range");
        assert_eq!((super::short(at), super::long(at)), ("2025-11-21 12:15".into(), "2025-11-21 12:15:07 UTC".into()));
    }
}
