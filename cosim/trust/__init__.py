"""What the project's trust rests on: mutants, proofs, functional coverage, faults, a long run, and their one page."""
