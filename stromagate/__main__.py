"""Run the command line as ``python -m stromagate``."""

from stromagate.cli.app import main

if __name__ == "__main__":
    main()
