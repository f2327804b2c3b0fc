"""What is known of every source: coverage of the publicly known codes, how well texts are read, and the page that says so."""
