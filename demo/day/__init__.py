"""One business day, played from outside: patients, phones, operators and hospital counters, over HTTP only."""
