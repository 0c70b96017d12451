"""The pure core: no I/O, no clock, no environment, no logging. Everything here is a function of its arguments."""
