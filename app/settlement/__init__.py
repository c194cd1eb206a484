"""Medical-insurance trial and settlement (试算, 结算): the regulated line, two halves that end well together."""
