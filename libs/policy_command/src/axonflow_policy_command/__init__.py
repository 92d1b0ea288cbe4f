"""The policy engine for people and CI jobs: scan a text, explain a policy, lint a set. Reads files, calls nobody."""
