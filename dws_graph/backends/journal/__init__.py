"""Facts on disk: the open segment, sealed segments, the hash chain, replay."""
