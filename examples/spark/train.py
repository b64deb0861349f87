"""What spark-submit runs in place of the command `homefeed`: the operator takes a file, no command."""

from homefeed.cli import main

if __name__ == "__main__":
    main()
