"""A CUDA device that is none: tensors on it hold values on the CPU, and every copy is counted.

It needs a process of its own, in which the device is there before PyTorch is imported:
``python tests/fakes/fake_gpu/run.py`` runs pytest in one.
"""
