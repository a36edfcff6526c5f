//! Durations in calendar units, such as 30 days or 2 months.

use std::{fmt, sync::LazyLock};

use jiff::{Span, civil::date, fmt::temporal::SpanParser};

/// A positive ISO 8601 duration of whole seconds, at most 100 years. Months and years are calendar
/// units, so their length varies.
#[derive(Debug, Clone, Copy)]
pub struct CalendarDuration(Span);

/// The date from which the maximum length is measured.
const REFERENCE_DATE: jiff::civil::Date = date(2000, 1, 1);
/// The latest end of a duration that starts at [`REFERENCE_DATE`].
static LATEST_END: LazyLock<jiff::civil::DateTime> =
    LazyLock::new(|| date(2100, 1, 1).at(0, 0, 0, 0));

impl CalendarDuration {
    /// Parses an ISO 8601 duration (`P30D`, `PT12H`, `P1Y6M`).
    pub fn parse(text: &str) -> Option<Self> {
        let span = SpanParser::new()
            .parse_span(text)
            .ok()
            .filter(Span::is_positive)?;
        let is_whole_seconds = span.get_milliseconds() == 0
            && span.get_microseconds() == 0
            && span.get_nanoseconds() == 0;
        let end = REFERENCE_DATE.at(0, 0, 0, 0).checked_add(span).ok()?;
        (is_whole_seconds && end <= *LATEST_END).then_some(Self(span))
    }

    /// Lower and upper bound of the length in microseconds, because months and years vary.
    pub fn bounds(&self) -> (i64, i64) {
        (self.micros_with(365, 28), self.micros_with(366, 31))
    }

    /// The length in microseconds if all years and months had these numbers of days.
    fn micros_with(&self, days_per_year: i64, days_per_month: i64) -> i64 {
        const MICROS_PER_SECOND: i64 = 1_000_000;
        let span = &self.0;
        let days = i64::from(span.get_years()) * days_per_year
            + i64::from(span.get_months()) * days_per_month
            + i64::from(span.get_weeks()) * 7
            + i64::from(span.get_days());
        let seconds =
            i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
        (days * 86_400 + seconds) * MICROS_PER_SECOND
    }

    pub(super) fn span(&self) -> Span {
        self.0
    }

    /// The non-zero components with the name of their unit (`days`), largest unit first.
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
        parts.into_iter().filter(|(_, count)| *count != 0).collect()
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
    fn only_valid_iso_durations_are_parsed(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(
            CalendarDuration::parse(text)
                .map(|duration| duration.to_string())
                .as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn parts_are_ordered_by_unit() {
        assert_eq!(
            CalendarDuration::parse("P1Y30DT5M").unwrap().parts(),
            [("years", 1), ("days", 30), ("minutes", 5)]
        );
    }
}
