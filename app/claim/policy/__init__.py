"""The policies a person has at an insurer: asked under consent, answered by the insurer, kept with the time."""
