"""The command ``skconv``: train, predict, inspect and export from a shell."""
