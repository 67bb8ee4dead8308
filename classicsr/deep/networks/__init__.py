"""The networks, layer for layer as published; these modules need torch and are imported late.

Each takes (N, C, h, w) intensities in [0, 1] and returns (N, C, h * scale, w * scale); those that
`_architectures` marks as `interpolated` take an image that already has the final size.
"""
