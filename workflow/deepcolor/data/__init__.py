"""From the photographs of a source to TFRecord shards."""
