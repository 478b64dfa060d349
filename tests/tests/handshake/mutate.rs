//! Random changes of a head, the same on each run.

/// Changes a byte, or doubles or drops a line.
pub(crate) fn mutate(head: &mut Vec<u8>, random: &mut Random) {
    const BYTES: &[u8] = b"\r\n \t:,;#\"=/\0\x7f\x80\xffaZ09";
    let at = random.below(head.len());
    let byte = BYTES[random.below(BYTES.len())];
    match random.below(6) {
        0 => head[at] = byte,
        1 => head[at] ^= 1 << random.below(8),
        2 => head.insert(at, byte),
        3 => drop(head.remove(at)),
        4 => {
            // A whole line again, somewhere else: duplicates.
            let lines: Vec<Vec<u8>> = head
                .split_inclusive(|b| *b == b'\n')
                .map(Vec::from)
                .collect();
            let line = lines[random.below(lines.len())].clone();
            let place: usize = lines[..random.below(lines.len())]
                .iter()
                .map(Vec::len)
                .sum();
            head.splice(place..place, line);
        }
        _ => {
            // A line less.
            let lines: Vec<Vec<u8>> = head
                .split_inclusive(|b| *b == b'\n')
                .map(Vec::from)
                .collect();
            let gone = random.below(lines.len());
            let kept = lines.iter().enumerate().filter(|(index, _)| *index != gone);
            let rest: Vec<u8> = kept.flat_map(|(_, line)| line.clone()).collect();
            if !rest.is_empty() {
                *head = rest;
            }
        }
    }
}

/// xorshift64: the same numbers on each run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}
