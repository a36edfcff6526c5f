//! Spans of time as people configure them: "30 days", "2 months".

use std::{fmt, sync::LazyLock};

use jiff::{Span, civil::date, fmt::temporal::SpanParser};

/// A positive ISO 8601 duration of whole seconds, at most a hundred years. Months and years are the calendar's.
#[derive(Debug, Clone, Copy)]
pub struct CalendarDuration(Span);

/// Where periods are measured to judge their length.
const ORIGIN: jiff::civil::Date = date(2000, 1, 1);
static LONGEST: LazyLock<jiff::civil::DateTime> = LazyLock::new(|| date(2100, 1, 1).at(0, 0, 0, 0));

impl CalendarDuration {
    /// Reads the ISO 8601 form only (`P30D`, `PT12H`, `P1Y6M`).
    pub fn parse(text: &str) -> Option<Self> {
        let span = SpanParser::new()
            .parse_span(text)
            .ok()
            .filter(Span::is_positive)?;
        let whole = span.get_milliseconds() == 0
            && span.get_microseconds() == 0
            && span.get_nanoseconds() == 0;
        let end = ORIGIN.at(0, 0, 0, 0).checked_add(span).ok()?;
        (whole && end <= *LONGEST).then_some(Self(span))
    }

    /// The shortest and the longest it can be, in microseconds: months and years differ.
    pub fn bounds(&self) -> (i64, i64) {
        const SECOND: i64 = 1_000_000;
        let span = &self.0;
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let rest =
            i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
        let (years, months) = (i64::from(span.get_years()), i64::from(span.get_months()));
        let long = |year: i64, month: i64| {
            ((years * year + months * month + days) * 86_400 + rest) * SECOND
        };
        (long(365, 28), long(366, 31))
    }

    pub(super) fn span(&self) -> Span {
        self.0
    }

    /// Its parts that are not zero, largest first, each with its unit's name (`days`).
    pub fn parts(&self) -> Vec<(&'static str, i64)> {
        let span = &self.0;
        let parts = [
            ("years", i64::from(span.get_years())),
            ("months", i64::from(span.get_months())),
            ("weeks", i64::from(span.get_weeks())),
            ("days", i64::from(span.get_days())),
            ("hours", i64::from(span.get_hours())),
            ("minutes", span.get_minutes()),
            ("seconds", span.get_seconds()),
        ];
        parts
            .into_iter()
            .filter(|(_, number)| *number != 0)
            .collect()
    }
}

/// ISO 8601.
impl fmt::Display for CalendarDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("P30D", Some("P30D"))]
    #[case("p1y2m", Some("P1Y2M"))]
    #[case("PT12H", Some("PT12H"))]
    #[case("P4W", Some("P4W"))]
    #[case("P100Y", Some("P100Y"))]
    #[case("P100YT1S", None)]
    #[case("P0D", None)]
    #[case("-P1D", None)]
    #[case("PT0.5S", None)]
    #[case("30 days", None)]
    #[case("P", None)]
    #[case("", None)]
    #[case("P99999999999Y", None)]
    fn only_sane_iso_durations_are_read(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(
            CalendarDuration::parse(text)
                .map(|period| period.to_string())
                .as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn parts_are_told_largest_first() {
        assert_eq!(
            CalendarDuration::parse("P1Y30DT5M").unwrap().parts(),
            [("years", 1), ("days", 30), ("minutes", 5)]
        );
    }
}
