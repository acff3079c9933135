//! Dates.

use std::time::{SystemTime, UNIX_EPOCH};

/// The date in UTC, as 2026-01-31.
pub(crate) fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    date((seconds / 86_400) as i64)
}

/// The date of a day, counted from 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: i64) -> String {
    let shifted = days + 719_468; // days since 0000-03-01
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153; // from March
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year_of_era + era * 400 + carry)
}

/// A time of the day with its date, of seconds since 1970: `2026-01-31 12:34:56 UTC`.
pub(crate) fn utc(seconds: u64) -> String {
    let of_day = seconds % 86_400;
    let (hours, minutes) = (of_day / 3600, of_day / 60 % 60);
    format!("{} {hours:02}:{minutes:02}:{:02} UTC", date((seconds / 86_400) as i64), of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::{date, utc};

    #[test]
    fn days_have_their_dates() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (20_818, "2026-12-31"),
        ] {
            assert_eq!(date(day), expected);
        }
    }

    #[test]
    fn seconds_have_their_time() {
        // date -u -d @1769862896
        assert_eq!(utc(1_769_862_896), "2026-01-31 12:34:56 UTC");
    }
}
