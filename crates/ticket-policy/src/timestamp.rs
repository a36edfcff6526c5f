//! Points in time in UTC, with microsecond precision.

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr};

use jiff::{ToSpan as _, Unit};
use serde::{Deserialize, Serialize};

use crate::CalendarDuration;

/// A point in time, rounded to the microseconds that databases store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTimestamp;

/// The start of year 1.
const MIN: jiff::Timestamp = jiff::Timestamp::constant(-62_135_596_800, 0);
/// The latest microsecond that jiff can represent in every time zone.
const MAX: jiff::Timestamp = jiff::Timestamp::constant(253_402_207_200, 999_999_000);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// From microseconds since 1970; `None` outside the years that RFC 3339 can represent.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// Microseconds since 1970.
    #[inline]
    pub fn unix_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Parses RFC 3339 and rounds to microseconds. Digits beyond nanoseconds are ignored, and times
    /// after the latest one, late on 9999-12-30, become the latest. Returns `None` for other formats
    /// and for years before 1, which RFC 3339 cannot represent and PostgreSQL supports only in part.
    pub fn parse(text: &str) -> Option<Self> {
        let layout = Layout::of(text)?;
        let text = layout.without_excess_digits(text)?;
        let Ok(exact) = text.parse::<jiff::Timestamp>() else {
            return is_after_latest(&text).then_some(Self(MAX));
        };
        // rounding is as expensive as parsing and rarely necessary
        let time = if exact.subsec_nanosecond() % 1000 == 0 {
            exact
        } else {
            exact.round(Unit::Microsecond).unwrap_or(MAX)
        };
        (time >= MIN).then_some(Self(time.min(MAX)))
    }

    /// Formats the time in UTC with a `strftime` pattern; `None` if the pattern is invalid.
    pub fn format(self, pattern: &str) -> Option<String> {
        jiff::fmt::strtime::format(pattern, jiff::tz::Offset::UTC.to_datetime(self.0)).ok()
    }

    /// Adds seconds, saturating at the latest time.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(
            self.0
                .checked_add(seconds.seconds())
                .map_or(MAX, |time| time.min(MAX)),
        )
    }

    /// Compares the age of `then` with a duration: `Greater` if `then` is more than `duration` ago.
    ///
    /// Calendar arithmetic is slow, so it is used only if the bounds of the duration do not decide.
    #[inline]
    pub fn compare_age(self, then: Self, duration: &CalendarDuration) -> Ordering {
        let age = self.unix_micros() - then.unix_micros();
        let (shortest, longest) = duration.bounds();
        if age < shortest {
            Ordering::Less
        } else if age > longest {
            Ordering::Greater
        } else {
            self.minus(duration).cmp(&then)
        }
    }

    /// Subtracts a duration in UTC, saturating at the start of year 1.
    #[must_use]
    pub fn minus(self, duration: &CalendarDuration) -> Self {
        let earlier = jiff::tz::Offset::UTC
            .to_datetime(self.0)
            .checked_sub(duration.span())
            .and_then(|time| jiff::tz::Offset::UTC.to_timestamp(time));
        Self(earlier.unwrap_or(MIN).max(MIN))
    }
}

/// Length of date and time without fraction and offset.
const DATE_TIME_LENGTH: usize = "2026-11-23T08:00:00".len();
/// Positions of the separators within date and time. A lower case `t` is valid (RFC 3339 section
/// 5.6).
const SEPARATORS: [(usize, &[u8]); 5] = [(4, b"-"), (7, b"-"), (10, b"Tt"), (13, b":"), (16, b":")];

/// Maximum number of fractional digits that jiff parses.
const MAX_FRACTION_DIGITS: usize = 9;

/// The parts of a text whose separators and offset are those of RFC 3339. jiff also accepts other
/// ISO 8601 forms, larger offsets and time zone names; it rejects anything but digits between the
/// separators.
struct Layout {
    /// Number of fractional digits; `None` without a fraction.
    fraction_digits: Option<usize>,
}

impl Layout {
    fn of(text: &str) -> Option<Self> {
        let (date_time, rest) = text.as_bytes().split_at_checked(DATE_TIME_LENGTH)?;
        let fraction_digits = rest
            .strip_prefix(b".")
            .map(|digits| digits.iter().take_while(|b| b.is_ascii_digit()).count());
        let offset = rest.get(fraction_digits.map_or(0, |digits| digits + 1)..)?;
        let is_valid = SEPARATORS
            .iter()
            .all(|(at, allowed)| date_time.get(*at).is_some_and(|b| allowed.contains(b)))
            && fraction_digits != Some(0)
            && is_offset(offset);
        is_valid.then_some(Self { fraction_digits })
    }

    /// The text with at most as many fractional digits as jiff parses.
    fn without_excess_digits<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        match self.fraction_digits {
            Some(digits) if digits > MAX_FRACTION_DIGITS => {
                let start = DATE_TIME_LENGTH + ".".len();
                let parsed = text.get(..start + MAX_FRACTION_DIGITS)?;
                let offset = text.get(start + digits..)?;
                Some(Cow::Owned(format!("{parsed}{offset}")))
            }
            _ => Some(Cow::Borrowed(text)),
        }
    }
}

/// Whether a text that jiff cannot parse is a time after the latest one: the same date and time of
/// day, years earlier in the cycle of leap years, is valid.
fn is_after_latest(text: &str) -> bool {
    text.strip_prefix("9999-12-")
        .is_some_and(|rest| format!("9599-12-{rest}").parse::<jiff::Timestamp>().is_ok())
}

/// Whether the text is `Z` or an offset of at most 23:59.
fn is_offset(text: &[u8]) -> bool {
    match text {
        [b'Z' | b'z'] => true,
        [
            b'+' | b'-',
            h1 @ b'0'..=b'2',
            h2 @ b'0'..=b'9',
            b':',
            b'0'..=b'5',
            b'0'..=b'9',
        ] => (*h1, *h2) <= (b'2', b'3'),
        _ => false,
    }
}

/// Truncates to microseconds.
impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_unix_micros(time.as_microsecond()).unwrap_or(Self(time))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        Self::parse(text).ok_or(InvalidTimestamp)
    }
}

/// Formats as RFC 3339 with exactly six fractional digits, so that texts sort chronologically.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 3339 time")
    }
}

impl std::error::Error for InvalidTimestamp {}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("2026-11-23T08:00:00Z", true)]
    #[case("2026-11-23t08:00:00.1234567z", true)]
    #[case("2026-11-23T08:00:00-05:30", true)]
    #[case("20261123T080000Z", false)]
    #[case("2026-11-23T08:00Z", false)]
    #[case("2026-11-23 08:00:00Z", false)]
    #[case("2026-11-23T08:00:00", false)]
    #[case("2026-11-23T08:00:00.Z", false)]
    #[case("2026-11-23T08:00:00+01:00[Europe/Berlin]", false)]
    #[case("2026-02-30T08:00:00Z", false)]
    #[case("2026-11-23T08:00:0ä", false)]
    #[case("2026-11-23T08:00:00+01:0ä", false)]
    #[case("2026-11-23T08:00:00+01:0x", false)]
    #[case("2026-11-23T08:00:00+1a:00", false)]
    #[case("2026-1a-23T08:00:00Z", false)]
    #[case("2026-11- 3T08:00:00Z", false)]
    #[case("+026-11-23T08:00:00Z", false)]
    #[case("2026-11-23T+8:00:00Z", false)]
    #[case("2026-11-23T08:00:60Z", true)]
    #[case("2026-11-23T08:00:00+23:59", true)]
    #[case("2026-11-23T08:00:00-23:59", true)]
    #[case("2026-11-23T08:00:00+24:00", false)]
    #[case("2026-11-23T08:00:00-25:59", false)]
    #[case("2026-11-23T08:00:00+23:60", false)]
    #[case("2026-11-23T08:00:00.1234567890123Z", true)]
    #[case("2026-11-23T08:00:00.1234567890123x", false)]
    fn parse_accepts_rfc3339_only(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Timestamp::parse(text).is_some(), valid, "{text}");
    }

    #[test]
    fn display_has_six_fractional_digits_and_round_trips() {
        let time = Timestamp::parse("2026-11-23T22:48:51+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-23T21:48:51.000000Z");
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        assert_eq!(Timestamp::from_unix_micros(time.unix_micros()), Some(time));
    }

    #[rstest::rstest]
    #[case("2026-11-23T08:00:00Z", "P30D", "2026-10-24T08:00:00.000000Z")]
    #[case("2024-03-31T08:00:00Z", "P1M", "2024-02-29T08:00:00.000000Z")]
    #[case("2026-11-23T08:00:00Z", "PT12H30M", "2026-11-22T19:30:00.000000Z")]
    #[case("0001-01-01T00:00:00Z", "P1D", "0001-01-01T00:00:00.000000Z")]
    fn minus_uses_the_calendar(#[case] now: &str, #[case] duration: &str, #[case] expected: &str) {
        let duration = CalendarDuration::parse(duration).unwrap();
        let then = Timestamp::parse(now).unwrap().minus(&duration);
        assert_eq!(then.to_string(), expected);
    }

    #[test]
    fn compare_age_agrees_with_minus() {
        let now = Timestamp::parse("2024-03-31T08:00:00Z").unwrap();
        for duration in [
            "P1M",
            "P3M",
            "P1Y",
            "P1Y1M",
            "P2W",
            "P30D",
            "PT36H",
            "P4Y2M3DT1S",
        ] {
            let duration = CalendarDuration::parse(duration).unwrap();
            let limit = now.minus(&duration);
            for seconds in (-40 * 86_400..40 * 86_400)
                .step_by(7 * 3_600)
                .chain([-1, 0, 1])
            {
                let then = limit.plus_seconds(seconds);
                assert_eq!(
                    now.compare_age(then, &duration),
                    limit.cmp(&then),
                    "{then} {duration}"
                );
            }
        }
    }

    #[rstest::rstest]
    #[case("0001-01-01T00:00:00Z", true)]
    #[case("9999-12-30T21:59:59.999999Z", true)]
    #[case("0000-12-31T23:59:59.999999Z", false)]
    #[case("-009999-06-01T00:00:00Z", false)]
    #[case("+010000-01-01T00:00:00Z", false)]
    #[case("9999-12-31T23:59:59Z", true)]
    #[case("9999-12-31T23:59:59.999999999-23:59", true)]
    #[case("9999-12-31T24:00:00Z", false)]
    #[case("9999-12-32T00:00:00Z", false)]
    #[case("yesterday", false)]
    fn parse_accepts_years_1_to_9999_only(#[case] text: &str, #[case] valid: bool) {
        assert_eq!(Timestamp::parse(text).is_some(), valid);
    }

    #[rstest::rstest]
    #[case("9999-12-30T21:59:59.999999Z", "9999-12-30T21:59:59.999999Z")]
    #[case("9999-12-30T22:00:00.9999999Z", "9999-12-30T22:00:00.999999Z")]
    #[case("9999-12-31T23:59:59Z", "9999-12-30T22:00:00.999999Z")]
    #[case("9999-12-31T23:59:59.5+01:00", "9999-12-30T22:00:00.999999Z")]
    #[case("9999-12-29T23:59:59-23:59", "9999-12-30T22:00:00.999999Z")]
    #[case("2026-11-23T08:00:00.1234564999Z", "2026-11-23T08:00:00.123456Z")]
    fn latest_time_and_excess_digits_are_truncated(#[case] text: &str, #[case] expected: &str) {
        let time = Timestamp::parse(text).unwrap();
        assert_eq!(time.to_string(), expected);
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }
}
