//! Which traces have been decided, so that late spans follow the verdict.
//!
//! Two open-addressing tables a shard, cut into parts that are rebuilt one at a time: sampled-out traces take 8 bytes,
//! kept ones 16 (with policy and weight). An entry is 56 bits of a keyed hash that is independent of the bits that choose
//! its position, and one byte of time. A look-up compares only the few entries around that position, so an unseen trace
//! is taken for a decided one about once in 10¹⁶ look-ups.
//!
//! Where the user says how many verdicts to remember (`decision_cache`), a queue beside the table says which came first,
//! and the first is forgotten when one too many comes.
//!
//! Time goes in epochs of a 128th of the holding time. An entry is forgotten when it is older than the holding time; a
//! part that is full before that, and may not grow, forgets its oldest epochs early and counts them.

use std::{collections::VecDeque, time::Duration};

/// How many epochs a verdict is held. The epoch is stored in one byte, so it must be well below 256.
const EPOCHS_HELD: u64 = 128;
/// How many parts a table has; a part of 64 Ki entries is rebuilt in less than a millisecond.
const PARTS: usize = 64;
/// The smallest part that is allocated.
const PART_MIN: usize = 16;
/// At most so many verdicts are forgotten at once when a queue is too long.
const FORGET_STEP: usize = 64;
/// Every part is swept once in this many epochs, before a stored byte could be read as a younger epoch.
const SWEEP_EPOCHS: u64 = 32;

/// What is remembered of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// The verdict was not to keep it.
    SampledOut,
    /// It was kept, with this packed reason and weight.
    Kept(u64),
}

/// How many verdicts of each side to remember; as many as time and bytes allow where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Most {
    /// Of traces that were kept.
    pub kept: Option<usize>,
    /// Of traces that were not.
    pub sampled_out: Option<usize>,
}

/// The decided memory of one shard.
#[derive(Debug)]
pub struct Decided {
    kept: Memory<u64>,
    sampled_out: Memory<()>,
    epoch_ns: u64,
    bytes_max: usize,
    forgotten_early: u64,
    swept: u64,
}

#[derive(Debug)]
struct Memory<V> {
    parts: Vec<Part<V>>,
    len: usize,
    bytes: usize,
    /// What was remembered when, and how much of it may be: only where the user set a number.
    order: Option<Order>,
}

/// Position and tag of what was remembered, oldest first. It may name what the table has forgotten already.
#[derive(Debug)]
struct Order {
    queue: VecDeque<(u64, u64)>,
    most: usize,
}

#[derive(Debug)]
struct Part<V> {
    /// `tag << 8 | epoch`, never 0 where occupied.
    slots: Box<[(u64, V)]>,
    len: usize,
}

impl Decided {
    /// A memory that holds verdicts for `hold`, takes at most `bytes_max` bytes and at most so many of each side.
    #[must_use]
    pub fn new(hold: Duration, bytes_max: usize, most: Most) -> Self {
        Self {
            kept: Memory::new(most.kept),
            sampled_out: Memory::new(most.sampled_out),
            epoch_ns: epoch_ns(hold),
            bytes_max,
            forgotten_early: 0,
            swept: 0,
        }
    }

    /// Holds, takes and counts from here on as [`Decided::new`] says. What is remembered stays, unless it is older than it
    /// may become. Verdicts that were not counted before are not counted now.
    pub fn change(&mut self, hold: Duration, bytes_max: usize, most: Most, now_ns: u64) {
        self.bytes_max = bytes_max;
        self.kept.count(most.kept);
        self.sampled_out.count(most.sampled_out);
        let epoch_ns = epoch_ns(hold);
        if epoch_ns == self.epoch_ns {
            return;
        }
        // Each entry is read once; that takes some milliseconds a million, and happens only if the holding time changes.
        let before = std::mem::replace(&mut self.epoch_ns, epoch_ns);
        self.kept.change_epochs(before, epoch_ns, now_ns);
        self.sampled_out.change_epochs(before, epoch_ns, now_ns);
        self.swept = 0;
    }

    /// Remembers a verdict. `position` and `tag` are two independent keyed hashes of the trace ID.
    pub fn remember(&mut self, position: u64, tag: u64, what: Remembered, now_ns: u64) {
        let epoch = now_ns / self.epoch_ns;
        let room = self.bytes_max.saturating_sub(self.bytes());
        self.forgotten_early += match what {
            Remembered::SampledOut => self.sampled_out.insert(position, tag, (), epoch, room),
            Remembered::Kept(value) => self.kept.insert(position, tag, value, epoch, room),
        };
    }

    /// What was decided about a trace, if that is still remembered.
    #[must_use]
    pub fn recall(&self, position: u64, tag: u64, now_ns: u64) -> Option<Remembered> {
        let epoch = now_ns / self.epoch_ns;
        if let Some(value) = self.kept.find(position, tag, epoch) {
            return Some(Remembered::Kept(value));
        }
        self.sampled_out.find(position, tag, epoch).map(|()| Remembered::SampledOut)
    }

    /// How long ago a trace was decided, at least, if that is still remembered. Times are kept as epochs, so the true age
    /// may be up to one epoch more.
    #[must_use]
    pub fn age_ns(&self, position: u64, tag: u64, now_ns: u64) -> Option<u64> {
        let epoch = now_ns / self.epoch_ns;
        let ages = [self.kept.age(position, tag, epoch), self.sampled_out.age(position, tag, epoch)];
        let age = ages.into_iter().flatten().min()?;
        let decided_before_ns = (epoch.saturating_sub(age) + 1).saturating_mul(self.epoch_ns);
        Some(now_ns.saturating_sub(decided_before_ns))
    }

    /// Reads what [`Decided::recall`] will look at, so that it is in the processor's cache.
    pub(crate) fn touch(&self, position: u64, tag: u64) -> u32 {
        self.kept.touch(position, tag) ^ self.sampled_out.touch(position, tag)
    }

    /// Forgets what is too old, a few parts a call; to be called at every tick.
    pub fn sweep(&mut self, now_ns: u64) {
        // Parts are swept evenly over the epochs, at most a few at once so that the lock is held briefly.
        let target = now_ns / (self.epoch_ns * SWEEP_EPOCHS / PARTS as u64).max(1);
        if self.swept == 0 {
            self.swept = target;
        }
        let epoch = now_ns / self.epoch_ns;
        for _ in 0..2 {
            if self.swept >= target {
                return;
            }
            self.swept += 1;
            let part = self.swept as usize % PARTS;
            self.kept.rebuild(part, epoch);
            self.sampled_out.rebuild(part, epoch);
        }
    }

    /// How many verdicts are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len + self.sampled_out.len
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.bytes() + self.sampled_out.bytes()
    }

    /// Verdicts forgotten before their time because there was no room.
    #[must_use]
    pub fn forgotten_early(&self) -> u64 {
        self.forgotten_early
    }
}

impl<V: Copy + Default> Memory<V> {
    fn new(most: Option<usize>) -> Self {
        let parts = (0..PARTS).map(|_| Part { slots: Box::default(), len: 0 }).collect();
        let mut memory = Self { parts, len: 0, bytes: 0, order: None };
        memory.count(most);
        memory
    }

    /// From here on, remembers at most so many.
    fn count(&mut self, most: Option<usize>) {
        self.order = most.map(|most| {
            let queue = self.order.take().map(|order| order.queue);
            Order { queue: queue.unwrap_or_default(), most }
        });
    }

    /// Time goes in epochs of another length.
    fn change_epochs(&mut self, before_ns: u64, after_ns: u64, now_ns: u64) {
        let (before, after) = (now_ns / before_ns, now_ns / after_ns);
        for index in 0..self.parts.len() {
            self.rebuild(index, before);
            let renewed = |word: u64| {
                let age = age(word, before).saturating_mul(before_ns).div_ceil(after_ns);
                let is_held = is_fresh(word, before) && age <= EPOCHS_HELD;
                is_held.then(|| word & !0xff | after.wrapping_sub(age) & 0xff)
            };
            self.resize(index, self.parts[index].slots.len(), renewed);
        }
    }

    fn find(&self, position: u64, tag: u64, epoch: u64) -> Option<V> {
        let part = &self.parts[part_of(position)];
        let index = part.index_of(tag)?;
        let (word, value) = part.slots[index];
        is_fresh(word, epoch).then_some(value)
    }

    /// Age in epochs.
    fn age(&self, position: u64, tag: u64, epoch: u64) -> Option<u64> {
        let part = &self.parts[part_of(position)];
        let word = part.slots[part.index_of(tag)?].0;
        is_fresh(word, epoch).then(|| age(word, epoch))
    }

    fn bytes(&self) -> usize {
        self.bytes + self.order.as_ref().map_or(0, |order| order.queue.capacity() * size_of::<(u64, u64)>())
    }

    fn touch(&self, position: u64, tag: u64) -> u32 {
        let slots = &self.parts[part_of(position)].slots;
        let mask = slots.len().wrapping_sub(1);
        slots.get(start(tag) & mask).map_or(0, |(word, _)| *word as u32)
    }

    /// Returns how many entries had to be forgotten early to make room.
    fn insert(&mut self, position: u64, tag: u64, value: V, epoch: u64, room: usize) -> u64 {
        let index = part_of(position);
        let mut forgotten = 0;
        if self.parts[index].is_full() {
            self.rebuild(index, epoch);
            let part = &self.parts[index];
            let grown = (part.slots.len() * 2).max(PART_MIN);
            if part.is_crowded() {
                if (grown - part.slots.len()) * size_of::<(u64, V)>() <= room {
                    self.resize(index, grown, Some);
                } else if part.slots.is_empty() {
                    return 1;
                } else {
                    forgotten = self.forget_oldest(index, epoch);
                }
            }
        }
        if self.parts[index].put(tag, value, epoch) {
            self.len += 1;
            forgotten += self.forget_first(position, tag);
        }
        forgotten
    }

    /// Queues what is new and forgets what came first while there is too much.
    fn forget_first(&mut self, position: u64, tag: u64) -> u64 {
        let Some(order) = &mut self.order else { return 0 };
        order.queue.push_back((position, tag));
        let mut forgotten = 0;
        for _ in 0..FORGET_STEP {
            if order.queue.len() <= order.most {
                break;
            }
            let Some((position, tag)) = order.queue.pop_front() else { break };
            forgotten += u64::from(self.parts[part_of(position)].remove(tag));
        }
        self.len -= forgotten as usize;
        forgotten
    }

    /// Drops entries that are older than the holding time, and memory that is no longer needed.
    fn rebuild(&mut self, index: usize, epoch: u64) {
        let part = &self.parts[index];
        let fresh = part.slots.iter().filter(|(word, _)| *word != 0 && is_fresh(*word, epoch)).count();
        let wanted = if fresh == 0 { 0 } else { (fresh * 2).next_power_of_two().max(PART_MIN) };
        if fresh < part.len || wanted * 2 < part.slots.len() {
            let size = wanted.min(part.slots.len());
            self.resize(index, size, |word| is_fresh(word, epoch).then_some(word));
        }
    }

    /// Forgets the oldest quarter of a part's epochs until it has room again.
    fn forget_oldest(&mut self, index: usize, epoch: u64) -> u64 {
        let before = self.parts[index].len;
        let size = self.parts[index].slots.len();
        let mut held = EPOCHS_HELD;
        while self.parts[index].is_crowded() {
            held = held * 3 / 4;
            self.resize(index, size, |word| (age(word, epoch) < held).then_some(word));
            if held == 0 {
                break;
            }
        }
        (before - self.parts[index].len) as u64
    }

    /// Puts the entries into so many slots, each under the word that `keep` gives for its word, if any.
    fn resize(&mut self, index: usize, size: usize, keep: impl Fn(u64) -> Option<u64>) {
        let part = &mut self.parts[index];
        let old = std::mem::replace(&mut part.slots, vec![(0, V::default()); size].into());
        let len_before = std::mem::take(&mut part.len);
        for &(word, value) in old.iter().filter(|(word, _)| *word != 0) {
            if let Some(word) = keep(word) {
                part.put_word(word, value);
            }
        }
        self.len = self.len - len_before + part.len;
        self.bytes = self.bytes + size * size_of::<(u64, V)>() - old.len() * size_of::<(u64, V)>();
    }
}

impl<V: Copy + Default> Part<V> {
    /// Three quarters: linear probing stays short.
    fn is_full(&self) -> bool {
        self.len * 4 >= self.slots.len() * 3
    }

    /// Whether, after forgetting what is too old, it is still too full to be worth keeping at this size.
    fn is_crowded(&self) -> bool {
        self.len * 16 >= self.slots.len() * 11
    }

    fn index_of(&self, tag: u64) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut index = start(tag) & mask;
        loop {
            let word = self.slots[index].0;
            if word == 0 {
                return None;
            }
            if word >> 8 == stored(tag) {
                return Some(index);
            }
            index = (index + 1) & mask;
        }
    }

    /// Adds or renews; tells whether it is new.
    fn put(&mut self, tag: u64, value: V, epoch: u64) -> bool {
        let word = stored(tag) << 8 | (epoch & 0xff);
        if let Some(index) = self.index_of(tag) {
            self.slots[index] = (word, value);
            return false;
        }
        self.put_word(word, value);
        true
    }

    /// Takes an entry out, and moves those behind it that were only there because its place was taken.
    fn remove(&mut self, tag: u64) -> bool {
        let Some(mut hole) = self.index_of(tag) else { return false };
        let mask = self.slots.len() - 1;
        let mut index = hole;
        loop {
            index = (index + 1) & mask;
            let word = self.slots[index].0;
            if word == 0 {
                break;
            }
            let home = start(word >> 8) & mask;
            if index.wrapping_sub(home) & mask >= index.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[index];
                hole = index;
            }
        }
        self.slots[hole] = (0, V::default());
        self.len -= 1;
        true
    }

    fn put_word(&mut self, word: u64, value: V) {
        let mask = self.slots.len() - 1;
        let mut index = start(word >> 8) & mask;
        while self.slots[index].0 != 0 {
            index = (index + 1) & mask;
        }
        self.slots[index] = (word, value);
        self.len += 1;
    }
}

fn epoch_ns(hold: Duration) -> u64 {
    (u64::try_from(hold.as_nanos()).unwrap_or(u64::MAX) / EPOCHS_HELD).max(1)
}

fn part_of(position: u64) -> usize {
    (position >> 20) as usize % PARTS
}

/// The 56 bits that are stored; zero would look like an empty place.
fn stored(tag: u64) -> u64 {
    (tag & 0x00ff_ffff_ffff_ffff).max(1)
}

/// Where probing begins, from the stored bits alone so that a part can be rebuilt without the IDs.
fn start(tag: u64) -> usize {
    (stored(tag) >> 16) as usize
}

fn age(word: u64, epoch: u64) -> u64 {
    epoch.wrapping_sub(word) & 0xff
}

fn is_fresh(word: u64, epoch: u64) -> bool {
    age(word, epoch) <= EPOCHS_HELD
}

#[cfg(test)]
mod tests;
