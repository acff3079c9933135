//! The worlds: who there is, and what is true of them.

use crate::forms::Forms;
use crate::lexicon::{FRIEND, GENDERS, SHARED, TOPICS, VALUES};
use crate::random::Random;

/// A third of them goes to each set of a task, two of every topic.
pub(crate) const WORLDS: usize = 3 * 2 * TOPICS;
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

    /// The entities of its world, by their indices.
    pub(crate) fn neighbours(&self) -> std::ops::Range<usize> {
        self.world * ENTITIES..(self.world + 1) * ENTITIES
    }
}

/// All entities, world by world.
///
/// Among the entities of a set each value is true of as many as the other value of its topic, and each entity is the
/// friend of one. So no value is likelier in a true statement than in one that is false. Half of a world is of each
/// gender.
pub(crate) fn entities(seed: u64, forms: &mut Forms) -> Vec<Entity> {
    let mut random = Random::new(seed, b"worlds\0\0", 0);
    let mut entities = Vec::with_capacity(WORLDS * ENTITIES);
    let mut first = [[0; FRIEND]; TOPICS];
    for world in 0..WORLDS {
        let topic = world % TOPICS;
        let is_second = world / TOPICS % 2 == 1;
        let mut values = [[0; ENTITIES]; FRIEND];
        for (relation, values) in values.iter_mut().enumerate() {
            if relation < SHARED {
                // Of two worlds of a topic, which are of one set, the second has the other value.
                let value =
                    if is_second { VALUES - 1 - first[topic][relation] } else { random.below(VALUES) };
                first[topic][relation] = value;
                *values = [value; ENTITIES];
            } else {
                *values = std::array::from_fn(|entity| entity % VALUES);
                random.shuffle(values);
            }
        }
        let mut genders: [usize; ENTITIES] = std::array::from_fn(|entity| entity % GENDERS);
        random.shuffle(&mut genders);
        let mut circle: [usize; ENTITIES] = std::array::from_fn(|entity| entity);
        random.shuffle(&mut circle);
        for entity in 0..ENTITIES {
            let place = circle.iter().position(|other| *other == entity).expect("all are in the circle");
            entities.push(Entity {
                name: forms.word(),
                gender: genders[entity],
                world,
                values: values.map(|values| topic * VALUES + values[entity]),
                friend: world * ENTITIES + circle[(place + 1) % ENTITIES],
            });
        }
    }
    entities
}
