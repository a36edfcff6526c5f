//! A ticket as rules see it, with texts in comparable form.

use std::{
    cell::{Cell, OnceCell},
    fmt,
};

use crate::{
    Attribute, Str, Timestamp, Viewer,
    fold::fold_case_into,
    ticket::{ENUM_FIELDS, TicketAttributes},
};

/// A lazily computed value whose memory is reused after [`Lazy::reset`].
#[derive(Default)]
struct Lazy<T> {
    value: OnceCell<T>,
    spare: Cell<T>,
}

impl<T: fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: Default> Lazy<T> {
    #[inline]
    fn reset(&mut self) {
        if let Some(value) = self.value.take() {
            self.spare.set(value);
        }
    }

    /// The value. `compute` gets the memory of an earlier value, with its content.
    #[inline]
    fn get(&self, compute: impl FnOnce(&mut T)) -> &T {
        self.value.get_or_init(|| {
            let mut value = self.spare.take();
            compute(&mut value);
            value
        })
    }
}

/// Buffers for the case-folded texts of one ticket, reused for the next. Texts are folded on first
/// use: most decisions do not need them, and folding takes longer than everything else.
#[derive(Debug, Default)]
pub struct Buffers {
    subject: Lazy<Vec<u8>>,
    reference_number: Lazy<Vec<u8>>,
    tags: Lazy<Vec<Vec<u8>>>,
}

/// Maximum number of tag buffers to retain. Each may have grown to 800 bytes.
const MAX_RETAINED_TAGS: usize = 50;

impl Buffers {
    /// Whether the buffers use little enough memory to be retained.
    pub fn is_small(&mut self) -> bool {
        self.tags.reset();
        self.tags.spare.get_mut().len() <= MAX_RETAINED_TAGS
    }

    /// Prepares a ticket for the evaluation of rules.
    pub fn view<'l>(
        &'l mut self,
        ticket: &'l TicketAttributes<'l>,
        viewer: Option<&'l Viewer>,
        now: Timestamp,
    ) -> TicketView<'l> {
        self.subject.reset();
        self.reference_number.reset();
        self.tags.reset();
        TicketView {
            ticket,
            viewer,
            now,
            enum_ordinals: ticket.enum_ordinals(),
            buffers: self,
        }
    }
}

/// Folds all tags into the first elements of `buffers`, and sorts these.
fn fold_tags(tags: &[Str<'_>], buffers: &mut Vec<Vec<u8>>) {
    buffers.resize(buffers.len().max(tags.len()), Vec::new());
    for (tag, folded) in tags.iter().zip(buffers.iter_mut()) {
        fold_case_into(tag.trim(), folded);
    }
    if let Some(folded) = buffers.get_mut(..tags.len()) {
        folded.sort_unstable();
    }
}

/// A ticket as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct TicketView<'l> {
    pub ticket: &'l TicketAttributes<'l>,
    /// `None` if rules are evaluated for no particular access; `is_self` is unknown then.
    pub viewer: Option<&'l Viewer>,
    pub now: Timestamp,
    enum_ordinals: [Attribute<u8>; ENUM_FIELDS.len()],
    buffers: &'l Buffers,
}

/// A field with a text to search in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    Subject,
    ReferenceNumber,
}

impl<'l> TicketView<'l> {
    /// The value of an enum field; `slot` is its position in [`ENUM_FIELDS`].
    #[inline]
    pub fn enum_ordinal(&self, slot: usize) -> Attribute<u8> {
        self.enum_ordinals.get(slot).copied().unwrap_or_default()
    }

    /// A text, trimmed and case-folded.
    pub fn text(&self, field: TextField) -> Attribute<&'l [u8]> {
        let Self {
            ticket, buffers, ..
        } = *self;
        let (attribute, folded) = match field {
            TextField::Subject => (&ticket.subject, &buffers.subject),
            TextField::ReferenceNumber => (&ticket.reference_number, &buffers.reference_number),
        };
        attribute.map_ref(|text| {
            folded
                .get(|buffer| fold_case_into(text.trim(), buffer))
                .as_slice()
        })
    }

    /// The tags, trimmed, case-folded and sorted. Absent tags are an empty list.
    pub fn tags(&self) -> Attribute<&'l [Vec<u8>]> {
        let Self {
            ticket, buffers, ..
        } = *self;
        match &ticket.tags {
            Attribute::Unknown => Attribute::Unknown,
            Attribute::Absent => Attribute::Known(&[]),
            Attribute::Known(tags) => buffers
                .tags
                .get(|buffers| fold_tags(tags, buffers))
                .get(..tags.len())
                .map_or(Attribute::Unknown, Attribute::Known),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whether the buffers are small after a ticket with `count` tags.
    fn is_small_after(count: usize) -> bool {
        let ticket = json!({"ticket_id": "1", "business_partner_id": "K", "area_id": "a",
            "internal": false, "confidential": false, "tags": vec!["VPN"; count]});
        let text = ticket.to_string();
        let ticket: TicketAttributes<'_> = serde_json::from_str(&text).unwrap();
        let now = Timestamp::from_unix_micros(0).unwrap();
        let mut buffers = Buffers::default();
        let tags = buffers.view(&ticket, None, now).tags();
        assert_eq!(tags.known().map(|tags| tags.len()), Some(count));
        buffers.is_small()
    }

    #[test]
    fn buffers_with_few_tags_are_retained() {
        assert!(is_small_after(0));
        assert!(is_small_after(MAX_RETAINED_TAGS));
    }

    #[test]
    fn buffers_with_many_tags_are_dropped() {
        assert!(!is_small_after(MAX_RETAINED_TAGS + 1));
    }
}
