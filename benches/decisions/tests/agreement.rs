//! All engines make the same decisions, in all forms and for all viewers.

use decisions_bench::{
    agreement,
    generator::{LARGE, SEED, SMALL, scenario},
};

#[test]
fn decisions_of_all_engines_are_equal() {
    for (size, seeds) in [(SMALL, [SEED, 1, 2, 3].as_slice()), (LARGE, &[SEED, 1])] {
        for seed in seeds {
            let seen = agreement::check(&scenario(size, *seed));
            assert!(
                (40..=70).contains(&seen),
                "{seen} % of the tickets of {} with seed {seed} are seen",
                size.name
            );
        }
    }
}

#[test]
fn scenario_is_reproducible_from_its_seed() {
    assert!(scenario(SMALL, SEED) == scenario(SMALL, SEED));
    assert!(scenario(SMALL, SEED) != scenario(SMALL, 1));
}
