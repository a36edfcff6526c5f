//! Encodes metrics in the `OpenMetrics` format.

use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::LookupsSample;

/// Writes metrics with constant values.
pub(super) struct Writer<'e>(DescriptorEncoder<'e>);

impl<'e> Writer<'e> {
    pub(super) fn new(encoder: DescriptorEncoder<'e>) -> Self {
        Self(encoder)
    }

    /// A gauge with the value 1, whose labels contain the information.
    pub(super) fn info<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str); N],
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        gauge(1).encode(family.encode_family(labels)?)
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        gauge(value).encode(encoder)
    }

    pub(super) fn cpu_time(&mut self, seconds: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(
            "process_cpu_seconds",
            "Processor time used",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(seconds).encode(encoder)
    }

    pub(super) fn gauges<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (label_value, value) in values {
            gauge(value).encode(family.encode_family(&[(label, label_value)])?)?;
        }
        Ok(())
    }

    pub(super) fn counters<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (label_value, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&[(label, label_value)])?)?;
        }
        Ok(())
    }

    pub(super) fn lookups(
        &mut self,
        name: &str,
        help: &str,
        lookups: LookupsSample,
    ) -> fmt::Result {
        self.counters(
            name,
            help,
            "result",
            [
                ("hit", lookups.hit),
                ("stale", lookups.stale),
                ("miss", lookups.miss),
            ],
        )
    }
}

fn gauge(value: u64) -> ConstGauge {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
