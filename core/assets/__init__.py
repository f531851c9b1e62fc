"""The library of a workspace: images, videos and sounds to make clips from, and names for groups of them."""
