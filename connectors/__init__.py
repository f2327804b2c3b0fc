"""How facts come in: one file per channel, system and courier, all of one anatomy, and the server that they share."""
