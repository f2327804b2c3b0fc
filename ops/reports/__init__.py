"""What the command line and the board tell of the tables and the topics: figures in, plain values out."""
