"""The only place with Numba: arrays in, arrays out.

Copies are written as loops: assigning one array to a part of another makes Numba compile, for
its error message, several seconds of string formatting.

Kernels release the GIL, compile on first use and cache to disk. None of them starts threads:
callers run them on tiles from worker threads, so the bits never depend on the thread count.
"""
