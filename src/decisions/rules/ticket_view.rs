//! A ticket as rules look at it: its facts, its texts made comparable, who looks, and when.

use std::cell::{Cell, OnceCell};

use crate::{
    common::{normalize::fold_case_into, timestamp::Timestamp},
    decisions::{
        policy::Viewer,
        ticket::{Attribute, ENUM_FIELDS, Str, TicketAttributes},
    },
};

/// Something made when it is first asked for, in memory that is used again and again.
#[derive(Default)]
struct Lazy<T> {
    made: OnceCell<T>,
    spare: Cell<T>,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.made.fmt(f)
    }
}

impl<T: Default> Lazy<T> {
    fn forget(&mut self) {
        if let Some(made) = self.made.take() {
            self.spare.set(made);
        }
    }

    fn get(&self, make: impl FnOnce(&mut T)) -> &T {
        self.made.get_or_init(|| {
            let mut room = self.spare.take();
            make(&mut room);
            room
        })
    }
}

/// Room for the texts of one ticket in their comparable form, used again for the next ticket. Most tickets are decided on
/// without a look at their texts, and folding those takes longer than everything else.
#[derive(Debug, Default)]
pub struct Buffers {
    subject: Lazy<Vec<u8>>,
    reference_number: Lazy<Vec<u8>>,
    tags: Lazy<Vec<Vec<u8>>>,
}

/// How many tags' buffers may be kept; each may have grown to 800 bytes.
const KEPT_TAGS: usize = 50;

impl Buffers {
    /// Whether it takes so little memory that it may be kept.
    pub fn is_small(&mut self) -> bool {
        self.tags.forget();
        self.tags.spare.get_mut().len() <= KEPT_TAGS
    }

    /// A look at a ticket; its texts are made comparable when a rule asks for them.
    pub fn look<'l>(
        &'l mut self,
        facts: &'l TicketAttributes<'l>,
        viewer: Option<&'l Viewer>,
        now: Timestamp,
    ) -> TicketView<'l> {
        self.subject.forget();
        self.reference_number.forget();
        self.tags.forget();
        TicketView {
            facts,
            viewer,
            now,
            words: facts.words(),
            room: self,
        }
    }
}

fn fold_all(tags: &[Str<'_>], room: &mut Vec<Vec<u8>>) {
    room.resize(room.len().max(tags.len()), Vec::new());
    for (tag, folded) in tags.iter().zip(room.iter_mut()) {
        fold_case_into(tag.trim(), folded);
    }
}

/// What a rule sees of a ticket.
#[derive(Debug, Clone, Copy)]
pub struct TicketView<'l> {
    pub facts: &'l TicketAttributes<'l>,
    /// Who looks; `None`: nobody in particular.
    pub viewer: Option<&'l Viewer>,
    pub now: Timestamp,
    words: [Attribute<u8>; ENUM_FIELDS.len()],
    room: &'l Buffers,
}

/// Which of a ticket's two texts is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    Subject,
    ReferenceNumber,
}

impl<'l> TicketView<'l> {
    /// The value of a field of few words, named by its place in [`ENUM_FIELDS`].
    pub fn word(&self, slot: usize) -> Attribute<u8> {
        self.words.get(slot).copied().unwrap_or_default()
    }

    /// A text, folded.
    pub fn text(&self, field: TextField) -> Attribute<&'l [u8]> {
        let Self { facts, room, .. } = *self;
        let (fact, lazy) = match field {
            TextField::Subject => (&facts.subject, &room.subject),
            TextField::ReferenceNumber => (&facts.reference_number, &room.reference_number),
        };
        fact.map_ref(|text| {
            lazy.get(|folded| fold_case_into(text.trim(), folded))
                .as_slice()
        })
    }

    /// The tags' names, folded; that there are none is known as an empty list.
    pub fn tags(&self) -> Attribute<&'l [Vec<u8>]> {
        let Self { facts, room, .. } = *self;
        match &facts.tags {
            Attribute::Unknown => Attribute::Unknown,
            Attribute::Absent => Attribute::Known(&[]),
            Attribute::Known(tags) => {
                let folded = room.tags.get(|room| fold_all(tags, room));
                folded
                    .get(..tags.len())
                    .map_or(Attribute::Unknown, Attribute::Known)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn room_for_many_tags_is_not_kept() {
        let is_small = |count: usize| {
            let ticket = json!({"ticket_id": "1", "business_partner_id": "K", "area_id": "a", "internal": false,
                "confidential": false, "tags": vec!["VPN"; count]});
            let text = ticket.to_string();
            let facts: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
            let mut room = Buffers::default();
            let look = room.look(&facts, None, Timestamp::now());
            assert_eq!(look.tags().known().map(|tags| tags.len()), Some(count));
            room.is_small()
        };
        assert!(is_small(0) && is_small(KEPT_TAGS) && !is_small(KEPT_TAGS + 1));
    }
}
