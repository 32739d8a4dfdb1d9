"""Teams of threads, the limit on BLAS, Ctrl-C and forks."""
