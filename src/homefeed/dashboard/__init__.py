"""What people see in a browser: pages over the generic API, without anything from elsewhere."""
