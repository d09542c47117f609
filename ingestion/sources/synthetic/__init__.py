"""An invented retailer: members, tills, deliveries, a mini-program, campaigns, feedback, and six facts planted by quota."""
