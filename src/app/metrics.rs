//! Connects the metrics to the parts of the service that they describe.

use std::sync::Arc;

use crate::{
    common::counters::CacheStats,
    db::Db,
    decisions::PolicyCache,
    http::{concurrency_limit::ConcurrencyLimit, page_cache::PageCache},
    telemetry::metrics::{
        CacheSample, DecisionsSample, LookupsSample, PoolSample, Source, Sources,
    },
    tokens::Verifier,
};

/// The sources of all values that are read when metrics are scraped.
pub(super) fn sources(
    db: &Db,
    limit: &ConcurrencyLimit,
    policies: &Arc<PolicyCache>,
    pages: &Arc<PageCache>,
    verifier: &Arc<Verifier>,
) -> Sources {
    Sources {
        database: db.engine(),
        requests_in_progress: source(limit, |limit| limit.occupied() as u64),
        db_pool: source(db, |db| {
            let pool = db.pool();
            PoolSample {
                idle: pool.idle,
                used: pool.used,
                size: pool.max,
                pending: pool.waiting,
            }
        }),
        decisions: source(policies, |policies| {
            let stats = &policies.stats;
            DecisionsSample {
                visible_tickets: stats.visible.get(),
                hidden_tickets: stats.hidden.get(),
                invalid_tickets: stats.invalid.get(),
                allowed_creations: stats.allowed.get(),
                refused_creations: stats.denied.get(),
                allowed_approvals: stats.allowed_approvals.get(),
                refused_approvals: stats.denied_approvals.get(),
            }
        }),
        policy_cache: source(policies, |policies| CacheSample {
            lookups: lookups(&policies.stats.policy_lookups),
            bytes: policies.bytes(),
        }),
        page_cache: source(pages, |pages| CacheSample {
            lookups: lookups(&pages.lookups),
            bytes: pages.bytes(),
        }),
        token_cache: source(verifier, |verifier| lookups(&verifier.lookups)),
        token_rejections: source(verifier, |verifier| {
            verifier.rejections.by_reason().to_vec()
        }),
        jwks_ages: source(verifier, |verifier| {
            let ages = verifier.jwks_ages();
            ages.map(|(issuer, age)| (issuer.to_owned(), age)).collect()
        }),
    }
}

/// A metric that is read from a shared part of the service.
fn source<P: Clone + Send + Sync + 'static, T: 'static>(part: &P, read: fn(&P) -> T) -> Source<T> {
    let part = part.clone();
    Box::new(move || read(&part))
}

fn lookups(stats: &CacheStats) -> LookupsSample {
    let [hit, stale, miss] = stats.named().map(|(_, count)| count.get());
    LookupsSample { hit, stale, miss }
}
