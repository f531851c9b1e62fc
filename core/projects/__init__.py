"""Projects and what people keep in them: presets and uploaded images."""
