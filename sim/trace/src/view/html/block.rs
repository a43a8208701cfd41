use crate::view::map::{DeviceKey, DeviceSort, MapDevice};

/// Length in pixels.
pub(super) type Px = i32;

/// A piece of the picture with its own coordinates: devices and the frames around them. Pieces are
/// put beside and above each other until they are the whole picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block {
    pub w: Px,
    pub h: Px,
    pub chips: Vec<Chip>,
    pub frames: Vec<Frame>,
    pub bars: Vec<Bar>,
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chip {
    pub key: DeviceKey,
    pub kind: DeviceSort,
    pub up: bool,
    pub name: String,
    /// Everything known of it, for who asks.
    pub tip: String,
    /// Address and detail, one a line.
    pub lines: Vec<String>,
    /// Center.
    pub x: Px,
    pub y: Px,
    pub w: Px,
    pub h: Px,
}

/// A host or a namespace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub host: u32,
    /// The namespace; `None` for the box of a host.
    pub namespace: Option<u32>,
    pub title: String,
    /// Where the title stands.
    pub title_y: Px,
    pub x: Px,
    pub y: Px,
    pub w: Px,
    pub h: Px,
}

/// A segment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    /// Its place in the map's list.
    pub index: usize,
    pub name: String,
    pub ports: Vec<DeviceKey>,
    pub x: Px,
    pub y: Px,
    pub w: Px,
    pub h: Px,
}

/// Where a title stands in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TitleAt {
    Top,
    Bottom,
}

/// How blocks of different height stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Top,
    Middle,
    Bottom,
}

/// How far a frame's edges lie inside its content: half a device where devices stand on the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Insets {
    pub top: Px,
    pub bottom: Px,
    pub left: Px,
    pub right: Px,
}

const PADDING: Px = 14;
const TITLE: Px = 20;
/// Letters of a name that are shown.
const LETTERS: usize = 26;
/// Addresses of a device that are shown.
const ADDRESSES: usize = 2;

impl Block {
    /// One device.
    pub fn chip(device: &MapDevice) -> Self {
        let mut lines: Vec<String> = device.detail.iter().map(|text| short(text)).collect();
        lines.extend(device.addresses.iter().take(ADDRESSES).map(|text| short(text)));
        if device.addresses.len() > ADDRESSES {
            lines.push(format!("+{} more", device.addresses.len() - ADDRESSES));
        }
        if !device.up {
            lines.push("down".to_owned());
        }
        let name = short(&device.name);
        let wide = lines.iter().map(|line| letters(line) * 6).max().unwrap_or_default();
        let (w, h) = (wide.max(letters(&name) * 8).max(34) + 16, 24 + 13 * px(lines.len()));
        let state = if device.up { "up" } else { "down" };
        let addresses = device.addresses.join(", ");
        let tip = format!(
            "{} ({}), {state}, mtu {}, {} {addresses}",
            device.name,
            device.kind.word(),
            device.mtu,
            device.mac
        );
        let chip = Chip {
            key: device.id,
            kind: device.kind,
            up: device.up,
            name,
            tip: tip.trim_end().to_owned(),
            lines,
            x: w / 2,
            y: h / 2,
            w,
            h,
        };
        Self { w, h, chips: vec![chip], ..Self::default() }
    }

    /// A segment drawn as a box.
    pub fn bar(index: usize, name: &str, ports: &[DeviceKey]) -> Self {
        let name = short(name);
        let (w, h) = (letters(&name) * 8 + 40, 34);
        let bar = Bar { index, name, ports: ports.to_vec(), x: 0, y: 0, w, h };
        Self { w, h, bars: vec![bar], ..Self::default() }
    }

    fn shift(&mut self, dx: Px, dy: Px) {
        for chip in &mut self.chips {
            (chip.x, chip.y) = (chip.x + dx, chip.y + dy);
        }
        for frame in &mut self.frames {
            (frame.x, frame.y, frame.title_y) = (frame.x + dx, frame.y + dy, frame.title_y + dy);
        }
        for bar in &mut self.bars {
            (bar.x, bar.y) = (bar.x + dx, bar.y + dy);
        }
    }

    /// Takes over what `other` holds, with its upper left corner at a point.
    pub fn put(&mut self, mut other: Self, x: Px, y: Px) {
        other.shift(x, y);
        self.chips.append(&mut other.chips);
        self.frames.append(&mut other.frames);
        self.bars.append(&mut other.bars);
        self.w = self.w.max(x + other.w);
        self.h = self.h.max(y + other.h);
    }

    /// Blocks side by side.
    pub fn row(blocks: Vec<Self>, gap: Px, align: Align) -> Self {
        let tallest = blocks.iter().map(|block| block.h).max().unwrap_or_default();
        let mut row = Self::default();
        for (i, block) in blocks.into_iter().enumerate() {
            let x = if i == 0 { 0 } else { row.w + gap };
            let y = match align {
                Align::Top => 0,
                Align::Middle => (tallest - block.h) / 2,
                Align::Bottom => tallest - block.h,
            };
            row.put(block, x, y);
        }
        row
    }

    /// Blocks one below the other, their middles on one line. Empty ones take no room.
    pub fn column(blocks: Vec<Self>, gap: Px) -> Self {
        let blocks: Vec<Self> = blocks.into_iter().filter(|block| block.w > 0).collect();
        let widest = blocks.iter().map(|block| block.w).max().unwrap_or_default();
        let mut column = Self::default();
        for (i, block) in blocks.into_iter().enumerate() {
            let y = if i == 0 { 0 } else { column.h + gap };
            let x = (widest - block.w) / 2;
            column.put(block, x, y);
        }
        column
    }

    /// Blocks in rows of at most `per_row`.
    pub fn rows(blocks: Vec<Self>, per_row: usize, gap: Px, align: Align) -> Self {
        let mut rows = Vec::new();
        let mut blocks = blocks.into_iter().peekable();
        while blocks.peek().is_some() {
            rows.push(Self::row(blocks.by_ref().take(per_row.max(1)).collect(), gap, align));
        }
        Self::column(rows, gap)
    }

    /// The block with a titled frame around it.
    pub fn framed(self, host: u32, namespace: Option<u32>, title: &str, at: TitleAt, insets: Insets) -> Self {
        let title = short(title);
        let inner_w = self.w.max(letters(&title) * 8);
        let mut framed = Self::default();
        let left = if insets.left > 0 { 0 } else { PADDING };
        let right = if insets.right > 0 { 0 } else { PADDING };
        let above = match (at, insets.top > 0) {
            (TitleAt::Top, true) => 0,
            (TitleAt::Top, false) => TITLE + PADDING / 2,
            (TitleAt::Bottom, true) => 0,
            (TitleAt::Bottom, false) => PADDING,
        };
        let below = match (at, insets.bottom > 0) {
            (TitleAt::Bottom, _) => TITLE + PADDING / 2,
            (TitleAt::Top, true) => 0,
            (TitleAt::Top, false) => PADDING,
        };
        let (w, h) = (inner_w + left + right, self.h + above + below);
        let x = left + (inner_w - self.w) / 2;
        let (top, bottom) = (insets.top, h - insets.bottom);
        let title_y = match at {
            TitleAt::Top => top + insets.top + 15,
            TitleAt::Bottom => bottom - 8,
        };
        framed.frames.push(Frame {
            host,
            namespace,
            title,
            title_y,
            x: insets.left,
            y: top,
            w: w - insets.left - insets.right,
            h: bottom - top,
        });
        framed.put(self, x, above);
        (framed.w, framed.h) = (w, h);
        framed
    }

    /// The device of that key.
    pub fn find(&self, key: DeviceKey) -> Option<&Chip> {
        self.chips.iter().find(|chip| chip.key == key)
    }
}

fn px(n: usize) -> Px {
    Px::try_from(n).unwrap_or(Px::MAX)
}

pub(super) fn letters(text: &str) -> Px {
    px(text.chars().count())
}

/// A name cut to what the picture has room for.
fn short(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    text.chars().take(LETTERS - 1).chain(['…']).collect()
}
