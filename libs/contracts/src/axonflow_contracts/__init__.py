"""The wire: structs that cross a border, the error envelopes and the verdict vocabulary."""
