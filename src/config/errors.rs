//! Parses settings and collects configuration errors, so that all are reported at once.

use std::{fmt, fs, io, ops::RangeInclusive, time::Duration};

/// Maximum size of a file that contains a setting, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// All configuration errors, one message each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ConfigErrors(Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

impl ConfigErrors {
    /// Records an error.
    pub fn add(&mut self, message: impl Into<String>) {
        self.0.push(message.into());
    }

    /// Returns the value, or records the error.
    pub fn collect<T, E: fmt::Display>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(format!("{error:#}"))).ok()
    }

    /// Returns the value if no error was recorded.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }

    /// The value of a setting, or the content of the file that `{name}_FILE` names.
    pub fn text_or_file(
        &mut self,
        name: &str,
        value: Option<String>,
        file: Option<String>,
    ) -> Option<String> {
        match (non_empty(value), non_empty(file)) {
            (Some(_), Some(_)) => {
                self.add(format!("{name} and {name}_FILE are both set; set only one"));
                None
            }
            (value, None) => value,
            (None, Some(path)) => {
                let content = read_trimmed(&path)
                    .map_err(|error| format!("{name}_FILE: cannot read {path}: {error}"));
                self.collect(content)
            }
        }
    }

    /// Parses a whole number. Unset and invalid settings yield the default.
    pub fn number<N>(
        &mut self,
        name: &str,
        value: Option<String>,
        allowed: RangeInclusive<u64>,
        default: N,
    ) -> N
    where
        N: TryFrom<u64>,
    {
        let Some(text) = non_empty(value) else {
            return default;
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| allowed.contains(number))
            .and_then(|number| N::try_from(number).ok());
        number.unwrap_or_else(|| {
            let min = allowed.start();
            let max = allowed.end();
            self.add(format!(
                "{name} must be a whole number from {min} to {max}: {text}"
            ));
            default
        })
    }

    /// Parses a duration such as `250ms` or `1m 30s`. Unset and invalid settings yield the default.
    pub fn duration(
        &mut self,
        name: &str,
        value: Option<String>,
        allowed: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let Some(text) = non_empty(value) else {
            return default;
        };
        let duration = humantime::parse_duration(&text)
            .ok()
            .filter(|duration| allowed.contains(duration));
        duration.unwrap_or_else(|| {
            let min = humantime::format_duration(*allowed.start());
            let max = humantime::format_duration(*allowed.end());
            self.add(format!(
                "{name} must be a duration from {min} to {max}, such as 1m 30s: {text}"
            ));
            default
        })
    }

    /// Parses `true` or `false`. Unset and invalid settings yield the default.
    pub fn bool(&mut self, name: &str, value: Option<String>, default: bool) -> bool {
        let Some(text) = non_empty(value) else {
            return default;
        };
        text.parse().unwrap_or_else(|_| {
            self.add(format!("{name} must be true or false: {text}"));
            default
        })
    }
}

/// Treats an empty setting as unset, because environment files easily set empty variables.
pub fn non_empty(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// Reads a file without its trailing line breaks, which editors add.
fn read_trimmed(path: &str) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE_BYTES {
        return Err(io::Error::other("the file is too large"));
    }
    let text = fs::read_to_string(path)?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(io::Error::other("the file is empty")),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "settings are optional")]
    fn set(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn invalid_settings_yield_defaults_and_all_errors() {
        let mut errors = ConfigErrors::default();
        let range = Duration::from_secs(1)..=Duration::from_mins(1);
        let default = Duration::ZERO;
        assert_eq!(errors.number("A", set("0"), 1..=5, 3_u16), 3);
        assert_eq!(errors.number("B", set(""), 1..=5, 3_u16), 3);
        assert_eq!(
            errors.duration("C", set("1500ms"), range.clone(), default),
            Duration::from_millis(1500)
        );
        assert_eq!(errors.duration("D", set("2h"), range, default), default);
        assert!(errors.bool("E", set("yes"), true));
        assert_eq!(errors.text_or_file("F", None, set("/no/such/file")), None);
        assert_eq!(errors.text_or_file("G", set("a"), set("b")), None);

        let report = errors.finish(Some(())).unwrap_err().to_string();
        let lines: Vec<_> = report.lines().collect();
        assert_eq!(lines.len(), 5, "{report}");
        assert_eq!(lines[0], "A must be a whole number from 1 to 5: 0");
        assert_eq!(
            lines[1],
            "D must be a duration from 1s to 1m, such as 1m 30s: 2h"
        );
    }
}
