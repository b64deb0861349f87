"""What serving costs: pages, requests, imports, near-duplicates; and how good pages are."""
