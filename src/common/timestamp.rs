//! Points in time: UTC with microseconds, the precision of PostgreSQL.

use std::{cmp::Ordering, fmt, str::FromStr};

use jiff::{ToSpan as _, Unit};
use serde::{Deserialize, Serialize};

use crate::common::{
    calendar_duration::CalendarDuration,
    error::{Code, FieldError},
    lenient_enum::LenientEnum,
    text::SelfCheck,
};

/// A point in time. Rounded to microseconds when created, so both databases return the stored
/// value.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = crate::common::sql::UtcTimestamp)]
pub struct Timestamp(jiff::Timestamp);

/// 0001-01-01T00:00:00Z.
const MIN: jiff::Timestamp = jiff::Timestamp::constant(-62_135_596_800, 0);

impl Timestamp {
    /// The current time.
    pub fn now() -> Self {
        let now = jiff::Timestamp::now();
        Self::from_unix_micros(now.as_microsecond()).unwrap_or(Self(now))
    }

    /// From microseconds since the Unix epoch; `None` if out of range.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        jiff::Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// Microseconds since the Unix epoch.
    pub fn unix_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// Parses an RFC 3339 timestamp and rounds it to microseconds.
    ///
    /// `None` for any other format and for years before 1: RFC 3339 cannot express these (jiff
    /// parses them nevertheless), and PostgreSQL does not support all of them.
    pub fn parse(text: &str) -> Option<Self> {
        if !is_rfc3339(text) {
            return None;
        }
        let parsed = text.parse::<jiff::Timestamp>().ok()?;
        // rounding is as slow as parsing and rarely needed
        let time = if parsed.subsec_nanosecond() % 1000 == 0 {
            parsed
        } else {
            parsed.round(Unit::Microsecond).ok()?
        };
        (time >= MIN).then_some(Self(time))
    }

    /// Formats this time in UTC with a `strftime` pattern; `None` if the pattern is invalid.
    pub fn format(self, pattern: &str) -> Option<String> {
        jiff::fmt::strtime::format(pattern, jiff::tz::Offset::UTC.to_datetime(self.0)).ok()
    }

    /// This time plus `seconds`, saturating at the maximum.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(
            self.0
                .checked_add(seconds.seconds())
                .unwrap_or(jiff::Timestamp::MAX),
        )
    }

    /// Compares the age of `then`, as of this time, with a duration. `Greater` means older.
    ///
    /// Calendar arithmetic is slow, so it is used only if the age lies between the bounds of the
    /// duration's length.
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

    /// This time minus a duration, calculated in the UTC calendar and saturating at year 1.
    #[must_use]
    pub fn minus(self, duration: &CalendarDuration) -> Self {
        let earlier = jiff::tz::Offset::UTC
            .to_datetime(self.0)
            .checked_sub(duration.span());
        let earlier = earlier.and_then(|time| jiff::tz::Offset::UTC.to_timestamp(time));
        Self(earlier.unwrap_or(MIN).max(MIN))
    }
}

/// Whether the separators are where RFC 3339 requires them, because jiff also parses other ISO 8601
/// formats and time zone names. jiff checks the digits between them.
fn is_rfc3339(text: &str) -> bool {
    let Some((date_time, rest)) = text.as_bytes().split_at_checked(19) else {
        return false;
    };
    // lower-case `t` and `z` are allowed (RFC 3339 section 5.6)
    #[rustfmt::skip]
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't', _, _, b':', _, _, b':', _, _] = date_time
    else { return false; };
    let fraction = rest
        .strip_prefix(b".")
        .map(|rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
    let zone = rest.get(fraction.map_or(0, |digits| digits + 1)..);
    fraction != Some(0) && matches!(zone, Some([b'Z' | b'z'] | [b'+' | b'-', _, _, b':', _, _]))
}

impl FromStr for Timestamp {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::parse(text).ok_or_else(|| FieldError::new("", Code::InvalidTime))
    }
}

impl SelfCheck for LenientEnum<Timestamp> {
    fn check(&self) -> Result<(), FieldError> {
        self.known()
            .map(drop)
            .ok_or_else(|| FieldError::new("", Code::InvalidTime))
    }
}

/// RFC 3339 with exactly six fractional digits, so that the text sorts chronologically.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 timestamp"))
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
    fn only_rfc3339_is_parsed(#[case] text: &str, #[case] is_valid: bool) {
        assert_eq!(Timestamp::parse(text).is_some(), is_valid, "{text}");
    }

    #[test]
    fn text_has_six_fractional_digits_and_parses_back() {
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
    fn minus_uses_calendar_units(#[case] now: &str, #[case] duration: &str, #[case] then: &str) {
        let duration = CalendarDuration::parse(duration).unwrap();
        assert_eq!(
            Timestamp::parse(now).unwrap().minus(&duration).to_string(),
            then
        );
    }

    #[test]
    fn compare_age_agrees_with_calendar() {
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
    #[case("9999-12-30T22:00:00.9999999Z", false)]
    #[case("yesterday", false)]
    fn only_years_1_to_9999_are_parsed(#[case] text: &str, #[case] is_valid: bool) {
        assert_eq!(Timestamp::parse(text).is_some(), is_valid);
    }
}
