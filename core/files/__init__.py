"""Stored files: images and videos made safe, probed, stored, signed for, downloaded."""
