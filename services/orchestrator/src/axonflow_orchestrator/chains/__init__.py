"""The steps of governed requests, in order, and whether they are as they were written."""
