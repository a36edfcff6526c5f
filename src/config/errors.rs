//! Reads settings and gathers all that is wrong with them, so that an operator mends them in one go.

use std::{fmt, fs, ops::RangeInclusive, time::Duration};

/// Longest content of a file that holds a setting, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// What is wrong with the settings, a sentence each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ConfigErrors(Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

impl ConfigErrors {
    /// One more.
    pub fn add(&mut self, complaint: impl Into<String>) {
        self.0.push(complaint.into());
    }

    /// What came out well; what did not is complained of.
    pub fn collect<T, E: fmt::Display>(&mut self, outcome: Result<T, E>) -> Option<T> {
        outcome.map_err(|error| self.add(format!("{error:#}"))).ok()
    }

    /// The result, if there is nothing to complain of.
    pub fn finish<T>(self, result: Option<T>) -> Result<T, Self> {
        match result {
            Some(result) if self.0.is_empty() => Ok(result),
            _ => Err(self),
        }
    }

    /// The value of a setting, or of the file that another setting names. An environment file sets empty variables easily, so
    /// empty is unset.
    pub fn text_or_file(
        &mut self,
        name: &str,
        given: Option<String>,
        file: Option<String>,
    ) -> Option<String> {
        match (non_empty(given), non_empty(file)) {
            (Some(_), Some(_)) => {
                self.add(format!(
                    "{name} and {name}_FILE are both set; one is enough"
                ));
                None
            }
            (given, None) => given,
            (None, Some(path)) => {
                let read = read(&path)
                    .map_err(|error| format!("{name}_FILE: cannot read {path}: {error}"));
                self.collect(read)
            }
        }
    }

    /// A whole number, or the default where it is not set.
    pub fn number<N>(
        &mut self,
        name: &str,
        given: Option<String>,
        allowed: RangeInclusive<u64>,
        default: N,
    ) -> N
    where
        N: TryFrom<u64>,
    {
        let Some(text) = non_empty(given) else {
            return default;
        };
        let number = text.parse().ok().filter(|number| allowed.contains(number));
        number
            .and_then(|number| N::try_from(number).ok())
            .unwrap_or_else(|| {
                self.add(format!(
                    "{name} must be a whole number from {} to {}: {text}",
                    allowed.start(),
                    allowed.end()
                ));
                default
            })
    }

    /// A duration such as `250ms` or `1m 30s`, or the default where it is not set.
    pub fn duration(
        &mut self,
        name: &str,
        given: Option<String>,
        allowed: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let Some(text) = non_empty(given) else {
            return default;
        };
        let duration = humantime::parse_duration(&text)
            .ok()
            .filter(|duration| allowed.contains(duration));
        duration.unwrap_or_else(|| {
            let (least, most) = (
                humantime::format_duration(*allowed.start()),
                humantime::format_duration(*allowed.end()),
            );
            self.add(format!(
                "{name} must be a duration from {least} to {most}, such as 1m 30s: {text}"
            ));
            default
        })
    }

    /// `true` or `false`, or the default where it is not set.
    pub fn bool(&mut self, name: &str, given: Option<String>, default: bool) -> bool {
        let Some(text) = non_empty(given) else {
            return default;
        };
        text.parse().unwrap_or_else(|_| {
            self.add(format!("{name} must be true or false: {text}"));
            default
        })
    }
}

/// A setting that is set.
pub fn non_empty(given: Option<String>) -> Option<String> {
    given.filter(|text| !text.is_empty())
}

/// The first line of a small file: secrets are mounted like this, and editors end lines.
fn read(path: &str) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE {
        return Err(std::io::Error::other("it is too large"));
    }
    let text = fs::read_to_string(path)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(std::io::Error::other("it is empty")),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_complaints_are_told_and_defaults_stand_in() {
        let mut errors = ConfigErrors::default();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(errors.number("A", some("0"), 1..=5, 3_u16), 3);
        assert_eq!(errors.number("B", some(""), 1..=5, 3_u16), 3);
        let range = Duration::from_secs(1)..=Duration::from_mins(1);
        assert_eq!(
            errors.duration("C", some("1500ms"), range.clone(), Duration::ZERO),
            Duration::from_millis(1500)
        );
        assert_eq!(
            errors.duration("D", some("2h"), range, Duration::ZERO),
            Duration::ZERO
        );
        assert!(errors.bool("E", some("yes"), true));
        assert_eq!(errors.text_or_file("F", None, some("/no/such/file")), None);
        assert_eq!(errors.text_or_file("G", some("a"), some("b")), None);
        let told = errors.finish(Some(())).unwrap_err().to_string();
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines.len(), 5, "{told}");
        assert_eq!(lines[0], "A must be a whole number from 1 to 5: 0");
        assert_eq!(
            lines[1],
            "D must be a duration from 1s to 1m, such as 1m 30s: 2h"
        );
    }
}
