//! Scalars as `TensorBoard` reads them: records of `TFRecord`, each a `tensorflow.Event` of Protocol Buffers.

use std::time::{SystemTime, UNIX_EPOCH};

/// The first record of a file.
pub(super) fn version_record(time: f64) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, time);
    event.bytes(3, b"brain.Event:2");
    record(&event.0)
}

/// A record with the scalars of a step.
pub(super) fn scalars_record<'a>(
    time: f64,
    step: u64,
    scalars: impl IntoIterator<Item = (&'a str, f64)>,
) -> Vec<u8> {
    let mut summary = Message::default();
    for (tag, scalar) in scalars {
        let mut value = Message::default();
        value.bytes(1, tag.as_bytes());
        value.float(2, scalar as f32);
        summary.bytes(1, &value.0);
    }
    let mut event = Message::default();
    event.double(1, time);
    event.int(2, step);
    event.bytes(5, &summary.0);
    record(&event.0)
}

/// Seconds since 1970. Events carry the time of day, so no two runs' files are the same.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Length, its checksum, the bytes, their checksum.
fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(bytes.len() + 16);
    record.extend(length);
    record.extend(masked_crc(&length).to_le_bytes());
    record.extend(bytes);
    record.extend(masked_crc(bytes).to_le_bytes());
    record
}

/// CRC-32C, rotated and shifted as `TFRecord` does lest a checksum over bytes with a checksum be weak.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), a bit at a time: some hundred bytes a log step are not worth a table.
fn crc32c(bytes: &[u8]) -> u32 {
    let bit = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| bit(crc)))
}

/// A message of Protocol Buffers as it grows, field by field.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A field's number and how its value is written.
    fn key(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    fn int(&mut self, field: u64, value: u64) {
        self.key(field, 0);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, B.4.
    #[test]
    fn the_checksums_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&ascending), 0x46dd_794e);
    }

    /// What tensorboard 2.21 writes for the same:
    /// ```python
    /// from tensorboard.compat.proto import event_pb2, summary_pb2
    /// from tensorboard.summary.writer.record_writer import RecordWriter
    /// V = summary_pb2.Summary.Value
    /// w = RecordWriter(open("events", "wb"))
    /// w.write(event_pb2.Event(wall_time=1.5, file_version="brain.Event:2").SerializeToString())
    /// summary = summary_pb2.Summary(value=[V(tag="loss", simple_value=0.5), V(tag="lr", simple_value=1e-3)])
    /// w.write(event_pb2.Event(wall_time=2.25, step=300, summary=summary).SerializeToString())
    /// ```
    #[test]
    fn the_bytes_are_tensorboards() {
        let mut bytes = version_record(1.5);
        bytes.extend(scalars_record(2.25, 300, [("loss", 0.5), ("lr", 1e-3)]));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let golden = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c\
            2600000000000000734fe30009000000000000024010ac022a180a0b0a046c6f7373150000003f0a\
            090a026c72156f12833a381ffa6b";
        assert_eq!(hex, golden);
    }
}
