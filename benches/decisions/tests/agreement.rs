//! All engines make the same decisions, in all forms and for all viewers.

use decisions_bench::{
    agreement,
    generator::{LARGE, SEED, SMALL, scenario},
};

#[test]
fn all_engines_make_the_same_decisions() {
    for (size, seeds) in [(SMALL, [SEED, 1, 2, 3].as_slice()), (LARGE, &[SEED, 1])] {
        for seed in seeds {
            let visible = agreement::check(&scenario(size, *seed));
            assert!(
                (40..=70).contains(&visible),
                "{visible} % of the tickets of {} with seed {seed} are visible",
                size.name
            );
        }
    }
}

#[test]
fn same_seed_generates_same_scenario() {
    assert!(scenario(SMALL, SEED) == scenario(SMALL, SEED));
    assert!(scenario(SMALL, SEED) != scenario(SMALL, 1));
}
