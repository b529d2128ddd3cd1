"""``python -m featbank``: the same as the ``featbank`` command."""

from featbank.cli.main import main

if __name__ == "__main__":
    main()
