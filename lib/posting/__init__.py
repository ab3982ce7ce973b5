"""What a posting is, what a source must offer, and how a posting is told from another and from its past."""
