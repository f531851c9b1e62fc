"""The viewer of clips and what stands beside a clip in it."""
