"""Trouble of the machine is one line; a bug stays what it is."""

import errno
import os

import pytest

from featbank.errors import DiskError, FeatbankError, MemoryShortError, UsageError
from featbank.trouble import told, trouble_of

ERRNOS = [
    errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.ELOOP,
    errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ENOLCK,
]  # fmt: skip


@pytest.mark.parametrize("number", ERRNOS, ids=errno.errorcode.get)
def test_an_error_of_the_system_names_path_reason_and_way_out(number):
    found = trouble_of(OSError(number, os.strerror(number), "bank/a.json"))
    assert isinstance(found, DiskError)
    assert str(found).startswith(f"bank/a.json: cannot be used ({os.strerror(number)}); expected ")
    assert str(found).count("\n") == 0
    assert found.errno == number


def test_what_a_library_wraps_is_found_in_the_chain():
    error = KeyError("c/0")
    error.__context__ = OSError(errno.ENOSPC, "No space left on device", "bank/c/0")
    assert "bank/c/0: cannot be used (No space left on device)" in str(trouble_of(error))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_few_open_files_say_what_to_raise(number):
    found = trouble_of(OSError(number, os.strerror(number), "x"))
    assert "ulimit -n" in str(found) or "fs.file-max" in str(found)


def test_torch_says_too_many_open_files_in_words():
    error = RuntimeError("unable to open shared memory object: Too many open files (24)")
    assert "ulimit -n 4096" in str(trouble_of(error))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 9.31 TiB for an array with shape (1, 2)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate"
                     " memory: you tried to allocate 9 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)  # fmt: skip
def test_too_little_memory_says_what_to_ask_for_less_of(error):
    found = trouble_of(error)
    assert isinstance(found, MemoryShortError)
    assert "--batch-size" in str(found)


def test_a_full_gpu_is_told_from_full_memory_with_the_options_of_each_command():
    import torch

    said = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 GiB. "
    found = trouble_of(torch.OutOfMemoryError(said + "Of the allocated memory 7 GiB is …"))
    assert isinstance(found, MemoryShortError)
    assert str(found) == (
        "memory of the GPU: does not suffice (2.00 GiB more were asked for); expected room for "
        "what is computed at once. Pass a smaller --batch-size, to pretrain a smaller "
        "--micro-batch, or --device cpu."
    )


def test_a_library_that_finds_no_memory_on_the_gpu_is_told_alike():
    found = trouble_of(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `x`"))
    assert str(found).startswith("memory of the GPU: does not suffice; ")


def test_safetensors_says_a_full_disk_in_words():
    from safetensors import SafetensorError

    said = "Error while serializing: I/O error: No space left on device (os error 28)"
    assert "No space left" in str(trouble_of(SafetensorError(said)))


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), RuntimeError("x"), TypeError()])
def test_a_bug_stays_a_bug(error):
    assert trouble_of(error) is None

    @told
    def work():
        raise error

    with pytest.raises(type(error)) as caught:
        work()
    assert not isinstance(caught.value, FeatbankError)


def test_a_nul_byte_in_a_path_is_told():
    with pytest.raises(UsageError, match="holds a NUL byte"):
        told(os.listdir)("a\0b")


def test_a_long_path_is_told_shortened():
    with pytest.raises(DiskError, match=r"x…x+ \(5000 characters\).*File name too long"):
        told(os.listdir)("x" * 5000)


def test_an_interrupt_passes():
    def work():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told(work)()


def test_every_function_of_the_front_door_tells():
    import featbank

    functions = [getattr(featbank, name) for name in featbank.__all__]
    assert all(hasattr(function, "__wrapped__") for function in functions)
