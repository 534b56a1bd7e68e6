"""What happened to each message of the examples: written by signals, shown live."""
