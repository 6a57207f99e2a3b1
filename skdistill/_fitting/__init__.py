"""The stages of a fit: what is refused, the rows, the halves, and the choice of the weight."""
