"""How Lockstep is run and looked at: command line, embedded servers, supervisor, board, simulator, benches."""
