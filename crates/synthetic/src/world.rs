//! The worlds: who there is, and what is true of them.

use crate::forms::Forms;
use crate::lexicon::{FRIEND, GENDERS, RELATIONS, TOPICS};
use crate::random::Random;

pub(crate) const WORLDS: usize = 32;
pub(crate) const ENTITIES: usize = 8; // in a world

/// One that has a name.
pub(crate) struct Entity {
    pub(crate) name: String,
    pub(crate) gender: usize,
    pub(crate) world: usize,
    /// The value of each relation but the last: of those that go with its topic.
    pub(crate) values: [usize; FRIEND],
    /// Another entity of the same world, by its index.
    pub(crate) friend: usize,
}

impl Entity {
    pub(crate) fn topic(&self) -> usize {
        self.world % TOPICS
    }
}

/// All entities, world by world.
pub(crate) fn entities(seed: u64, forms: &mut Forms) -> Vec<Entity> {
    let mut random = Random::new(seed, b"worlds\0\0", 0);
    (0..WORLDS * ENTITIES)
        .map(|entity| {
            let world = entity / ENTITIES;
            let other = 1 + random.below(ENTITIES - 1);
            Entity {
                name: forms.word(),
                gender: random.below(GENDERS),
                world,
                values: std::array::from_fn(|relation| {
                    let of_topic = RELATIONS[relation].1 / TOPICS;
                    world % TOPICS * of_topic + random.below(of_topic)
                }),
                friend: world * ENTITIES + (entity % ENTITIES + other) % ENTITIES,
            }
        })
        .collect()
}
