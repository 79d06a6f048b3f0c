"""What a bench is made of: streams, the machine, its monitor, the scoreboard."""
