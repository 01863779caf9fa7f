drop table chunk_vectors;
-- The extension stays: it may have been here before.
