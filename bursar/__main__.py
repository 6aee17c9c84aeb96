"""`python -m bursar` is `bursar`."""

from bursar.cli import main

if __name__ == "__main__":
    main()
