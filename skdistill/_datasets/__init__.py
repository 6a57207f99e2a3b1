"""Fits on files and on data sets of torch, whose memory does not grow with the rows."""
