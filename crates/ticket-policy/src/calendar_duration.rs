//! Durations in calendar units, such as 30 days or 2 months.

use std::fmt;

use jiff::{
    Span,
    civil::{DateTime, date},
    fmt::temporal::SpanParser,
};

/// A positive ISO 8601 duration in whole seconds, at most 100 years. Months and years have the
/// length that the calendar gives them.
#[derive(Debug, Clone, Copy)]
pub struct CalendarDuration(Span);

/// The dates between which a duration must fit.
const ORIGIN: DateTime = date(2000, 1, 1).at(0, 0, 0, 0);
const LATEST_END: DateTime = date(2100, 1, 1).at(0, 0, 0, 0);

impl CalendarDuration {
    /// Parses ISO 8601 only (`P30D`, `PT12H`, `P1Y6M`), not jiff's other formats.
    pub fn parse(text: &str) -> Option<Self> {
        let span = SpanParser::new()
            .parse_span(text)
            .ok()
            .filter(Span::is_positive)?;
        let whole = span.get_milliseconds() == 0
            && span.get_microseconds() == 0
            && span.get_nanoseconds() == 0;
        let end = ORIGIN.checked_add(span).ok()?;
        (whole && end <= LATEST_END).then_some(Self(span))
    }

    /// The shortest and longest time it can amount to, in microseconds: months and years vary.
    pub fn bounds(&self) -> (i64, i64) {
        const SECOND: i64 = 1_000_000;
        let span = &self.0;
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let seconds =
            i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
        let years = i64::from(span.get_years());
        let months = i64::from(span.get_months());
        let total = |days_per_year: i64, days_per_month: i64| {
            let days = years * days_per_year + months * days_per_month + days;
            (days * 86_400 + seconds) * SECOND
        };
        (total(365, 28), total(366, 31))
    }

    pub(crate) fn span(&self) -> Span {
        self.0
    }

    /// The non-zero components with the names of their units (`days`), largest unit first.
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

/// Formats as ISO 8601.
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
    fn parse_accepts_positive_iso_durations_up_to_100_years(
        #[case] text: &str,
        #[case] expected: Option<&str>,
    ) {
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
